"""Follow an Orthanc server: a walk over what it holds, and its change log.

The change log alone is no history: deleting a resource removes its rows, and an admin may empty it. So
a new input notes the log's last number and walks all series in the order of their ids; the order makes
the walk resumable, and a deletion cannot shift it. Between any two batches of the walk the log is read
up, so what arrives is indexed at once however long the walk takes. Whatever the log names after the
noted number is the log's to bring, and the walk leaves it out: nothing is met twice.

An emptied log may have held arrivals that were not read yet. It shows by a gap behind the number that we
have reached, when no row that we remember is there any more (see `witnesses`). Then what the server
received since is walked again.

Nothing here writes or logs: `batches` yields what to index together with the Position that holds once
it is indexed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Generic, TypeVar

from copydicom_app.errors import NotFoundError
from copydicom_app.indexing.checkpoint import Position
from copydicom_app.indexing.reading import Part, Read, Reader, parts
from copydicom_app.indexing.witnesses import Testimony, ask, remembered
from copydicom_app.models import Change, Found
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import ordered, stoppable

PAGE = 1000  # rows of the change log a request
WINDOW = 100  # arrivals of the change log a batch
BATCH = 250  # instances of the walk a batch, as soon as there are so many

_Shaped = TypeVar("_Shaped")
_Out = TypeVar("_Out")


@dataclass(frozen=True)
class Batch(Generic[_Shaped]):
    """What to index, and the Position once it is. `notice` is something that an admin should know."""

    items: Sequence[_Shaped]
    position: Position
    notice: str = ""


@dataclass(frozen=True)
class _Shapes(Generic[_Shaped]):
    items: list[_Shaped]
    ids: list[str]
    failed: list[str]


def begin(orthanc: Orthanc, start: str) -> Position:
    """Where a new input starts: `beginning` with all that Orthanc holds, `now` with what comes next."""
    as_of = orthanc.now()
    last = orthanc.last_change()
    rows, _ = orthanc.changes(max(0, last - PAGE), PAGE)
    known = remembered((), [row for row in rows if row.seq <= last])
    return Position(since=last, as_of=as_of, known=known, walking=start == "beginning", walk_from=last)


class Feed(Generic[_Shaped]):
    """The instances of one Orthanc from a Position on, in batches, `workers` requests at once.

    `shape` makes of the tags what is wanted of them, in the worker that read them: a thousand frames are
    megabytes of tags and become an event of a bounded size before they wait. Deletions are not reported.
    """

    def __init__(
        self,
        orthanc: Orthanc,
        position: Position,
        reader: Reader,
        shape: Callable[[Found], _Shaped],
        *,
        workers: int = 3,
        stop: threading.Event,
    ) -> None:
        self._orthanc = orthanc
        self._position = position
        self._reader = reader
        self._shape = shape
        self._workers = workers
        self._stop = stop
        self._arrived: set[str] = set()  # named by the log after `walk_from`; of use to a walk only

    def batches(self) -> Iterator[Batch[_Shaped]]:
        """All there is now; ends when nothing is left.

        Raises RetriableError when the server goes away, FatalError when a person must act, and
        StoppedError once `stop` is set; the Position of the last batch taken stays valid.
        """
        yield from self._restart_if_replaced()
        if self._position.walking:
            self._read_arrived()
        yield from self._follow()
        while self._position.walking:
            yield from self._walk()
            yield from self._follow()
        if self._position.deferred:
            yield self._deferred()

    def _ask(self, question: Callable[..., _Out], *about: Any) -> _Out:
        """A request from the main thread that a stop need not wait for."""
        return stoppable(partial(question, *about), self._stop)

    # What became of the log

    def _restart_if_replaced(self) -> Iterator[Batch[_Shaped]]:
        last = self._ask(self._orthanc.last_change)
        shorter = last < self._position.since
        if not shorter and self._ask(ask, self._orthanc, self._position.known) is not Testimony.OTHER:
            return
        how = (
            f"ends at {last}, but was read up to {self._position.since} before"
            if shorter
            else "names other objects than before"
        )
        notice = (
            f"the change log of server {self._orthanc.server.name!r} {how}: its database was replaced; "
            "indexing all that it holds now"
        )
        self._position = self._ask(begin, self._orthanc, "beginning")
        yield Batch([], self._position, notice)

    def _lost_rows(self, rows: Sequence[Change], last: int) -> bool:
        """Whether somebody may have emptied the log before we had read it all.

        Only when the row right behind `since` is gone: had the log been emptied while that row was
        still to come, nothing was lost. And only when no remembered row is left to contradict.
        """
        following = rows[0].seq if rows else last + 1
        if following == self._position.since + 1:
            return False
        return self._ask(ask, self._orthanc, self._position.known) is Testimony.SILENT

    def _walk_again(self) -> Batch[_Shaped]:
        """Plan a walk over what the server received since the last row that we know."""
        old = self._position
        if old.walking:
            self._position = replace(old, known=(), again=min(old.again or old.as_of, old.as_of))
        else:
            self._position = replace(
                old, known=(), walking=True, walk_from=old.since, series="", instance="", received=old.as_of
            )
            self._arrived.clear()
        notice = (
            f"the change log of server {self._orthanc.server.name!r} was emptied; looking among what it "
            f"received since {old.as_of} UTC for what was not read before (some may be indexed twice)"
        )
        return Batch([], self._position, notice)

    # The walk

    def _walk(self) -> Iterator[Batch[_Shaped]]:
        begun = self._position
        names = sorted(id for id in self._ask(self._orthanc.series_ids) if id >= begun.series)
        lists = ordered(partial(self._parts_after, begun), names, self._workers, self._stop)
        todo = (part for parts in lists for part in parts)
        waiting: list[_Shapes[_Shaped]] = []
        for part, shapes in ordered(self._read_part, todo, self._workers, self._stop):
            waiting.append(shapes)
            if sum(len(each.items) for each in waiting) >= BATCH:
                yield from self._walked(waiting, part)
                waiting = []
        yield from self._walked(waiting, None)

    def _walked(self, waiting: list[_Shapes[_Shaped]], part: Part | None) -> Iterator[Batch[_Shaped]]:
        """The batch of these parts, `part` the last of them; None at the walk's end.

        The log is read first: an instance's row is written together with the instance, so whatever
        arrived before its series was listed is known as an arrival now.
        """
        yield from self._follow()
        items = [
            item
            for shapes in waiting
            for id, item in zip(shapes.ids, shapes.items)
            if id not in self._arrived
        ]
        failed = [id for shapes in waiting for id in shapes.failed if id not in self._arrived]
        if part is not None:
            yield self._batch(items, failed, series=part.series, instance=part.ids[-1])
            return
        again = self._position.again
        yield self._batch(
            items, failed, walking=bool(again), series="", instance="", received=again, again=""
        )

    def _parts_after(self, begun: Position, series: str) -> list[Part]:
        try:
            answer = self._orthanc.series(series)
            # LastUpdate grows with each instance; a series that does not tell it is looked into.
            if begun.received and answer.get("LastUpdate", begun.received) < begun.received:
                return []
            ids = sorted(answer["Instances"])
        except NotFoundError:
            return []
        todo = [id for id in ids if (series, id) > (begun.series, begun.instance)]
        if begun.received:
            todo = [id for id in todo if (self._orthanc.received(id) or begun.received) >= begun.received]
        return list(parts(series, ids, todo))

    def _read_part(self, part: Part) -> tuple[Part, _Shapes[_Shaped]]:
        return part, self._shaped(self._reader.part(part))

    def _shaped(self, read: Read) -> _Shapes[_Shaped]:
        return _Shapes(
            [self._shape(found) for found in read.found], [one.id for one in read.found], read.failed
        )

    # The change log

    def _read_arrived(self) -> None:
        """What arrived since the walk began, as far as an earlier run has read the log."""
        since = self._position.walk_from
        while since < self._position.since:
            rows, since = self._ask(self._orthanc.changes, since, PAGE)
            self._remember_arrivals(row for row in rows if row.seq <= self._position.since)
            if not rows:
                break

    def _remember_arrivals(self, rows: Iterable[Change]) -> None:
        self._arrived.update(row.id for row in rows if row.kind == "NewInstance")

    def _follow(self) -> Iterator[Batch[_Shaped]]:
        """The log up to its end."""
        while True:
            since = self._position.since
            rows, last = self._ask(self._orthanc.changes, since, PAGE)
            if last == since:
                return
            if self._lost_rows(rows, last):
                yield self._walk_again()
            if self._position.walking:
                self._remember_arrivals(rows)
            windows = list(_windows(rows))
            for window, shapes in ordered(self._read_window, windows, self._workers, self._stop):
                yield self._batch(shapes.items, shapes.failed, since=window[-1].seq, as_of=window[-1].date)
            known = remembered(self._position.known, rows)
            as_of = rows[-1].date if rows else self._position.as_of
            self._position = replace(self._position, since=last, as_of=as_of, known=known)
            yield Batch([], self._position)

    def _read_window(self, window: Sequence[Change]) -> tuple[Sequence[Change], _Shapes[_Shaped]]:
        return window, self._shaped(self._reader.arrivals([row.id for row in window]))

    # What failed before

    def _deferred(self) -> Batch[_Shaped]:
        read = self._ask(self._reader.arrivals, self._position.deferred)
        shapes = self._shaped(read)
        self._position = replace(self._position, deferred=tuple(read.failed))
        notice = (
            f"server {self._orthanc.server.name!r} fails to give the tags of {len(read.failed)} instances, "
            f"the first is {read.failed[0]}; each run asks for them again"
            if read.failed
            else ""
        )
        return Batch(shapes.items, self._position, notice)

    def _batch(self, items: list[_Shaped], failed: Sequence[str], **moved: Any) -> Batch[_Shaped]:
        deferred = tuple(dict.fromkeys((*self._position.deferred, *failed)))
        self._position = replace(self._position, deferred=deferred, **moved)
        return Batch(items, self._position)


def _windows(rows: Iterable[Change]) -> Iterator[Sequence[Change]]:
    """The arrivals among the rows, in parts; of repeats of one instance the newest counts."""
    newest = {row.id: row for row in rows if row.kind == "NewInstance"}
    arrivals = sorted(newest.values(), key=lambda row: row.seq)
    return (arrivals[i : i + WINDOW] for i in range(0, len(arrivals), WINDOW))
