"""What a copy does when servers fail: nothing lost, nothing double, no `copied` that is not there."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from copydicom_app.errors import LoginRefusedError, RetriableError
from copydicom_app.models import Outcome, Reference, Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.replication.replicate import Replicator
from testbench.faulty_proxy import Asked, Fault, FaultyProxy
from testbench.sample_data import make_instances
from tests.live.replication.pairs import Pair, config, fill, refs, statuses

FEW = 2  # instances of a part, so that much is still to come when a fault strikes


@pytest.fixture
def dest_proxy(pair: Pair) -> Iterator[FaultyProxy]:
    with FaultyProxy(pair.dest.url) as proxy:
        yield proxy


@pytest.fixture
def source_proxy(pair: Pair) -> Iterator[FaultyProxy]:
    with FaultyProxy(pair.source.url) as proxy:
        yield proxy


def uploads(asked: Asked) -> bool:
    return (asked.method, asked.path) == ("POST", "/instances")


def assert_honest(pair: Pair, outcomes: list[Outcome]) -> None:
    """What is called copied or present is there to the byte, and nothing else is."""
    there = {outcome.ref for outcome in outcomes if outcome.status.value in ("copied", "present")}
    assert there == pair.held()
    data = {each.orthanc_id: each.data for each in pair.cohort}
    assert all(pair.dest.content(f"/instances/{id}/file") == data[id] for id in there)


def test_a_destination_killed_in_mid_transfer_and_back_loses_no_row(
    pair: Pair, dest_proxy: FaultyProxy
) -> None:
    back = threading.Timer(1.0, pair.dest.start)

    def kill_at_the_third_upload(asked: Asked) -> None:
        if uploads(asked) and asked.before == 2:
            pair.dest.kill()
            back.start()

    dest_proxy.on(kill_at_the_third_upload)
    outcomes = pair.copy(refs(pair.cohort), dest_url=dest_proxy.url)
    back.join()
    assert set(statuses(outcomes)) <= {"copied", "present"}
    assert len(outcomes) == len(pair.cohort)
    assert_honest(pair, outcomes)


def test_a_destination_that_stays_away_is_told_once_and_asked_no_more(
    pair: Pair, dest_proxy: FaultyProxy
) -> None:
    dest_proxy.on(lambda asked: Fault.REFUSED if uploads(asked) or len(dest_proxy.requests) > 4 else None)
    outcomes = pair.copy(refs(pair.cohort), dest_url=dest_proxy.url, patience=0.1)
    assert statuses(outcomes) == {"failed": len(pair.cohort)}
    assert len({outcome.message for outcome in outcomes}) == 1
    assert "cannot be reached" in outcomes[0].message
    assert sum(map(uploads, dest_proxy.requests)) < 40
    assert pair.held() == set()


def test_a_destination_that_comes_back_late_is_used_again(pair: Pair) -> None:
    engine = pair.engine(patience=0.0)
    pair.dest.kill()
    assert statuses(engine.outcomes(refs(pair.cohort[:3]))) == {"failed": 3}
    pair.dest.start()
    assert statuses(engine.outcomes(refs(pair.cohort[3:]))) == {"copied": len(pair.cohort) - 3}


def test_a_server_that_is_down_is_said_once_and_clearly(pair: Pair) -> None:
    pair.dest.kill()
    with pytest.raises(RetriableError, match=r"server 'research' .* cannot be reached"):
        pair.engine().check()


def test_a_wrong_login_is_said_once_and_clearly(pair: Pair) -> None:
    wrong = Server("research", pair.dest.url, pair.dest.username, "guess")
    engine = Replicator(Orthanc(config(pair.source)), Orthanc(wrong))
    with pytest.raises(LoginRefusedError, match="'research' refused the login"):
        engine.check()
    outcomes = list(engine.outcomes(refs(pair.cohort)))
    assert {outcome.message for outcome in outcomes if "login" in outcome.message} == {outcomes[0].message}
    assert statuses(outcomes) == {"failed": len(pair.cohort)}


def test_an_upload_whose_answer_is_lost_is_neither_lost_nor_double(
    pair: Pair, dest_proxy: FaultyProxy
) -> None:
    dest_proxy.on(lambda asked: Fault.NO_ANSWER if uploads(asked) and asked.before == 0 else None)
    outcomes = pair.copy(refs(pair.cohort), dest_url=dest_proxy.url)
    assert set(statuses(outcomes)) <= {"copied", "present"}
    assert_honest(pair, outcomes)


def test_a_destination_that_answers_500_now_and_then_gets_everything(
    pair: Pair, dest_proxy: FaultyProxy
) -> None:
    dest_proxy.on(lambda asked: Fault.FAILED if uploads(asked) and asked.before in (1, 4) else None)
    outcomes = pair.copy(refs(pair.cohort), dest_url=dest_proxy.url)
    assert statuses(outcomes) == {"copied": len(pair.cohort)}
    assert_honest(pair, outcomes)


def test_a_source_that_is_slow_is_waited_for(pair: Pair, source_proxy: FaultyProxy) -> None:
    source_proxy.on(lambda asked: Fault.SLOW if asked.path.endswith("/file") and asked.before == 0 else None)
    source_proxy.slow_seconds = 0.05
    outcomes = pair.copy(refs(pair.cohort), source_url=source_proxy.url)
    assert statuses(outcomes) == {"copied": len(pair.cohort)}


def test_a_source_that_always_fails_at_one_instance_does_not_stop_the_rest(
    pair: Pair, source_proxy: FaultyProxy
) -> None:
    bad = pair.cohort[7].orthanc_id
    source_proxy.on(lambda asked: Fault.FAILED if bad in asked.path else None)
    outcomes = pair.copy(refs(pair.cohort), source_url=source_proxy.url)
    assert statuses(outcomes) == {"copied": len(pair.cohort) - 1, "failed": 1}
    assert outcomes[7].status.value == "failed"
    assert "500" in outcomes[7].message
    assert_honest(pair, outcomes)


@pytest.mark.parametrize("size", [4_000, 9_000_000])
def test_half_a_file_from_the_source_is_fetched_again_and_never_stored(
    pair: Pair, source_proxy: FaultyProxy, size: int
) -> None:
    each = next(make_instances(1, size=size, name=f"half {size}"))
    pair.source.upload(each.data)
    source_proxy.on(
        lambda asked: Fault.HALF_BODY if asked.path.endswith("/file") and asked.before == 0 else None
    )
    outcomes = pair.copy(refs([each]), source_url=source_proxy.url)
    assert statuses(outcomes) == {"copied": 1}
    assert pair.dest.content(f"/instances/{each.orthanc_id}/file") == each.data


def test_a_truncated_file_fails_alone_and_says_why(pair: Pair) -> None:
    with_bad_file = pair.server("broken")
    cohort = list(make_instances(5, name="truncated"))
    fill(with_bad_file, cohort)
    info = with_bad_file.get(f"/instances/{cohort[2].orthanc_id}/attachments/dicom/info")
    with_bad_file.stop()  # it keeps files in memory
    stored = next(with_bad_file.storage.rglob(info["Uuid"]))
    stored.write_bytes(cohort[2].data[:700])
    with_bad_file.start()
    pair.source = with_bad_file
    outcomes = pair.copy(refs(cohort))
    assert [outcome.status.value for outcome in outcomes] == [
        "copied",
        "copied",
        "failed",
        "copied",
        "copied",
    ]
    assert outcomes[2].message
    assert len(pair.held()) == 4


def test_an_instance_deleted_meanwhile_is_missing(pair: Pair, source_proxy: FaultyProxy) -> None:
    source = pair.source
    passing = list(make_instances(3, name="passing", series_of=1))
    fill(source, passing)
    outcomes = pair.engine(source_url=source_proxy.url, jobs=1).outcomes(
        [Reference(each.orthanc_id) for each in passing]
    )

    def delete_the_last(asked: Asked) -> None:
        if passing[0].orthanc_id in asked.path:
            source.delete(f"/instances/{passing[2].orthanc_id}")

    source_proxy.on(delete_the_last)
    assert [outcome.status.value for outcome in outcomes] == ["copied", "copied", "missing"]


def test_a_destination_that_filters_is_not_said_to_have_a_copy(pair: Pair, tmp_path: object) -> None:
    script = f"{tmp_path}/filter.lua"
    with open(script, "w") as file:  # noqa: PTH123
        file.write("function ReceivedInstanceFilter(dicom)\n return dicom.InstanceNumber ~= '3'\nend\n")
    pair.dest = pair.server("choosy", config={"LuaScripts": [script]})
    outcomes = pair.copy(refs(pair.cohort[:10]))
    assert statuses(outcomes) == {"copied": 9, "failed": 1}
    assert "filter" in outcomes[2].message
    assert_honest(pair, outcomes)


def test_a_destination_with_a_patient_limit_never_drops_what_was_called_copied(pair: Pair) -> None:
    pair.dest = pair.server("small", config={"MaximumPatientCount": 2})
    others = list(make_instances(20, size=4_000, series_of=1, name="twenty"))
    fill(pair.source, others)
    pair.cohort = others
    outcomes = pair.copy(refs(others))
    assert_honest(pair, outcomes)
    assert "failed" in statuses(outcomes)
    if pair.dest.version.startswith("1.12"):  # it tells its limit, so nothing is sent that would overflow
        assert statuses(outcomes) == {"failed": 20}
        assert "MaximumPatientCount" in outcomes[0].message
    else:
        assert "recycles" in next(o.message for o in outcomes if o.status.value == "failed")


def test_what_fits_into_a_patient_limit_is_copied(pair: Pair) -> None:
    pair.dest = pair.server("small", config={"MaximumPatientCount": 2})
    outcomes = pair.copy(refs(pair.cohort))  # two patients
    assert statuses(outcomes) == {"copied": len(pair.cohort)}
    assert_honest(pair, outcomes)


def test_a_full_destination_says_so_and_drops_nothing(pair: Pair) -> None:
    pair.dest = pair.server("full", config={"MaximumStorageSize": 1, "MaximumStorageMode": "Reject"})
    pair.cohort = list(make_instances(5, size=400_000, name="full"))
    fill(pair.source, pair.cohort)
    outcomes = pair.copy(refs(pair.cohort))
    refused = [outcome.message for outcome in outcomes if outcome.status.value == "failed"]
    assert refused, "which of them is refused depends on which comes last, but some must be"
    assert all("MaximumStorageSize" in message or "full" in message for message in refused)
    assert_honest(pair, outcomes)


def test_a_full_disk_is_said_for_each_row_without_trying_again(pair: Pair, dest_proxy: FaultyProxy) -> None:
    dest_proxy.on(lambda asked: Fault.FULL if uploads(asked) else None)
    outcomes = pair.copy(refs(pair.cohort), dest_url=dest_proxy.url)
    assert statuses(outcomes) == {"failed": len(pair.cohort)}
    assert {outcome.message for outcome in outcomes} == {"server 'research' is full (HTTP 507)"}


def test_two_searches_at_once_copy_a_cohort_once(pair: Pair) -> None:
    found: list[list[Outcome]] = []

    def search() -> None:
        found.append(pair.copy(refs(pair.cohort)))

    searches = [threading.Thread(target=search) for _ in range(2)]
    for each in searches:
        each.start()
    for each in searches:
        each.join()
    for outcomes in found:
        assert set(statuses(outcomes)) <= {"copied", "present"}
        assert_honest(pair, outcomes)
    assert sum(statuses(outcomes)["copied"] for outcomes in found) == len(pair.cohort)


def test_no_more_requests_at_once_than_either_server_bears(pair: Pair, dest_proxy: FaultyProxy) -> None:
    dest_proxy.on(lambda asked: Fault.SLOW)
    dest_proxy.slow_seconds = 0.02
    engine = Replicator(
        Orthanc(config(pair.source)), Orthanc(config(pair.dest, dest_proxy.url, max_connections=2)), jobs=16
    )
    assert statuses(engine.outcomes(refs(pair.cohort))) == {"copied": len(pair.cohort)}
    assert dest_proxy.most_at_once == 2


def test_a_cancelled_copy_ends_what_is_in_flight_and_tells_the_truth(
    pair: Pair, dest_proxy: FaultyProxy
) -> None:
    stop = threading.Event()

    def cancel_at_the_third_upload(asked: Asked) -> Fault | None:
        if uploads(asked) and asked.before == 2:
            stop.set()
        return Fault.SLOW if uploads(asked) else None

    dest_proxy.on(cancel_at_the_third_upload)
    dest_proxy.slow_seconds = 0.1
    outcomes: list[Outcome] = []
    copying = pair.engine(dest_url=dest_proxy.url, stop=stop).outcomes(refs(pair.cohort))
    with pytest.raises(StoppedError):
        outcomes.extend(copying)  # keeps what came before
    assert 0 < statuses(outcomes)["copied"] < len(pair.cohort)
    assert {o.message for o in outcomes if o.status.value == "failed"} <= {
        "the search was cancelled before this was copied"
    }
    assert_honest(pair, outcomes)
