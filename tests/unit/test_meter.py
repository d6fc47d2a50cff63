"""The log line by which a health view knows how an input is doing."""

from __future__ import annotations

from typing import Any

from copydicom_app.errors import RetriableError
from copydicom_app.models import Server
from copydicom_app.splunk.meter import Meter, seconds_between
from copydicom_app.workflows import Progress


class Lines:
    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def info(self, message: str, **pairs: Any) -> None:
        self.said.append({"message": message, **pairs})


class Pacs:
    server = Server("pacs", "http://pacs")

    def __init__(self, last: int) -> None:
        self.last = last

    def last_change(self) -> int:
        if not self.last:
            raise RetriableError("away")
        return self.last

    def now(self) -> str:
        return "20260101T000100"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def metered(last: int) -> tuple[Meter, Lines, Clock]:
    lines, clock = Lines(), Clock()
    return Meter(lines, Pacs(last), clock), lines, clock  # type: ignore[arg-type]


def test_a_line_tells_rate_bytes_and_lag_since_the_line_before() -> None:
    meter, lines, clock = metered(last=120)
    clock.now = 30.0
    meter.add(Progress(instances=100, events=110), 5000)
    assert lines.said == []
    clock.now = 100.0
    meter.add(Progress(instances=100, events=110, since=90, as_of="20260101T000000", walking=True), 9000)
    clock.now = 110.0
    meter.add(Progress(instances=20, events=20, since=120, as_of="20260101T000001", failed=2), 9900)
    meter.end(9900)
    first, second = lines.said
    assert (first["instances"], first["events"], first["bytes"], first["per_second"]) == (200, 220, 9000, 2.0)
    assert (first["lag"], first["lag_seconds"], first["walking"]) == (30, 60, "true")
    assert (second["instances"], second["bytes"], second["per_second"], second["failed"]) == (20, 900, 2.0, 2)
    assert (second["lag"], second["lag_seconds"], second["walking"]) == (0, 0, "false")


def test_an_idle_run_says_nothing() -> None:
    meter, lines, _ = metered(last=5)
    meter.add(Progress(since=5, as_of="20260101T000000"), 0)
    meter.end(0)
    assert lines.said == []


def test_a_server_that_does_not_tell_its_last_change_costs_the_lag_only() -> None:
    meter, lines, _ = metered(last=0)
    meter.add(Progress(instances=1, events=1), 10)
    meter.end(10)
    assert lines.said[0]["instances"] == 1
    assert "lag" not in lines.said[0]


def test_a_clock_that_was_set_back_is_no_negative_lag() -> None:
    assert seconds_between("20260101T000100", "20260101T000000") == 0
