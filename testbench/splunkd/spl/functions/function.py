"""What a function is: what it computes, and how many arguments it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from testbench.splunkd.spl.values import Result, as_text, number_of

MANY = 1000


@dataclass(frozen=True)
class Function:
    call: Callable[..., Result]
    least: int
    most: int


def of(call: Callable[..., Result], least: int, most: int | None = None) -> Function:
    return Function(call, least, least if most is None else most)


def on_numbers(call: Callable[..., float | None], least: int, most: int | None = None) -> Function:
    """Nothing when an argument is no number, or where the function has no value."""

    def result(*given: Result) -> Result:
        numbers = [number_of(one) for one in given]
        if None in numbers:
            return None
        try:
            value = call(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None
        return None if value is None else float(value)

    return of(result, least, most)


def on_texts(call: Callable[..., Result], least: int, most: int | None = None) -> Function:
    """Nothing when an argument is nothing."""

    def result(*given: Result) -> Result:
        texts = [as_text(one) for one in given]
        return None if None in texts else call(*texts)

    return of(result, least, most)
