"""Rows and their values: texts, several of them, or none; a number is a text that reads as one."""

from __future__ import annotations

import functools
import math
import re

from testbench.splunkd.chunks import Row, Value
from testbench.splunkd.spl.errors import UnknownSpl

Result = None | bool | float | str | list[str]
"""What an expression gives: nothing, a truth value, a number, a text, or several texts."""

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")

__all__ = [
    "Result",
    "Row",
    "Value",
    "all_values",
    "as_number",
    "as_text",
    "first",
    "from_result",
    "number_of",
    "number_text",
    "one_or_many",
    "sort_key",
    "wildcard",
]


def all_values(row: Row, name: str) -> list[str]:
    """The values of a field, none when it is absent or empty."""
    value = row.get(name)
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def first(row: Row, name: str) -> str | None:
    found = all_values(row, name)
    return found[0] if found else None


@functools.lru_cache(1 << 16)
def as_number(text: str | None) -> float | None:
    """The number that a text is, or None."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    return float(text)


def number_text(value: float) -> str:
    """A number as Splunk shows it: whole ones without a point, others in their shortest exact form."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))


def one_or_many(values: list[str]) -> Value | None:
    """Values as a field holds them: none, the one, or the list."""
    return None if not values else values if len(values) > 1 else values[0]


def number_of(result: Result) -> float | None:
    """The number of an operand; None for what reads as none. Several values are refused, and truth values."""
    if isinstance(result, float):
        return result
    if isinstance(result, str):
        return as_number(result)
    if isinstance(result, bool):
        raise UnknownSpl("expression: a truth value where a number should be")
    if isinstance(result, list):
        raise UnknownSpl("expression: several values where one number should be (mvindex?)")
    return None


def as_text(result: Result) -> str | None:
    """The text of an operand. Several values are refused, and truth values."""
    if isinstance(result, str):
        return result
    if isinstance(result, bool):
        raise UnknownSpl("expression: a truth value where a text should be")
    if isinstance(result, float):
        return number_text(result)
    if isinstance(result, list):
        raise UnknownSpl("expression: several values where one text should be (mvindex? mvjoin?)")
    return None


def from_result(result: Result) -> Value | None:
    """What `eval` stores; None removes the field."""
    if isinstance(result, bool):
        raise UnknownSpl("eval: a truth value cannot be stored in a field")
    return number_text(result) if isinstance(result, float) else result


def sort_key(text: str | None) -> tuple[int, float, str]:
    """Absent last, numbers by size before texts by their characters."""
    if text is None:
        return 2, 0.0, ""
    number = as_number(text)
    return (0, number, "") if number is not None else (1, 0.0, text)


@functools.lru_cache(4096)
def wildcard(pattern: str, ignore_case: bool = True) -> re.Pattern[str]:
    """`CT*` as a regular expression for the whole text."""
    body = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.compile(body, (re.IGNORECASE if ignore_case else 0) | re.DOTALL)
