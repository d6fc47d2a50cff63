"""`phi` through the packaged input: nothing of the hospital's patients gets to the index."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import load
from testbench.splunkd import Splunkd

SplunkOn = Callable[..., Splunkd]


@pytest.mark.parametrize("phi", ["hash", "drop"])
def test_no_event_of_any_kind_tells_who_the_patient_is(
    pacs: OrthancServer, splunk_on: SplunkOn, phi: str
) -> None:
    load(pacs)
    secrets: set[str] = set()
    for patient in pacs.get("/patients", expand="true"):
        tags = patient["MainDicomTags"]
        secrets |= {patient["ID"], tags["PatientName"], *tags["PatientName"].split("^"), tags["PatientID"]}
        secrets.add(tags.get("PatientBirthDate", ""))
    for study in pacs.get("/studies", expand="true"):
        tags = study["MainDicomTags"]
        secrets |= {tags["StudyInstanceUID"], tags.get("AccessionNumber", "")}
        secrets |= set(tags.get("ReferringPhysicianName", "").split("^"))
    splunk = splunk_on(pacs=pacs)
    run = splunk.run_input("orthanc://pacs", server="pacs", phi=phi)
    assert run.exit_code == 0
    found: set[str] = set()
    for event in run.events:
        text = json.dumps(json.loads(event.data), ensure_ascii=False)
        found |= {secret for secret in secrets if len(secret) > 3 and f'"{secret}"' in text}
        found |= {secret for secret in secrets if len(secret) > 7 and secret in text}
    assert found == set()
    assert {event.sourcetype for event in run.events} == {
        "dicom:instance",
        "dicom:dose:study",
        "dicom:dose:event",
    }


def test_a_patient_is_the_same_in_every_run_and_every_kind_of_event(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    load(pacs)
    splunk = splunk_on(pacs=pacs)
    first = splunk.run_input("orthanc://one", server="pacs", phi="hash")
    second = splunk.run_input("orthanc://two", server="pacs", phi="hash")
    pseudonyms = [
        {
            json.loads(event.data).get("PatientID")
            for event in run.events
            if event.sourcetype == "dicom:instance"
        }
        for run in (first, second)
    ]
    assert pseudonyms[0] == pseudonyms[1]
    assert len(pseudonyms[0]) == len(pacs.get("/patients"))
    doses = {json.loads(event.data).get("patient_id") for event in first.events if "dose" in event.sourcetype}
    assert doses - {None}
    assert doses - {None} <= pseudonyms[0]
