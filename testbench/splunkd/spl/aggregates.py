"""The functions of `stats`, over the values of a field in the order of the rows.

Source: Splunk Search Reference, "Aggregate functions", "Event order functions", "Multivalue stats and chart
functions", "Time functions".

Percentiles, for which the manual gives no formula. `limits.conf.spec` `[stats]`: `perc_digest_type` is
`tdigest`, which interpolates; the older `rdigest` follows `perc_method`, whose default `nearest-rank` takes
the 0-based rank floor(p/100*n). A thread of Splunk's users (community.splunk.com, "percentile 90 of the
response time") reports for the same ten values 5.51 from `p90`, which lies between the ranks next to
p/100*(n-1), and 27.203 from `exactperc90`, which is that nearest rank. So it is done here, `median` being the
mean of the two in the middle. Where the two agree (n = 21 for p25, p50, p75, p95) there is no doubt; with
many values Splunk's `perc` is an estimate, here it stays exact.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Sequence

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Value, as_number, number_text, one_or_many

Function = Callable[[Sequence[str]], Value | None]
LIST_LIMIT = 100
BY_TIME = ("earliest", "latest")
PERCENTILES = ("perc", "exactperc")
_PERCENTILE = re.compile(rf"({'|'.join(PERCENTILES)})(\d+(?:\.\d+)?)")


def numbers(values: Sequence[str]) -> list[float]:
    return [number for number in map(as_number, values) if number is not None]


def _on_numbers(function: Callable[[list[float]], float]) -> Function:
    def result(values: Sequence[str]) -> Value | None:
        found = numbers(values)
        return number_text(function(found)) if found else None

    return result


def interpolated(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    place = percent / 100 * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def nearest_rank(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.floor(percent * len(ordered) / 100))]


def _extreme(last: bool) -> Function:
    """By size when all are numbers, else by their characters."""

    def result(values: Sequence[str]) -> Value | None:
        found = numbers(values)
        if found and len(found) == len(values):
            return number_text(max(found) if last else min(found))
        return (max(values) if last else min(values)) if values else None

    return result


AGGREGATES: dict[str, Function] = {
    "avg": _on_numbers(statistics.fmean),
    "count": lambda values: str(len(values)),
    "dc": lambda values: str(len(set(values))),
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "list": lambda values: one_or_many(list(values[:LIST_LIMIT])),
    "max": _extreme(last=True),
    "median": _on_numbers(lambda values: interpolated(values, 50)),
    "min": _extreme(last=False),
    "sum": _on_numbers(math.fsum),
    "values": lambda values: one_or_many(sorted(set(values))),
}
ZERO_FOR_NOTHING = ("count", "dc")


def aggregate(name: str) -> Function:
    """The function of that name. Raises UnknownSpl; those of time are in `BY_TIME`."""
    found = AGGREGATES.get(name)
    if found is not None:
        return found
    match = _PERCENTILE.fullmatch(name)
    if match is None:
        raise UnknownSpl(f"the statistical function {name}()")
    percent = float(match[2])
    if not 0 <= percent <= 100 or (match[1] == "exactperc" and percent != int(percent)):
        raise UnknownSpl(f"the percentile {name}()")
    method = nearest_rank if match[1] == "exactperc" else interpolated
    return _on_numbers(lambda values: method(values, percent))
