"""Reports as they come in life: repeated, corrected, without UIDs; and real ones where they are at hand.

The real reports are the fixtures in ``../shared`` (or COPYDICOM_SHARED); they are no part of the repository.
"""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest

from testbench.dose_reports import DIALECTS, Report, Study, ct_report
from testbench.dose_samples import LOCALIZER, SPIRAL
from testbench.orthanc import OrthancServer
from testbench.splunkd import Splunkd
from testbench.views.definitions import read_view
from testbench.views.running import panels

VIEW = read_view(Path(__file__).resolve().parents[3] / "default/data/ui/views/dose_by_protocol.xml")
DESCRIBED = {"CT-ESR-GE_Optima": "Colonography"}  # where a report names no protocol
SHARED = Path(os.environ.get("COPYDICOM_SHARED", Path(__file__).resolve().parents[4] / "shared"))
FIXTURES = SHARED / "fixtures" / "dose"


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer("pacs") as made:
        yield made


@pytest.fixture
def splunk(package: Path, server: OrthancServer) -> Iterator[Splunkd]:
    """An empty index, and an input of an empty server."""
    for id in server.get("/patients"):
        server.delete(f"/patients/{id}")
    with Splunkd(package) as made:
        made.add_server("pacs", base_url=server.url, username=server.username, password=server.password)
        yield made
        made.assert_no_violations()


def receive(splunk: Splunkd, server: OrthancServer, *files: bytes) -> None:
    for file in files:
        server.upload(file)
    assert splunk.run_input("orthanc://pacs", server="pacs").exit_code == 0


def at(second: int, **fields: Any) -> dict[str, Any]:
    return {**SPIRAL, "datetime_started": f"2024-03-01T10:00:{second:02d}", **fields}


def as_another(report: Report, uid: str) -> bytes:
    """The report under its own instance UID."""
    return type(report)({**report.tags, "SOPInstanceUID": uid}, report.study, report.events).dicom()


def test_of_two_versions_of_an_irradiation_the_later_indexed_counts(
    splunk: Splunkd, server: OrthancServer
) -> None:
    wrong, right = (ct_report(Study("version"), [at(1, ctdivol_mGy=dose)]) for dose in (99.0, 9.0))
    for report in (wrong, right):
        receive(splunk, server, report.dicom())
        for id in server.get("/instances"):
            server.delete(f"/instances/{id}")
        splunk.advance(60)
    (row,) = splunk.search("`dose_events`").rows
    assert row["ctdivol_mGy"] == "9.0"
    assert len(splunk.search("`dose_event_search`").rows) == 2


def test_reports_without_uids_that_repeat_each_other_count_once(
    splunk: Splunkd, server: OrthancServer
) -> None:
    scans = [at(10 * n, ctdivol_mGy=5.0 + n, dlp_mGycm=100.0 + n) for n in range(3)]
    reports = [ct_report(Study("bare"), scans[:n], DIALECTS["no_uids"]) for n in (1, 2, 3)]
    receive(splunk, server, *(as_another(report, f"2.25.{n + 1}") for n, report in enumerate(reports)))
    (study,) = splunk.search("`dose_studies`").rows
    assert (study["n_reports"], study["n_events"]) == ("3", "3")
    assert float(study["total_dlp_mGycm"]) == pytest.approx(303.0)
    assert float(study["reported_total_dlp_mGycm"]) == pytest.approx(303.0), "the largest repeats the others"


def test_reports_that_continue_each_other_add_up(splunk: Splunkd, server: OrthancServer) -> None:
    study = Study("parts", study_uid="2.25.5150")
    first = ct_report(study, [LOCALIZER, at(1, dlp_mGycm=100.0)])
    second = ct_report(
        Study("more parts", study_uid="2.25.5150"), [at(30, dlp_mGycm=50.0), at(50, dlp_mGycm=25.0)]
    )
    receive(splunk, server, first.dicom(), second.dicom())
    (row,) = splunk.search("`dose_studies`").rows
    assert (row["n_reports"], row["n_events"], row["n_scans"]) == ("2", "4", "3")
    assert float(row["total_dlp_mGycm"]) == float(row["reported_total_dlp_mGycm"]) == 175.0


def test_repeated_uids_within_a_report_are_irradiations_of_their_own(
    splunk: Splunkd, server: OrthancServer
) -> None:
    report = ct_report(Study("same uids"), [at(1), at(2), at(3)], DIALECTS["repeated_uids"])
    receive(splunk, server, report.dicom())
    assert len(splunk.search("`dose_events`").rows) == 3


def test_doses_of_images_give_way_to_a_report_of_the_same(splunk: Splunkd, server: OrthancServer) -> None:
    receive(splunk, server, ct_report(Study("both"), [at(1)]).dicom())
    (event,) = (e for e in splunk.indexed["dicom"] if e.sourcetype == "dicom:dose:event")
    fields = json.loads(event.raw)
    for name in ("irradiation_event_uid", "sop_instance_uid"):
        fields.pop(name)
    fields |= {"dose_source": "image", "event_key": "2.25.1#1"}
    elsewhere = {**fields, "study_instance_uid": "2.25.99", "event_key": "2.25.2#1"}
    for record in (fields, elsewhere):
        splunk.index_event(record, sourcetype=event.sourcetype, at=event.time)
    found = splunk.search("`dose_events` | table study_instance_uid dose_source").rows
    assert sorted(row["dose_source"] for row in found) == ["image", "report"]
    assert len(splunk.search("`dose_studies`").rows) == 2


def test_names_that_differ_in_case_and_white_space_are_one(splunk: Splunkd, server: OrthancServer) -> None:
    for number, name in enumerate(("Thorax  Routine", "THORAX ROUTINE", " thorax routine")):
        receive(splunk, server, ct_report(Study(f"n{number}"), [at(1, acquisition_protocol=name)]).dicom())
    (row,) = splunk.search(
        "`dose_events` | stats count values(protocol_mapped) AS mapped BY standard_protocol"
    ).rows
    assert (row["count"], row["mapped"]) == ("3", "no")


# ---------------------------------------------------------------- real reports


def told() -> dict[str, list[dict[str, str]]]:
    """What `expected.csv` says of the irradiations of each file that is here: fields by file."""
    path = FIXTURES / "expected.csv"
    if not path.exists():
        return {}
    events: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["level"] == "event" and (FIXTURES / f"{row['file']}.dcm").exists():
                events[row["file"], row["event_index"]][row["field"]] = row["value"]
    files: dict[str, list[dict[str, str]]] = defaultdict(list)
    for (file, _), fields in events.items():
        files[file].append(fields)
    return files


def test_means_and_medians_of_real_reports(splunk: Splunkd, server: OrthancServer) -> None:
    files = told()
    if not files:
        pytest.skip(f"the real reports are not here: {FIXTURES}")
    receive(splunk, server, *((FIXTURES / f"{name}.dcm").read_bytes() for name in files))
    compared = 0
    for field in ("ctdivol_mGy", "dlp_mGycm", "agd_mGy"):
        found = splunk.search(
            f"`dose_events` | `no_localizers` | `dose_statistics({field}, manufacturer_model)`"
        ).rows
        numbers = {round(float(row["mean"]), 6): row for row in found}
        for events in files.values():
            scans = (e for e in events if e.get("ct_acquisition_type") != "Constant Angle Acquisition")
            values = [float(event[field]) for event in scans if field in event]
            if values:
                row = numbers[round(mean(values), 6)]
                assert int(row["n"]) == len(values)
                assert float(row["median"]) == pytest.approx(median(values))
                assert (float(row["min"]), float(row["max"])) == (min(values), max(values))
                compared += 1
    assert compared >= 3


@pytest.mark.parametrize("acquisitions", ["all but localizers", "all"])
def test_dose_by_protocol_of_real_reports(splunk: Splunkd, server: OrthancServer, acquisitions: str) -> None:
    """What the view's own tables say, protocol by protocol; a topogram that tells a dose only where asked."""
    files = {name: events for name, events in told().items() if name.startswith("CT")}
    if not files:
        pytest.skip(f"the real reports are not here: {FIXTURES}")
    receive(splunk, server, *((FIXTURES / f"{name}.dcm").read_bytes() for name in files))
    (choice,) = (
        item["value"]
        for item in VIEW.definition["inputs"]["input_acquisitions"]["options"]["items"]
        if item["label"] == acquisitions
    )
    tokens = {"time.earliest": "0", "time.latest": "now", "acquisitions": choice}
    shown = panels(VIEW, splunk.search, tokens)
    for title, field, unit in (
        ("CTDIvol of an irradiation by protocol", "ctdivol_mGy", "mGy"),
        ("DLP of an irradiation by protocol", "dlp_mGycm", "mGy.cm"),
    ):
        wanted: dict[str, list[float]] = defaultdict(list)
        for name, events in files.items():
            for event in events:
                localizer = event.get("ct_acquisition_type") == "Constant Angle Acquisition"
                if field in event and (acquisitions == "all" or not localizer):
                    wanted[event.get("acquisition_protocol") or DESCRIBED[name]].append(float(event[field]))
        rows = {str(row["Protocol"]): row for row in shown[title]}
        assert rows.keys() == wanted.keys()
        for protocol, values in wanted.items():
            assert int(rows[protocol]["n"]) == len(values)
            for column, number in (("Mean", mean(values)), ("Median", median(values)), ("Max", max(values))):
                assert float(rows[protocol][f"{column} ({unit})"]) == pytest.approx(number), protocol
