"""`stats`: one row for each group.

Source: Splunk Search Reference, `stats` and "Statistical and charting functions". A row without one of
the `by` fields is left out, one with several values of it counts for each.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Callable, Sequence

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Row, Value, all_values, as_number, number_text, sort_key

_CALL = re.compile(
    r'\s*(\w+)(?:\(\s*("[^"]*"|\'[^\']*\'|[^)]*?)\s*\))?(?:\s+as\s+("[^"]*"|[^\s,]+))?\s*,?', re.IGNORECASE
)
_BY = re.compile(r"(?:^|\s)by\s+(.+)$", re.IGNORECASE)


def _numbers(values: Sequence[str]) -> list[float]:
    return [number for number in map(as_number, values) if number is not None]


def _on_numbers(function: Callable[[list[float]], float]) -> Callable[[Sequence[str]], Value | None]:
    def result(values: Sequence[str]) -> Value | None:
        numbers = _numbers(values)
        return number_text(function(numbers)) if numbers else None

    return result


def _extreme(last: bool) -> Callable[[Sequence[str]], Value | None]:
    def result(values: Sequence[str]) -> Value | None:
        numbers = _numbers(values)
        if numbers and len(numbers) == len(values):
            return number_text(max(numbers) if last else min(numbers))
        return (max(values) if last else min(values)) if values else None

    return result


def _unwrap(values: list[str]) -> Value | None:
    return None if not values else values if len(values) > 1 else values[0]


FUNCTIONS: dict[str, Callable[[Sequence[str]], Value | None]] = {
    "avg": _on_numbers(statistics.fmean),
    "count": lambda values: str(len(values)),
    "dc": lambda values: str(len(set(values))),
    "list": lambda values: _unwrap(list(values[:100])),
    "max": _extreme(last=True),
    "mean": _on_numbers(statistics.fmean),
    "median": _on_numbers(statistics.median),
    "min": _extreme(last=False),
    "sum": _on_numbers(sum),
    "values": lambda values: _unwrap(sorted(set(values))),
}


def run_stats(rows: Sequence[Row], text: str) -> list[Row]:
    """The rows of `stats <text>`, in the order of their `by` values."""
    match = _BY.search(text)
    by = [name.strip('"') for name in re.findall(r'"[^"]*"|[^\s,]+', match[1])] if match else []
    calls = _calls(text[: match.start()] if match else text)
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        for key in itertools.product(*(all_values(row, name) for name in by)):
            groups.setdefault(key, []).append(row)
    if not by:
        groups.setdefault((), [])
    return [
        {**dict(zip(by, key, strict=True)), **_results(groups[key], calls)}
        for key in sorted(groups, key=lambda key: [sort_key(part) for part in key])
    ]


def _results(rows: list[Row], calls: list[tuple[str, str, str]]) -> Row:
    results: Row = {}
    for function, field, name in calls:
        values = [value for row in rows for value in all_values(row, field)]
        result = str(len(rows)) if function == "count" and not field else FUNCTIONS[function](values)
        if result is not None:
            results[name] = result
    return results


def _calls(text: str) -> list[tuple[str, str, str]]:
    """Function, field and the name of the result."""
    calls, at = [], 0
    while text[at:].strip():
        match = _CALL.match(text, at)
        if match is None:
            raise UnknownSpl(f"stats: {text[at:]!r}")
        function, field = match[1].lower(), (match[2] or "").strip("\"'")
        if function not in FUNCTIONS or "*" in field or (not field and function != "count"):
            raise UnknownSpl(f"stats: {match[0].strip()!r}")
        plain = f"{function}({field})" if field else function
        calls.append((function, field, (match[3] or plain).strip('"')))
        at = match.end()
    if not calls:
        raise UnknownSpl("stats without a function")
    return calls
