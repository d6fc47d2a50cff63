"""Whether a server is well: wait a while for one that went away, ask nothing of one that stays away.

A destination that restarts in the middle of a copy costs some seconds and no row. One that is gone, or
refuses the login, is told once: what comes after fails at once, without a request, until it answers again.
"""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional, TypeVar

from copydicom_app.errors import CopydicomError, FatalError, RetriableError
from copydicom_app.orthanc import Orthanc

PATIENCE = 30.0  # seconds to wait for a server that went away
_PROBE_SECONDS = (0.5, 1.0, 2.0, 4.0)  # between two looks whether it is back; the last one from then on

_Out = TypeVar("_Out")


class Guard:
    """Calls one Orthanc on behalf of several threads. `patience` in seconds; `stop` cuts it short."""

    def __init__(self, orthanc: Orthanc, stop: threading.Event, patience: float = PATIENCE) -> None:
        self.orthanc = orthanc
        self._stop = stop
        self._patience = patience
        self._lock = threading.Lock()
        self._trouble: Optional[CopydicomError] = None
        self._until = 0.0
        self._recoveries = 0

    @property
    def name(self) -> str:
        """The server's name."""
        return self.orthanc.server.name

    def __call__(self, work: Callable[[Orthanc], _Out]) -> _Out:
        """What `work` returns; it is called again when the server was away and came back.

        So `work` must bear repetition, as all that we ask of Orthanc does.
        """
        self.check()
        recoveries = self._recoveries
        try:
            return work(self.orthanc)
        except RetriableError as error:
            if not self._came_back(recoveries, error):
                raise
        except FatalError as error:
            self._trouble, self._until = error, float("inf")
            raise
        return work(self.orthanc)

    def check(self) -> None:
        """Raise what is known to be wrong; after a while look whether it still is."""
        trouble = self._trouble
        if trouble is None:
            return
        with self._lock:
            if self._trouble is not None and time.monotonic() >= self._until:
                self._trouble = self._look()
                self._until = time.monotonic() + self._patience
            if self._trouble is not None:
                raise self._trouble

    def _came_back(self, recoveries: int, error: RetriableError) -> bool:
        """Whether the server was away and now answers. False when it was well all the time."""
        with self._lock:
            if self._trouble is not None or self._stop.is_set():
                return False
            if self._recoveries != recoveries:
                return True  # another thread has waited for it
            trouble = self._look()
            if trouble is None:
                return False  # it fails at this one request only
            end = time.monotonic() + self._patience
            for n in range(10_000):
                self._stop.wait(_PROBE_SECONDS[min(n, len(_PROBE_SECONDS) - 1)])
                if self._stop.is_set() or time.monotonic() >= end or isinstance(trouble, FatalError):
                    break
                trouble = self._look()
                if trouble is None:
                    self._recoveries += 1
                    return True
            self._trouble = trouble or error
            self._until = (
                float("inf") if isinstance(trouble, FatalError) else time.monotonic() + self._patience
            )
            return False

    def _look(self) -> Optional[CopydicomError]:
        try:
            self.orthanc.system()
        except CopydicomError as error:
            return error
        return None
