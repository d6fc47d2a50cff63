"""`level = series | study` on real Orthanc servers: what the events say, when they come, and when again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from copydicom_app.models import Level
from copydicom_app.tags_event import Origin
from testbench.faulty_proxy import Fault, FaultyProxy
from testbench.orthanc import OrthancServer
from testbench.sample_data import dose_told_by_reports, hospital, load, make_instances
from tests.live.feeding import Input, running

LEVELS = [Level.SERIES, Level.STUDY]
ROUTES = {Level.SERIES: "/series", Level.STUDY: "/studies"}
DOCUMENTS = {"SR", "PR", "KO"}
AT_ONCE = 0.0  # seconds of quiet
NEVER = 10_000.0


@pytest.fixture(params=["first", "second"])
def server(request: pytest.FixtureRequest) -> Iterator[OrthancServer]:
    with running("levels", request.param) as started:
        yield started


@pytest.fixture(scope="module", params=["first", "second"])
def full(request: pytest.FixtureRequest) -> Iterator[OrthancServer]:
    with running("levels", request.param) as started:
        load(started)
        yield started


def of_level(feed: Input) -> dict[str, dict[str, Any]]:
    """The last event of each series or study."""
    return {
        str(event.fields["ID"]): dict(event.fields)
        for event in feed.events
        if event.sourcetype in ("dicom:series", "dicom:study")
    }


def upload(server: OrthancServer, first: int, last: int, series_of: int = 20) -> None:
    server.upload_all(each.data for each in list(make_instances(last, 3000, series_of))[first:])


# --- what the events say ---


@pytest.mark.parametrize("depth", ["all", "main"])
@pytest.mark.parametrize("level", LEVELS)
def test_each_series_or_study_is_one_event_with_its_counts_and_shared_tags(
    full: OrthancServer, tmp_path: Path, level: Level, depth: str
) -> None:
    feed = Input(tmp_path, full, level=level, depth=(depth,), quiet_seconds=AT_ONCE)
    feed.run()
    events = of_level(feed)
    held = full.get(ROUTES[level], expand="")
    assert set(events) == {each["ID"] for each in held}
    series = {each["ID"]: each for each in full.get("/series", expand="")}
    tags = {
        id: tags
        for one in series
        for id, tags in full.get(f"/series/{one}/instances-tags", simplify="").items()
    }
    patients = {each["ID"]: each["ParentPatient"] for each in full.get("/studies", expand="")}
    for id, event in events.items():
        of_it = full.get(f"{ROUTES[level]}/{id}/instances")
        modalities = {series[one["ParentSeries"]]["MainDicomTags"]["Modality"] for one in of_it}
        assert (event["level"], event["revision"]) == (level.value, 1)
        assert event["instances"] == len(of_it)
        assert event["bytes"] == sum(one["FileSize"] for one in of_it)
        assert set(event["modalities"].split(",")) == modalities
        assert event.get("series", 1) == len({one["ParentSeries"] for one in of_it})
        images = [
            one["ID"]
            for one in of_it
            if series[one["ParentSeries"]]["MainDicomTags"]["Modality"] not in DOCUMENTS
        ]
        counted = images or [one["ID"] for one in of_it]
        each_tags = [tags[one] for one in counted]
        shared = reduce(lambda a, b: {k: v for k, v in a.items() if b.get(k) == v}, each_tags)
        shared = {k: v for k, v in shared.items() if isinstance(v, str) and k != "PrivateCreator"}
        shown = {key: value for key, value in event.items() if key in each_tags[0]}
        if depth == "all":
            assert shown == shared
        else:  # of a tag of the series Orthanc keeps what its first instance said
            assert {"PatientID", "StudyInstanceUID", "StudyDate"} <= shown.keys()
            assert shown.items() - shared.items() <= {("SeriesTime", shown.get("SeriesTime"))}
        study = series[id]["ParentStudy"] if level is Level.SERIES else id
        assert event["ParentPatient"] == patients[study]
        assert event.get("ParentStudy", id) == study


@pytest.fixture(scope="module")
def reports() -> list[bytes]:
    """The hospital's structured reports, most of them of dose."""
    return [each.data for each in hospital() if each.modality == "SR"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("arriving", [False, True], ids=["held", "arriving"])
def test_dose_reports_come_one_by_one_at_every_level(
    tmp_path: Path, reports: list[bytes], level: Level, arriving: bool
) -> None:
    with OrthancServer("reports") as server:
        feed = Input(tmp_path / "level", server, level=level, depth=("main",), quiet_seconds=NEVER)
        if arriving:
            feed.run()
        upload(server, 0, 5)
        for data in reports:
            server.upload(data)
        feed.run()
        feed.run()
        plain = Input(tmp_path / "instance", server)
        plain.run()
    of_dose = {str(e.fields["ID"]) for e in plain.events if e.sourcetype == "dicom:dose:study"}
    assert len(of_dose) == len(dose_told_by_reports())
    wanted = [event for event in plain.events if str(event.fields["ID"]) in of_dose]
    assert Counter(map(repr, feed.events)) == Counter(map(repr, wanted))


def test_doses_from_images_come_at_every_level(full: OrthancServer, tmp_path: Path) -> None:
    keys = []
    for level in Level.INSTANCE, Level.STUDY:
        feed = Input(tmp_path / level.value, full, level=level, quiet_seconds=AT_ONCE)
        feed.origin = Origin("test", dose_from_images=True)
        feed.run()
        keys.append(
            Counter(e.fields["event_key"] for e in feed.events if e.fields.get("dose_source") == "image")
        )
    assert keys[0] == keys[1]
    assert keys[0]


# --- when they come ---


@pytest.mark.parametrize("level", LEVELS)
def test_what_still_grows_waits_whatever_ends_the_run_and_grows_into_revisions(
    server: OrthancServer, tmp_path: Path, level: Level
) -> None:
    def feed(quiet: float = 2.0) -> Input:
        return Input(tmp_path, server, level=level, start="now", quiet_seconds=quiet)

    feed().run()
    upload(server, 0, 20)
    assert feed(NEVER).run() == []
    upload(server, 20, 25)  # the next series of the same study
    server.stop()
    server.start()  # what was unstable is now stable, and no change says so
    assert feed(NEVER).run() == []
    time.sleep(3.1)
    quiet = feed()
    quiet.run()
    assert feed().run() == []
    upload(server, 25, 40)
    assert feed(NEVER).run() == []
    grown = feed(AT_ONCE)
    grown.run()
    told = [
        sorted((event["instances"], event["revision"]) for event in of_level(each).values())
        for each in (quiet, grown)
    ]
    if level is Level.SERIES:
        assert told == [[(5, 1), (20, 1)], [(20, 2)]]
    else:
        assert told == [[(25, 1)], [(40, 2)]]


def test_a_revision_goes_on_rising_when_the_memory_of_it_is_gone(
    server: OrthancServer, tmp_path: Path
) -> None:
    feed = Input(tmp_path, server, level=Level.SERIES, quiet_seconds=AT_ONCE)
    upload(server, 0, 10)
    feed.run()
    feed.checkpoint.path.with_suffix(".sent").unlink()
    upload(server, 10, 15)
    feed.run()
    assert [event.fields["revision"] for event in feed.events] == [1, 2]


def test_an_archive_is_walked_without_a_request_for_an_instance(tmp_path: Path) -> None:
    with OrthancServer("walk") as server, FaultyProxy(server.url) as proxy:
        upload(server, 0, 400, series_of=40)
        feed = Input(tmp_path, server, proxy.url, level=Level.STUDY, depth=("main",), quiet_seconds=AT_ONCE)
        feed.run()
        assert sum(event["instances"] for event in of_level(feed).values()) == 400
        assert [asked for asked in proxy.requests if asked.path.startswith("/instances/")] == []
        assert len(proxy.requests) < 60


# --- what they survive ---


def test_what_was_deleted_while_it_was_open_is_left_out(server: OrthancServer, tmp_path: Path) -> None:
    feed = Input(tmp_path, server, level=Level.STUDY, start="now", quiet_seconds=NEVER)
    feed.run()
    upload(server, 0, 40)
    feed.run()
    series = sorted(server.get("/series"))
    server.delete(f"/series/{series[0]}")
    last = Input(tmp_path, server, level=Level.STUDY, quiet_seconds=AT_ONCE)
    last.run()
    [event] = of_level(last).values()
    assert event["instances"] == 20
    server.delete(f"/series/{series[1]}")
    assert last.run() == []


def test_a_replaced_database_is_indexed_anew(server: OrthancServer, tmp_path: Path) -> None:
    upload(server, 0, 40)
    Input(tmp_path, server, level=Level.STUDY, quiet_seconds=AT_ONCE).run()
    upload(server, 40, 60)
    Input(tmp_path, server, level=Level.STUDY, quiet_seconds=NEVER).run()
    with running("other", "second" if server.version.startswith("1.12") else "first") as other:
        time.sleep(1)  # Orthanc tells seconds
        upload(other, 30, 200)
        moved = Input(tmp_path, other, level=Level.STUDY, quiet_seconds=AT_ONCE)
        moved.run()
        assert set(of_level(moved)) == set(other.get("/studies"))
        assert "its database was replaced" in moved.notices[0]


def test_an_emptied_change_log_loses_no_growth(server: OrthancServer, tmp_path: Path) -> None:
    feed = Input(tmp_path, server, level=Level.STUDY, quiet_seconds=AT_ONCE)
    upload(server, 0, 100)
    feed.run()
    time.sleep(1)
    upload(server, 100, 130)
    server.delete("/changes")
    upload(server, 130, 135)
    feed.run()
    assert sum(event["instances"] for event in of_level(feed).values()) == 135
    assert "was emptied" in feed.notices[0]
    assert feed.run() == []


@pytest.mark.parametrize("fault", [Fault.FAILED, Fault.HALF_JSON, Fault.REFUSED])
def test_a_fault_costs_neither_an_event_nor_a_repeat(tmp_path: Path, fault: Fault) -> None:
    with OrthancServer("faults") as server, FaultyProxy(server.url) as proxy:
        upload(server, 0, 100)
        feed = Input(tmp_path, server, proxy.url, level=Level.SERIES, quiet_seconds=AT_ONCE)
        for path in ("shared-tags", "statistics", "/study", "/tools/now"):
            proxy.break_next(fault, path=path, times=2)
        feed.run()
        feed.run()
        assert feed.count() == dict.fromkeys(server.get("/series"), 1)
        assert proxy.broken[fault] == 8


def test_a_series_that_the_server_fails_to_give_is_told_and_asked_for_again(tmp_path: Path) -> None:
    with OrthancServer("corrupt") as server, FaultyProxy(server.url) as proxy:
        upload(server, 0, 60)
        bad = sorted(server.get("/series"))[1]
        feed = Input(tmp_path, server, proxy.url, level=Level.SERIES, quiet_seconds=AT_ONCE)
        proxy.break_next(Fault.FAILED, path=f"/series/{bad}/shared-tags", times=4)
        assert len(feed.run()) == 2
        assert f"fails to give the tags of 1 series or studies, the first is {bad}" in feed.notices[-1]
        proxy.heal()
        assert feed.run() == [bad]
