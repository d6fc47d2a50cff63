"""The synthetic hospital as real Orthanc servers take it and show it, in each version that is at hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from copydicom_app.dose import flatten_dose_report, image_dose, is_dose_report
from copydicom_app.structured_report import IGNORE_LENGTH
from testbench.hospital_plan import INSTANCES_BY_MODALITY, PATIENTS, SCANNERS, STUDIES
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import (
    Instance,
    dose_told_by_images,
    dose_told_by_reports,
    load,
    make_instances,
)

DOSES = frozenset(
    {
        "ctdivol_mGy",
        "agd_mGy",
        "entrance_exposure_mGy",
        "dap_Gycm2",
        "kvp_kV",
        "compression_thickness_mm",
        "compression_force_N",
        "phantom_cm",
        "primary_angle_deg",
        "pitch_factor",
    }
)


@dataclass
class Loaded:
    server: OrthancServer
    instances: list[Instance]
    progress: list[tuple[int, int]]
    statuses: list[str]

    def tags(self, description: str) -> dict[str, object]:
        found = next(each for each in self.instances if each.series_description == description)
        tags = self.server.get(f"/instances/{found.orthanc_id}/simplified-tags")
        assert isinstance(tags, dict)
        return tags

    def whole_tags(self, instance: Instance) -> dict[str, Any]:
        found = self.server.get(f"/instances/{instance.orthanc_id}/tags?simplify&{IGNORE_LENGTH}")
        assert isinstance(found, dict)
        return found


@dataclass
class Recorder:
    """Passes uploads on and keeps what Orthanc said to each."""

    server: OrthancServer
    statuses: list[str]

    def upload(self, data: bytes) -> dict[str, str]:
        answer: dict[str, str] = self.server.upload(data)
        self.statuses.append(answer["Status"])
        return answer


@pytest.fixture(scope="module", params=["first", "second"])
def loaded(request: pytest.FixtureRequest) -> Iterator[Loaded]:
    command = None
    if request.param == "second":
        command, reason = second_orthanc()
        if command is None:
            pytest.skip(reason)
    with OrthancServer("hospital", binary=command) as server:
        progress: list[tuple[int, int]] = []
        recorder = Recorder(server, [])
        instances = load(recorder, progress=lambda done, total: progress.append((done, total)))
        yield Loaded(server, instances, progress, recorder.statuses)


def test_orthanc_takes_every_instance_under_the_id_that_is_foretold(loaded: Loaded) -> None:
    total = sum(INSTANCES_BY_MODALITY.values())
    assert sorted(loaded.server.get("/instances")) == sorted(each.orthanc_id for each in loaded.instances)
    assert loaded.progress == [(done, total) for done in range(1, total + 1)]


def test_each_instance_is_a_success_and_no_duplicate(loaded: Loaded) -> None:
    assert Counter(loaded.statuses) == {"Success": sum(INSTANCES_BY_MODALITY.values())}


def test_orthanc_counts_what_is_declared(loaded: Loaded) -> None:
    of_series = {
        one["ID"]: one["MainDicomTags"]["Modality"] for one in loaded.server.get("/series", expand="true")
    }
    counted = Counter(
        of_series[one["ParentSeries"]]
        for one in loaded.server.get("/instances", expand="true", limit=1000, since=0)
    )
    assert counted == INSTANCES_BY_MODALITY
    assert loaded.server.get("/statistics")["CountStudies"] == len(STUDIES)


def test_names_of_every_character_set_come_out_right(loaded: Loaded) -> None:
    names = [one["MainDicomTags"]["PatientName"] for one in loaded.server.get("/patients", expand="true")]
    assert sorted(names) == sorted(PATIENTS[n].name for n in {study.patient for study in STUDIES})


def test_the_long_text_is_longer_than_orthanc_shows(loaded: Loaded) -> None:
    assert loaded.tags("Screenshot")["ImageComments"] is None


def test_the_multi_frame_file_has_more_tags_than_an_event_may_hold(loaded: Loaded) -> None:
    """DESIGN.md: ``max_event_bytes`` is 100,000."""
    assert len(json.dumps(loaded.tags("DWI multiframe tra"), separators=(",", ":"))) > 100_000


def test_every_image_can_be_shown(loaded: Loaded) -> None:
    seen: set[str] = set()
    for each in loaded.instances:
        if each.modality != "SR" and each.series_description not in seen:
            seen.add(each.series_description)
            assert loaded.server.content(f"/instances/{each.orthanc_id}/preview").startswith(b"\x89PNG")
    assert len(seen) > 20


def test_every_dose_record_says_what_the_plan_says(loaded: Loaded) -> None:
    plan = dose_told_by_reports()
    reports = [each for each in loaded.instances if each.modality == "SR"]
    assert {each.sop_uid for each in reports} == plan.keys()
    weights = {f"P{1000 + 37 * number}": patient.weight for number, patient in enumerate(PATIENTS)}
    modalities = {scanner.station: scanner.modality for scanner in SCANNERS.values()}
    for each in reports:
        tags = loaded.whole_tags(each)
        assert is_dose_report(tags)
        records = flatten_dose_report(tags)
        assert plan[each.sop_uid].differences(records) == []
        for record in records:
            assert record["modality"] == modalities[record["station_name"]]
            assert record["patient_weight_kg"] == weights[record["patient_id"]]
            assert record["study_description"]
            assert record["record_type"] == "study" or record["datetime_started"]


def test_images_and_reports_tell_the_same_doses(loaded: Loaded) -> None:
    """What the app reads from the header of each image is the plan's, and where there is one the report's."""
    events = {
        event["event_key"]: event
        for each in loaded.instances
        if each.modality == "SR"
        for event in flatten_dose_report(loaded.whole_tags(each))[1:]
    }
    plan, compared = dose_told_by_images(), 0
    for each in {one.series_uid: one for one in loaded.instances}.values():
        if each.series_uid not in plan:
            continue
        told = image_dose(loaded.whole_tags(each))
        planned = plan[each.series_uid].fields
        if told is None:  # a localizer
            assert planned["ct_acquisition_type"] == "Constant Angle Acquisition"
            continue
        assert told["event_key"] == plan[each.series_uid].uid
        for source in (planned, events.get(told["event_key"], {})):
            for field in DOSES & source.keys():
                assert told[field] == pytest.approx(source[field], rel=1e-6), (each.series_description, field)
                compared += 1
    assert compared > 150


def test_bulk_instances_are_taken_under_the_id_that_is_foretold() -> None:
    with OrthancServer("bulk") as server:
        for each in make_instances(7, series_of=2):
            answer = server.upload(each.data)
            assert (answer["Status"], answer["ID"]) == ("Success", each.orthanc_id)


def test_an_upload_that_is_filtered_out_stops_the_loading() -> None:
    class Refusing:
        def upload(self, data: bytes) -> dict[str, str]:
            return {"Status": "FilteredOut"}

    with pytest.raises(RuntimeError, match="FilteredOut"):
        load(Refusing())
