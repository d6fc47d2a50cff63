"""Dose reports through a real Orthanc and the packaged input: what a physicist's searches find."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from testbench.dose_reports import Report, Study, ct_report, nuclear_report, projection_report
from testbench.dose_samples import FLUOROSCOPY, INJECTION, LOCALIZER, MAMMOGRAM, SPIRAL
from testbench.orthanc import OrthancServer
from testbench.sample_data import hospital
from testbench.splunkd import Splunkd

SplunkOn = Callable[..., Splunkd]
STANZA = "orthanc://radiology"
NEXT = {"datetime_started": "2024-03-01T10:04:00", "acquisition_plane": "Single Plane"}
REPORTS = {
    "ct": ct_report(Study("live/ct"), [LOCALIZER, SPIRAL, SPIRAL]),
    "one": ct_report(Study("live/one"), [SPIRAL]),
    "fluoroscopy": projection_report(Study("live/rf"), [FLUOROSCOPY, {**FLUOROSCOPY, **NEXT}]),
    "mammography": projection_report(Study("live/mg"), [MAMMOGRAM], mammography=True),
    "injection": nuclear_report(Study("live/pt"), [INJECTION]),
}


def indexed(splunk: Splunkd, **params: Any) -> list[tuple[str, float | None, dict[str, Any]]]:
    run = splunk.run_input(STANZA, server="pacs", **params)
    assert run.exit_code == 0
    return [(event.sourcetype or "", event.time, json.loads(event.data)) for event in run.events]


def records_of(id: str, events: list[tuple[str, float | None, dict[str, Any]]]) -> list[Mapping[str, Any]]:
    return [fields for kind, _, fields in events if kind.startswith("dicom:dose:") and fields["ID"] == id]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_becomes_its_study_and_every_irradiation_beside_the_instance(
    pacs: OrthancServer, splunk_on: SplunkOn, name: str
) -> None:
    report: Report = REPORTS[name]
    id = pacs.upload(report.dicom())["ID"]
    events = indexed(splunk_on(pacs=pacs))
    assert [kind for kind, _, _ in events] == [
        "dicom:instance",
        "dicom:dose:study",
        *["dicom:dose:event"] * len(report.events),
    ]
    assert report.differences(records_of(id, events)) == []
    assert {fields["ParentStudy"] for _, _, fields in events} == {pacs.get(f"/instances/{id}/study")["ID"]}


def test_an_irradiation_happened_when_its_own_start_says(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    pacs.upload(REPORTS["fluoroscopy"].dicom())
    times = {
        fields["datetime_started"]: (time, fields["time_source"])
        for kind, time, fields in indexed(splunk_on(pacs=pacs))
        if kind == "dicom:dose:event"
    }
    for started, (time, source) in times.items():
        stem, _, fraction = started.partition(".")
        moment = datetime.fromisoformat(stem).replace(tzinfo=timezone.utc).timestamp()
        assert time == pytest.approx(moment + float(f"0.{fraction or 0}"), abs=0.001)
        assert source == "datetime_started"
    assert len(times) == 2


def test_a_report_sent_again_has_the_same_keys(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    splunk, report = splunk_on(pacs=pacs), REPORTS["ct"].dicom()
    id = pacs.upload(report)["ID"]
    first = [record.get("event_key") for record in records_of(id, indexed(splunk))]
    pacs.delete(f"/instances/{id}")
    assert pacs.upload(report)["ID"] == id
    again = [record.get("event_key") for record in records_of(id, indexed(splunk))]
    assert first == again
    assert len(set(first)) == len(first)


def test_the_predecessors_paths_resolve_for_one_acquisition_as_for_many(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    splunk = splunk_on(pacs=pacs)
    one, many = (pacs.upload(REPORTS[name].dicom())["ID"] for name in ("one", "ct"))
    indexed(splunk)
    path = "X-Ray Radiation Dose Report.CT Acquisition{}.CT Dose.Mean CTDIvol"
    found = splunk.search(
        f'index=dicom sourcetype=dicom:instance | spath output=ctdi path="{path}" | table ID ctdi'
    )
    values = {row["ID"]: row["ctdi"] for row in found.rows}
    assert values == {one: "9.91", many: ["0", "9.91", "9.91"]}


def test_without_dose_a_report_is_an_instance_only(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    pacs.upload(REPORTS["ct"].dicom())
    assert [kind for kind, _, _ in indexed(splunk_on(pacs=pacs), dose="false")] == ["dicom:instance"]


def test_dose_events_answer_to_the_dicom_keywords(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    splunk = splunk_on(pacs=pacs)
    pacs.upload(REPORTS["ct"].dicom())
    indexed(splunk)
    search = "index=dicom sourcetype=dicom:dose:event | stats count by StudyInstanceUID Modality"
    study = pacs.get("/studies?expand")[0]["MainDicomTags"]["StudyInstanceUID"]
    assert splunk.search(search).rows == [{"StudyInstanceUID": study, "Modality": "CT", "count": "3"}]


def test_images_tell_the_dose_of_each_irradiation_once_and_never_beside_a_report(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    splunk = splunk_on(pacs=pacs)
    pacs.upload_all(instance.data for instance in hospital())
    events = indexed(splunk, dose_from_images="true")
    reported = {fields["ParentStudy"] for kind, _, fields in events if kind == "dicom:dose:study"}
    images = [fields for _, _, fields in events if fields.get("dose_source") == "image"]
    assert {fields["modality"] for fields in images} >= {"DX"}
    assert len({fields["event_key"] for fields in images}) == len(images) > 0
    assert not reported & {fields["ParentStudy"] for fields in images}
    assert all(fields.get("dap_Gycm2") or fields.get("exposure_mAs") for fields in images)
    file = pacs.content(f"/instances/{images[0]['ID']}/file")
    pacs.delete(f"/instances/{images[0]['ID']}")
    assert pacs.upload(file)["ID"] == images[0]["ID"]
    repeated = indexed(splunk, dose_from_images="true")
    assert [kind for kind, _, _ in repeated] == ["dicom:instance"]


def test_doses_from_images_are_off_unless_asked_for(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    for instance in hospital():
        if instance.modality in ("DX", "CR"):
            pacs.upload(instance.data)
    assert {kind for kind, _, _ in indexed(splunk_on(pacs=pacs))} == {"dicom:instance"}
