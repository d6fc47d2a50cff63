"""Source: Splunk Search Reference, "Mathematical functions" and "Statistical eval functions"."""

from __future__ import annotations

import math

from testbench.splunkd.spl.functions.function import MANY, of, on_numbers
from testbench.splunkd.spl.values import Result, as_text, sort_key


def _round(value: float, places: float = 0.0) -> float:
    """Halves away from zero, decided on the shortest decimal form: round(0.285, 2) is 0.29."""
    factor = 10 ** int(places)
    scaled = float(f"{abs(value)!r}e{int(places)}")
    return math.copysign(math.floor(scaled + 0.5) / factor, value)


def _power(base: float, exponent: float) -> float | None:
    result = base**exponent
    return None if isinstance(result, complex) else result


def _greatest(*given: Result) -> Result:
    """Texts are greater than numbers; nothing is left out."""
    return _by_size(given)[-1] if _by_size(given) else None


def _least(*given: Result) -> Result:
    return _by_size(given)[0] if _by_size(given) else None


def _by_size(given: tuple[Result, ...]) -> list[Result]:
    there = [one for one in given if one is not None]
    return sorted(there, key=lambda one: sort_key(as_text(one)))


NUMBERS = {
    "abs": on_numbers(abs, 1),
    "ceil": on_numbers(math.ceil, 1),
    "ceiling": on_numbers(math.ceil, 1),
    "exp": on_numbers(math.exp, 1),
    "floor": on_numbers(math.floor, 1),
    "ln": on_numbers(math.log, 1),
    "log": on_numbers(
        lambda value, base=10.0: math.log10(value) if base == 10 else math.log(value, base), 1, 2
    ),
    "max": of(_greatest, 1, MANY),
    "min": of(_least, 1, MANY),
    "pi": of(lambda: math.pi, 0),
    "pow": on_numbers(_power, 2),
    "round": on_numbers(_round, 1, 2),
    "sqrt": on_numbers(math.sqrt, 1),
}
