"""The renderer itself, on a small view of the tests' own: what it shows, and that it sees what is wrong."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from playwright.sync_api import Page

from testbench.splunkd import Splunkd
from testbench.views.browser import Browser, Seen
from testbench.views.definitions import View

TITLES = ["Instances", "Instances by modality", "Table"]


def show(dashboards: Browser, page: Page, **tokens: str) -> Seen:
    dashboards.show(page, "tiny", **tokens)
    return dashboards.seen(page)


def test_a_view_shows_what_its_searches_find_in_light_and_dark(
    dashboards: Browser, page: Page, hospital: Splunkd, tmp_path: Path
) -> None:
    seen = show(dashboards, page)
    assert seen.problems == []
    assert [panel.title for panel in seen.panels] == TITLES
    count = len([one for one in hospital.indexed["dicom"] if one.sourcetype == "dicom:instance"])
    assert seen.panel("Instances").rows == [{"instances": str(count)}]
    assert str(count) in seen.panel("Instances").text.replace(",", "")
    assert sum(int(row["count"]) for row in seen.panel("Table").rows) == count
    light = dashboards.picture(page, tmp_path / "light.png")
    dashboards.show(page, "tiny", "dark")
    assert dashboards.seen(page).problems == []
    assert dashboards.picture(page, tmp_path / "dark.png") != light


def test_a_token_of_the_address_filters(dashboards: Browser, page: Page) -> None:
    seen = show(dashboards, page, modality="CT")
    assert seen.tokens["modality"] == "CT"
    assert [row["Modality"] for row in seen.panel("Table").rows] == ["CT"]


def test_a_choice_in_an_input_filters(dashboards: Browser, page: Page) -> None:
    show(dashboards, page)
    page.locator('[data-test="input-item"]', has_text="Modality").get_by_role("combobox").click()
    page.get_by_role("option", name="MR", exact=True).click()
    seen = dashboards.seen(page)
    assert [row["Modality"] for row in seen.panel("Table").rows] == ["MR"]
    assert seen.problems == []


def test_a_drilldown_leads_to_the_search_and_its_rows(dashboards: Browser, page: Page) -> None:
    show(dashboards, page)
    page.locator('[data-viz-type="splunk.table"]').get_by_text("MR", exact=True).click()
    page.wait_for_url("**/search?q=*")
    assert page.locator('[data-test="search-text"]').inner_text() == "search index=dicom Modality=MR"
    page.locator('[data-test="search-rows"] tbody tr').first.wait_for()
    assert "MR" in page.locator('[data-test="search-rows"]').inner_text()
    dashboards.open("tiny", page=page)


@pytest.mark.parametrize(
    ("name", "search", "says"),
    [
        (
            "empty",
            "index=dicom nothing=like_this | stats count by nothing",
            "Table (splunk.table): an error icon",
        ),
        (
            "refused",
            "index=dicom | table ID | copydicom dest=nowhere",
            "ds_base failed: server 'nowhere' is not in",
        ),
    ],
)
def test_a_panel_without_rows_and_a_search_that_fails_are_seen(
    dashboards: Browser, page: Page, name: str, search: str, says: str
) -> None:
    definition = copy.deepcopy(dashboards.server.views["tiny"].definition)
    definition["dataSources"]["ds_base"]["options"]["query"] = search
    dashboards.server.views[name] = View(name, name, "light", definition)
    try:
        dashboards.show(page, name)
        seen = dashboards.seen(page)
    finally:
        del dashboards.server.views[name]
    assert any(says in problem for problem in seen.problems), seen.problems
