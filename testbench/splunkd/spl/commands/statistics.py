"""`stats`, `eventstats`, `streamstats`."""

from __future__ import annotations

import re

from testbench.splunkd.spl.aggregates import AGGREGATES
from testbench.splunkd.spl.aggregations import Aggregation, Clauses, grouped, read_clauses, results
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.relative_time import SECONDS, UNITS
from testbench.splunkd.spl.syntax import flag
from testbench.splunkd.spl.values import Row, Value, all_values, as_number, first, number_text, sort_key

STREAMSTATS = {"current": "true", "time_window": ""}
_RUNNING = ("count", "dc", "last", "sum", "avg")


@command("stats")
def stats(text: str, context: Context) -> Step:
    """One row for each group, in the order of the BY values."""
    clauses = read_clauses(text, {}, context)

    def step(rows: Rows) -> list[Row]:
        groups = grouped(rows, clauses.by)
        if not clauses.by:
            groups.setdefault((), [])
        columns = [*clauses.by, *(one.name for one in clauses.aggregations)]
        keys = sorted(groups, key=lambda key: [sort_key(part) for part in key])
        made: list[Row] = [
            {**dict(zip(clauses.by, key, strict=True)), **results(groups[key], clauses.aggregations)}
            for key in keys
        ]
        return Rows(made, columns)

    return step


def _single_key(row: Row, by: list[str]) -> tuple[str, ...] | None:
    """The group of a row that stays; None without one of the fields."""
    key = []
    for name in by:
        found = all_values(row, name)
        if len(found) > 1:
            raise UnknownSpl(f"BY {name}, which has several values in a row that stays one")
        if not found:
            return None
        key.append(found[0])
    return tuple(key)


@command("eventstats")
def eventstats(text: str, context: Context) -> Step:
    """Every row with the result of its group."""
    clauses = read_clauses(text, {}, context)

    def step(rows: Rows) -> list[Row]:
        keys = [_single_key(row, clauses.by) for row in rows]
        groups: dict[tuple[str, ...], list[Row]] = {}
        for key, row in zip(keys, rows, strict=True):
            if key is not None:
                groups.setdefault(key, []).append(row)
        found = {key: results(group, clauses.aggregations) for key, group in groups.items()}
        return [row if key is None else {**row, **found[key]} for key, row in zip(keys, rows, strict=True)]

    return step


class _Running:
    """The values of a group so far; the commonest functions need no second look at them."""

    def __init__(self, aggregation: Aggregation) -> None:
        self.aggregation = aggregation
        self.rows: list[Row] = []
        self.sum, self.numbers, self.count = 0.0, 0, 0
        self.last: str | None = None
        self.distinct: set[str] = set()

    def add(self, row: Row) -> None:
        one = self.aggregation
        if one.function not in _RUNNING:
            self.rows.append(row)
            return
        values = one.values(row) if one.field or one.expression else ["1"]
        self.count += len(values)
        self.last = values[-1] if values else self.last
        self.distinct.update(values if one.function == "dc" else ())
        for value in values if one.function in ("sum", "avg") else ():
            number = AGGREGATES["sum"]([value])
            if number is not None:
                self.sum += float(str(number))
                self.numbers += 1

    def result(self) -> Value | None:
        match self.aggregation.function:
            case "count":
                return str(self.count)
            case "dc":
                return str(len(self.distinct))
            case "last":
                return self.last
            case "sum":
                return number_text(self.sum) if self.numbers else None
            case "avg":
                return number_text(self.sum / self.numbers) if self.numbers else None
            case _:
                return self.aggregation.of(self.rows)


@command("streamstats", STREAMSTATS)
def streamstats(text: str, context: Context) -> Step:
    """Every row with the result of its group up to itself, or without itself (`current=f`).

    `time_window=12w` takes the rows less than that away in time; rows must be in the order of their time,
    either way.
    """
    clauses = read_clauses(text, STREAMSTATS, context)
    if clauses.options["time_window"]:
        return _over_time(clauses)
    current = flag(clauses.options, "current")

    def step(rows: Rows) -> list[Row]:
        running: dict[tuple[str, ...], list[_Running]] = {}
        result = []
        for row in rows:
            key = _single_key(row, clauses.by)
            if key is None:
                result.append(row)
                continue
            group = running.setdefault(key, [_Running(one) for one in clauses.aggregations])
            if current:
                for one in group:
                    one.add(row)
            made = {one.aggregation.name: one.result() for one in group}
            result.append({**row, **{name: value for name, value in made.items() if value is not None}})
            if not current:
                for one in group:
                    one.add(row)
        return result

    return step


def _over_time(clauses: Clauses) -> Step:
    width = _seconds(clauses.options["time_window"])
    if not flag(clauses.options, "current"):
        raise UnknownSpl("streamstats: time_window= with current=false")

    def step(rows: Rows) -> list[Row]:
        times = [as_number(first(row, "_time")) for row in rows]
        known = [at for at in times if at is not None]
        if len(known) < len(rows) or known not in (sorted(known), sorted(known, reverse=True)):
            raise UnknownSpl("streamstats: time_window= needs rows in the order of their _time")
        seen: dict[tuple[str, ...], list[tuple[float, Row]]] = {}
        result = []
        for at, row in zip(known, rows, strict=True):
            key = _single_key(row, clauses.by)
            if key is None:
                result.append(row)
                continue
            near = [pair for pair in seen.get(key, []) if abs(pair[0] - at) < width]
            seen[key] = [*near, (at, row)]
            result.append({**row, **results([one for _, one in seen[key]], clauses.aggregations)})
        return result

    return step


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d+)([a-z]+)", text)
    if match is None or UNITS.get(match[2]) not in SECONDS:
        raise UnknownSpl(f"streamstats: time_window={text}")
    return int(match[1]) * SECONDS[UNITS[match[2]]]
