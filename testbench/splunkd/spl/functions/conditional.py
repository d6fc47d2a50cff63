"""Source: Splunk Search Reference, "Comparison and Conditional functions", "Informational functions"."""

from __future__ import annotations

from testbench.splunkd.spl.functions.function import MANY, of
from testbench.splunkd.spl.operators import regex
from testbench.splunkd.spl.values import Result, as_text


def _coalesce(*values: Result) -> Result:
    return next((value for value in values if value is not None), None)


def _match(text: Result, pattern: Result) -> Result:
    """Any part of the text, and any of several values, may fit."""
    form = as_text(pattern)
    if text is None or form is None:
        return False
    values = text if isinstance(text, list) else [as_text(text) or ""]
    return any(regex(form).search(value) for value in values)


CONDITIONAL = {
    "coalesce": of(_coalesce, 1, MANY),
    "isnotnull": of(lambda value: value is not None, 1),
    "isnull": of(lambda value: value is None, 1),
    "match": of(_match, 2),
    "null": of(lambda: None, 0),
    "true": of(lambda: True, 0),
}
