"""The lint of the views: none of ours has anything wrong, and each thing that can be wrong is seen."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testbench.splunkd import Splunkd
from testbench.views.definitions import View, navigation, read_script_views, read_views
from testbench.views.fields import event_fields
from testbench.views.lint import Surroundings, problems

ROOT = Path(__file__).resolve().parents[2]
VIEWS = {view.name: view for view in read_views(ROOT / "default")}
PAGES = {view.name for view in read_script_views(ROOT / "default")}
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    """What stands beside a view of ours: the installed app."""
    built = subprocess.run(
        [sys.executable, "packaging/build.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with Splunkd(ROOT / built.stdout.split()[0]) as splunk:
        pipeline = splunk.searches.pipeline()
        yield Surroundings(
            {*VIEWS, *PAGES},
            pipeline.check,
            pipeline.expanded,
            event_fields(ROOT / "default", ROOT / "lookups"),
        )


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_is_wrong_with_a_view_of_ours(name: str, around: Surroundings) -> None:
    assert problems(VIEWS[name], around) == []


def test_the_navigation_leads_to_every_view_and_to_no_other() -> None:
    assert [name for name in navigation(ROOT / "default") if name not in {"search", *PAGES}] == list(VIEWS)


def first(items: dict[str, Any], **having: str) -> dict[str, Any]:
    """The first of them whose keys have these values."""
    return next(item for item in items.values() if having.items() <= item.items())


def of_type(definition: dict[str, Any], kind: str) -> dict[str, Any]:
    return first(definition["visualizations"], type=f"splunk.{kind}")


def search(spl: str) -> Change:
    """Puts an own search under the first panel."""

    def change(definition: dict[str, Any]) -> None:
        definition["dataSources"]["ds_own"] = {"type": "ds.search", "options": {"query": spl}}
        next(iter(definition["visualizations"].values()))["dataSources"] = {"primary": "ds_own"}

    return change


def option(text: str) -> Change:
    return lambda definition: of_type(definition, "singlevalue")["options"].update(majorValue=text)


def handler(kind: str, **options: Any) -> Change:
    return lambda definition: of_type(definition, "table").update(
        eventHandlers=[{"type": kind, "options": options}]
    )


def leads_to(url: str) -> Change:
    return handler("drilldown.customUrl", url=url)


WRONG: dict[str, tuple[Change, str]] = {
    "a data source that is not there": (
        lambda d: of_type(d, "table").update(dataSources={"primary": "ds_gone"}),
        "shows ds_gone, which is not there",
    ),
    "a base search that is not there": (
        lambda d: first(d["dataSources"], type="ds.chain")["options"].update(extend="ds_gone"),
        "extends ds_gone, which is not there",
    ),
    "a search that is shown nowhere": (
        lambda d: d["dataSources"].update(
            ds_idle={"type": "ds.search", "options": {"query": "`dose_events`"}}
        ),
        "ds_idle is shown nowhere",
    ),
    "a token that nothing gives": (
        search("`dose_events` | search site=$nowhere|s$"),
        "$nowhere$ is given by",
    ),
    "an input that changes nothing": (
        lambda d: d["inputs"].update(
            input_idle={"type": "input.text", "options": {"token": "idle", "defaultValue": ""}}
        ),
        "input_idle changes nothing",
    ),
    "a macro that is not there": (search("`no_such_macro` | stats count"), "cannot be run"),
    "a lookup that is not there": (search("`dose_events` | lookup no_such site"), "lookup no_such is not in"),
    "a command that is not there": (search("`dose_events` | frobnicate"), "cannot be run"),
    "a field that no event has": (
        search("`dose_events` | stats avg(ctdivol_mgy) AS mean BY station_name"),
        "gives the field ctdivol_mgy",
    ),
    "a command that changes something": (search("`dose_events` | outputlookup dose_drl"), "outputlookup"),
    "a copy from within a panel": (search("`dose_events` | copydicom dest=x"), "must not run copydicom"),
    "an expression of no source": (option("> elsewhere | firstPoint()"), "begins with what is not there"),
    "an expression of no function": (
        option('> primary | seriesNamed("n")'),
        "no function of dynamic options",
    ),
    "an expression of no context": (option("> primary | rangeValue(colours)"), "colours, which is not there"),
    "a drilldown of no kind": (handler("drilldown.linkToSearch"), "no drilldown drilldown.linkToSearch"),
    "a drilldown to nowhere": (handler("drilldown.customUrl"), "needs url"),
    "a drilldown to no view": (leads_to("/app/copydicom_app/gone"), "there is no view gone"),
    "a drilldown out of the app": (leads_to("https://example.org/"), "leads out of the app"),
    "a drilldown to no search": (leads_to("/app/copydicom_app/search?q=%60gone%60"), "cannot be run"),
    "a drilldown that copies at once": (
        leads_to("/app/copydicom_app/search?q=%60dose_events%60%7C%20copydicom%20dest%3Dx"),
        "must begin with dryrun=true",
    ),
    "an axis without a title": (
        lambda d: of_type(d, "column")["options"].pop("yAxisTitleText"),
        "an axis has no title",
    ),
    "a dose without a unit": (
        lambda d: [
            panel["options"].update(xAxisTitleText="Dose", yAxisTitleText="Weight")
            for panel in d["visualizations"].values()
            if panel["type"] == "splunk.scatter"
        ],
        "no axis names a unit",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_seen(wrong: str, around: Surroundings) -> None:
    change, words = WRONG[wrong]
    good = VIEWS["dose_by_protocol"]
    definition = copy.deepcopy(good.definition)
    change(definition)
    found = problems(View(good.name, good.label, good.theme, definition), around)
    assert [problem for problem in found if words in problem], found


def test_an_option_and_a_visualization_that_splunk_has_not_are_seen(around: Surroundings) -> None:
    good = VIEWS["dose_by_protocol"]
    panels = good.definition["visualizations"].values()
    options = {panel["type"]: {*panel.get("options", {})} for panel in panels}
    for panel in panels:
        options[panel["type"]] |= {*panel.get("options", {})}
    known = Surroundings(**{**vars(around), "options": options})
    assert problems(good, known) == []
    definition = copy.deepcopy(good.definition)
    of_type(definition, "table")["options"]["colour"] = "red"
    of_type(definition, "line")["type"] = "splunk.boxplot"
    found = problems(View(good.name, good.label, good.theme, definition), known)
    assert any("splunk.table has no option colour" in problem for problem in found)
    assert any("there is no visualization splunk.boxplot" in problem for problem in found)
