"""Do several things at once, hand back the results in order, hold only a few of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from typing import Callable, TypeVar

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
) -> Iterator[_Out]:
    """`work(item)` for each item, up to `workers` at once, the results in the items' order.

    Reads at most two items a worker ahead of the consumer, so memory stays bounded. An exception in
    `work` reaches the consumer in its place. Raises StoppedError once `stop` is set.
    """
    pending: deque[Future[_Out]] = deque()
    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= 2 * workers:
                yield _result(pending.popleft(), stop)
        while pending:
            yield _result(pending.popleft(), stop)
    finally:
        for future in pending:
            future.cancel()
        pool.shutdown(wait=False)


def _result(future: Future[_Out], stop: threading.Event) -> _Out:
    while True:
        if stop.is_set():
            raise StoppedError
        try:
            return future.result(timeout=_POLL_SECONDS)
        except TimeoutError:
            if future.done():  # the work itself raised a TimeoutError
                raise
