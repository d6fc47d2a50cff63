"""Bring into an index what it lacks of all that a server holds, and then what arrives (``replicate_tags``).

The index itself is the memory: it is asked, a hundred studies at a time, what it has of them (as a backfill
asks it), so a run that was killed is simply begun again. What it lacks is read and written to a sink; an
outcome is told once the sink has confirmed the events that it stands for. Nothing grows with the archive but
the list of its studies.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Callable, Optional, Protocol

from copydicom_app.errors import NotFoundError, RetriableError
from copydicom_app.gauge import Gauge
from copydicom_app.holdings import Tags
from copydicom_app.indexing.backfill import INSTANCES, STUDIES, Held, Index, is_there, what_lacks
from copydicom_app.indexing.changes import Feed
from copydicom_app.indexing.checkpoint import Position
from copydicom_app.indexing.reading import Part, Read, SeriesReader
from copydicom_app.indexing.walking import REPORTS, InstanceWalk, modality
from copydicom_app.models import Event, Found, Outcome, Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError, ordered, stoppable
from copydicom_app.patience import FOREVER, SECONDS, Patience

INTERVAL = 2.0  # seconds between two looks at the change log
REMEMBERED = 200_000  # instances that were sent while the log was not read yet

Shape = Callable[[Found], list[Event]]


class ConfirmingSink(Protocol):
    """Where events go, in their order: `confirmed` of the `written` ones are out of our hands."""

    written: int
    confirmed: int
    bytes: int

    def write(self, event: Event) -> None:
        """Take one event."""

    def flush(self) -> None:
        """Return when every event written is confirmed."""


@dataclass
class _Count:
    """What became of the instances of one study, so far."""

    study: str
    copied: int = 0
    present: int = 0
    failed: int = 0
    bytes: int = 0
    first_failed: str = ""

    def outcome(self, server: str) -> Outcome:
        counts = {"copied": self.copied, "present": self.present, "failed": self.failed, "bytes": self.bytes}
        status = Status.FAILED if self.failed else Status.COPIED if self.copied else Status.PRESENT
        message = _fails_to_give(server, self.failed, self.first_failed) if self.failed else ""
        return Outcome(self.study, status, message=message, **counts)


class Completing:
    """One run. `shape` makes the events of an instance; `workers` requests at once.

    `tell` hears what a person should know, such as that a server is away and is waited for.
    """

    def __init__(
        self,
        orthanc: Orthanc,
        index: Optional[Index],
        sink: ConfirmingSink,
        reader: SeriesReader,
        shape: Shape,
        *,
        workers: int,
        stop: threading.Event,
        tell: Callable[[str], None],
        gauge: Gauge,
    ) -> None:
        self._orthanc, self._index, self._sink = orthanc, index, sink
        self._reader, self._shape = reader, shape
        self._workers, self._stop, self._tell, self._gauge = workers, stop, tell, gauge
        self._begun: Optional[_Count] = None
        self._done = 0  # studies
        self._waiting: deque[tuple[int, Outcome]] = deque()  # until so many events are confirmed
        self._sent: OrderedDict[str, None] = OrderedDict()

    def outcomes(self) -> Iterator[Outcome]:
        """One for each study. A server that goes away is waited for a while, then its error is raised.

        Raises StoppedError once `stop` is set, after the outcomes of what was sent until then.
        """
        patience = Patience(self._stop, self._tell, SECONDS)
        names: Optional[list[str]] = None
        try:
            while True:
                try:
                    if names is None:
                        names = sorted(stoppable(self._orthanc.study_ids, self._stop))
                        self._gauge.total = int(self._orthanc.statistics()["CountInstances"])
                        self._skip_an_empty_index()
                    for _ in self._groups(names[self._done :]):
                        patience.well()
                        yield from self._confirmed()
                    break
                except RetriableError as error:
                    patience.after(error)
        except StoppedError:
            if self._begun is not None and self._begun.copied:
                self._put(self._begun.outcome(self._orthanc.server.name))
            yield from self._flushed()
            raise
        yield from self._flushed()

    def followed(self, position: Position) -> Iterator[Outcome]:
        """One for each instance that arrives after the position, until `stop` is set.

        Ends too when the database was replaced, and all that it holds is to be compared again.
        """
        patience = Patience(self._stop, self._tell, FOREVER)
        failing: set[str] = set()
        try:
            while not self._stop.is_set():
                try:
                    walk = InstanceWalk(self._orthanc, self._reader)
                    feed = Feed(
                        self._orthanc,
                        position,
                        walk,
                        self._reader,
                        self._arrival,
                        workers=self._workers,
                        stop=self._stop,
                    )
                    for batch in feed.batches():
                        patience.well()
                        if batch.notice and "fails to give" not in batch.notice:  # that is an outcome here
                            self._tell(batch.notice)
                        if batch.position.walking and not batch.position.received:
                            return
                        for id, events in batch.items:
                            self._write_arrival(id, events)
                        yield from self._flushed()
                        position = batch.position
                        for id in set(position.deferred) - failing:
                            message = _fails_to_give(self._orthanc.server.name, 1, id)
                            yield Outcome.of_instance(id, Status.FAILED, message=message)
                        failing = set(position.deferred)
                    self._sent.clear()
                except RetriableError as error:
                    patience.after(error)
                self._stop.wait(INTERVAL)
        except StoppedError:
            yield from self._flushed()

    # A comparison

    def _skip_an_empty_index(self) -> None:
        if self._index is not None and not stoppable(self._index.holds_any, self._stop):
            self._index = None

    def _groups(self, names: list[str]) -> Iterator[None]:
        """Work through studies; steps are only so that the caller may look what is confirmed."""
        group: dict[str, list[Tags]] = {}
        size = 0
        for study, all_series in ordered(self._series_of, names, self._workers, self._stop):
            group[study] = all_series
            size += sum(len(each["Instances"]) for each in all_series)
            if len(group) >= STUDIES or size >= INSTANCES:
                yield from self._group(group)
                group, size = {}, 0
        if group:
            yield from self._group(group)

    def _series_of(self, study: str) -> tuple[str, list[Tags]]:
        try:
            return study, self._orthanc.series_of_study(study)
        except NotFoundError:
            return study, []  # deleted since

    def _group(self, group: Mapping[str, list[Tags]]) -> Iterator[None]:
        held: Held = {}
        if self._index is not None:
            held = stoppable(partial(self._index.of_studies, list(group)), self._stop)
        todo = {study: list(self._lacking_parts(all_series, held)) for study, all_series in group.items()}
        every_part = (part for of_study in todo.values() for part in of_study)
        read = ordered(partial(self._read, held=held), every_part, self._workers, self._stop)
        for study, of_study in todo.items():
            instances = sum(len(each["Instances"]) for each in group[study])
            lacking = sum(len(part.ids) for part in of_study)
            self._begun = count = _Count(study, present=instances - lacking)
            self._gauge.add(count.present)
            for part in of_study:
                self._take(count, part, *next(read))
                yield
            self._begun = None
            self._done += 1
            if count.copied or count.present or count.failed:
                self._put(count.outcome(self._orthanc.server.name))
            yield

    def _lacking_parts(self, all_series: list[Tags], held: Held) -> Iterator[Part]:
        for series in all_series:
            report = modality(series) in REPORTS
            ids = sorted(series["Instances"])
            lacking = [id for id in ids if not is_there(id, report, held)]
            yield from self._reader.parts(series["ID"], ids, lacking)

    def _read(self, part: Part, held: Held) -> tuple[list[tuple[str, list[Event]]], list[str]]:
        """The events that are lacking, by instance, and the instances that the server fails to give."""
        read: Read = self._reader.part(part)
        wanted = set(part.ids)
        found = [one for one in read.found if one.id in wanted]
        return [(one.id, what_lacks(one.id, self._shape(one), held)) for one in found], read.failed

    def _take(
        self, count: _Count, part: Part, found: list[tuple[str, list[Event]]], failed: list[str]
    ) -> None:
        for id, events in found:
            if id in self._sent:  # by this run, before a server went away; it may not be searchable yet
                count.copied += 1
                continue
            before = self._sink.bytes
            for event in events:
                self._sink.write(event)
            count.bytes += self._sink.bytes - before
            count.copied += bool(events)
            count.present += not events
            if events:
                self._sent[id] = None
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        count.failed += len(failed)
        count.first_failed = count.first_failed or "".join(failed[:1])
        self._gauge.add(len(part.ids))

    # Arrivals

    def _arrival(self, found: Found) -> tuple[str, list[Event]]:
        return found.id, self._shape(found)

    def _write_arrival(self, id: str, events: list[Event]) -> None:
        if id in self._sent or not events:  # none: it was deleted since
            return
        before = self._sink.bytes
        for event in events:
            self._sink.write(event)
        self._put(Outcome.of_instance(id, Status.COPIED, self._sink.bytes - before))

    # What is confirmed

    def _put(self, outcome: Outcome) -> None:
        self._waiting.append((self._sink.written, outcome))

    def _confirmed(self) -> Iterator[Outcome]:
        while self._waiting and self._waiting[0][0] <= self._sink.confirmed:
            yield self._waiting.popleft()[1]

    def _flushed(self) -> Iterator[Outcome]:
        self._sink.flush()
        yield from self._confirmed()


def _fails_to_give(server: str, count: int, first: str) -> str:
    what = f"{count} instances, the first is {first}" if count > 1 else f"instance {first}"
    return f"server {server!r} fails to give the tags of {what}"
