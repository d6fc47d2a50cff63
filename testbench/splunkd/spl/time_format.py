"""`strftime` and `strptime` by Splunk's format variables, in UTC.

Source: Splunk Search Reference, "Date and time format variables". An unknown variable raises.
`strptime` takes a text that goes on behind the format, as the C function of that name does.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from testbench.splunkd.spl.errors import UnknownSpl

_VARIABLE = re.compile(r"%(:z|[369]?[NQ]|.)", re.DOTALL)
_PLAIN = frozenset("aAbBdHIjmMpSyYUVGuwZ")
_OWN: dict[str, Callable[[datetime], str]] = {
    "e": lambda at: f"{at.day:2d}",
    "k": lambda at: f"{at.hour:2d}",
    "l": lambda at: f"{at.hour % 12 or 12:2d}",
    "F": lambda at: at.strftime("%Y-%m-%d"),
    "T": lambda at: at.strftime("%H:%M:%S"),
    "s": lambda at: str(int(at.timestamp())),
    "z": lambda at: "+0000",
    ":z": lambda at: "+00:00",
    "%": lambda at: "%",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_READ = {
    "Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "e": r"\s*(?P<d>\d{1,2})",
    "y": r"(?P<y>\d{2})", "H": r"(?P<H>\d{1,2})", "I": r"(?P<I>\d{1,2})", "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})", "p": r"(?P<p>[AaPp][Mm])", "b": r"(?P<b>[A-Za-z]{3})",
    "B": r"(?P<b>[A-Za-z]{3})[a-z]*", "F": r"(?P<Y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
    "T": r"(?P<H>\d{1,2}):(?P<M>\d{1,2}):(?P<S>\d{1,2})", "s": r"(?P<s>\d+)",
    "z": r"(?P<z>[+-]\d{2}:?\d{2})", ":z": r"(?P<z>[+-]\d{2}:\d{2})", "Z": r"(?P<Z>UTC|GMT|Z)",
    "%": "%",
}  # fmt: skip


def strftime(seconds: float, form: str) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return _VARIABLE.sub(lambda match: _written(at, seconds, match[1]), form)


def _written(at: datetime, seconds: float, variable: str) -> str:
    if variable in _PLAIN:
        return at.strftime(f"%{variable}")
    if variable[-1] in "NQ":
        digits = int(variable[:-1] or {"N": 9, "Q": 3}[variable])
        return f"{at.microsecond:06d}000"[:digits]
    if variable not in _OWN:
        raise UnknownSpl(f"strftime: the variable %{variable}")
    return _OWN[variable](at)


def strptime(text: str, form: str) -> float | None:
    """Seconds since 1970, or None when the text is not of that form. A date needs its year, month and day."""
    match = _reader(form).match(text.strip())
    if match is None:
        return None
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    if "s" in found:
        return float(found["s"])
    if "Z" in found and found["Z"] not in ("UTC", "GMT", "Z"):
        return None
    try:
        return _moment(found)
    except ValueError:
        return None


def _moment(found: dict[str, str]) -> float:
    year = int(found["Y"]) if "Y" in found else _century(int(found["y"]))
    month = int(found["m"]) if "m" in found else _MONTHS.index(found["b"].lower()) + 1
    hour = int(found.get("H", found.get("I", "0")))
    if "p" in found:
        hour = hour % 12 + (12 if found["p"].lower() == "pm" else 0)
    minute, second = int(found.get("M", "0")), int(found.get("S", "0"))
    fraction = float("0." + found.get("N", "0"))
    zone = found.get("z", "+0000").replace(":", "")
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
    at = datetime(year, month, int(found["d"]), hour, minute, second, tzinfo=timezone(offset))
    return at.timestamp() + fraction


def _century(year: int) -> int:
    return year + (1900 if year >= 69 else 2000)


@functools.lru_cache(256)
def _reader(form: str) -> re.Pattern[str]:
    body, at = "", 0
    for match in _VARIABLE.finditer(form):
        body += _literal(form[at : match.start()])
        variable = match[1]
        if variable[-1] in "NQ":
            body += r"(?P<N>\d+)" if len(variable) == 1 else rf"(?P<N>\d{{1,{variable[0]}}})"
        elif variable in _READ:
            body += _READ[variable]
        else:
            raise UnknownSpl(f"strptime: the variable %{variable}")
        at = match.end()
    pattern = re.compile(body + _literal(form[at:]))
    names = set(pattern.groupindex)
    if "s" not in names and not ({"d"} <= names and names & {"Y", "y"} and names & {"m", "b"}):
        raise UnknownSpl(f"strptime: the form {form!r} has no whole date")
    return pattern


def _literal(text: str) -> str:
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))
