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


def _greatest(*given: Result) -> Result:
    """Texts are greater than numbers; nothing is left out."""
    there = [one for one in given if one is not None]
    return max(there, key=lambda one: sort_key(as_text(one)), default=None)


NUMBERS = {
    "abs": on_numbers(abs, 1),
    "floor": on_numbers(math.floor, 1),
    "max": of(_greatest, 1, MANY),
    "round": on_numbers(_round, 1, 2),
}
