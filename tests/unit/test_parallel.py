"""Several things at once, in order."""

import threading
import time
from collections.abc import Iterator

import pytest

from copydicom_app.parallel import StoppedError, ordered


def test_results_come_in_the_order_of_the_items_however_long_each_takes() -> None:
    def slow_first(n: int) -> int:
        time.sleep(0.05 if n == 0 else 0)
        return n

    assert list(ordered(slow_first, range(50), 4, threading.Event())) == list(range(50))


def test_no_more_is_read_ahead_than_two_items_a_worker() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    results = ordered(lambda n: n, items(), 3, threading.Event())
    next(results)
    assert len(taken) <= 6
    results.close()


def test_an_error_reaches_the_consumer_in_its_place() -> None:
    def work(n: int) -> int:
        if n == 2:
            raise TimeoutError("of the work")
        return n

    results = ordered(work, range(5), 2, threading.Event())
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(TimeoutError, match="of the work"):
        next(results)


def test_a_stop_is_noticed_while_the_work_hangs() -> None:
    stop, release = threading.Event(), threading.Event()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(StoppedError):
        next(ordered(lambda _: release.wait(30), [1], 1, stop))
    release.set()
