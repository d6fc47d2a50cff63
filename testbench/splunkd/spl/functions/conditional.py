"""Source: Splunk Search Reference, "Comparison and Conditional functions", "Informational functions"."""

from __future__ import annotations

from testbench.splunkd.spl.functions.function import MANY, of
from testbench.splunkd.spl.operators import compare, like_pattern, regex
from testbench.splunkd.spl.values import Result, as_text, number_of


def _coalesce(*values: Result) -> Result:
    return next((value for value in values if value is not None), None)


def _in(value: Result, *choices: Result) -> Result:
    return any(compare("=", value, choice) is True for choice in choices)


def _like(text: Result, pattern: Result) -> Result:
    value, form = as_text(text), as_text(pattern)
    return value is not None and form is not None and like_pattern(form).fullmatch(value) is not None


def _match(text: Result, pattern: Result) -> Result:
    """Any part of the text, and any of several values, may fit."""
    form = as_text(pattern)
    if text is None or form is None:
        return False
    values = text if isinstance(text, list) else [as_text(text) or ""]
    return any(regex(form).search(value) for value in values)


def _nullif(one: Result, other: Result) -> Result:
    return None if compare("=", one, other) is True else one


def _is_number(value: Result) -> Result:
    return not isinstance(value, bool | list) and number_of(value) is not None


CONDITIONAL = {
    "coalesce": of(_coalesce, 1, MANY),
    "false": of(lambda: False, 0),
    "in": of(_in, 2, MANY),
    "isnotnull": of(lambda value: value is not None, 1),
    "isnull": of(lambda value: value is None, 1),
    "isnum": of(_is_number, 1),
    "like": of(_like, 2),
    "match": of(_match, 2),
    "null": of(lambda: None, 0),
    "nullif": of(_nullif, 2),
    "true": of(lambda: True, 0),
}
