"""How an input is doing, as one log line a minute and one at the end: what a health view reads.

Fields: `instances`, `events`, `bytes` (of events) and `per_second` (instances) since the line before,
`failed` (instances that the server fails to give), `lag` (changes that the server has logged and we have
not read) and `lag_seconds` (how old the newest change is that we have read, 0 when there is no lag),
`walking` (whether what the server held before is still being read), `open` (series or studies that wait
until they are quiet; at those levels `instances` are what the indexed ones hold).
"""

from __future__ import annotations

import time
from typing import Callable

from copydicom_app.errors import CopydicomError
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.splunk.logs import Log
from copydicom_app.times import orthanc_moment
from copydicom_app.workflows import Progress

EVERY_SECONDS = 60.0


class Meter:
    """Adds up the progress of one run."""

    def __init__(self, log: Log, orthanc: Orthanc, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._orthanc = orthanc
        self._clock = clock
        self._since = clock()
        self._instances = self._events = self._bytes = 0
        self._last = Progress()
        self._said = False

    def add(self, progress: Progress, total_bytes: int) -> None:
        """Count one batch, `total_bytes` being those of the run so far; say so when a minute is over."""
        self._instances += progress.instances
        self._events += progress.events
        self._last = progress
        if self._clock() - self._since >= EVERY_SECONDS:
            self._say(total_bytes)

    def end(self, total_bytes: int) -> None:
        """The closing line; none for a run without news, so that an idle input is silent."""
        if self._instances or self._events or self._last.failed or self._said:
            self._say(total_bytes)

    def _say(self, total_bytes: int) -> None:
        seconds = max(self._clock() - self._since, 0.001)
        self._log.info(
            "indexed",
            server=self._orthanc.server.name,
            instances=self._instances,
            events=self._events,
            bytes=total_bytes - self._bytes,
            seconds=round(seconds, 3),
            per_second=round(self._instances / seconds, 1),
            failed=self._last.failed,
            open=self._last.open,
            walking=str(self._last.walking).lower(),
            **self._lag(),
        )
        self._since, self._bytes, self._said = self._clock(), total_bytes, True
        self._instances = self._events = 0

    def _lag(self) -> dict[str, object]:
        """How far behind the server; nothing when it does not say, which is no reason to stop."""
        try:
            behind = max(0, self._orthanc.last_change() - self._last.since)
            seconds = seconds_between(self._last.as_of, self._orthanc.now()) if behind else 0
        except (CopydicomError, StoppedError, ValueError):
            return {}
        return {"lag": behind, "lag_seconds": seconds}


def seconds_between(earlier: str, later: str) -> int:
    """Between two dates of Orthanc's, never negative.

    >>> seconds_between("20260101T235959", "20260102T000004")
    5
    """
    begin, end = orthanc_moment(earlier), orthanc_moment(later)
    if begin is None or end is None:
        raise ValueError("no dates of Orthanc's")
    return max(0, round((end - begin).total_seconds()))
