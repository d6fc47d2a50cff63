"""`avg(x) AS mean, count(eval(y>1)) AS n BY a b`: reading it, and working it out over rows.

Source: Splunk Search Reference, `stats`: a row without one of the BY fields is left out, one with several
values of it counts for each; an expression needs `AS`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from testbench.splunkd.spl.aggregates import BY_TIME, ZERO_FOR_NOTHING, aggregate
from testbench.splunkd.spl.context import Context
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import Expression, parse_expression
from testbench.splunkd.spl.syntax import closing, names, tokens
from testbench.splunkd.spl.values import Row, Value, all_values, as_number, first, from_result

_HEAD = re.compile(r"\s*,?\s*([A-Za-z_]\w*(?:\.\d+)?)")
_NAMED = re.compile(r'\s+as\s+("[^"]+"|[^\s,]+)', re.IGNORECASE)
_WORD = re.compile(r"\s*,?\s*(by|over|where)\s", re.IGNORECASE)
_OPTION = re.compile(r'\s*,?\s*([A-Za-z_]\w*)\s*=\s*("[^"]*"|[^\s,]+)')


@dataclass(frozen=True)
class Aggregation:
    """One column of the result. `field` is empty for `count` alone; `expression` is what `eval()` held."""

    function: str
    name: str
    field: str = ""
    expression: Expression | None = None
    compute: Callable[[Sequence[str]], Value | None] | None = None

    def of(self, rows: Sequence[Row]) -> Value | None:
        if self.function in BY_TIME:
            return self._by_time(rows)
        if self.function == "count" and not self.field and self.expression is None:
            return str(len(rows))
        assert self.compute is not None
        return self.compute([value for row in rows for value in self.values(row)])

    def values(self, row: Row) -> list[str]:
        """What the row gives; `count(eval(...))` counts where it is true."""
        if self.expression is None:
            return all_values(row, self.field)
        result = self.expression(row)
        if isinstance(result, bool):
            if self.function != "count":
                raise UnknownSpl(f"{self.function}(eval()) of a truth value")
            return ["1"] if result else []
        value = from_result(result)
        return [] if value is None or value == "" else list(value) if isinstance(value, list) else [value]

    def of_nothing(self) -> Value | None:
        """What stands in a cell of a chart that no row belongs to."""
        return "0" if self.function in ZERO_FOR_NOTHING else None

    def _by_time(self, rows: Sequence[Row]) -> Value | None:
        timed = [(as_number(first(row, "_time")), row) for row in rows if self.values(row)]
        found = [(at, row) for at, row in timed if at is not None]
        if not found:
            return None
        choose = min if self.function == "earliest" else max
        return self.values(choose(found, key=lambda pair: pair[0])[1])[0]


@dataclass(frozen=True)
class Clauses:
    """The text after a command of statistics, taken apart."""

    aggregations: list[Aggregation]
    options: dict[str, str]
    over: list[str]
    by: list[str]


def read_clauses(text: str, known: dict[str, str], context: Context, over: bool = False) -> Clauses:
    """Options may stand before, between and behind. Raises UnknownSpl for others than `known`."""
    values = dict(known)
    found: list[Aggregation] = []
    groups: dict[str, list[str]] = {"over": [], "by": []}
    at = 0
    while text[at:].strip(" ,\n\t"):
        word, option = _WORD.match(text, at), _OPTION.match(text, at)
        if word is not None:
            clause = word[1].lower()
            if clause == "where" or groups[clause] or (clause == "over" and not over):
                raise UnknownSpl(f"{word[1]} in {text!r}")
            groups[clause], at = _fields(text, word.end())
            if not groups[clause]:
                raise UnknownSpl(f"{word[1]} without a field")
        elif option is not None:
            if option[1].lower() not in known:
                raise UnknownSpl(f"the option {option[1]}=")
            values[option[1].lower()] = option[2].strip('"')
            at = option.end()
        else:
            if groups["by"] or groups["over"]:
                raise UnknownSpl(f"{text[at:].strip()!r} behind BY")
            aggregation, at = _aggregation(text, at, context)
            found.append(aggregation)
    repeated = {one.name for one in found if [two.name for two in found].count(one.name) > 1}
    if not found or repeated:
        raise UnknownSpl(f"{sorted(repeated)} twice" if repeated else f"no statistical function in {text!r}")
    return Clauses(found, values, groups["over"], groups["by"])


def _fields(text: str, at: int) -> tuple[list[str], int]:
    """The fields from a place on, up to the next clause or option."""
    found: list[str] = []
    word = re.compile(r"\s*,?\s*(\"[^\"]*\"|'[^']*'|[^\s,=]+)(?!\s*=)(?=[\s,]|$)")
    while not _WORD.match(text, at) and not _OPTION.match(text, at) and (match := word.match(text, at)):
        found += names(tokens(match[1]))
        at = match.end()
    return found, at


def _aggregation(text: str, at: int, context: Context) -> tuple[Aggregation, int]:
    head = _HEAD.match(text, at)
    if head is None:
        raise UnknownSpl(f"stats: {text[at:].strip()!r}")
    function, inner, end = head[1].lower(), "", head.end()
    plain = head[1]
    if text[end : end + 1] == "(":
        close = closing(text, end)
        inner = text[end + 1 : close].strip()
        plain, end = f"{head[1]}({inner})" if inner else head[1], close + 1
    named = _NAMED.match(text, end)
    end = named.end() if named else end
    compute = None if function in BY_TIME else aggregate(function)
    expression, field = None, ""
    if inner.lower().startswith("eval("):
        if named is None:
            raise UnknownSpl(f"{plain} needs AS")
        expression = parse_expression(inner[inner.index("(") + 1 : closing(inner, 4)], context.now)
    elif inner:
        parts = names(tokens(inner))
        if len(parts) != 1 or "*" in parts[0]:
            raise UnknownSpl(f"stats: {plain}")
        field = parts[0]
        plain = f"{head[1]}({field})"
    elif function != "count":
        raise UnknownSpl(f"stats: {plain} without a field")
    return Aggregation(function, named[1].strip('"') if named else plain, field, expression, compute), end


def grouped(rows: Sequence[Row], by: Sequence[str]) -> dict[tuple[str, ...], list[Row]]:
    """The rows of each combination of values, in the order in which they come."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        for key in itertools.product(*(all_values(row, name) for name in by)):
            groups.setdefault(key, []).append(row)
    return groups


def results(rows: Sequence[Row], aggregations: Sequence[Aggregation]) -> Row:
    values = {one.name: one.of(rows) for one in aggregations}
    return {name: value for name, value in values.items() if value is not None}
