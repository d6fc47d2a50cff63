"""Source: Splunk Search Reference, "Multivalue eval functions"; two of them are in `expressions`."""

from __future__ import annotations

import math

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.functions.function import MANY, of
from testbench.splunkd.spl.operators import regex
from testbench.splunkd.spl.relative_time import SECONDS, UNITS
from testbench.splunkd.spl.values import Result, as_text, number_of, number_text, one_or_many


def values_of(result: Result) -> list[str]:
    if result is None:
        return []
    return list(result) if isinstance(result, list) else [as_text(result) or ""]


def _count(value: Result) -> Result:
    return float(len(values_of(value))) if value is not None else None


def _index(value: Result, start: Result, end: Result = None) -> Result:
    """The first is 0, negative ones count from the end; out of range is nothing."""
    values, begin = values_of(value), number_of(start)
    last = begin if end is None else number_of(end)
    if begin is None or last is None:
        return None
    size = len(values)
    low, high = (int(at) + size if at < 0 else int(at) for at in (begin, last))
    if low < 0 or high < low:
        return None
    return one_or_many(values[low : high + 1])


def _join(value: Result, separator: Result) -> Result:
    between = as_text(separator)
    return None if value is None or between is None else between.join(values_of(value))


def _append(*given: Result) -> Result:
    return one_or_many([one for value in given for one in values_of(value)])


def _zip(one: Result, other: Result, separator: Result = ",") -> Result:
    between = as_text(separator) or ""
    pairs = zip(values_of(one), values_of(other), strict=False)
    return one_or_many([f"{first}{between}{second}" for first, second in pairs])


def _find(value: Result, pattern: Result) -> Result:
    """The place of the first value that fits, or nothing."""
    form = regex(as_text(pattern) or "")
    return next((float(at) for at, one in enumerate(values_of(value)) if form.search(one)), None)


def _range(start: Result, end: Result, step: Result = 1.0) -> Result:
    """From `start` up to, not including, `end`; a step such as `1d` is in seconds."""
    width = number_of(step)
    if width is None and isinstance(step, str):
        count, unit = step.rstrip("abcdefghijklmnopqrstuvwxyz"), step.lstrip("0123456789")
        if UNITS.get(unit) not in SECONDS:
            raise UnknownSpl(f"mvrange: the step {step!r}")
        width = int(count or "1") * SECONDS[UNITS[unit]]
    first, last = number_of(start), number_of(end)
    if first is None or last is None or not width:
        return None
    size = max(0, math.ceil((last - first) / width))
    return one_or_many([number_text(first + at * width) for at in range(size)])


MULTIVALUE = {
    "mvappend": of(_append, 1, MANY),
    "mvcount": of(_count, 1),
    "mvdedup": of(lambda value: one_or_many(list(dict.fromkeys(values_of(value)))), 1),
    "mvfind": of(_find, 2),
    "mvindex": of(_index, 2, 3),
    "mvjoin": of(_join, 2),
    "mvrange": of(_range, 2, 3),
    "mvsort": of(lambda value: one_or_many(sorted(values_of(value))), 1),
    "mvzip": of(_zip, 2, 3),
}
