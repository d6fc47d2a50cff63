"""The feed on real Orthanc servers: what it brings, each instance once, and what it survives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydicom_app.errors import RetriableError
from copydicom_app.parallel import StoppedError
from testbench.faulty_proxy import Fault, FaultyProxy
from testbench.orthanc import OrthancServer
from testbench.sample_data import make_instances
from tests.live.feeding import Input, running

pytestmark = pytest.mark.usefixtures("short_waits")


@pytest.fixture(params=["first", "second"])
def server(request: pytest.FixtureRequest) -> Iterator[OrthancServer]:
    with running("feed", request.param) as started:
        yield started


def upload(server: OrthancServer, count: int, name: str = "bulk", series_of: int = 20) -> list[str]:
    return server.upload_all(each.data for each in make_instances(count, 3000, series_of, name))


# --- what it brings ---


def test_all_that_the_server_holds_comes_once_and_then_what_is_new(
    server: OrthancServer, tmp_path: Path
) -> None:
    held = upload(server, 90)
    feed = Input(tmp_path, server)
    assert sorted(feed.run()) == sorted(held)
    assert feed.run() == []
    new = upload(server, 30, "new")
    assert sorted(feed.run()) == sorted(new)


def test_an_input_that_starts_now_leaves_out_what_is_there(server: OrthancServer, tmp_path: Path) -> None:
    upload(server, 3)
    feed = Input(tmp_path, server, start="now")
    assert feed.run() == []
    new = upload(server, 3, "new")
    assert sorted(feed.run()) == sorted(new)


def test_bulk_and_single_reads_give_the_same_event(server: OrthancServer, tmp_path: Path) -> None:
    held = upload(server, 20, series_of=20)
    bulk, single = Input(tmp_path / "bulk", server), Input(tmp_path / "single", server, start="now")
    bulk.run()
    single.run()
    server.delete(f"/instances/{held[0]}")
    again = next(make_instances(20, 3000, 20)).data
    server.upload(again)
    assert single.run() == [held[0]]
    [one] = [event for event in bulk.events if event.fields["ID"] == held[0]]
    assert single.events[0] == one


def test_arrivals_come_while_the_walk_still_goes_on(server: OrthancServer, tmp_path: Path) -> None:
    held = upload(server, 600, series_of=10)
    feed = Input(tmp_path, server)
    new: list[str] = []

    def arrive(step: object) -> None:
        if not new:
            new.extend(upload(server, 30, "new"))

    order = feed.run(arrive)
    assert feed.count() == dict.fromkeys([*held, *new], 1)
    assert max(map(order.index, new)) < len(order) - 1, "the walk ended after the arrivals"


def test_a_series_that_grows_during_the_walk_is_complete_and_not_repeated(
    server: OrthancServer, tmp_path: Path
) -> None:
    instances = [each.data for each in make_instances(600, 3000, 100)]
    held = [server.upload(data)["ID"] for data in instances[:550]]
    feed = Input(tmp_path, server)
    for _ in feed.steps():
        break  # as a kill would: the rest is another run's
    late = [server.upload(data)["ID"] for data in instances[550:]]
    feed.run()
    assert feed.count() == dict.fromkeys([*held, *late], 1)


def test_an_instance_that_was_deleted_and_sent_again_comes_again(
    server: OrthancServer, tmp_path: Path
) -> None:
    [id] = upload(server, 1)
    feed = Input(tmp_path, server)
    feed.run()
    upload(server, 1)  # AlreadyStored: nothing has changed
    assert feed.run() == []
    server.delete(f"/instances/{id}")
    assert feed.run() == []
    upload(server, 1)
    assert feed.run() == [id]


def test_a_slow_server_gives_a_batch_each_second_however_few_it_then_has(
    server: OrthancServer, tmp_path: Path
) -> None:
    """250 instances take an Orthanc 1.12 with 100,000 on SQLite 35 s, in which nothing would be indexed."""
    held = upload(server, 30, series_of=5)
    with FaultyProxy(server.url, slow_seconds=1.1) as proxy:
        proxy.on(lambda asked: Fault.SLOW if "instances-tags" in asked.path else None)
        feed = Input(tmp_path, server, proxy.url, workers=1)
        batches = []
        feed.run(lambda step: batches.append(len(feed.events)))
        assert batches == sorted(batches)
        assert len({count for count in batches if count}) >= 5
        assert feed.count() == dict.fromkeys(held, 1)


def test_an_instance_deleted_before_it_is_read_is_left_out(server: OrthancServer, tmp_path: Path) -> None:
    feed = Input(tmp_path, server)
    feed.run()
    ids = upload(server, 5)
    server.delete(f"/instances/{ids[1]}")
    assert sorted(feed.run()) == sorted({*ids} - {ids[1]})


def test_a_death_between_flush_and_checkpoint_repeats_that_batch_only(
    server: OrthancServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = upload(server, 700, series_of=10)
    feed = Input(tmp_path, server)
    steps = feed.steps()
    next(steps)
    batch = len(feed.events)
    with monkeypatch.context() as dying:
        dying.setattr(feed.checkpoint, "save", lambda position: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            next(steps)
    lost_track = {*Input.ids(feed.events[batch:])}
    feed.run()
    assert feed.count() == {id: 1 + (id in lost_track) for id in held}
    assert 0 < len(lost_track) < 300


# --- the change log ---


def test_an_emptied_change_log_loses_nothing(server: OrthancServer, tmp_path: Path) -> None:
    held = upload(server, 40)
    feed = Input(tmp_path, server)
    feed.run()
    lost, later = upload(server, 15, "lost"), []
    server.delete("/changes")
    later = upload(server, 5, "later")
    feed.run()
    counted = feed.count()
    assert set(counted) == {*held, *lost, *later}
    assert all(counted[id] == 1 for id in [*lost, *later])
    assert len(feed.notices) == 1
    assert "was emptied" in feed.notices[0]
    assert feed.run() == []
    assert len(feed.notices) == 1


def test_an_emptied_change_log_that_was_read_up_is_no_event(server: OrthancServer, tmp_path: Path) -> None:
    upload(server, 4)
    feed = Input(tmp_path, server)
    feed.run()
    server.delete("/changes")
    assert feed.run() == []
    new = upload(server, 4, "new")
    assert sorted(feed.run()) == sorted(new)
    assert feed.notices == []


def test_a_change_log_emptied_during_the_walk_loses_nothing(server: OrthancServer, tmp_path: Path) -> None:
    held = upload(server, 600, series_of=10)
    feed = Input(tmp_path, server)
    new: list[str] = []

    def interfere(step: object) -> None:
        if not new:
            new.extend(upload(server, 25, "new"))
            server.delete("/changes")

    feed.run(interfere)
    assert set(feed.count()) == {*held, *new}


def test_deletions_that_tear_gaps_into_the_log_are_no_reason_to_read_again(
    server: OrthancServer, tmp_path: Path
) -> None:
    upload(server, 20)
    feed = Input(tmp_path, server)
    feed.run()
    gone = upload(server, 5, "gone")
    kept = upload(server, 5, "kept")
    for id in gone:
        server.delete(f"/instances/{id}")
    assert sorted(feed.run()) == sorted(kept)
    assert feed.notices == []


@pytest.mark.parametrize("count", [2, 60])
def test_a_replaced_database_is_recognised_whether_its_log_is_shorter_or_longer(
    server: OrthancServer, tmp_path: Path, count: int
) -> None:
    upload(server, 10)
    feed = Input(tmp_path, server)
    feed.run()
    with running("replaced", "second" if server.version.startswith("1.12") else "first") as other:
        held = upload(other, count, "other")
        moved = Input(tmp_path, other)
        assert sorted(moved.run()) == sorted(held)
        assert len(moved.notices) == 1
        assert "its database was replaced" in moved.notices[0]


# --- faults on the way ---

FAULTS = (
    Fault.REFUSED,
    Fault.FAILED,
    Fault.BUSY,
    Fault.NOT_OURS,
    Fault.HALF_BODY,
    Fault.HALF_JSON,
)  # SILENT has a test of its own: a read waits for minutes


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["/series/", "/changes", "instances-tags", "/system"])
def test_a_fault_costs_neither_an_instance_nor_a_repeat(tmp_path: Path, fault: Fault, path: str) -> None:
    with OrthancServer("faults") as server, FaultyProxy(server.url) as proxy:
        held = upload(server, 60)
        feed = Input(tmp_path, server, proxy.url)
        if path == "/system" and fault is Fault.NOT_OURS:
            pytest.skip("what is no Orthanc from the first is a matter for the admin")
        proxy.break_next(fault, path=path, times=2)
        feed.run()
        new = upload(server, 20, "new")
        proxy.break_next(fault, path="/instances/", times=2)
        feed.run()
        feed.run()  # what a server failed to give is asked for again
        assert proxy.broken[fault] == 4
        assert feed.count() == dict.fromkeys([*held, *new], 1)


def test_an_outage_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    with OrthancServer("outage") as server, FaultyProxy(server.url) as proxy:
        held = upload(server, 30)
        feed = Input(tmp_path, server, proxy.url)
        proxy.break_next(Fault.BUSY, path="/series", times=10)
        feed.run()
        assert feed.words == ["away", "back"]
        assert feed.count() == dict.fromkeys(held, 1)


def test_an_outage_that_outlasts_a_run_is_not_told_again_by_the_next(tmp_path: Path) -> None:
    with OrthancServer("outage") as server, FaultyProxy(server.url) as proxy:
        upload(server, 3)
        proxy.break_next(Fault.BUSY, path="/series", times=10_000)
        first = Input(tmp_path, server, proxy.url)
        with pytest.raises(StoppedError):
            stop_after(first, seconds=0.5)
        second = Input(tmp_path, server, proxy.url)
        with pytest.raises(StoppedError):
            stop_after(second, seconds=0.5)
        proxy.heal()
        third = Input(tmp_path, server, proxy.url)
        third.run()
        assert (first.words, second.words, third.words) == (["away"], [], ["back"])


def test_a_server_that_is_not_there_at_first_is_an_error_at_once_and_then_waited_for(tmp_path: Path) -> None:
    with OrthancServer("gone") as server, FaultyProxy(server.url) as proxy:
        upload(server, 3)
        proxy.break_next(Fault.REFUSED, times=10_000)
        first = Input(tmp_path, server, proxy.url)
        with pytest.raises(RetriableError, match="cannot be reached"):
            first.run()
        second = Input(tmp_path, server, proxy.url)
        with pytest.raises(StoppedError):
            stop_after(second, seconds=0.5)
        proxy.heal()
        third = Input(tmp_path, server, proxy.url)
        third.run()
        assert (first.words, second.words, third.words) == ([], [], ["back"])


def stop_after(feed: Input, seconds: float) -> None:
    timer = threading.Timer(seconds, feed.stop.set)
    timer.start()
    try:
        feed.run()
    finally:
        timer.cancel()


def test_a_stop_does_not_wait_for_a_server_that_is_silent(tmp_path: Path) -> None:
    with OrthancServer("silent") as server, FaultyProxy(server.url) as proxy:
        upload(server, 3)
        proxy.break_next(Fault.SILENT, path="/changes")
        with pytest.raises(StoppedError):
            stop_after(Input(tmp_path, server, proxy.url), seconds=0.3)


def test_an_instance_that_the_server_fails_to_give_does_not_hold_up_the_others(
    server: OrthancServer, tmp_path: Path
) -> None:
    with FaultyProxy(server.url) as proxy:
        held = upload(server, 20, series_of=20)
        bad = sorted(held)[7]
        feed = Input(tmp_path, server, proxy.url)
        proxy.break_next(Fault.FAILED, path="instances-tags")
        proxy.break_next(Fault.FAILED, path=f"/instances/{bad}/tags", times=2)
        feed.run()
        assert feed.count() == dict.fromkeys(set(held) - {bad}, 1)
        assert "fails to give the tags of 1 instance" in feed.notices[-1]
        assert feed.run() == [bad]


def test_a_restart_of_the_server_in_the_middle_costs_nothing(server: OrthancServer, tmp_path: Path) -> None:
    held = upload(server, 600, series_of=10)
    feed = Input(tmp_path, server)
    restarts: list[int] = []

    def restart(step: object) -> None:
        if len(restarts) < 2:
            server.kill()
            threading.Timer(0.3, server.start).start()
            restarts.append(1)

    feed.run(restart)
    assert feed.count() == dict.fromkeys(held, 1)


def test_a_server_that_fails_at_the_same_point_forever_ends_the_run(tmp_path: Path) -> None:
    with OrthancServer("stuck") as server, FaultyProxy(server.url) as proxy:
        upload(server, 3)
        proxy.break_next(Fault.FAILED, path="/changes", times=10_000)
        feed = Input(tmp_path, server, proxy.url)
        feed.patience = 0.1
        with pytest.raises(RetriableError, match="HTTP 500"):
            feed.run()
