"""Spans of time, as `timechart` takes them.

Source: Splunk Search Reference, `bin`, "Span options". Whole days, weeks (`1w@w1` is from Monday), months,
quarters and years follow the calendar in UTC; seconds, minutes and hours their multiples in the day. Where
the manual leaves open where a span begins (`1w`, `2d`, `7h`), it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.relative_time import SECONDS, UNITS, shifted, snapped
from testbench.splunkd.spl.values import as_number, number_text

_SPAN = re.compile(r"(\d+)([a-z]+)(?:@w([0-7]))?")


@dataclass(frozen=True)
class Span:
    """`start` is where the span of a moment begins, `next` where the one after a span's start does.

    `label` is what stands in a row for a value.
    """

    start: Callable[[float], float]
    next: Callable[[float], float]
    label: Callable[[str], str]


def read_span(text: str) -> Span:
    """Raises UnknownSpl for what is no span, or one of which the manual does not say where it begins."""
    match = _SPAN.fullmatch(text)
    if match is None or match[2] not in UNITS:
        raise UnknownSpl(f"span={text}: a whole number and a unit of time")
    count, unit = int(match[1]), UNITS[match[2]]
    if match[3] and unit != "w":
        raise UnknownSpl(f"span={text}: a day of the week for another unit")
    weekday = int(match[3] or 0) % 7
    if unit in ("s", "m", "h"):
        width = count * SECONDS[unit]
        if not count or SECONDS["d"] % width:
            raise UnknownSpl(f"span={text} does not part a day evenly")

        def start(value: float) -> float:
            return value // width * width

        return Span(start, lambda value: value + width, _time_label(start))
    if unit == "w" and not match[3]:
        raise UnknownSpl(
            f"span={text}: the manual leaves open on which day a week begins; say 1w@w0 or 1w@w1"
        )
    if count != 1:
        raise UnknownSpl(f"span={text}: one day, week, month, quarter or year only")

    def begin(value: float) -> float:
        return snapped(datetime.fromtimestamp(value, UTC), unit, weekday).timestamp()

    return Span(begin, lambda value: shifted(value, f"+1{unit}"), _time_label(begin))


def _time_label(start: Callable[[float], float]) -> Callable[[str], str]:
    def label(value: str) -> str:
        number = as_number(value)
        return value if number is None else number_text(start(number))

    return label
