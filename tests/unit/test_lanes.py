"""How many requests at once: what serves best is found, and the fewest of equals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from copydicom_app.indexing.lanes import FIRST_SECONDS, GOOD_FOR, Lanes


class Server:
    """Gives instances at a rate that depends on how many ask at once; its clock moves as it does."""

    def __init__(self, rate: Callable[[int], float]) -> None:
        self.rate = rate
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def serve(self, lanes: Lanes, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            with lanes.one(50):
                self.now += 50 / self.rate(lanes.width)


class SlowServer:
    """Takes seconds for a request, the longer the more are under way; several at once, without threads."""

    def __init__(self, seconds: tuple[float, ...]) -> None:
        self.seconds = seconds
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def serve(self, lanes: Lanes, until: float) -> None:
        under_way: list[tuple[float, AbstractContextManager[None]]] = []
        while self.now < until:
            while len(under_way) < lanes.width:
                one = lanes.one(50)
                one.__enter__()
                # each at its own pace, so that they do not end together
                under_way.append((self.seconds[len(under_way)] * (1 + 0.1 * len(under_way)), one))
            step = min(left for left, _ in under_way)
            self.now += step
            under_way = [(left - step, one) for left, one in under_way]
            for left, one in under_way:
                if left <= 1e-9:
                    one.__exit__(None, None, None)
            under_way = [(left, one) for left, one in under_way if left > 1e-9]


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ((0.63, 1.6, 2.5), 1),  # as 1.12 with 20,000 instances and no index: 79, 62 and 60 a second
        ((0.63, 1.02, 1.6), 2),  # 79, 95 and 91
        ((0.63, 0.65, 0.66), 3),
    ],
)
def test_few_requests_tell_what_serves_best(seconds: tuple[float, ...], best: int) -> None:
    server = SlowServer(seconds)
    lanes = Lanes(3, server)
    server.serve(lanes, until=25)
    assert lanes.width == best


@pytest.mark.parametrize(
    ("rates", "best"),
    [((1000, 1900, 2000), 3), ((1000, 1900, 1950), 2), ((450, 440, 400), 1), ((450, 460, 470), 1)],
)
def test_the_fastest_number_is_found_and_the_fewest_of_equals(rates: tuple[float, ...], best: int) -> None:
    server = Server(lambda width: rates[width - 1])
    lanes = Lanes(3, server)
    server.serve(lanes, FIRST_SECONDS + 10)
    assert lanes.width == best


def test_a_server_that_changes_is_tried_again() -> None:
    server = Server(lambda width: 1000.0 * width)
    lanes = Lanes(2, server)
    server.serve(lanes, FIRST_SECONDS + 10)
    assert lanes.width == 2
    server.rate = lambda width: 1000.0
    server.serve(lanes, GOOD_FOR + 10)
    assert lanes.width == 1


def test_time_in_which_nothing_is_asked_does_not_count() -> None:
    server = Server(lambda width: 1000.0 * width)
    lanes = Lanes(2, server)
    for _ in range(400):
        server.serve(lanes, 0.1)
        server.now += 0.0 if lanes.width == 1 else 5.0
    assert lanes.width == 2


def test_no_more_are_let_through_than_there_are_lanes() -> None:
    lanes = Lanes(1)
    inside = threading.Event()
    let_go = threading.Event()

    def ask() -> None:
        with lanes.one():
            inside.set()
            let_go.wait(10)

    first = threading.Thread(target=ask)
    first.start()
    assert inside.wait(10)
    inside.clear()
    second = threading.Thread(target=ask)
    second.start()
    assert not inside.wait(0.1)
    let_go.set()
    assert inside.wait(10)
    first.join()
    second.join()


def test_a_request_that_fails_leaves_its_lane() -> None:
    lanes = Lanes(1)
    with pytest.raises(OSError, match="gone"), lanes.one():
        raise OSError("gone")
    with lanes.one():
        pass
