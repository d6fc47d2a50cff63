"""The backfill: what the index lacks of a range of StudyDate comes, and nothing twice."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from copydicom_app.errors import RetriableError
from copydicom_app.indexing import backfill as comparing
from copydicom_app.indexing.backfill import Days, Held, Indexed
from copydicom_app.models import Event, Level
from copydicom_app.orthanc import Orthanc
from copydicom_app.repair import Filled, backfill
from testbench.faulty_proxy import FaultyProxy
from testbench.orthanc import OrthancServer
from testbench.sample_data import hospital, make_instances
from testbench.splunkd import InputRun, Splunkd
from tests.live.feeding import Input, running

SplunkOn = Callable[..., Splunkd]
ALL = Days(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(scope="module", params=["first", "second"])
def full(request: pytest.FixtureRequest) -> Iterator[OrthancServer]:
    """The hospital's reports and some images of its studies, and series of plain CT."""
    with running("backfill", request.param) as server:
        some = [each for n, each in enumerate(hospital()) if each.modality == "SR" or n % 4 == 0]
        server.upload_all(each.data for each in [*some, *make_instances(40, 2000, 10)])
        yield server


@pytest.fixture(autouse=True)
def nothing_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "YOUNG_SECONDS", 0.0)


class Searched:
    """An index of events as a search would find it, in place of Splunk's."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.asked: list[Sequence[str]] = []
        self.breaks_at = 0

    def holds_any(self) -> bool:
        return bool(self.events)

    def of_studies(self, studies: Sequence[str]) -> Held:
        self.asked.append(studies)
        if len(self.asked) == self.breaks_at:
            raise RetriableError("the search broke off")
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for event in self.events:
            fields = dict(event.fields)
            if fields.get("ParentStudy", fields["ID"]) in studies:
                found.setdefault((event.sourcetype, str(fields["ID"])), []).append(fields)
        return {
            key: Indexed(
                len({one["event_key"] for one in rows if "event_key" in one}),
                max(one.get("n_events", 0) for one in rows),
                max(one.get("instances", 0) for one in rows),
                max(one.get("revision", 0) for one in rows),
            )
            for key, rows in found.items()
        }


def fill(
    feed: Input,
    index: Searched,
    days: Days = ALL,
    written: Callable[[str], bool] = lambda study: False,
    seconds: float = 600,
) -> Filled:
    """What one stretch reports; its events go to the feed's and to the index."""
    before = len(feed.events)
    total = Filled()
    stretch = backfill(
        Orthanc(feed.server, feed.stop),
        feed.plan,
        feed.origin,
        index,
        feed,
        feed.checkpoint,
        days,
        written,
        stop=threading.Event(),
        seconds=seconds,
    )
    try:
        for filled in stretch:
            total += filled
    finally:
        if index.events is not feed.events:
            index.events += feed.events[before:]
    return total


def again(feed: Input) -> None:
    """As an admin starts the same days again."""
    feed.checkpoint.path.with_suffix(".backfill").unlink()


def named(events: Sequence[Event]) -> Counter[tuple[object, ...]]:
    return Counter(
        (
            event.sourcetype,
            event.fields["ID"],
            event.fields.get("event_key"),
            event.fields.get("instances"),
        )
        for event in events
    )


@pytest.mark.parametrize("level", [Level.INSTANCE, Level.SERIES, Level.STUDY])
def test_what_the_index_lacks_comes_and_a_second_comparison_brings_nothing(
    full: OrthancServer, tmp_path: Path, level: Level
) -> None:
    feed = Input(tmp_path, full, level=level, depth=("main",), quiet_seconds=0.0)
    feed.run()
    whole = [event for event in feed.events if study_of(event) in dated(full)]
    # Every third event is lost: of reports the whole, the totals, or some of the irradiations.
    index = Searched([event for n, event in enumerate(whole) if n % 3])
    lost = named(whole) - named(index.events)
    kinds = {"dicom:dose:study", "dicom:dose:event", f"dicom:{level.value}"}
    assert {key[0] for key in lost} >= kinds
    told = fill(feed, index)
    assert (told.days, told.failed) == (365, 0)
    found = named(index.events)
    assert set(found) == set(named(whole))
    twice = {key[0] for key, count in found.items() if count > 1}
    assert twice <= {"dicom:dose:event"}  # a report's irradiations come together
    again(feed)
    assert fill(feed, index).events == 0


def study_of(event: Event) -> object:
    return event.fields.get("ParentStudy", event.fields["ID"])


def dated(server: OrthancServer) -> set[str]:
    return {
        study["ID"]
        for study in server.get("/studies", expand="")
        if study["MainDicomTags"].get("StudyDate", "").startswith("2026")
    }


def test_a_revision_that_was_lost_comes_as_the_next_one(full: OrthancServer, tmp_path: Path) -> None:
    feed = Input(tmp_path, full, level=Level.STUDY, depth=("main",), quiet_seconds=0.0)
    feed.run()
    [study] = [event for event in feed.events if event.fields.get("instances") == 40]
    smaller = Event(study.sourcetype, {**study.fields, "instances": 30, "revision": 4}, study.time)
    index = Searched([event for event in feed.events if event is not study] + [smaller])
    assert fill(feed, index).missing == 1
    assert (index.events[-1].fields["instances"], index.events[-1].fields["revision"]) == (40, 5)


def test_other_days_and_what_is_on_its_way_are_left_alone(
    full: OrthancServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Input(tmp_path, full, depth=("main",))
    index = Searched([])
    assert fill(feed, index, Days(date(2026, 1, 1), date(2026, 6, 30))).events == 0
    assert index.asked == []
    told = fill(feed, index, written=lambda study: True)
    assert (told.events, told.young) == (0, len(dated(full)))
    again(feed)
    monkeypatch.setattr(comparing, "YOUNG_SECONDS", 3600.0)
    assert fill(feed, index).events == 0
    assert index.asked == []


def test_a_comparison_that_breaks_off_goes_on_from_its_day(full: OrthancServer, tmp_path: Path) -> None:
    feed = Input(tmp_path, full, depth=("main",))
    index = Searched([])
    index.breaks_at = 6
    with pytest.raises(RetriableError):
        fill(feed, index)
    first = len(index.asked)
    some = named(index.events)
    assert some
    days = 0
    while (told := fill(feed, index, seconds=0)).days:
        days += told.days
    assert days < 365
    assert named(index.events) >= some
    assert set(named(index.events).values()) == {1}
    assert index.asked[first] == index.asked[first - 1]


# --- as Splunk runs it ---


def age(splunk: Splunkd) -> None:
    """What was written is searchable by now, as it would be a minute later."""
    for path in splunk.home.checkpoint_dir("orthanc").iterdir():
        os.utime(path, (0, 0))


def events(run: InputRun) -> list[tuple[str, str]]:
    return [(event.sourcetype, json.loads(event.data)["ID"]) for event in run.events]


def test_the_packaged_input_fills_its_index_while_it_goes_on(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    with FaultyProxy(pacs.url, ahead_seconds=7200) as proxy:
        splunk = splunk_on()
        splunk.add_server("pacs", base_url=proxy.url, username=pacs.username, password=pacs.password)
        given = {"server": "pacs", "tags": "main"}
        pacs.upload_all(
            each.data
            for each in [
                *make_instances(40, 2000, 10),
                *(each for each in hospital() if each.modality == "SR"),
            ]
        )
        assert splunk.run_input("orthanc://pacs", **given).exit_code == 0
        numbers = itertools.count()
        lost = splunk.indexes.lose("dicom", lambda event: next(numbers) % 5 == 0)
        age(splunk)
        new = pacs.upload(next(make_instances(1, 2000, 10, "new")).data)["ID"]
        run = splunk.run_input("orthanc://pacs", **given, backfill="20260901-20261031")
        assert run.exit_code == 0
        came = events(run)
        assert ("dicom:instance", new) in came
        assert {*came} >= {(event.sourcetype, json.loads(event.raw)["ID"]) for event in lost}
        assert "compared with the index" in "".join(run.log)
        age(splunk)
        assert splunk.run_input("orthanc://pacs", **given, backfill="20260901-20261031").events == []
        splunk.run_input("orthanc://pacs", **given)
        age(splunk)
        assert splunk.run_input("orthanc://pacs", **given, backfill="20260901-20261031").events == []


def test_a_backfill_that_is_killed_at_any_point_misses_nothing(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    with FaultyProxy(pacs.url, ahead_seconds=7200) as proxy:
        splunk = splunk_on()
        splunk.add_server("pacs", base_url=proxy.url, username=pacs.username, password=pacs.password)
        given = {"server": "pacs", "tags": "main"}
        reports = itertools.islice((each for each in hospital() if each.modality == "SR"), 10)
        pacs.upload_all(each.data for each in [*make_instances(400, 2000, 50), *reports])
        assert splunk.run_input("orthanc://pacs", **given).exit_code == 0
        numbers = itertools.count()
        lost = splunk.indexes.lose("dicom", lambda event: next(numbers) > 0)
        given["backfill"] = "20260901-20261031"
        killed = []
        for wanted in (1, 150, 30):
            age(splunk)
            run = splunk.start_input("orthanc://pacs", **given)
            run.wait_for(wanted)
            run.kill()
            killed.append(len(run.events))
        assert min(killed) >= 1, "the kills came too early to hit anything"
        assert sum(killed) < len(lost), "the kills came too late to stop anything"
        age(splunk)
        assert splunk.run_input("orthanc://pacs", **given).exit_code == 0
        assert keyed(splunk.indexed["dicom"]) >= keyed(lost)
        age(splunk)
        assert splunk.run_input("orthanc://pacs", **given).events == []


def keyed(events: Sequence[Any]) -> set[tuple[str, str, object]]:
    read = [(event.sourcetype, json.loads(event.raw)) for event in events]
    return {(kind, fields["ID"], fields.get("event_key")) for kind, fields in read}
