"""Points in time as searches name them: `-20m@m`, `@w1`, `+1d`, `now`, seconds since 1970,
`10/19/2026:08:00:00`.

Source: Splunk Search Reference, "Time modifiers", and Search Manual, "Specify time modifiers in your search".
The time zone of the stand-in is UTC, whatever the machine's is. Real-time (`rt`) is refused.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import as_number

_UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "mon": ("mon", "month", "months"),
    "q": ("q", "qtr", "qtrs", "quarter", "quarters"),
    "y": ("y", "yr", "yrs", "year", "years"),
}
UNITS = {name: unit for unit, names in _UNITS.items() for name in names}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
MONTHS = {"mon": 1, "q": 3, "y": 12}
_STEP = re.compile(r"(?P<sign>[+-])(?P<count>\d*)(?P<unit>[a-z]+)|@(?P<snap>[a-z]+)(?P<day>[0-7])?")
_DATE = "%m/%d/%Y:%H:%M:%S"


def parse_time(text: str, now: float) -> float:
    """Seconds since 1970 of a time modifier. Raises UnknownSpl for what is none."""
    text = text.strip().strip('"')
    number = as_number(text)
    if number is not None and not text.startswith(("+", "-")):
        return number
    if text in ("now", "now()"):
        return now
    if re.fullmatch(r"\d+/\d+/\d{4}:\d+:\d+:\d+", text):
        try:
            return datetime.strptime(text, _DATE).replace(tzinfo=UTC).timestamp()
        except ValueError as error:
            raise UnknownSpl(f"the time {text!r}: {error}") from error
    return shifted(now, text.removeprefix("now"))


def shifted(seconds: float, steps: str) -> float:
    """`relative_time(seconds, steps)`: each step in turn, from the left."""
    at = datetime.fromtimestamp(seconds, UTC)
    place = 0
    while place < len(steps) or not steps:
        match = _STEP.match(steps, place)
        if match is None:
            raise UnknownSpl(f"the time {steps!r}")
        name = match["unit"] or match["snap"]
        if name not in UNITS or (match["day"] and UNITS[name] != "w"):
            raise UnknownSpl(f"the unit of time {name!r} in {steps!r}")
        if match["unit"]:
            at = _add(at, int(match["sign"] + (match["count"] or "1")), UNITS[name])
        else:
            at = snapped(at, UNITS[name], int(match["day"] or 0) % 7)
        place = match.end()
    return at.timestamp()


def _add(at: datetime, count: int, unit: str) -> datetime:
    if unit in SECONDS:
        return at + timedelta(seconds=count * SECONDS[unit])
    month = at.year * 12 + at.month - 1 + count * MONTHS[unit]
    year, month = divmod(month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return at.replace(year=year, month=month + 1, day=min(at.day, last))


def snapped(at: datetime, unit: str, weekday: int = 0) -> datetime:
    """Down to the beginning of the unit; a week begins on `weekday`, 0 is Sunday."""
    at = at.replace(microsecond=0)
    if unit == "s":
        return at
    at = at.replace(second=0)
    if unit == "m":
        return at
    at = at.replace(minute=0)
    if unit == "h":
        return at
    at = at.replace(hour=0)
    if unit == "w":
        return at - timedelta(days=(at.isoweekday() - weekday) % 7)
    if unit == "d":
        return at
    month = {"mon": at.month, "q": (at.month - 1) // 3 * 3 + 1, "y": 1}[unit]
    return at.replace(month=month, day=1)
