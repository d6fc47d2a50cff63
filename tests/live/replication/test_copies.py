"""What a copy does between two real Orthancs when nothing goes wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

import pytest

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Level, Reference, Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.replicate import Budget, Replicator
from testbench.faulty_proxy import FaultyProxy
from testbench.sample_data import make_instances
from tests.live.replication.pairs import Pair, config, refs, statuses


def test_what_is_copied_is_the_same_to_the_byte(pair: Pair) -> None:
    outcomes = pair.copy(refs(pair.cohort))
    assert [outcome.ref for outcome in outcomes] == [each.orthanc_id for each in pair.cohort]
    assert statuses(outcomes) == {"copied": len(pair.cohort)}
    for each in pair.cohort:
        assert pair.dest.content(f"/instances/{each.orthanc_id}/file") == each.data
    assert sum(outcome.bytes for outcome in outcomes) == sum(len(each.data) for each in pair.cohort)


def test_a_second_run_sends_nothing(pair: Pair) -> None:
    pair.copy(refs(pair.cohort))
    changes = pair.dest.get("/changes")["Last"]
    outcomes = pair.copy(refs(pair.cohort))
    assert statuses(outcomes) == {"present": len(pair.cohort)}
    assert sum(outcome.bytes for outcome in outcomes) == 0
    assert pair.dest.get("/changes")["Last"] == changes


def test_a_dry_run_foretells_the_counts_and_bytes_and_sends_nothing(pair: Pair) -> None:
    pair.copy(refs(pair.cohort[:7]))
    ghost = next(make_instances(1, name="ghost"))
    outcomes = pair.copy(refs([*pair.cohort, ghost]), dry_run=True)
    assert statuses(outcomes) == {"present": 7, "planned": len(pair.cohort) - 7, "missing": 1}
    assert sum(outcome.bytes for outcome in outcomes) == sum(len(each.data) for each in pair.cohort[7:])
    assert len(pair.held()) == 7


def test_a_large_instance_goes_through_unharmed(pair: Pair) -> None:
    large = list(make_instances(2, size=9_000_000, name="large"))
    pair.source.upload_all(each.data for each in large)
    assert statuses(pair.copy(refs(large))) == {"copied": 2}
    for each in large:
        there = pair.dest.content(f"/instances/{each.orthanc_id}/file")
        assert hashlib.sha256(there).digest() == hashlib.sha256(each.data).digest()


@pytest.mark.parametrize("level", [Level.SERIES, Level.STUDY, Level.PATIENT])
@pytest.mark.parametrize("by", ["orthanc id", "identifier"])
def test_a_row_may_name_any_level_by_orthanc_id_or_identifier(pair: Pair, level: Level, by: str) -> None:
    first = pair.cohort[0]
    instance = pair.source.get(f"/instances/{first.orthanc_id}")
    series = pair.source.get(f"/series/{instance['ParentSeries']}")
    study = pair.source.get(f"/studies/{series['ParentStudy']}")
    orthanc_id = {Level.SERIES: series["ID"], Level.STUDY: study["ID"], Level.PATIENT: study["ParentPatient"]}
    identifier = {
        Level.SERIES: first.series_uid,
        Level.STUDY: first.study_uid,
        Level.PATIENT: first.patient_id,
    }
    name = (orthanc_id if by == "orthanc id" else identifier)[level]
    outcomes = pair.copy([Reference(name, level)])
    count = 10 if level is Level.SERIES else 40
    assert [(outcome.status, outcome.copied) for outcome in outcomes] == [(Status.COPIED, count)]
    assert pair.held() == {each.orthanc_id for each in pair.cohort[:count]}


def test_a_study_may_be_named_by_its_accession_number(pair: Pair) -> None:
    study = pair.source.get(f"/studies/{pair.source.get('/studies')[0]}")
    accession = study["MainDicomTags"]["AccessionNumber"]
    same = [
        each
        for each in pair.source.get("/studies", expand="true")
        if each["MainDicomTags"].get("AccessionNumber") == accession
    ]
    outcomes = pair.copy([Reference(accession, Level.STUDY)])
    instances = sum(len(pair.source.get(f"/studies/{each['ID']}/instances")) for each in same)
    assert [(outcome.status, outcome.copied) for outcome in outcomes] == [(Status.COPIED, instances)]


def test_a_sop_instance_uid_names_its_instance(pair: Pair) -> None:
    outcomes = pair.copy([Reference(pair.cohort[3].sop_uid)])
    assert statuses(outcomes) == {"copied": 1}
    assert pair.held() == {pair.cohort[3].orthanc_id}


def test_rows_that_repeat_or_overlap_are_copied_once(pair: Pair) -> None:
    first = pair.cohort[0]
    series = pair.source.get(f"/instances/{first.orthanc_id}")["ParentSeries"]
    wanted = [
        Reference(first.orthanc_id),
        Reference(series, Level.SERIES),
        Reference(first.orthanc_id),
        Reference(series, Level.SERIES),
    ]
    outcomes = pair.copy(wanted)
    assert [outcome.copied for outcome in outcomes] == [1, 9, 0, 0]
    assert [outcome.present for outcome in outcomes] == [0, 1, 1, 10]
    assert len(pair.held()) == 10
    assert pair.dest.get("/statistics")["CountInstances"] == 10


def test_counts_by_study_tell_the_audit(pair: Pair) -> None:
    engine = pair.engine()
    outcomes = list(engine.outcomes(refs(pair.cohort)))
    assert statuses(outcomes) == {"copied": len(pair.cohort)}
    studies = {id: len(pair.source.get(f"/studies/{id}/instances")) for id in pair.source.get("/studies")}
    sent = {id: counts["copied"] for id, counts in engine.studies.items() if counts["copied"]}
    assert sent == {id: count for id, count in studies.items() if id in sent}
    assert sum(sent.values()) == len(pair.cohort)


@pytest.mark.parametrize("tells_series", [False, True])
def test_the_study_of_what_is_there_already_is_told_too(pair: Pair, tells_series: bool) -> None:
    studies = {id: len(pair.source.get(f"/studies/{id}/instances")) for id in pair.source.get("/studies")}
    wanted = [
        replace(ref, series=pair.source.get(f"/instances/{ref.id}")["ParentSeries"] if tells_series else "")
        for ref in refs(pair.cohort)
    ]
    pair.copy(wanted)
    with FaultyProxy(pair.dest.url) as proxy:
        engine = pair.engine(dest_url=proxy.url)
        assert statuses(engine.outcomes(wanted)) == {"present": len(pair.cohort)}
        told = {id: counts["present"] for id, counts in engine.studies.items()}
        assert told == {id: count for id, count in studies.items() if id in told}
        assert sum(told.values()) == len(pair.cohort)
        assert len(proxy.requests) < 16, "not a request an instance"


def test_an_id_that_is_no_id_asks_no_server_for_it(pair: Pair) -> None:
    outcomes = pair.copy([Reference("../../system"), Reference("0" * 70), *refs(pair.cohort[:1])])
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.FAILED, Status.COPIED]
    assert "id=" in outcomes[0].message


def test_what_the_source_does_not_have_is_missing(pair: Pair) -> None:
    ghost = next(make_instances(1, name="ghost"))
    series = Reference(pair.cohort[0].orthanc_id[:-8] + "00000000", Level.SERIES)
    outcomes = pair.copy([*refs([ghost]), series, Reference("1.2.3.4"), *refs(pair.cohort[:1])])
    assert [outcome.status.value for outcome in outcomes] == ["missing", "missing", "missing", "copied"]


def test_other_content_under_the_same_id_is_a_conflict_only_when_verified(pair: Pair) -> None:
    first, second = pair.cohort[:2]
    changed = first.data.replace(b"Bulk 1.0", b"Bulk 2.0")
    assert changed != first.data
    assert pair.dest.upload(changed)["ID"] == first.orthanc_id
    assert statuses(pair.copy(refs([first, second]))) == {"present": 1, "copied": 1}
    outcomes = pair.copy(refs(pair.cohort[:3]), verify=True)
    assert [outcome.status.value for outcome in outcomes] == ["conflict", "present", "copied"]
    assert pair.dest.content(f"/instances/{first.orthanc_id}/file") == changed


def test_the_same_server_twice_is_refused(pair: Pair) -> None:
    with pytest.raises(ConfigurationError, match="same Orthanc"):
        Replicator(Orthanc(config(pair.source)), Orthanc(config(pair.source, pair.source.url + "/"))).check()


def test_more_than_max_instances_is_refused_and_the_rest_was_copied(pair: Pair) -> None:
    pair.copy(refs(pair.cohort[:5]))
    outcomes = pair.copy(refs(pair.cohort[:30]), budget=Budget(10))
    assert statuses(outcomes) == Counter(present=5, copied=10, failed=15)
    assert "max_instances" in outcomes[-1].message
    assert len(pair.held()) == 15
