"""How many requests at once serve best: found out while they are made.

Orthanc 1.10 on SQLite opens files on two cores nearly twice as fast as on one. 1.12 does not: there it is no
faster with three requests at once than with one, and spends a third more CPU on each. Which holds for a
server depends on its version, its database and its cores, and so it is tried: two lanes for a while, since a
short run is over before a trial would pay, then a second or more for each other number, then the best one
for some minutes. Of equals the fewest, since a PACS has other work to do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

FIRST_SECONDS = 20.0
TRIAL_SECONDS = 1.0
TRIAL_REQUESTS = 3  # at least, for each lane
GOOD_FOR = 300.0  # seconds
WORTH = 1.05  # times as fast must be what takes more lanes


class Lanes:
    """Lets as many requests through as serve best, `most` at once. For several threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = threading.Condition()
        self._busy = 0
        self._all = sorted(range(1, max(1, most) + 1), key=lambda width: (width != 2, width))
        self._rates: dict[int, float] = {}
        self._since = 0.0  # when the first of those that are under way began
        self._begin(self._all[0], FIRST_SECONDS)

    @contextmanager
    def one(self, instances: int = 1) -> Iterator[None]:
        """A lane for one request, which brings so many instances."""
        with self._turn:
            while self._busy >= self.width:
                self._turn.wait()
            if not self._busy:
                self._since = self._clock()
            self._busy += 1
        try:
            yield
            self._note(instances)
        finally:
            with self._turn:
                self._busy -= 1
                if not self._busy:
                    self._seconds += self._clock() - self._since
                self._turn.notify_all()

    def _note(self, instances: int) -> None:
        with self._turn:
            self._requests += 1
            self._instances += instances
            seconds = self._seconds + self._clock() - self._since  # in which nothing was asked do not count
            if seconds < self._lasts or self._requests < TRIAL_REQUESTS * self.width:
                return
            if self._lasts == GOOD_FOR:
                self._rates = {}
            else:
                self._rates[self.width] = self._instances / seconds
            untried = [width for width in self._all if width not in self._rates]
            if untried:
                self._begin(untried[0], TRIAL_SECONDS)
            else:
                self._begin(self._best(), GOOD_FOR)

    def _best(self) -> int:
        best = 1
        for width in sorted(self._rates):
            if self._rates[width] > self._rates[best] * WORTH:
                best = width
        return best

    def _begin(self, width: int, lasts: float) -> None:
        self.width = width
        self._lasts = lasts
        self._since = self._clock()
        self._seconds = 0.0
        self._requests = self._instances = 0
