"""Which of these instances an Orthanc holds, asked in the way that costs least.

Three ways, and none is best everywhere (measured on 1.10.1 and 1.12.7, SQLite, 50,000 instances resident):

    by id       ``/tools/bulk-content``: 0.15 ms an instance on 1.10.1; 15 ms on 1.12.7, growing with the
                archive, but 0.1 ms for one that is not there
    by series   where the row tells the series: 9 or 20 ms a series of 50, whatever the archive's size
    listing     all ids, page by page: 0.01 or 0.03 ms for each instance of the archive

So the first questions are asked by id and timed; from then on each part goes the way that promises to be
the cheapest for what is left. A listing is good for a minute, then it is asked anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Callable, Optional

from copydicom_app.models import Level
from copydicom_app.orthanc import Orthanc

PART = 50  # ids of one question, after which the ways are compared again
PAGE = 20_000  # ids of one page of a listing
MOST_LISTED = 4_000_000  # instances; the ids of so many take 80 MB
_TELLING = 500  # ids; what a listing of fewer takes is the request's own time, not theirs
_GOOD_FOR = 60.0  # seconds of a listing
_ID_BYTES = 20


class Presence:
    """Asks one Orthanc. Safe to use from several threads; `clock` is in seconds."""

    def __init__(self, orthanc: Orthanc, clock: Callable[[], float] = time.monotonic) -> None:
        self._orthanc = orthanc
        self._clock = clock
        self._lock = threading.Lock()
        self._per_id = _Cost(0.0002)
        self._per_series = _Cost(0.005)
        self._per_listed = _Cost(0.00002)
        self._residents: Optional[int] = None
        self._listing: Optional[_Ids] = None
        self._listed_at = 0.0
        self._spent = 0.0  # seconds spent otherwise since the last listing
        self.expected = 0  # ids that the caller still means to ask for, as far as it knows

    def held(self, series_of: Mapping[str, str]) -> set[str]:
        """Those of the instances (instance -> its series, or an empty text) that the server holds."""
        found: set[str] = set()
        todo = dict(series_of)
        while todo:
            listing = self._current_listing(todo)
            if listing is not None:
                found.update(id for id in todo if id in listing)
                break
            found |= self._ask_part(todo)
        self.expected = max(0, self.expected - len(series_of))
        return found

    def forget(self) -> None:
        """Drop the listing: what it says may have changed."""
        with self._lock:
            self._listing = None

    def _ask_part(self, todo: dict[str, str]) -> set[str]:
        """Settle some of `todo` and take them out of it."""
        by_series = _grouped(islice(todo.items(), 0, 20 * PART))
        wanted = sum(len(ids) for ids in by_series.values())
        by_id_costs = self._per_id.each * wanted
        begin = self._clock()
        if by_series and self._per_series.each * len(by_series) < by_id_costs:
            series, ids = max(by_series.items(), key=lambda item: len(item[1]))
            found = self._orthanc.ids_of(Level.SERIES, series) & ids
            self._per_series.note(self._clock() - begin, 1)
        else:
            ids = set(islice(todo, PART))
            found = set(self._orthanc.held(sorted(ids)))
            self._per_id.note(self._clock() - begin, len(ids))
        self._spent += self._clock() - begin
        for id in ids:
            del todo[id]
        return found

    def _current_listing(self, todo: Mapping[str, str]) -> Optional[_Ids]:
        """A fresh listing, when there is one or when it now promises to be cheaper than going on."""
        with self._lock:
            if self._listing is not None and self._clock() - self._listed_at < _GOOD_FOR:
                return self._listing
            self._listing = None
            left = max(len(todo), self.expected)
            if left <= PART:
                return None  # not worth a question
            if self._residents is None:
                self._residents = int(self._orthanc.statistics()["CountInstances"])
            series = len(_grouped(todo.items()))
            costs = min(self._per_id.each * left, self._per_series.each * series if series else float("inf"))
            if self._residents > MOST_LISTED or self._spent + costs < self._per_listed.each * self._residents:
                return None
            self._listing = self._listed()
            return self._listing

    def _listed(self) -> _Ids:
        begin = self._clock()
        listing = _Ids()
        while page := self._orthanc.instance_ids(len(listing), PAGE):
            for id in page:
                listing.add(id)
            if len(page) < PAGE:
                break
        self._listed_at = self._clock()
        if len(listing) >= _TELLING:
            self._per_listed.note(self._listed_at - begin, len(listing))
        self._residents = None
        self._spent = 0.0
        return listing


class _Cost:
    """Seconds for each of something: a guess at first, then mostly what was seen last."""

    def __init__(self, guess: float) -> None:
        self.each = guess
        self._seen = False

    def note(self, seconds: float, count: int) -> None:
        each = seconds / max(count, 1)
        self.each = (self.each + each) / 2 if self._seen else each
        self._seen = True


class _Ids:
    """A set of Orthanc ids in 20 bytes each, a fifth of what Python's set takes.

    An id is a SHA-1: its first two bytes choose a bucket, the other 18 stand there side by side.
    """

    def __init__(self) -> None:
        self._buckets: dict[bytes, bytearray] = {}
        self._count = 0

    def add(self, id: str) -> None:
        """Add an id that is not there yet; one that is counts twice, and does no harm."""
        digest = _digest(id)
        self._buckets.setdefault(digest[:2], bytearray()).extend(digest[2:])
        self._count += 1

    def __contains__(self, id: object) -> bool:
        digest = _digest(str(id))
        bucket, tail = self._buckets.get(digest[:2], b""), digest[2:]
        place = bucket.find(tail)
        while place % len(tail):  # found across two ids (or -1, which is no multiple either)
            if place < 0:
                return False
            place = bucket.find(tail, place + 1)
        return True

    def __len__(self) -> int:
        return self._count


def _digest(id: str) -> bytes:
    return bytes.fromhex(id.replace("-", ""))


def _grouped(items: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Series -> its instances; empty unless every instance tells its series."""
    groups: dict[str, set[str]] = {}
    for id, series in items:
        if not series:
            return {}
        groups.setdefault(series, set()).add(id)
    return groups
