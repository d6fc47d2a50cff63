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
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Generic, Optional, TypeVar

from copydicom_app.indexing.checkpoint import Open, Position
from copydicom_app.indexing.growing import Growing, Settled, merged
from copydicom_app.indexing.reading import Read, Reader
from copydicom_app.indexing.walking import Stretch, Walk
from copydicom_app.indexing.witnesses import Testimony, ask, remembered
from copydicom_app.models import Change, Found
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import ordered, stoppable

PAGE = 1000  # rows of the change log a request
WINDOW = 100  # arrivals of the change log a batch
BATCH = 250  # instances of the walk a batch, as soon as there are so many
BATCH_SECONDS = 1.0  # or after so long: a slow server takes a minute for so many

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
    grown: list[Open]

    def add(self, more: _Shapes[_Shaped]) -> None:
        self.items.extend(more.items)
        self.ids.extend(more.ids)
        self.failed.extend(more.failed)
        self.grown.extend(more.grown)


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
        walk: Walk,
        reader: Reader,
        shape: Callable[[Found], _Shaped],
        *,
        growing: Optional[Growing[_Shaped]] = None,
        workers: int = 3,
        stop: threading.Event,
    ) -> None:
        self._orthanc = orthanc
        self._position = position
        self._walk_over = walk
        self._reader = reader
        self._shape = shape
        self._growing = growing
        self._failing: set[str] = set()  # series or studies that the server fails to give
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
        yield from self._settle()
        if self._failing:
            yield Batch([], self._position, self._fails_to_give(sorted(self._failing), "series or studies"))

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
        names = sorted(id for id in self._ask(self._walk_over.names) if id >= begun.series)
        stretches = partial(self._walk_over.stretches, begun=begun)
        lists = ordered(stretches, names, self._workers, self._stop)
        todo = (stretch for stretches in lists for stretch in stretches)
        waiting: list[_Shapes[_Shaped]] = []
        last = time.monotonic()
        for stretch, shapes in ordered(self._read_stretch, todo, self._workers, self._stop):
            waiting.append(shapes)
            enough = sum(len(each.items) + len(each.grown) for each in waiting) >= BATCH
            if enough or time.monotonic() > last + BATCH_SECONDS:
                yield from self._walked(waiting, stretch)
                waiting = []
                last = time.monotonic()
        yield from self._walked(waiting, None)

    def _walked(self, waiting: list[_Shapes[_Shaped]], last: Stretch | None) -> Iterator[Batch[_Shaped]]:
        """The batch of these stretches, `last` the last of them; None at the walk's end.

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
        grown = [one for shapes in waiting for one in shapes.grown]
        if last is not None:
            yield self._batch(items, failed, grown, series=last.series, instance=last.instance)
        else:
            again = self._position.again
            yield self._batch(
                items, failed, grown, walking=bool(again), series="", instance="", received=again, again=""
            )
        yield from self._settle()

    def _read_stretch(self, stretch: Stretch) -> tuple[Stretch, _Shapes[_Shaped]]:
        shapes: _Shapes[_Shaped] = _Shapes([], [], [], list(stretch.grown))
        for part in stretch.parts:
            shapes.add(self._shaped(self._reader.part(part)))
        return stretch, shapes

    def _shaped(self, read: Read) -> _Shapes[_Shaped]:
        items = [self._shape(found) for found in read.found]
        return _Shapes(items, [one.id for one in read.found], read.failed, read.grown)

    # Series and studies

    def _settle(self) -> Iterator[Batch[_Shaped]]:
        """Those of the open ones that have fallen quiet."""
        if self._growing is None or not self._position.open:
            return
        now = self._ask(self._orthanc.now)
        quiet = self._growing.quiet(self._position.open, now)
        look = partial(self._growing.settle, now=now)
        todo = [one for one in quiet if one.id not in self._failing]
        done: list[Settled[_Shaped]] = []
        for settled in ordered(look, todo, self._workers, self._stop):
            done.append(settled)
            if len(done) >= WINDOW:
                yield self._settled(done)
                done = []
        if done:
            yield self._settled(done)

    def _settled(self, done: list[Settled[_Shaped]]) -> Batch[_Shaped]:
        assert self._growing is not None
        by_id = {settled.id: settled for settled in done}
        open = [one for one in self._position.open if one.id not in by_id]
        open += [settled.still for settled in done if settled.still is not None]
        self._failing.update(settled.id for settled in done if settled.failed)
        items = []
        for settled in done:
            if settled.item is not None:
                self._growing.note(settled)
                items.append(settled.item)
        self._position = replace(self._position, open=tuple(open))
        return Batch(items, self._position)

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
                grown = [self._met_first(one) for one in shapes.grown]
                moved = {"since": window[-1].seq, "as_of": window[-1].date}
                yield self._batch(shapes.items, shapes.failed, grown, **moved)
            known = remembered(self._position.known, rows)
            as_of = rows[-1].date if rows else self._position.as_of
            self._position = replace(self._position, since=last, as_of=as_of, known=known)
            yield Batch([], self._position)
            yield from self._settle()

    def _met_first(self, one: Open) -> Open:
        """What the walk has not come to yet was never indexed, however much of it came before."""
        ahead = self._position.walking and not self._position.received and one.id > self._position.series
        return replace(one, whole=True) if ahead else one

    def _read_window(self, window: Sequence[Change]) -> tuple[Sequence[Change], _Shapes[_Shaped]]:
        return window, self._shaped(self._reader.arrivals([row.id for row in window]))

    # What failed before

    def _deferred(self) -> Batch[_Shaped]:
        read = self._ask(self._reader.arrivals, self._position.deferred)
        shapes = self._shaped(read)
        open = merged(self._position.open, shapes.grown)
        self._position = replace(self._position, deferred=tuple(read.failed), open=open)
        notice = self._fails_to_give(read.failed, "instances") if read.failed else ""
        return Batch(shapes.items, self._position, notice)

    def _fails_to_give(self, ids: Sequence[str], what: str) -> str:
        return (
            f"server {self._orthanc.server.name!r} fails to give the tags of {len(ids)} {what}, "
            f"the first is {ids[0]}; each run asks for them again"
        )

    def _batch(
        self, items: list[_Shaped], failed: Sequence[str], grown: Iterable[Open], **moved: Any
    ) -> Batch[_Shaped]:
        deferred = tuple(dict.fromkeys((*self._position.deferred, *failed)))
        open = merged(self._position.open, grown)
        self._position = replace(self._position, deferred=deferred, open=open, **moved)
        return Batch(items, self._position)


def _windows(rows: Iterable[Change]) -> Iterator[Sequence[Change]]:
    """The arrivals among the rows, in parts; of repeats of one instance the newest counts."""
    newest = {row.id: row for row in rows if row.kind == "NewInstance"}
    arrivals = sorted(newest.values(), key=lambda row: row.seq)
    return (arrivals[i : i + WINDOW] for i in range(0, len(arrivals), WINDOW))
