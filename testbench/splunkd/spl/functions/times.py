"""Source: Splunk Search Reference, "Date and Time functions". `now` and `time` are in `expressions`."""

from __future__ import annotations

from testbench.splunkd.spl import time_format
from testbench.splunkd.spl.functions.function import of
from testbench.splunkd.spl.relative_time import shifted
from testbench.splunkd.spl.values import Result, as_text, number_of


def _strftime(seconds: Result, form: Result) -> Result:
    at, text = number_of(seconds), as_text(form)
    return None if at is None or text is None else time_format.strftime(at, text)


def _strptime(text: Result, form: Result) -> Result:
    value, pattern = as_text(text), as_text(form)
    return None if value is None or pattern is None else time_format.strptime(value, pattern)


def _relative_time(seconds: Result, steps: Result) -> Result:
    at, text = number_of(seconds), as_text(steps)
    return None if at is None or text is None else shifted(at, text)


TIMES = {
    "relative_time": of(_relative_time, 2),
    "strftime": of(_strftime, 2),
    "strptime": of(_strptime, 2),
}
