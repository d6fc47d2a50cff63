"""The app's views over the sample hospital: light and dark, what filters do, where drilldowns lead."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from testbench.splunkd import Splunkd
from testbench.views.browser import Browser, Seen
from testbench.views.definitions import read_views
from testbench.views.hospital import time_of
from testbench.views.words import missing_columns

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "failed-views"
NAMES = [view.name for view in read_views(ROOT / "default")]


def show(dashboards: Browser, page: Page, name: str, theme: str = "light", **tokens: str) -> Seen:
    dashboards.show(page, name, theme, **{**time_of(name), **tokens})
    return dashboards.seen(page)


@pytest.mark.parametrize("name", NAMES)
def test_a_view_is_drawn_whole_in_light_and_dark(dashboards: Browser, page: Page, name: str) -> None:
    definition = dashboards.server.views[name].definition
    for theme in ("light", "dark"):
        seen = show(dashboards, page, name, theme)
        assert missing_columns(definition, seen.columns) == []
        empty = [panel.title for panel in seen.panels if panel.without_rows]
        problems = [*seen.problems, *(f"{title}: no rows" for title in empty)]
        if problems:
            dashboards.picture(page, PICTURES / f"{name}-{theme}.png")
        assert seen.panels
        assert problems == []


def test_the_station_chosen_on_the_overview_holds_for_its_panels(
    dashboards: Browser, page: Page, hospital: Splunkd
) -> None:
    whole = show(dashboards, page, "overview")
    one = show(dashboards, page, "overview", station="CTER")
    assert {"CTER", "MR01"} <= {row["station_name"] for row in whole.panel("Studies by station").rows}
    assert [row["station_name"] for row in one.panel("Studies by station").rows] == ["CTER"]
    found = hospital.search(
        "search index=dicom sourcetype=dicom:instance StationName=CTER | stats dc(StudyInstanceUID) AS n",
    )
    assert next(iter(one.panel("Studies").rows[0].values())) == found.rows[0]["n"]
    assert one.problems == []


def test_a_study_of_the_overview_leads_to_its_own_view(dashboards: Browser, page: Page) -> None:
    seen = show(dashboards, page, "overview")
    accession = str(seen.panel("Highest doses of each modality").rows[0]["Accession number"])
    opened = dashboards.follow(page, page.get_by_text(accession, exact=True).first)
    study = dashboards.seen(opened)
    opened.close()
    assert study.name == "study"
    assert study.problems == []
    assert accession in study.panel("Study").text


def test_a_row_to_copy_leads_to_a_dry_run_that_asks_first_and_sends_nothing(
    dashboards: Browser, page: Page
) -> None:
    seen = show(dashboards, page, "dose_by_protocol")
    panel = seen.panel("Copy the studies of a protocol")
    protocol = str(panel.rows[0]["Protocol"])
    cell = (
        page.locator(f'[data-test="viz-item"][data-id="{panel.id}"]').get_by_text(protocol, exact=True).first
    )
    opened = dashboards.follow(page, cell)
    search = parse_qs(urlsplit(opened.url).query)["q"][0]
    assert "| copydicom" in search
    assert "dryrun=true" in search
    asks = opened.locator('[data-test="search-risky"]').inner_text()
    assert asks.startswith("This search has a risky command: copydicom")
    opened.get_by_role("button", name="Run it").click()
    opened.locator('[data-test="search-rows"], [data-test="search-error"]').first.wait_for()
    assert opened.locator('[data-test="search-error"]').all_inner_texts() == []
    table = opened.locator('[data-test="search-rows"]').inner_text()
    opened.close()
    assert "copydicom_status" in table
    assert "planned" in table
