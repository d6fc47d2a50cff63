"""Rows and their values: texts, several of them, or none; a number is a text that reads as one."""

from __future__ import annotations

import math
import re

from testbench.splunkd.chunks import Row, Value

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")

__all__ = ["Row", "Value", "all_values", "as_number", "first", "number_text", "sort_key", "wildcard"]


def all_values(row: Row, name: str) -> list[str]:
    """The values of a field, none when it is absent or empty."""
    value = row.get(name)
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def first(row: Row, name: str) -> str | None:
    found = all_values(row, name)
    return found[0] if found else None


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


def sort_key(text: str | None) -> tuple[int, float, str]:
    """Absent last, numbers by size before texts by their characters."""
    if text is None:
        return 2, 0.0, ""
    number = as_number(text)
    return (0, number, "") if number is not None else (1, 0.0, text)


def wildcard(pattern: str, ignore_case: bool = True) -> re.Pattern[str]:
    """`CT*` as a regular expression for the whole text."""
    body = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.compile(body, (re.IGNORECASE if ignore_case else 0) | re.DOTALL)
