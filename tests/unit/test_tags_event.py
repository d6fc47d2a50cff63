"""The tags event: its order, its time, what it leaves out and says so."""

import hashlib
import json
from datetime import timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest

from copydicom_app.models import Event, Parents, as_json
from copydicom_app.tags_event import Origin, event_time, parents_by_hash, tags_event, zone_named

NOW = 1_790_000_000.0
PARENTS = Parents("series", "study", "patient")
TAGS = {
    "AccessionNumber": "A1",
    "ImageType": "ORIGINAL\\PRIMARY",
    "Modality": "CT",
    "PatientID": "P1",
    "PatientName": "M\u00fcller^J\u00f6rg",
    "SeriesDescription": "Thorax",
    "StudyDate": "20200131",
    "StudyTime": "101112.5",
}


def event(tags: dict[str, Any], **origin: Any) -> Event:
    return tags_event("id", tags, PARENTS, Origin(server="pacs", **origin), NOW)


def orthanc_id(*uids: str) -> str:
    digest = hashlib.sha1("|".join(uids).encode()).hexdigest()
    return "-".join(digest[i : i + 8] for i in range(0, 40, 8))


def test_orthancs_tags_stand_at_the_top_level_unchanged() -> None:
    fields = event(TAGS).fields
    assert {key: fields[key] for key in TAGS} == TAGS


def test_what_is_added_is_what_the_contract_names() -> None:
    fields = event(TAGS).fields
    assert fields["ID"] == "id"
    assert (fields["orthanc_server"], fields["level"]) == ("pacs", "instance")
    assert (fields["ParentSeries"], fields["ParentStudy"], fields["ParentPatient"]) == (
        "series",
        "study",
        "patient",
    )
    assert fields["StudyDateTime"] == "2020-01-31T10:11:12.5"
    assert "SeriesDateTime" not in fields


def test_what_is_searched_most_comes_before_the_bulky() -> None:
    bulky = {"AAASequence": [{"Text": "x" * 6000}], **TAGS}
    text = as_json(event(bulky).fields)
    assert text.index('"AAASequence"') > max(text.index(f'"{key}"') for key in TAGS)


def test_private_elements_are_left_out_at_every_depth() -> None:
    private = {"PrivateCreator": "ACME", "Unknown Tag & Data": "secret"}
    fields = event({**TAGS, **private, "RequestAttributesSequence": [{**private, "StudyID": "1"}]}).fields
    assert "secret" not in as_json(fields)
    assert fields["RequestAttributesSequence"] == [{"StudyID": "1"}]


def test_a_text_that_orthanc_withheld_is_named_and_pixel_data_is_not() -> None:
    fields = event({**TAGS, "ImageComments": None, "PixelData": None}).fields
    assert fields["_withheld"] == ["ImageComments"]
    assert "PixelData" not in fields


def test_excluded_keywords_are_left_out_at_every_depth() -> None:
    tags = {**TAGS, "RequestAttributesSequence": [{"PatientName": "again", "StudyID": "1"}]}
    fields = event(tags, exclude=frozenset({"PatientName"})).fields
    assert "PatientName" not in as_json(fields)
    assert fields["RequestAttributesSequence"] == [{"StudyID": "1"}]


def test_an_event_over_its_limit_loses_its_bulkiest_sequence_first_and_names_it() -> None:
    tags = {**TAGS, "SmallSequence": [{"A": "x" * 500}], "BigSequence": [{"A": "x" * 5000}]}
    fields = event(tags, max_event_bytes=3000).fields
    assert fields["_dropped"] == ["BigSequence"]
    assert "SmallSequence" in fields
    assert len(as_json(fields)) <= 3000


@pytest.mark.parametrize("limit", range(1000, 9000, 333))
def test_no_event_is_larger_than_its_limit(limit: int) -> None:
    tags = {**TAGS, **{f"Seq{n}Sequence": [{"A": "x" * 97 * n}] for n in range(12)}}
    fields = event(tags, max_event_bytes=limit).fields
    assert len(as_json(fields)) <= limit
    assert set(fields.get("_dropped", ())) == set(tags) - set(fields)


def test_an_event_is_ascii_whatever_the_tags_hold() -> None:
    text = as_json(event({**TAGS, "PatientName": "\u5c71\u7530^\u592a\u90ce\x01\ud800"}).fields)
    assert text.isascii()
    assert json.loads(text)["PatientName"] == "\u5c71\u7530^\u592a\u90ce\x01\ud800"


@pytest.mark.parametrize(
    ("tags", "source"),
    [
        ({"InstanceCreationDate": "20200105", "ContentDate": "20200104"}, "InstanceCreation"),
        ({"ContentDate": "20200104", "AcquisitionDate": "20200103"}, "Content"),
        ({"AcquisitionDate": "20200103", "SeriesDate": "20200102"}, "Acquisition"),
        ({"AcquisitionDateTime": "20200103101112", "SeriesDate": "20200102"}, "Acquisition"),
        ({"SeriesDate": "20200102", "StudyDate": "20200101"}, "Series"),
        ({"StudyDate": "20200101"}, "Study"),
        ({}, "indexing"),
        ({"StudyDate": "19691231"}, "indexing"),
        ({"StudyDate": "20990101"}, "indexing"),
        ({"InstanceCreationDate": "20990101", "StudyDate": "20200101"}, "Study"),
    ],
)
def test_the_time_is_the_first_date_of_the_chain_that_can_be_true(tags: dict[str, str], source: str) -> None:
    time, time_source = event_time(tags, timezone.utc, NOW)
    assert time_source == source
    assert (time == NOW) == (source == "indexing")


def test_the_scanners_zone_wins_over_the_servers() -> None:
    tags = {"StudyDate": "20200101", "StudyTime": "120000"}
    server_zone = timezone(timedelta(hours=2))
    by_server, _ = event_time(tags, server_zone, NOW)
    by_scanner, _ = event_time({**tags, "TimezoneOffsetFromUTC": "-0500"}, server_zone, NOW)
    assert by_server == 1_577_880_000 - 2 * 3600
    assert by_scanner == 1_577_880_000 + 5 * 3600


def test_a_named_zone_knows_summer_time() -> None:
    winter, _ = event_time({"StudyDate": "20200101"}, zone_named("Europe/Berlin"), NOW)
    summer, _ = event_time({"StudyDate": "20200701"}, zone_named("Europe/Berlin"), NOW)
    assert (winter % 86400, summer % 86400) == (23 * 3600, 22 * 3600)


def test_parents_are_computed_only_where_the_instances_own_id_proves_them() -> None:
    tags = {
        "PatientID": " \u00dcn\u00ef 12",
        "StudyInstanceUID": "1.2",
        "SeriesInstanceUID": "1.2.3",
        "SOPInstanceUID": "1.2.3.4",
    }
    id = orthanc_id(*tags.values())
    parents = parents_by_hash(id, tags)
    assert parents is not None
    assert parents.patient == orthanc_id(" \u00dcn\u00ef 12")
    assert parents.series == orthanc_id(" \u00dcn\u00ef 12", "1.2", "1.2.3")
    assert parents_by_hash(id, {**tags, "PatientID": "other"}) is None
    assert parents_by_hash(id, {**tags, "PatientID": None}) is None


def test_utc_needs_no_time_zone_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_database(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr("copydicom_app.tags_event.ZoneInfo", no_database)
    assert zone_named("UTC") is timezone.utc
