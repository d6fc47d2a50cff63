"""The operators of expressions, with Splunk's turning of texts into numbers.

Source: Splunk Search Reference, `eval`, "Operators", and `where`, "Usage": what reads as a number on both
sides is compared as numbers, anything else as texts; `+` adds numbers or joins texts, `.` joins; nothing on
one side gives nothing, and a comparison with nothing does not hold. `=` with several values holds when one of
them is equal.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Result, as_number, as_text, number_of

COMPARISONS = ("=", "==", "!=", "<", ">", "<=", ">=")
_ORDERS = {"=": (0,), "==": (0,), "!=": (-1, 1), "<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (0, 1)}


def truth(result: Result) -> bool:
    """A condition. Nothing is false; a number or a text is refused."""
    if result is True:
        return True
    if result is None or result is False:
        return False
    raise UnknownSpl(f"expression: {result!r} where a truth value should be")


def compare(operator: str, left: Result, right: Result) -> bool | None:
    if left is None or right is None:
        return None
    if type(left) is str and type(right) is str:
        return _compare_texts(operator, left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        if operator not in ("=", "==", "!=") or type(left) is not type(right):
            raise UnknownSpl("expression: a truth value compared with something else")
        return (left == right) == (operator != "!=")
    if isinstance(left, list) and operator in ("=", "=="):
        return any(compare(operator, one, right) for one in left)
    if isinstance(right, list) and operator in ("=", "=="):
        return any(compare(operator, left, one) for one in right)
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        order = (one > other) - (one < other)
    else:
        first, second = as_text(left) or "", as_text(right) or ""
        order = (first > second) - (first < second)
    return order in _ORDERS[operator]


def _compare_texts(operator: str, left: str, right: str) -> bool:
    """By size where both read as numbers."""
    if left == right:
        return 0 in _ORDERS[operator]
    one, other = as_number(left), as_number(right)
    if one is not None and other is not None:
        return (one > other) - (one < other) in _ORDERS[operator]
    return (1 if left > right else -1) in _ORDERS[operator]


def arithmetic(operator: str, left: Result, right: Result) -> Result:
    if left is None or right is None:
        return None
    if operator == ".":
        first, second = as_text(left), as_text(right)
        return None if first is None or second is None else first + second
    one, other = number_of(left), number_of(right)
    if one is None and other is None and operator == "+":
        return str(left) + str(right)
    if operator == "+" and (one is None or other is None):
        raise UnknownSpl("expression: + of a number and a text; join with . or use tonumber()")
    if one is None or other is None or (operator in "/%" and other == 0):
        return None
    return _NUMERIC[operator](one, other)


_NUMERIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: one / other,
    "%": math.fmod,
}


@functools.lru_cache(1024)
def regex(pattern: str) -> re.Pattern[str]:
    """Splunk's regular expressions are PCRE; what Python's do not know raises."""
    try:
        return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern))
    except re.error as error:
        raise UnknownSpl(f"the regular expression {pattern!r}: {error}") from error
