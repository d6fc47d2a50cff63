"""Source: Splunk Search Reference, "Multivalue eval functions"; `mvfilter` is in `expressions`."""

from __future__ import annotations

import math

from testbench.splunkd.spl.functions.function import MANY, of
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


def _range(start: Result, end: Result) -> Result:
    """From `start` up to, not including, `end`."""
    first, last = number_of(start), number_of(end)
    if first is None or last is None:
        return None
    return one_or_many([number_text(first + at) for at in range(max(0, math.ceil(last - first)))])


MULTIVALUE = {
    "mvappend": of(_append, 1, MANY),
    "mvcount": of(_count, 1),
    "mvindex": of(_index, 2, 3),
    "mvjoin": of(_join, 2),
    "mvrange": of(_range, 2),
}
