"""Splunk's own packages say nothing against the app's views, and something against each that is broken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from testbench.splunkd import Splunkd
from testbench.views.browser import Browser
from testbench.views.definitions import View
from testbench.views.words import Words, missing_columns, problems

Definition = dict[str, Any]
Check = Callable[[View], list[str]]


@pytest.fixture(scope="module")
def against(dashboards: Browser, page: Page, hospital: Splunkd) -> Check:
    """Splunk's words against a view."""
    words, views = Words.of(page), dashboards.server.views
    return lambda view: problems(view, words, views, hospital.searches.pipeline().expanded)


def test_splunk_has_nothing_against_the_apps_views(against: Check, views: list[View]) -> None:
    assert views
    assert [problem for view in views for problem in against(view)] == []


def option(viz: str, name: str, value: Any) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        definition["visualizations"][viz].setdefault("options", {})[name] = value

    return change


def query(text: str) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        definition["dataSources"]["ds_base"]["options"]["query"] = text

    return change


def drilldown(kind: str, **options: Any) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        handler = {"type": kind, "options": options}
        definition["visualizations"]["viz_table"]["eventHandlers"] = [handler]

    return change


def unknown_type(definition: Definition) -> None:
    definition["visualizations"]["viz_modalities"]["type"] = "splunk.histogram"


def not_laid_out(definition: Definition) -> None:
    definition["layout"]["structure"].pop()


def key_with_a_space(definition: Definition) -> None:
    definition["dataSources"]["ds of mine"] = definition["dataSources"].pop("ds_sum")
    definition["visualizations"]["viz_instances"]["dataSources"]["primary"] = "ds of mine"


SEARCH = "index=dicom | stats count by Modality"
BROKEN: dict[str, tuple[Callable[[Definition], None], str]] = {
    "a shape that the schema refuses": (key_with_a_space, "Splunk's schema: /dataSources"),
    "a visualization that is not there": (unknown_type, "is of the unknown type splunk.histogram"),
    "an option that is not there": (
        option("viz_table", "colour", "red"),
        "splunk.table has no option colour",
    ),
    "a panel outside of the layout": (not_laid_out, "viz_table is not in the layout"),
    "an axis without a unit": (
        option("viz_modalities", "yAxisTitleText", "Dose"),
        "no unit in yAxisTitleText",
    ),
    "a method that is not there": (
        option("viz_instances", "majorValue", "> primary | seriesNamed('n') | lastPoint()"),
        "there is no seriesNamed()",
    ),
    "an expression of nothing": (
        option("viz_instances", "majorValue", "> secondary | seriesByIndex(0)"),
        "there is no secondary",
    ),
    "an expression that breaks off": (
        option("viz_instances", "majorValue", "> primary | seriesByIndex("),
        "it cannot be read",
    ),
    "a drilldown of the wrong type": (
        drilldown("drilldown.linkToSearch", query="x"),
        "drilldown.linkToSearch",
    ),
    "a link with a token that its view lacks": (
        drilldown("drilldown.customUrl", url="/app/copydicom_app/tiny?form.gone=1"),
        "its link sets form.gone, and tiny has no such input",
    ),
    "a command that Splunk has not": (query(f"{SEARCH} | tabulate count"), "Splunk has no command tabulate"),
    "a function that Splunk has not": (query(f"{SEARCH} | eval a=cube(count)"), "has no function cube()"),
    "a base of bare events": (query("index=dicom"), "ds_base is a base search and names no fields"),
}


def test_splunk_has_nothing_against_the_small_view(dashboards: Browser, against: Check) -> None:
    assert against(dashboards.server.views["tiny"]) == []


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found(dashboards: Browser, against: Check, what: str) -> None:
    change, says = BROKEN[what]
    definition = copy.deepcopy(dashboards.server.views["tiny"].definition)
    change(definition)
    found = against(View("broken", "Broken", "light", definition))
    assert any(says in problem for problem in found), found


def test_a_column_that_a_search_does_not_give_is_found(dashboards: Browser) -> None:
    definition = copy.deepcopy(dashboards.server.views["tiny"].definition)
    columns = {"viz_table": ["Modality", "count"], "viz_modalities": ["Modality", "count"]}
    assert missing_columns(definition, columns) == []
    option("viz_modalities", "y", "> primary | seriesByName('cuont')")(definition)
    option("viz_table", "columnFormat", {"Modalty": {"width": 100}})(definition)
    found = missing_columns(definition, columns)
    assert ["'cuont'" in found[0], "'Modalty'" in found[1]] == [True, True]
