"""Begin again when a server went away, after growing pauses, and say so once."""

from __future__ import annotations

import math
import random
import threading
import time
from typing import Callable

from copydicom_app.errors import RetriableError
from copydicom_app.parallel import StoppedError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds, give or take half
SECONDS = 120.0
FOREVER = math.inf


class Patience:
    """For one run, which calls `after` what went wrong and `well` when there was a step forward.

    `tell` hears of an outage when it begins and when it is over.
    """

    def __init__(self, stop: threading.Event, tell: Callable[[str], None], seconds: float = SECONDS) -> None:
        self._stop, self._tell, self._seconds = stop, tell, seconds
        self._began = 0.0  # of the outage; 0 when all is well
        self._pause = FIRST_PAUSE

    def after(self, error: RetriableError) -> None:
        """Wait; raises the error once the outage has lasted too long, StoppedError once stopped."""
        now = time.monotonic()
        if not self._began:
            self._began = now
            self._tell(f"{error}; waiting for it")
        left = self._began + self._seconds - now
        if left <= 0:
            raise error
        pause = min(self._pause * random.uniform(0.5, 1.5), left)  # noqa: S311 (jitter)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        if self._stop.wait(pause):
            raise StoppedError from error

    def well(self) -> None:
        """The server is there."""
        if self._began:
            self._tell(f"it is back after {time.monotonic() - self._began:.0f} s")
            self._began, self._pause = 0.0, FIRST_PAUSE
