"""The events of one instance, together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from copydicom_app.events import events_of
from copydicom_app.models import Event, Parents
from copydicom_app.tags_event import Origin

NOW = 1_790_000_000.0
PARENTS = Parents("series", "study", "patient")


def coded(value: str, meaning: str, scheme: str = "DCM") -> list[dict[str, Any]]:
    return [{"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}]


def report(title: str = "X-Ray Radiation Dose Report", code: str = "113701") -> dict[str, Any]:
    return {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.67",
        "Modality": "SR",
        "SOPInstanceUID": "1.2.3.4",
        "StudyInstanceUID": "1.2.3",
        "PatientID": "SECRET",
        "ValueType": "CONTAINER",
        "ConceptNameCodeSequence": coded(code, title),
        "ContentSequence": [
            {
                "RelationshipType": "HAS OBS CONTEXT",
                "ValueType": "PNAME",
                "ConceptNameCodeSequence": coded("121008", "Person Observer Name"),
                "PersonName": "SECRET^DR",
            }
        ],
    }


def events(tags: dict[str, Any], **origin: Any) -> list[Event]:
    return list(events_of("id", tags, PARENTS, Origin(server="pacs", **origin), NOW))


def test_what_is_excluded_is_in_no_event_of_a_dose_report() -> None:
    excluded = frozenset({"PatientID", "PersonName"})
    found = events(report(), exclude=excluded)
    assert [event.sourcetype for event in found] == ["dicom:instance", "dicom:dose:study"]
    assert "SECRET" not in json.dumps([event.fields for event in found])
    assert found[1].fields["study_instance_uid"] == "1.2.3"


@pytest.mark.parametrize("title", ["ID", "ParentStudy", "PatientID", "orthanc_server", "_time"])
def test_a_title_takes_no_other_fields_place(title: str) -> None:
    (event,) = events(report(title, "X1"))
    fields = event.fields
    assert (fields["ID"], fields["ParentStudy"], fields["orthanc_server"]) == ("id", "study", "pacs")
    assert fields["PatientID"] == "SECRET"
    assert fields[f"Structured Report {title}"] == {"Person Observer Name": "SECRET^DR"}


def test_the_content_of_a_report_stays_whole_when_the_event_is_large() -> None:
    tags = report()
    tags["ContentSequence"] *= 500
    tags["ReferencedStudySequence"] = [{"ReferencedSOPInstanceUID": "1." + "2" * 60}] * 100
    event = events(tags, max_event_bytes=5000)[0]
    assert event.fields["_dropped"] == ["ReferencedStudySequence"]
    assert len(event.fields["X-Ray Radiation Dose Report"]["Person Observer Name"]) == 500


def test_what_a_report_could_not_say_is_no_withheld_text() -> None:
    tags = report()
    tags["ContentSequence"].append({"ValueType": "NUM", "ConceptNameCodeSequence": coded("113838", "DLP")})
    event = events(tags)[0]
    assert "_withheld" not in event.fields
    assert event.fields["X-Ray Radiation Dose Report"].get("DLP") is None
