"""The events of one instance, together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from copydicom_app.events import events_of
from copydicom_app.models import Event, Parents
from copydicom_app.simplify import Origin

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


@pytest.mark.parametrize("title", ["\u691c\u67fb\u5831\u544a", "\u00e4rztlicher Bericht", "x-ray report"])
def test_a_large_report_is_held_to_the_limit_whatever_its_title(title: str) -> None:
    tags = report(title, "X1")
    tags["ContentSequence"] *= 500
    (event,) = events(tags, max_event_bytes=5000)
    assert len(json.dumps(dict(event.fields))) < 5000
    assert event.fields["_dropped"] == [title]
