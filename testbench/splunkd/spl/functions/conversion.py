"""Source: Splunk Search Reference, "Conversion functions"."""

from __future__ import annotations

import re

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.functions.function import MANY, of
from testbench.splunkd.spl.values import Result, as_text, number_of, number_text

_PLACE = re.compile(r"%(?:%|(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<places>\d+))?(?P<kind>[a-zA-Z]))")


def tonumber(value: Result, base: Result = 10.0) -> Result:
    """The number that a text is in a base from 2 to 36; nothing when it is none."""
    radix = number_of(base)
    if isinstance(value, float) or radix in (None, 10.0):
        return number_of(value)
    try:
        return float(int((as_text(value) or "").strip(), int(radix or 0)))
    except ValueError:
        return None


def tostring(value: Result, form: Result = None) -> Result:
    if isinstance(value, bool):
        return str(value)
    number = number_of(value) if form is not None else None
    if form is None or number is None:
        return as_text(value)
    match as_text(form):
        case "commas":
            return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"
        case "hex":
            return f"0x{int(number):X}"
        case "duration":
            return _duration(number)
        case other:
            raise UnknownSpl(f"tostring: the form {other!r}")


def _duration(seconds: float) -> str:
    """`[days+]HH:MM:SS`."""
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    tail = f"{int(rest):02d}" if rest == int(rest) else f"{rest:09.6f}"
    return f"{sign}{f'{days}+' if days else ''}{hours:02d}:{minutes:02d}:{tail}"


def printf(form: Result, *given: Result) -> Result:
    """As in C, for `%d`, `%i`, `%f`, `%e`, `%g`, `%s`, `%x`, `%X`, `%o`, `%c`; nothing when a value is
    nothing.
    """
    text, left = as_text(form), list(given)
    if text is None or None in left:
        return None

    def place(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        kind = match["kind"]
        if kind not in "diufFeEgGsxXoc" or not left:
            raise UnknownSpl(f"printf: {match[0]} in {text!r}")
        value = left.pop(0)
        if kind in "sc":
            return match[0] % (as_text(value) or "")
        number = number_of(value)
        if number is None:
            raise UnknownSpl(f"printf: {match[0]} of {value!r}")
        return match[0].replace("u", "d") % (int(number) if kind in "diuxXo" else number)

    result = _PLACE.sub(place, text)
    if left:
        raise UnknownSpl(f"printf: more values than {text!r} has places")
    return result


def exact(value: Result) -> Result:
    """Numbers always are in their shortest exact form here."""
    number = number_of(value)
    return None if number is None else number_text(number)


CONVERSION = {
    "exact": of(exact, 1),
    "printf": of(printf, 1, MANY),
    "tonumber": of(tonumber, 1, 2),
    "tostring": of(tostring, 1, 2),
}
