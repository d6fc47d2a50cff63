"""Wait for a server that went away: with growing pauses, for a while, and say so once.

A run that meets an outage pauses and tries again from its checkpoint, for `patience` seconds. After that
it ends with the error and leaves the next try to the next run. A small file beside the checkpoint
remembers across runs since when the server is away, so that its return is told once, and told whatever
run sees it.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, Optional, TypeVar

from copydicom_app.errors import CheckpointError, RetriableError
from copydicom_app.parallel import StoppedError

PATIENCE_SECONDS = 300.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds, give or take half

_Step = TypeVar("_Step")


class Outage:
    """Carries work over the outages of one server. `went` and `came` are called once an outage."""

    def __init__(
        self,
        memory: Path,
        *,
        stop: threading.Event,
        went: Callable[[str], None],
        came: Callable[[float], None],
        patience: float = PATIENCE_SECONDS,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._memory = memory
        self._stop = stop
        self._went = went
        self._came = came
        self._patience = patience
        self._first_pause = first_pause
        self._reached = False

    def reached(self) -> None:
        """Tell that the server was there in this run, whatever it does next."""
        self._reached = True

    def survive(self, work: Callable[[], Iterator[_Step]]) -> Iterator[_Step]:
        """The steps of `work()`, begun again after each RetriableError.

        Raises that error once there was no step for `patience` seconds: a server that answers, and yet
        fails at the same point each time, is an outage too. A server that is not there when the outage is
        news and nothing was begun yet is not waited for: the error itself tells it.
        """
        given_up: Optional[float] = None
        self._reached = self._since() is not None
        pause = self._first_pause
        while True:
            try:
                for step in work():
                    self._is_back()
                    given_up, pause = None, self._first_pause
                    yield step
                self._is_back()
                return
            except RetriableError as error:
                self._is_away(str(error) if self._reached else "")
                if not self._reached:
                    raise
                now = time.monotonic()
                given_up = given_up or now + self._patience
                if now >= given_up:
                    raise
                wait = min(pause * random.uniform(0.5, 1.5), given_up - now)  # noqa: S311 (jitter)
                if self._stop.wait(wait):
                    raise StoppedError from error
                pause = min(2 * pause, LONGEST_PAUSE)

    def _is_away(self, why: str) -> None:
        if self._since() is not None:
            return
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._memory.write_text(str(time.time()), encoding="ascii")
        except OSError as error:
            raise CheckpointError(f"{self._memory} cannot be written ({error.strerror})") from error
        if why:
            self._went(why)

    def _is_back(self) -> None:
        since = self._since()
        if since is not None:
            self._came(max(0.0, time.time() - since))
            with contextlib.suppress(OSError):
                self._memory.unlink()

    def _since(self) -> Optional[float]:
        try:
            return float(self._memory.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):  # cut off by a crash: the outage is true, its beginning is not known
            return time.time()
