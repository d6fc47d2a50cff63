"""What is indexed again, or grows, counts once and as it was last: in every panel of every view."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testbench.splunkd import Splunkd
from testbench.views.definitions import View, read_views
from testbench.views.running import panels

ROOT = Path(__file__).resolve().parents[3]
VIEWS = {view.name: view for view in read_views(ROOT / "default")}
ALL = {"time.earliest": "0", "time.latest": "now"}
DAY = 86_400.0


@pytest.fixture
def splunk(package: Path) -> Iterator[Splunkd]:
    """An empty index."""
    with Splunkd(package) as made:
        yield made


def shown(view: View, splunk: Splunkd, **tokens: str) -> dict[str, list[Any]]:
    return panels(view, splunk.search, {**ALL, **tokens})


def test_no_panel_shows_another_number_when_everything_was_indexed_twice(
    splunk: Splunkd, indexed: Callable[[str], Splunkd]
) -> None:
    """As after an unclean end; some of it a second later by `_time`, as when a clock was corrected."""
    once = indexed("keep")
    for number, event in enumerate(once.indexed["dicom"]):
        again = 1.0 if number % 3 == 0 and event.sourcetype == "dicom:dose:event" else 0.0
        for time, arrived in ((event.time + again, event.index_time - 60), (event.time, event.index_time)):
            splunk.index_event(event.raw, sourcetype=event.sourcetype, at=time, arrived=arrived)
    study = str(once.search("`dose_studies` | head 1").rows[0]["study_instance_uid"])
    compared = 0
    for name in set(VIEWS) - {"health", "replication"}:
        before, after = (shown(VIEWS[name], each, study=study) for each in (once, splunk))
        for title, rows in before.items():
            assert after[title] == rows, f"{name}: {title}"
            compared += bool(rows)
    assert compared > 60


def summary(level: str, id: str, revision: int, instances: int, **more: Any) -> dict[str, Any]:
    """An event of `dicom:series` or `dicom:study`, as the input writes it."""
    return {
        "ID": id,
        "orthanc_server": "pacs",
        "level": level,
        "revision": revision,
        "instances": instances,
        "bytes": 1000 * instances,
        "modalities": "CT",
        "last_arrival": f"2026-03-02T10:{revision:02}:00Z",
        "StudyInstanceUID": "1.2.3",
        "StudyDateTime": "2026-03-02T09:30:00",
        "StudyDescription": "CT chest",
        "StationName": "CTER",
        **more,
    }


def index(splunk: Splunkd, *events: dict[str, Any]) -> None:
    """One after the other, a minute apart; all of the study's own time."""
    for number, event in enumerate(events):
        splunk.index_event(
            event,
            sourcetype=f"dicom:{event['level']}",
            at=20_000 * DAY,
            arrived=splunk.now - 3600 + 60 * number,
        )


def test_of_a_study_that_grew_the_latest_state_counts(splunk: Splunkd) -> None:
    grown = summary("study", "s", 12, 412, series=3, modalities="CT,SR")
    index(
        splunk,
        summary("study", "s", 9, 10, series=1, SeriesInstanceUID="1.2.3.1", Modality="CT"),
        summary("study", "s", 10, 400, series=2),
        grown,
        grown,  # after a kill the last batch comes again
        summary("study", "s", 1, 3, series=1, orthanc_server="research"),  # a part of it was copied
    )
    (row,) = splunk.search("`dicom_studies`").rows
    assert {name: row.get(name) for name in ("n_instances", "n_series", "ParentStudy", "modality")} == {
        "n_instances": "412", "n_series": "3", "ParentStudy": "s", "modality": "CT",
    }  # fmt: skip
    assert (row["modalities"], row["room"], row.get("study_end")) == (["CT", "SR"], "unknown", None)
    overview = shown(VIEWS["overview"], splunk)
    assert [overview[name][0][key] for name, key in NUMBERS] == ["1", "3", "412"]
    assert splunk.search("`dicom_series`").rows == []


NUMBERS = (("Studies", "studies"), ("Series", "series"), ("Instances", "instances"))


def test_of_series_that_grew_the_latest_state_counts(splunk: Splunkd) -> None:
    parent = {"ParentStudy": "s", "Modality": "CT"}
    report = {**summary("instance", "r", 0, 0), "ParentSeries": "c", "ParentStudy": "s", "Modality": "SR"}
    index(
        splunk,
        summary("series", "a", 1, 100, SeriesInstanceUID="1.2.3.1", **parent),
        summary("series", "a", 2, 90, SeriesInstanceUID="1.2.3.1", SeriesDescription="Lung", **parent),
        summary("series", "b", 1, 7, SeriesInstanceUID="1.2.3.2", **parent),
        summary("series", "b", 1, 7, SeriesInstanceUID="1.2.3.2", **parent),
        {**report, "SeriesInstanceUID": "1.2.3.3"},
        {
            **summary("series", "c", 1, 1),
            "SeriesInstanceUID": "1.2.3.3",
            "Modality": "SR",
            "modalities": "SR",
        },
    )
    (row,) = splunk.search("`dicom_studies`").rows
    assert (row["n_instances"], row["n_series"], row["modality"]) == ("98", "3", "CT")
    series = {one["ParentSeries"]: one["n_instances"] for one in splunk.search("`dicom_series`").rows}
    assert series == {"a": "90", "b": "7", "c": "1"}
    utilization = shown(VIEWS["utilization"], splunk)
    assert utilization["Copy the studies of a procedure"][0]["Instances"] == "98"


def test_of_two_versions_of_an_irradiation_one_counts_wherever_their_times_are(
    splunk: Splunkd, indexed: Callable[[str], Splunkd]
) -> None:
    """The later indexed has a clock that was set a month back, another dose and another report."""
    event = next(
        one
        for one in indexed("keep").indexed["dicom"]
        if one.sourcetype == "dicom:dose:event" and json.loads(one.raw).get("ctdivol_mGy")
    )
    fields = json.loads(event.raw)
    later = {**fields, "ctdivol_mGy": 1.25, "sop_instance_uid": "2.25.99"}
    for raw, ahead, arrived in ((later, -30 * DAY, 0.0), (fields, 0.0, -DAY), (fields, 0.0, -2 * DAY)):
        splunk.index_event(
            raw, sourcetype="dicom:dose:event", at=event.time + ahead, arrived=splunk.now + arrived
        )
    (row,) = splunk.search("`dose_events`").rows
    assert row["ctdivol_mGy"] == "1.25"
    view = shown(VIEWS["dose_by_protocol"], splunk)
    (row,) = view["CTDIvol of an irradiation by protocol"]
    assert (row["n"], row["Median (mGy)"]) == ("1", "1.25")
