"""Dates and times of DICOM as ISO 8601, and the moment an event belongs to. Pure: no clock.

DICOM writes DA as ``YYYYMMDD``, TM as ``HH[MM[SS[.ffffff]]]`` and DT as both with an optional
``&ZZXX`` (PS3.5, table 6.2-1). Real files also hold ``YYYY.MM.DD``, ``HH:MM:SS``, ``0`` and worse:
what cannot be read is None, never a guess.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Optional

_DA = re.compile(r"(\d{4})[.\-]?(\d{2})[.\-]?(\d{2})$")
_TM = re.compile(r"(\d{2}):?(?:(\d{2}):?(?:(\d{2})(?:\.(\d{1,6})\d*)?)?)?$")
_DT = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d{2})(?:(?P<day>\d{2})(?:(?P<hour>\d{2})(?:(?P<minute>\d{2})"
    r"(?:(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?)?)?)?)?)?"
    r"(?:(?:UTC|GMT)?(?P<sign>[+-])(?P<zh>\d{2}):?(?P<zm>\d{2}))?$"
)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})$")


def iso_date(da: object) -> Optional[str]:
    """A DA as ``2020-01-31``; None when it is no date of the calendar.

    >>> iso_date("20200131"), iso_date("2020.01.31"), iso_date("0")
    ('2020-01-31', '2020-01-31', None)
    """
    return _calendar_day(_text(da))


@lru_cache(maxsize=1024)
def _calendar_day(da: str) -> Optional[str]:
    """Few days are asked for many times: those of one study."""
    match = _DA.match(da)
    if not match:
        return None
    try:
        return date(*map(int, match.groups())).isoformat()
    except ValueError:
        return None


def iso_time(tm: object) -> Optional[str]:
    """A TM as ``10:11:12.5``: missing parts are zero, the fraction is kept without its trailing zeros.

    >>> iso_time("101112.500"), iso_time("1011"), iso_time("114014.000000"), iso_time("9")
    ('10:11:12.5', '10:11:00', '11:40:14', None)
    """
    match = _TM.match(_text(tm))
    if not match:
        return None
    hour, minute, second, fraction = match.groups()
    return _clock(hour, minute, second, fraction)


def iso_datetime(da: object, tm: object) -> Optional[str]:
    """A DA and a TM as one ISO 8601 moment without a zone; midnight when the time is absent.

    >>> iso_datetime("20200131", "1011"), iso_datetime("20200131", ""), iso_datetime("", "1011")
    ('2020-01-31T10:11:00', '2020-01-31T00:00:00', None)
    """
    try:
        return _day_and_time(da, tm)
    except TypeError:  # a list or the like, which is no date
        return None


@lru_cache(maxsize=1024)
def _day_and_time(da: object, tm: object) -> Optional[str]:
    """The same for all instances of a series, but for when each was made."""
    day = iso_date(da)
    return None if day is None else f"{day}T{iso_time(tm) or '00:00:00'}"


def iso_from_dt(dt: object) -> Optional[str]:
    """The clock of a DT as ISO 8601, without its zone (see `offset_from_dt`); a bare year or month is None.

    >>> iso_from_dt("20200131101112.250000+0100"), iso_from_dt("20200131"), iso_from_dt("202001")
    ('2020-01-31T10:11:12.25', '2020-01-31T00:00:00', None)
    """
    match = _DT.match(_text(dt))
    if not match or match["day"] is None:
        return None
    iso_day = iso_date(match["year"] + match["month"] + match["day"])
    clock = _clock(match["hour"] or "00", match["minute"], match["second"], match["fraction"])
    return None if iso_day is None or clock is None else f"{iso_day}T{clock}"


def offset_from_dt(dt: object) -> Optional[str]:
    """The zone that a DT names, as ``+01:00``; None when it names none.

    >>> offset_from_dt("20200131101112+0100"), offset_from_dt("20200131101112UTC-04:00")
    ('+01:00', '-04:00')
    """
    match = _DT.match(_text(dt))
    return f"{match['sign']}{match['zh']}:{match['zm']}" if match and match["sign"] else None


def parse_offset(text: object) -> Optional[tzinfo]:
    """TimezoneOffsetFromUTC (0008,0201), ``+0100``, as a tzinfo; None when it is none (PS3.3, C.12.1.1.8)."""
    return _offset(text) if isinstance(text, str) else None


@lru_cache(maxsize=64)
def _offset(text: str) -> Optional[tzinfo]:
    match = _OFFSET.match(text.strip())
    if not match:
        return None
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset) if offset <= timedelta(hours=14) else None


def orthanc_moment(text: str) -> Optional[datetime]:
    """A date as Orthanc writes its own, ``20200131T101112`` in UTC; None when it is none.

    >>> orthanc_moment("20200131T101112").isoformat()
    '2020-01-31T10:11:12+00:00'
    """
    try:
        return datetime.strptime(text[:15], "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def to_epoch(iso: Optional[str], zone: tzinfo) -> Optional[float]:
    """Seconds since 1970 of an ISO moment as this module writes them; `zone` serves where it names none."""
    if iso is None:
        return None
    stem, fraction = _split_fraction(iso)
    try:
        moment = datetime.fromisoformat(stem)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.timestamp() + fraction
    except (ValueError, OverflowError):
        return None


def _clock(hour: str, minute: Optional[str], second: Optional[str], fraction: Optional[str]) -> Optional[str]:
    minute, second = minute or "00", second or "00"
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        return None
    if second == "60":  # a leap second (PS3.5 allows it) is not a time that ISO parsers take
        second = "59"
    fraction = (fraction or "").rstrip("0")
    return f"{hour}:{minute}:{second}" + (f".{fraction}" if fraction else "")


def _split_fraction(iso: str) -> tuple[str, float]:
    """Python 3.9's fromisoformat takes fractions of 3 or 6 digits only, so they are added afterwards."""
    match = re.search(r"\.\d+", iso) if "." in iso else None
    if not match:
        return iso, 0.0
    return iso[: match.start()] + iso[match.end() :], float("0" + match.group())


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
