"""Compare what Orthanc holds with what the index has, by days of StudyDate, and bring the difference.

An event may be lost beyond Splunk's pipe, by a full queue, a wrong index or a restored bucket; the checkpoint
cannot know. So the index itself is asked, study by study, what it has: instances by their ids, dose events
by their keys, series and studies by the instances that they counted. Studies are what is compared, not
dates: an instance whose own StudyDate differs from its study's is found all the same.

What arrived lately, or was written in this run, may be in the index without being searchable yet: such a
study is left out and counted.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Callable, Optional, Protocol

from copydicom_app.errors import NotFoundError
from copydicom_app.holdings import Tags
from copydicom_app.indexing.growing import lies_back
from copydicom_app.indexing.reading import Part, SeriesReader
from copydicom_app.indexing.summaries import Summaries
from copydicom_app.indexing.walking import modality
from copydicom_app.models import Event, Found, Level, Summary
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import ordered, stoppable

YOUNG_SECONDS = 3600.0  # what arrived later than that may be on its way
STUDIES = 100  # a question to the index, at most
INSTANCES = 20_000  # in the studies of one question, about

_DOSE_STUDY, _DOSE_EVENT = "dicom:dose:study", "dicom:dose:event"


@dataclass(frozen=True)
class Days:
    """A range of StudyDate, both ends included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first:%Y%m%d}-{self.last:%Y%m%d}"

    def __iter__(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += timedelta(days=1)


@dataclass(frozen=True)
class Indexed:
    """What the index has of one sourcetype and id: `keys` distinct event keys, and the highest numbers."""

    keys: int = 0
    n_events: int = 0
    instances: int = 0
    revision: int = 0


Held = Mapping[tuple[str, str], Indexed]  # by sourcetype and Orthanc id


class Index(Protocol):
    """The index that is compared."""

    def holds_any(self) -> bool:
        """Whether it has anything of this server."""

    def of_studies(self, studies: Sequence[str]) -> Held:
        """What it has of these studies."""


@dataclass(frozen=True)
class Missing:
    """What one comparison brought: events to write, of how many objects; and what was compared.

    `done` is the day that this ends, `young` counts studies left out, `failed` the instances that the server
    fails to give. `noted` are id, revision and age of series and studies among the events.
    """

    events: Sequence[Event] = ()
    noted: Sequence[tuple[str, int, str]] = ()
    objects: int = 0
    studies: int = 0
    young: int = 0
    failed: int = 0
    done: Optional[date] = None


@dataclass(frozen=True)
class Wanted:
    """What is indexed at all: at which level, and how. The shapes are those of the input.

    `reports` are the modalities of series that may hold dose reports; `dose`: whether their events are
    wanted.
    """

    level: Level
    dose: bool
    reports: Collection[str]
    shape: Callable[[Found], list[Event]]
    shape_summary: Callable[[Summary, int], list[Event]]


@dataclass(frozen=True)
class _Task:
    """What one study lacks: parts of its series to read, or series and study events to make."""

    parts: list[Part] = field(default_factory=list)
    summaries: list[tuple[str, int]] = field(default_factory=list)


class Backfill:
    """Compares day by day. `written` tells whether a study got events in this run."""

    def __init__(
        self,
        orthanc: Orthanc,
        index: Index,
        reader: SeriesReader,
        summaries: Summaries,
        wanted: Wanted,
        *,
        written: Callable[[str], bool],
        revision: Callable[[str], int],
        workers: int,
        stop: threading.Event,
    ) -> None:
        self._orthanc = orthanc
        self._index = index
        self._reader = reader
        self._summaries = summaries
        self._wanted = wanted
        self._written = written
        self._revision = revision
        self._workers = workers
        self._stop = stop

    def run(self, days: Days) -> Iterator[Missing]:
        """What the index lacks of each of the days, in portions; the last of a day names it as done."""
        for day in days:
            names = stoppable(partial(self._orthanc.studies_of, day.strftime("%Y%m%d")), self._stop)
            now = stoppable(self._orthanc.now, self._stop)
            young = 0
            chosen: dict[str, list[Tags]] = {}
            held_by_them = 0
            for study, series in ordered(self._series_of, sorted(names), self._workers, self._stop):
                newest = max((str(each.get("LastUpdate", "")) for each in series), default="")
                if self._written(study) or not lies_back(newest, now, YOUNG_SECONDS):
                    young += 1
                    continue
                chosen[study] = series
                held_by_them += sum(len(each["Instances"]) for each in series)
                if len(chosen) >= STUDIES or held_by_them >= INSTANCES:
                    yield from self._compare(chosen)
                    chosen, held_by_them = {}, 0
            if chosen:
                yield from self._compare(chosen)
            yield Missing(young=young, done=day)

    def _series_of(self, study: str) -> tuple[str, list[Tags]]:
        try:
            return study, self._orthanc.series_of_study(study)
        except NotFoundError:
            return study, []  # deleted since

    def _compare(self, studies: Mapping[str, list[Tags]]) -> Iterator[Missing]:
        held = stoppable(partial(self._index.of_studies, list(studies)), self._stop)
        tasks = [self._task(study, series, held) for study, series in studies.items()]
        yield Missing(studies=len(studies))
        todo = [_Task(parts=[part]) for task in tasks for part in task.parts]
        todo += [_Task(summaries=[one]) for task in tasks for one in task.summaries]
        yield from ordered(partial(self._bring, held=held), todo, self._workers, self._stop)

    def _task(self, study: str, all_series: list[Tags], held: Held) -> _Task:
        """What a study lacks in the index, as far as that shows without reading it."""
        task = _Task()
        instances_too = self._wanted.level is Level.INSTANCE
        for series in all_series:
            report = modality(series) in self._wanted.reports
            if not (instances_too or report):
                continue
            ids = sorted(series["Instances"])
            lacking = [id for id in ids if not is_there(id, report and self._wanted.dose, held)]
            task.parts.extend(self._reader.parts(series["ID"], ids, lacking))
        counts = {series["ID"]: len(series["Instances"]) for series in all_series}
        if self._wanted.level is Level.STUDY:
            counts = {study: sum(counts.values())} if all_series else {}
        if not instances_too:
            for id, count in counts.items():
                known = held.get((f"dicom:{self._wanted.level.value}", id), Indexed())
                if known.instances < count:
                    task.summaries.append((id, known.revision))
        return task

    def _bring(self, task: _Task, held: Held) -> Missing:
        """Read what is lacking. Runs in a worker, one part or one series or study at a time."""
        events: list[Event] = []
        noted: list[tuple[str, int, str]] = []
        objects = failed = 0
        for part in task.parts:
            read = self._reader.part(part)
            failed += len(read.failed)
            for found in read.found:
                lacking = (
                    what_lacks(found.id, self._wanted.shape(found), held) if found.id in part.ids else []
                )
                objects += bool(lacking)
                events += lacking
        for id, revision in task.summaries:
            try:
                summary = self._summaries.read(id)
            except NotFoundError:
                continue  # deleted since
            number = max(revision, self._revision(id)) + 1
            events += self._wanted.shape_summary(summary, number)
            noted.append((id, number, summary.last_update))
            objects += 1
        return Missing(events, noted, objects, failed=failed)


def is_there(id: str, report: bool, held: Held) -> bool:
    """Whether the index has all of an instance; of what may be a dose report its dose events too.

    A report that is none has no dose events either: it is read, and then nothing is lacking.
    """
    if ("dicom:instance", id) not in held:
        return False
    return not report or _doses_are_there(id, held)


def _doses_are_there(id: str, held: Held) -> bool:
    study = held.get((_DOSE_STUDY, id))
    return study is not None and held.get((_DOSE_EVENT, id), Indexed()).keys >= study.n_events


def what_lacks(id: str, events: Sequence[Event], held: Held) -> list[Event]:
    """Those of an instance's events that the index lacks."""
    report = any(event.sourcetype == _DOSE_STUDY for event in events)
    lacking = []
    for event in events:
        if event.sourcetype == _DOSE_EVENT and report:
            expected = sum(one.sourcetype == _DOSE_EVENT for one in events)
            if held.get((_DOSE_EVENT, id), Indexed()).keys < expected:
                lacking.append(event)
        elif (event.sourcetype, id) not in held:
            lacking.append(event)
    return lacking


def left_of(days: Days, done: Optional[date]) -> Optional[Days]:
    """The days after `done`; None when none is left."""
    if done is None or done < days.first:
        return days
    return replace(days, first=done + timedelta(days=1)) if done < days.last else None
