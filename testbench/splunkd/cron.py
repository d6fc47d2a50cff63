"""When a schedule such as `3-59/15 6 * * 1-5` runs, in UTC.

Source: Splunk Alerting Manual, "Use cron expressions for alert scheduling": minute, hour, day of the month,
month, day of the week (0 is Sunday); when both days are given, either is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from testbench.splunkd.spl.errors import UnknownSpl

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_PART = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?")


def times(schedule: str, start: float, end: float) -> Iterator[float]:
    """Seconds since 1970 from `start` on and before `end`. Raises UnknownSpl for what is no schedule."""
    fields = schedule.split()
    if len(fields) != len(_RANGES):
        raise UnknownSpl(f"the schedule {schedule!r}")
    minutes, hours, days, months, weekdays = (
        _values(text, *bounds, schedule) for text, bounds in zip(fields, _RANGES, strict=True)
    )
    either = fields[2] != "*" and fields[4] != "*"
    at = datetime.fromtimestamp(start, UTC)
    if at.second or at.microsecond:
        at = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while at.timestamp() < end:
        chosen = (at.day in days, at.isoweekday() % 7 in weekdays)
        if at.month not in months or not (any(chosen) if either else all(chosen)):
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
            continue
        if at.hour in hours and at.minute in minutes:
            yield at.timestamp()
        at += timedelta(minutes=1)


def _values(text: str, low: int, high: int, schedule: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise UnknownSpl(f"the schedule {schedule!r}")
        first = int(match[1]) if match[1] else low
        last = int(match[2]) if match[2] else (first if match[1] and not match[3] else high)
        step = int(match[3] or 1)
        if not low <= first <= last <= high or not step:
            raise UnknownSpl(f"the schedule {schedule!r}")
        found.update(range(first, last + 1, step))
    return found
