"""How the tags of instances are read: by which route, how many at once.

Measured on 1.10.1 and 1.12.7 (milliseconds of the server's CPU an instance, 2,000 instances resident):

    /instances/{id}/tags                      1.5   4.0   opens and parses the file
    /series/{id}/instances-tags               0.9   3.0   the same without a request each
    /series/{id}/instances?expand             0.1   0.15  from the database: main tags, size, parent
      ... &requestedTags=<others>             -     1.0   1.11 and later
    /tools/find, the instances of a series    -     0.06  1.12.5 and later: main tags alone
    /series/{id}  (the ids alone)             0.02  0.07

On 1.12 with SQLite each route that looks an instance up by its id slows down as the archive grows (six
times at 22,000 resident instances). Routes that start from a series and stay in the database do so too, but
far less: 0.3 ms an instance at 20,000, 1.2 ms at 100,000. The index that docs/scaling.md proposes ends both.
It does not help ``/series/{id}``, which is slow for the Status in its answer: what that route tells is
searched for instead (`holdings`).
Hence: everything is read by series, whole where that is possible, and then without asking for the ids of
its instances before. That holds for more than 500 as well where the server was seen to give them within
seconds: one at a time they take 1.10 four times as long, 1.12 twice. Of what the change log names, the series
is asked once for the first of its instances, and what else of that series is wanted comes with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional, Protocol

from copydicom_app.errors import NotFoundError, RetriableError, SkippableError
from copydicom_app.holdings import Tags
from copydicom_app.indexing.checkpoint import Open
from copydicom_app.indexing.lanes import Lanes
from copydicom_app.models import Found, Level, Parents
from copydicom_app.orthanc import Orthanc

BULK = 500  # instances in one bulk answer, of any server: some 3 MB of tags
LARGEST_BULK = 2000  # of one that gives so many within
BULK_SECONDS = 10.0
PART = 50  # instances that are asked for one by one
_WORTH_BULK = 3  # reading a series whole costs half as much an instance; worth it from a third of it on
_FEW = 3

# What every answer must hold, since ids and the time of an event come from it.
_ALWAYS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_DATED = ("Study", "Series", "Acquisition", "Content", "InstanceCreation")
_TIMES = tuple(name + kind for name in _DATED for kind in ("Date", "Time"))


@dataclass(frozen=True)
class Part:
    """Instances of one series; `whole` when they are all of it, so that one request reads them.

    Of a whole one the ids may be left out; `count` then tells about how many they are, where that is known.
    """

    series: str
    ids: Sequence[str]
    whole: bool = False
    count: int = 0


@dataclass
class Read:
    """What came: instances, and the ids of those that the server has but fails to give.

    `grown` are the series or studies that the asked ones belong to, where those are what is indexed.
    """

    found: list[Found] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    grown: list[Open] = field(default_factory=list)


class Reader(Protocol):
    """One way to read tags. All methods are called from several threads at once."""

    def part(self, part: Part) -> Read:
        """The instances of a part of a series."""

    def arrivals(self, ids: Collection[str]) -> Read:
        """Instances of which nothing but the id is known."""


class SeriesReader(Reader, Protocol):
    """A Reader that says how it wants to be asked for the instances of a series."""

    def whole(self, series: str) -> Optional[Part]:
        """All of a series without its ids; None where those must be known: it may be large.

        Raises NotFoundError when it is gone, if that shows.
        """

    def parts(self, series: str, ids: Sequence[str], todo: Sequence[str]) -> Sequence[Part]:
        """How to ask for `todo`, the instances of a series that are wanted of all its `ids`."""


def reader(orthanc: Orthanc, depth: Sequence[str], long: Sequence[str], most: int) -> SeriesReader:
    """The reader for a depth: ``("all",)``, ``("main",)`` or keywords; `most` files are opened at once."""
    full = AllTags(orthanc, long, Lanes(most))
    requested = from_database(orthanc, depth)
    return full if requested is None else MainTags(orthanc, full, requested)


def from_database(orthanc: Orthanc, depth: Sequence[str]) -> Optional[tuple[str, ...]]:
    """Which keywords to request beside the main tags at a depth; None where each file must be opened.

    Before 1.11 Orthanc brings no requested tags, and never sequences: then everything is read.
    """
    if tuple(depth) == ("all",):
        return None
    if tuple(depth) == ("main",):
        return ()
    nested = any(keyword.endswith("Sequence") for keyword in depth)
    if nested or _version(orthanc.system().get("Version")) < (1, 11):
        return None
    return tuple(dict.fromkeys((*depth, *_ALWAYS, *_TIMES)))


class AllTags:
    """Everything, simplified: Orthanc opens each file."""

    def __init__(self, orthanc: Orthanc, long: Sequence[str], lanes: Lanes) -> None:
        self._orthanc = orthanc
        self._long = long
        self._lanes = lanes
        self._most = BULK  # instances in one bulk answer

    def whole(self, series: str) -> Optional[Part]:
        count = self._orthanc.count_of_series(series)
        return Part(series, (), True, count) if count and count <= self._most else None

    def parts(self, series: str, ids: Sequence[str], todo: Sequence[str]) -> Sequence[Part]:
        if 0 < len(todo) == len(ids) <= self._most:
            return [Part(series, ids, whole=True, count=len(ids))]
        return [Part(series, todo[i : i + PART]) for i in range(0, len(todo), PART)]

    def part(self, part: Part) -> Read:
        ids = part.ids
        if part.whole:
            try:
                within = partial(self._within, part.count)
                tags = self._orthanc.series_tags(part.series, self._long, within)
                return Read([Found(id, tags[id]) for id in sorted(tags)])
            except NotFoundError:
                return Read()
            except (RetriableError, SkippableError):
                # One bad file can spoil the answer for its whole series: find it below.
                ids = ids or sorted(self._orthanc.ids_of(Level.SERIES, part.series))
        return self._each(ids)

    @contextmanager
    def _within(self, count: int = 1) -> Iterator[None]:
        """A lane for a request; the time that it takes tells how large a bulk answer may be."""
        with self._lanes.one(count):
            began = time.monotonic()
            yield
            seconds = max(time.monotonic() - began, 1e-6)
        self._most = min(max(BULK, int(BULK_SECONDS * count / seconds)), LARGEST_BULK)

    def arrivals(self, ids: Collection[str]) -> Read:
        done = Read()
        for part in self._by_series(list(ids)):
            read = self.part(part)
            done.found += [found for found in read.found if found.id in ids]
            done.failed += read.failed
        return done

    def _by_series(self, ids: Sequence[str]) -> Iterator[Part]:
        left = dict.fromkeys(ids)
        while left:
            first = next(iter(left))
            del left[first]
            wanted = [first]
            try:
                series = self._orthanc.instance(first)["ParentSeries"]
                others = self._orthanc.series(series)["Instances"] if len(left) >= _FEW else []
            except NotFoundError:
                continue  # deleted since
            wanted += [id for id in others if id in left]
            for id in wanted[1:]:
                del left[id]
            whole = len(wanted) * _WORTH_BULK >= len(others) and 1 < len(others) <= self._most
            yield Part(series, wanted, whole, len(others))

    def _each(self, ids: Iterable[str]) -> Read:
        read = Read()
        for id in ids:
            try:
                tags = self._orthanc.instance_tags(id, self._long, self._within)
                read.found.append(Found(id, tags))
            except NotFoundError:
                continue  # deleted since
            except (RetriableError, SkippableError):
                self._orthanc.system()  # raises when it is the server that fails, not the instance
                read.failed.append(id)
        return read


class MainTags:
    """What Orthanc keeps in its database, without opening a file; with `requested` other keywords too.

    Structured reports are read in full at this depth as well: a dose is in their content.
    """

    def __init__(self, orthanc: Orthanc, full: AllTags, requested: Sequence[str] = ()) -> None:
        self._orthanc = orthanc
        self._full = full
        self._requested = requested

    def whole(self, series: str) -> Optional[Part]:
        return Part(series, (), whole=True)

    def parts(self, series: str, ids: Sequence[str], todo: Sequence[str]) -> Sequence[Part]:
        """One, however large: the answer is always that of the whole series."""
        return [Part(series, todo, len(todo) == len(ids))] if todo else []

    def part(self, part: Part) -> Read:
        return self._of_series(part.series, set(part.ids) if part.ids else None)

    def arrivals(self, ids: Collection[str]) -> Read:
        done = Read()
        left = dict.fromkeys(ids)
        while left:
            first = next(iter(left))
            del left[first]
            try:
                series = self._orthanc.instance(first)["ParentSeries"]
                others = [id for id in self._orthanc.series(series)["Instances"] if id in left]
            except NotFoundError:
                continue  # deleted since
            read = self._of_series(series, {first, *others})
            done.found += read.found
            done.failed += read.failed
            for id in others:
                del left[id]
        return done

    def _of_series(self, series: str, ids: Optional[Collection[str]]) -> Read:
        """Those of its instances, None for all."""
        try:
            study = self._orthanc.study_of_series(series)
            above = self._orthanc.series(series, study["ID"])
            if above["MainDicomTags"].get("Modality") == "SR":
                return self._reports(above, ids)
            rows = self._orthanc.instances_of_series(series, above["Instances"], self._requested)
        except NotFoundError:
            return Read()
        shared = {**study["PatientMainDicomTags"], **study["MainDicomTags"], **above["MainDicomTags"]}
        parents = Parents(series, study["ID"], study["ParentPatient"])
        wanted = (row for row in rows if ids is None or row["ID"] in ids)
        found = [Found(row["ID"], merged(shared, row), parents) for row in wanted]
        return Read(sorted(found, key=lambda one: one.id))

    def _reports(self, series: Tags, ids: Optional[Collection[str]]) -> Read:
        every = sorted(series["Instances"])
        read = Read()
        for part in self._full.parts(series["ID"], every, every if ids is None else sorted(ids)):
            of_it = self._full.part(part)
            read.found += of_it.found
            read.failed += of_it.failed
        return read


def merged(shared: Tags, row: dict[str, Any]) -> Tags:
    """The main tags of all levels; of a tag that two levels hold the deeper one counts."""
    requested = {key: value for key, value in row.get("RequestedTags", {}).items() if value is not None}
    return {**shared, **row["MainDicomTags"], **requested}


def _version(text: object) -> tuple[int, int]:
    """(1, 12) of ``1.12.7``; builds from source say ``mainline`` and count as new."""
    match = re.match(r"(\d+)\.(\d+)", str(text))
    return (int(match[1]), int(match[2])) if match else (99, 0)
