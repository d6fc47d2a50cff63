"""`chart` and `timechart`: a row for each x, a column for each series."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from testbench.splunkd.spl.aggregations import Aggregation, Clauses, read_clauses
from testbench.splunkd.spl.bins import Span, read_span
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step, TimeRange
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Row, Value, all_values, as_number, number_text, sort_key

CHART = {"limit": "10"}
TIMECHART = {"limit": "10", "span": ""}
OTHER, NULL = "OTHER", "NULL"
UNBINNED = 300  # distinct numbers on the x axis, from where on Splunk makes bins of its own (`bins`)

Cells = dict[str, dict[str, list[Row]]]


@command("chart", CHART)
def chart(text: str, context: Context) -> Step:
    """`chart avg(y) OVER x BY s`, `chart avg(y) BY x s`, `chart avg(y) BY x`."""
    clauses = read_clauses(text, CHART, context, over=True)
    fields = [*clauses.over, *clauses.by]
    if not 1 <= len(fields) <= 2 or len(clauses.over) > 1:
        raise UnknownSpl(f"chart: one or two fields in {text!r}")
    x, series = fields[0], fields[1] if len(fields) > 1 else ""
    layout = _Layout(clauses, series)

    def step(rows: Rows) -> list[Row]:
        cells = layout.cells(rows, lambda row: all_values(row, x))
        if sum(as_number(one) is not None for one in cells) > UNBINNED:
            raise UnknownSpl(f"chart: more than {UNBINNED} numbers in {x}, of which Splunk makes bins")
        return layout.table(x, cells, sorted(cells, key=sort_key))

    return step


@command("timechart", TIMECHART)
def timechart(text: str, context: Context) -> Step:
    """A row for each span of time, empty ones too, over the search's whole time range."""
    clauses = read_clauses(text, TIMECHART, context)
    if len(clauses.by) > 1 or not clauses.options["span"]:
        raise UnknownSpl(f"timechart: {text!r} (at most one BY field, and span=)")
    span = read_span(clauses.options["span"])
    layout = _Layout(clauses, clauses.by[0] if clauses.by else "")

    def step(rows: Rows) -> list[Row]:
        cells = layout.cells(rows, lambda row: [span.label(v) for v in all_values(row, "_time")])
        times = sorted(float(one) for one in cells)
        if times:
            times = _all_times(times, span, context.span)
        return layout.table("_time", cells, [number_text(one) for one in times])

    return step


def _all_times(times: list[float], span: Span, asked: TimeRange | None) -> list[float]:
    first, last = times[0], times[-1]
    if asked and asked.earliest:
        first = min(first, span.start(asked.earliest))
    if asked and asked.latest is not None:
        end = span.start(asked.latest)
        last = max(last, end if end < asked.latest else span.start(asked.latest - 0.001))
    found = [first]
    while found[-1] < last:
        found.append(span.next(found[-1]))
        if len(found) > 50_000:
            raise UnknownSpl("timechart: more than 50,000 spans; choose a longer one")
    return found


class _Layout:
    """How rows become columns: the series that count most, by name, then OTHER and NULL."""

    def __init__(self, clauses: Clauses, series: str) -> None:
        self.aggregations, self.series, options = clauses.aggregations, series, clauses.options
        match = re.fullmatch(r"(?:top)?(\d+)", options["limit"].strip().lower())
        if match is None:
            raise UnknownSpl(f"limit={options['limit']}")
        self.limit = int(match[1])

    def cells(self, rows: Sequence[Row], place: Callable[[Row], list[str]]) -> Cells:
        """The rows for each x and series; without a series field the series is ''."""
        cells: Cells = {}
        for row in rows:
            found = (all_values(row, self.series) or [NULL]) if self.series else [""]
            for x in place(row):
                for one in found:
                    cells.setdefault(x, {}).setdefault(one, []).append(row)
        return cells

    def table(self, x: str, cells: Cells, order: list[str]) -> Rows:
        series, others = self._chosen(cells)
        columns = [(one, aggregation) for aggregation in self.aggregations for one in series]
        if others:
            columns += [(OTHER, aggregation) for aggregation in self.aggregations]
        made: list[Row] = []
        for at in order:
            row: Row = {x: at}
            for one, aggregation in columns:
                found = self._rows(cells.get(at, {}), one, others if one == OTHER else [])
                value = aggregation.of(found) if found else aggregation.of_nothing()
                if value is not None:
                    row[self._column(one, aggregation)] = value
            made.append(row)
        return Rows(made, [x, *(self._column(*one) for one in columns)])

    @staticmethod
    def _rows(cell: dict[str, list[Row]], one: str, others: list[str]) -> list[Row]:
        if not others:
            return cell.get(one, [])
        return [row for name in others for row in cell.get(name, [])]

    def _column(self, series: str, aggregation: Aggregation) -> str:
        if not self.series:
            return aggregation.name
        return series if len(self.aggregations) == 1 else f"{aggregation.name}: {series}"

    def _chosen(self, cells: Cells) -> tuple[list[str], list[str]]:
        """The series that are shown, by name, NULL last; and those that are summed up as OTHER."""
        if not self.series:
            return [""], []
        found = {one for cell in cells.values() for one in cell}
        named = sorted(found - {NULL}, key=sort_key)
        last = [NULL] if NULL in found else []
        if not self.limit or len(named) <= self.limit:
            return named + last, []
        if len(self.aggregations) > 1:
            raise UnknownSpl(f"more than {self.limit} series of several functions: say limit=0")
        only = self.aggregations[0]
        weight = {
            one: sum(_size(only.of(cell[one])) for cell in cells.values() if one in cell) for one in named
        }
        kept = sorted(named, key=lambda one: -weight[one])[: self.limit]
        return [one for one in named if one in kept] + last, [one for one in named if one not in kept]


def _size(value: Value | None) -> float:
    return (as_number(value) or 0.0) if isinstance(value, str) else 0.0
