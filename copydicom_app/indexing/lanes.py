"""How many requests at once serve best: found out while they are made.

Orthanc 1.10 on SQLite opens files on two cores nearly twice as fast as on one. 1.12 does not: with a large
archive it is slower with two requests at once than with one, since it spends a third more CPU on each. Which
holds for a server depends on its version, its database and its cores, and so it is tried: two lanes for a
while, since a short run is over before a trial would pay, then a second or more for each other number, then
the best one for some minutes. Of equals the fewest, since a PACS has other work to do.

A slow server answers few requests while a number is tried. So one that began before counts by the share
that falls into the trial, and one that is still under way by how far it must have come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

FIRST_SECONDS = 3.0
TRIAL_SECONDS = 1.0
TRIAL_REQUESTS = 3  # at least, for each lane
GOOD_FOR = 300.0  # seconds
WORTH = 1.05  # times as fast must be what takes more lanes


class Lanes:
    """Lets as many requests through as serve best, `most` at once. For several threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = threading.Condition()
        self._under_way: list[float] = []  # when each began
        self._all = sorted(range(1, max(1, most) + 1), key=lambda width: (width != 2, width))
        self._rates: dict[int, float] = {}
        self._idle = self._idle_since = 0.0
        self._begin(self._all[0], FIRST_SECONDS)

    @contextmanager
    def one(self, instances: int = 1) -> Iterator[None]:
        """A lane for one request, which brings so many instances."""
        with self._turn:
            while len(self._under_way) >= self.width:
                self._turn.wait()
            began = self._clock()
            if not self._under_way:
                self._idle += began - self._idle_since
            self._under_way.append(began)
        served = False
        try:
            yield
            served = True
        finally:
            with self._turn:
                self._under_way.remove(began)
                self._idle_since = self._clock()
                if served:
                    self._note(instances, began)
                self._turn.notify_all()

    def _note(self, instances: int, began: float) -> None:
        now = self._clock()
        seconds = max(now - began, 1e-6)
        self._requests += 1
        self._spent += seconds
        self._brought += instances
        self._within += instances * min(1.0, (now - self._since) / seconds)
        lasted = now - self._since - self._idle
        if lasted < self._lasts or self._requests < TRIAL_REQUESTS * self.width:
            return
        if self._lasts == GOOD_FOR:
            self._rates = {}
        else:
            self._rates[self.width] = (self._within + self._still_to_come(now)) / lasted
        untried = [width for width in self._all if width not in self._rates]
        if untried:
            self._begin(untried[0], TRIAL_SECONDS)
        else:
            self._begin(self._best(), GOOD_FOR)

    def _still_to_come(self, now: float) -> float:
        """Instances that those under way have as good as brought, were they requests like the others."""
        usual = self._spent / self._requests
        shares = (min(now - max(began, self._since), usual) / usual for began in self._under_way)
        return sum(shares) * self._brought / self._requests

    def _best(self) -> int:
        best = 1
        for width in sorted(self._rates):
            if self._rates[width] > self._rates[best] * WORTH:
                best = width
        return best

    def _begin(self, width: int, lasts: float) -> None:
        self.width = width
        self._lasts = lasts
        self._since = self._idle_since = self._clock()
        self._idle = 0.0  # seconds in which nothing was asked, which tell nothing of the server
        self._requests = 0
        self._spent = self._brought = self._within = 0.0
