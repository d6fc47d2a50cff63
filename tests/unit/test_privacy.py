"""What becomes of a patient's data under `phi`."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from copydicom_app import privacy
from copydicom_app.models import Found, Level, Parents, Summary
from copydicom_app.privacy import Phi, Privacy
from copydicom_app.shaping import Shaping
from copydicom_app.tags_event import Origin

ROOT = Path(__file__).resolve().parents[2]
KEY = b"0123456789abcdef0123456789abcdef"
HASH, DROP = Privacy(Phi.HASH, KEY), Privacy(Phi.DROP, KEY)


def item(scheme: str, code: str, kind: str, **value: Any) -> dict[str, Any]:
    name = [{"CodingSchemeDesignator": scheme, "CodeValue": code, "CodeMeaning": "as the vendor words it"}]
    return {"RelationshipType": "CONTAINS", "ValueType": kind, "ConceptNameCodeSequence": name, **value}


TAGS: dict[str, Any] = {
    "PatientID": "P-4711",
    "OtherPatientIDs": "P-4711",
    "PatientName": "Doe^Jane",
    "PatientBirthDate": "19300101",
    "PatientAge": "095Y",
    "PatientSex": "F",
    "PatientWeight": "70",
    "StudyDate": "20250102",
    "StudyDescription": "CT Head",
    "ProtocolName": "01_Head",
    "DeviceSerialNumber": "SN-1",
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
    "StudyInstanceUID": "1.2.3.4",
    "ImageComments": "Jane came late",
    "OtherPatientIDsSequence": [{"PatientID": "P-4711"}],
    "ReferencedImageSequence": [{"ReferencedSOPInstanceUID": "1.2.3.4.5"}],
    "ContentSequence": [
        item("DCM", "125203", "TEXT", TextValue="01_Head"),
        item("DCM", "121106", "TEXT", TextValue="Jane was restless"),
        item("DCM", "121008", "PNAME", PersonName="Doe^Operator"),
        item("DCM", "121031", "DATE", Date="19300101"),
        item("DCM", "121033", "NUM", MeasuredValueSequence=[{"NumericValue": "95"}]),
        item("DCM", "113769", "UIDREF", UID="1.2.3.4.6"),
        item(
            "DCM",
            "113819",
            "CONTAINER",
            ContentSequence=[
                item("DCM", "113830", "NUM", MeasuredValueSequence=[{"NumericValue": "95"}]),
                item("DCM", "125202", "TEXT", TextValue="Doe told us so"),
            ],
        ),
    ],
}
SECRETS = ("4711", "Jane", "Doe", "19300101", "095Y", "1.2.3.4")


@pytest.mark.parametrize("protect", [HASH, DROP])
def test_nothing_of_the_patient_is_left_at_any_depth(protect: Privacy) -> None:
    text = json.dumps(protect.tags(TAGS))
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("protect", [HASH, DROP])
def test_what_the_dashboards_need_stays(protect: Privacy) -> None:
    tags = protect.tags(TAGS)
    same = ("PatientSex", "PatientWeight", "StudyDate", "StudyDescription", "ProtocolName", "SOPClassUID")
    assert {key: tags[key] for key in same} == {key: TAGS[key] for key in same}
    assert tags["DeviceSerialNumber"] == "SN-1"
    assert tags["PatientAge"] == "090Y"
    protocol, *_, dose = tags["ContentSequence"]
    assert protocol["TextValue"] == "01_Head"
    number = dose["ContentSequence"][0]
    assert number["MeasuredValueSequence"] == [{"NumericValue": "95"}], "a dose is no age"
    assert (
        number["ConceptNameCodeSequence"]
        == TAGS["ContentSequence"][-1]["ContentSequence"][0]["ConceptNameCodeSequence"]
    )


def test_a_patient_stays_one_patient_under_hash_and_is_nobody_under_drop() -> None:
    first, second = HASH.tags(TAGS), HASH.tags({**TAGS, "PatientID": " P-4711"})
    assert first["PatientID"] == second["PatientID"] == first["OtherPatientIDs"]
    assert HASH.tags({**TAGS, "PatientID": "P-4712"})["PatientID"] != first["PatientID"]
    assert Privacy(Phi.HASH, KEY[::-1]).tags(TAGS)["PatientID"] != first["PatientID"]
    assert not {"PatientID", "PatientName", "OtherPatientIDs"} & set(DROP.tags(TAGS))


def test_uids_still_refer_to_each_other() -> None:
    tags = HASH.tags(
        {"SOPInstanceUID": "1.2.3", "SourceImageSequence": [{"ReferencedSOPInstanceUID": "1.2.3"}]}
    )
    assert tags["SourceImageSequence"][0]["ReferencedSOPInstanceUID"] == tags["SOPInstanceUID"]
    assert tags["SOPInstanceUID"].startswith("2.25.")
    assert len(tags["SOPInstanceUID"]) <= 64
    assert HASH.tags({"FailedSOPInstanceUIDList": "1.2.3\\1.2.4"})["FailedSOPInstanceUIDList"].split(
        "\\"
    ) == [
        HASH.uid("1.2.3"),
        HASH.uid("1.2.4"),
    ]


@pytest.mark.parametrize(
    ("age", "shown"),
    [("089Y", "089Y"), ("090Y", "090Y"), ("101Y", "090Y"), ("1100M", "090Y"), ("012W", "012W"), ("", "")],
)
def test_only_an_age_over_89_is_rounded(age: str, shown: str) -> None:
    assert HASH.tags({"PatientAge": age})["PatientAge"] == shown


def test_keep_changes_nothing() -> None:
    assert Privacy().tags(TAGS) is TAGS
    assert Privacy().patient("x") == "x"


def test_a_key_is_never_shown_and_never_short() -> None:
    assert KEY.decode() not in repr(HASH)
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Privacy(Phi.HASH, b"short")


@pytest.mark.parametrize(("protect", "shown"), [(HASH, True), (DROP, False)])
def test_the_event_does_not_show_the_hash_of_the_patients_id(protect: Privacy, shown: bool) -> None:
    parents = Parents("s", "t", "9d3be42d-83eb1bbd-5ea5d0e6-5eb7a0d1-1b9e5b0e")
    shaping = Shaping(None, Level.INSTANCE, Origin("pacs", privacy=protect), lambda: 2e9)  # type: ignore[arg-type]
    study = Summary("t", Level.STUDY, TAGS, parents, 1, 1, 1, ("SR",), "20260901T080000")
    events = [*shaping.instance(Found("i", TAGS, parents)), *shaping.summary(study, 1)]
    assert {"dicom:instance", "dicom:study"} <= {event.sourcetype for event in events}
    for event in events:
        text = json.dumps(event.fields)
        assert [secret for secret in (*SECRETS, parents.patient) if secret in text] == []
        assert ("ParentPatient" in event.fields) is shown


def test_no_attribute_has_two_fates() -> None:
    tables = (privacy.PSEUDONYMS, privacy.REMOVED, privacy.DESCRIPTIONS)
    assert sum(map(len, tables)) == len(frozenset().union(*tables))


def test_every_keyword_is_one_of_the_dictionary() -> None:
    pytest.importorskip("pydicom", minversion="3")  # the dictionary of an older one lacks some
    datadict = pytest.importorskip("pydicom.datadict")
    known = set(datadict.keyword_dict) | {entry[4] for entry in datadict.RepeatersDictionary.values()}
    tables = privacy.PSEUDONYMS | privacy.REMOVED | privacy.DESCRIPTIONS
    assert tables - known == set()


def test_every_name_of_a_person_in_the_dictionary_has_a_fate() -> None:
    pytest.importorskip("pydicom", minversion="3")  # the dictionary of an older one lacks some
    datadict = pytest.importorskip("pydicom.datadict")
    names = {entry[4] for entry in datadict.DicomDictionary.values() if entry[0] == "PN" and entry[4]}
    assert names - privacy.PSEUDONYMS - privacy.REMOVED == set()


def test_the_documentation_is_the_code() -> None:
    spec = importlib.util.spec_from_file_location("privacy_doc", ROOT / "packaging" / "privacy_doc.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "privacy.md").read_text() == module.document()
