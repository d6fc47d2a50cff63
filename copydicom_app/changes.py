"""Follow an Orthanc server: first a walk over what it holds, then its change log.

The change log alone is no history: deleting a resource removes its rows, and an admin may clear it. So
a new input notes the log's last number, walks all series in the order of their ids, and then reads the
log from the noted number on. The order makes the walk resumable, and a deletion cannot shift it.

What arrives while the walk goes on is met twice, by the walk and in the log. The walk therefore reads
the log along, and the Position remembers which of those instances it has met (`covered`).

Nothing here writes or logs: `batches` yields what to index together with the Position that holds once
it is indexed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from copydicom_app.checkpoint import Position
from copydicom_app.errors import NotFoundError, RetriableError, SkippableError
from copydicom_app.models import Change
from copydicom_app.orthanc import Orthanc, Tags
from copydicom_app.parallel import ordered

PAGE = 1000  # rows of the change log a request
PART = 50  # instances of the change log a batch
LARGEST_BULK = 500  # instances in one bulk answer: some 3 MB of tags

_Item = TypeVar("_Item")
Instances = list[tuple[str, Tags]]


@dataclass(frozen=True)
class Batch:
    """Instances to index, and the Position once they are. `notice` is something that an admin should know."""

    instances: Instances
    position: Position
    notice: str = ""


@dataclass(frozen=True)
class _Part:
    """Instances of one series; `whole` when they are all of it, so that one bulk request reads them."""

    series: str
    ids: Sequence[str]
    whole: bool


def begin(orthanc: Orthanc, start: str) -> Position:
    """Where a new input starts: `beginning` with all that Orthanc holds, `now` with what comes next."""
    return Position(since=orthanc.last_change(), walking=start == "beginning")


class Feed:
    """The instances of one Orthanc from a Position on, in batches, `workers` requests at once.

    `long` names the keywords whose values are wanted whatever their length. Deletions are not reported.
    """

    def __init__(
        self,
        orthanc: Orthanc,
        position: Position,
        *,
        workers: int = 3,
        stop: threading.Event,
        long: Sequence[str] = (),
    ) -> None:
        self._orthanc = orthanc
        self._position = position
        self._workers = workers
        self._stop = stop
        self._long = long

    def batches(self) -> Iterator[Batch]:
        """All there is now, oldest first as far as the server knows; ends when nothing is left.

        Raises RetriableError when the server goes away, FatalError when a person must act, and
        StoppedError once `stop` is set; the Position of the last batch taken stays valid.
        """
        yield from self._restart_if_replaced()
        if self._position.walking:
            yield from self._walk()
        yield from self._follow()
        if self._position.deferred:
            yield self._again(self._position.deferred)

    def _restart_if_replaced(self) -> Iterator[Batch]:
        last = self._orthanc.last_change()
        if last < self._position.since:
            notice = (
                f"the change log of server {self._orthanc.server.name!r} ends at {last}, but was read up to "
                f"{self._position.since} before: its database was replaced; indexing all that it holds now"
            )
            self._position = Position(since=last, walking=True)
            yield Batch([], self._position, notice)

    # The walk

    def _walk(self) -> Iterator[Batch]:
        begun = self._position
        names = sorted(id for id in self._orthanc.series_ids() if id >= begun.series)
        arrived = _Arrivals(self._orthanc, begun.since)
        lists = ordered(partial(self._parts_after, begun), names, self._workers, self._stop)
        parts = (part for parts in lists for part in parts)
        for part, found, failed in ordered(self._read_part, parts, self._workers, self._stop):
            covered = arrived.among(id for id, _ in found)
            yield self._batch(
                found,
                failed,
                series=part.series,
                instance=part.ids[-1],
                covered={**self._position.covered, **covered} if covered else self._position.covered,
            )
        self._position = replace(self._position, walking=False, series="", instance="")
        yield Batch([], self._position)

    def _parts_after(self, begun: Position, series: str) -> list[_Part]:
        try:
            ids = sorted(self._orthanc.instances_of_series(series))
        except NotFoundError:
            return []
        todo = [id for id in ids if (series, id) > (begun.series, begun.instance)]
        if len(todo) == len(ids) <= LARGEST_BULK:
            return [_Part(series, ids, whole=True)] if ids else []
        return [_Part(series, part, whole=False) for part in _chunks(todo, PART)]

    def _read_part(self, part: _Part) -> tuple[_Part, Instances, list[str]]:
        if part.whole:
            try:
                tags = self._orthanc.series_tags(part.series, self._long)
                return part, sorted(tags.items()), []
            except NotFoundError:
                return part, [], []
            except (RetriableError, SkippableError):
                pass  # one bad file can spoil the answer for its whole series: find it below
        return (part, *self._read_each(part.ids))

    # The change log

    def _follow(self) -> Iterator[Batch]:
        while True:
            rows, last = self._orthanc.changes(self._position.since, PAGE)
            if not rows:
                break
            arrivals = self._to_index(rows)
            parts = _chunks(arrivals, PART)
            for part, (found, failed) in ordered(self._read_arrivals, parts, self._workers, self._stop):
                yield self._batch(found, failed, since=part[-1].seq)
            covered = {id: seq for id, seq in self._position.covered.items() if seq > last}
            self._position = replace(self._position, since=last, covered=covered)
            yield Batch([], self._position)

    def _to_index(self, rows: Iterable[Change]) -> list[Change]:
        """The arrivals among the rows that are not indexed yet; of repeats of one instance the newest."""
        covered = self._position.covered
        newest = {
            row.id: row for row in rows if row.kind == "NewInstance" and row.seq > covered.get(row.id, 0)
        }
        return sorted(newest.values(), key=lambda row: row.seq)

    def _read_arrivals(self, part: Sequence[Change]) -> tuple[Sequence[Change], tuple[Instances, list[str]]]:
        return part, self._read_each([row.id for row in part])

    # Single instances

    def _read_each(self, ids: Iterable[str]) -> tuple[Instances, list[str]]:
        """The tags of each, and the ids of those that the server has but fails to give."""
        found: Instances = []
        failed: list[str] = []
        for id in ids:
            try:
                found.append((id, self._orthanc.instance_tags(id, self._long)))
            except NotFoundError:
                continue  # deleted since
            except (RetriableError, SkippableError):
                self._orthanc.system()  # raises when it is the server that fails, not the instance
                failed.append(id)
        return found, failed

    def _again(self, ids: Sequence[str]) -> Batch:
        found, failed = self._read_each(ids)
        self._position = replace(self._position, deferred=tuple(failed))
        notice = (
            f"server {self._orthanc.server.name!r} fails to give the tags of {len(failed)} instances, "
            f"the first is {failed[0]}; each run asks for them again"
            if failed
            else ""
        )
        return Batch(found, self._position, notice)

    def _batch(self, found: Instances, failed: Sequence[str], **moved: object) -> Batch:
        deferred = (*self._position.deferred, *(id for id in failed if id not in self._position.deferred))
        self._position = replace(self._position, deferred=deferred, **moved)  # type: ignore[arg-type]
        return Batch(found, self._position)


class _Arrivals:
    """What the change log tells of instances that arrived after a number, read along as it grows.

    Of an instance that arrived again after a deletion the first number counts, so that the log's later
    row is indexed too: its content may be another.
    """

    def __init__(self, orthanc: Orthanc, since: int) -> None:
        self._orthanc = orthanc
        self._since = since
        self._first: dict[str, int] = {}

    def among(self, ids: Iterable[str]) -> dict[str, int]:
        """Those of the ids that the log names, each with its number there.

        Called after their tags were read: an instance's row is written together with the instance.
        """
        while True:
            rows, self._since = self._orthanc.changes(self._since, PAGE)
            if not rows:
                break
            for row in rows:
                if row.kind == "NewInstance":
                    self._first.setdefault(row.id, row.seq)
        return {id: self._first[id] for id in ids if id in self._first}


def _chunks(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[i : i + size] for i in range(0, len(items), size))
