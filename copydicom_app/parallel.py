"""Do several things at once, hand back the results in order, hold only a few of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from typing import Callable, Optional, TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")

_POLL_SECONDS = 0.2  # how soon a stop is noticed while a server is slow to answer


class StoppedError(Exception):
    """Raised in the caller's thread when it asked to stop; not an error of the package."""


def ordered(
    work: Callable[[_In], _Out],
    items: Iterable[_In],
    workers: int,
    stop: threading.Event,
    grace: float = 0.0,
) -> Iterator[_Out]:
    """`work(item)` for each item, up to `workers` at once, the results in the items' order.

    Reads at most two items a worker ahead of the consumer, so memory stays bounded. An exception in
    `work` reaches the consumer in its place. Raises StoppedError once `stop` is set, but first gives what
    was begun up to `grace` seconds to end and hands out its results.
    """
    pending: deque[Future[_Out]] = deque()
    pool = ThreadPoolExecutor(max_workers=workers)
    patience = _Patience(stop, grace)
    stopped = False
    try:
        try:
            for item in items:
                if stop.is_set():
                    raise StoppedError
                pending.append(pool.submit(work, item))
                if len(pending) >= 2 * workers:
                    yield patience.result(pending.popleft())
        except StoppedError:
            stopped = True
        while pending:
            yield patience.result(pending.popleft())
        if stopped:
            raise StoppedError
    finally:
        for future in pending:
            future.cancel()
        pool.shutdown(wait=False)


def stoppable(work: Callable[[], _Out], stop: threading.Event) -> _Out:
    """`work()`, which may wait for a server; StoppedError as soon as `stop` is set, whatever it waits for."""
    return next(ordered(lambda _: work(), (None,), 1, stop))


class _Patience:
    """Waits for results; once `stop` is set, for no more than `grace` seconds in all."""

    def __init__(self, stop: threading.Event, grace: float) -> None:
        self._stop = stop
        self._grace = grace
        self._until: Optional[float] = None

    def result(self, future: Future[_Out]) -> _Out:
        while True:
            if self._stop.is_set() and not future.done():
                now = time.monotonic()
                self._until = now + self._grace if self._until is None else self._until
                if now >= self._until:
                    raise StoppedError
            elif self._stop.is_set() and not self._grace:
                raise StoppedError
            try:
                return future.result(timeout=_POLL_SECONDS)
            except TimeoutError:
                if future.done():  # the work itself raised a TimeoutError
                    raise
