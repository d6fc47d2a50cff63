"""Run a whole search: macros, the events that its first command names, then command after command."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from testbench.splunkd.spl.commands import COMMANDS
from testbench.splunkd.spl.commands.combining import condition
from testbench.splunkd.spl.context import Context, Rows, Step, TimeRange
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.lookups import Lookups
from testbench.splunkd.spl.macros import expand
from testbench.splunkd.spl.search_terms import Predicate, Terms, parse_terms
from testbench.splunkd.spl.syntax import (
    Command,
    closing,
    has_subsearch,
    split_pipeline,
    unquoted,
    without_comments,
)
from testbench.splunkd.spl.values import Row, as_number

# name of a command of the app, its text, its rows -> rows
External = Callable[[str, str, list[Row]], list[Row]]
DEPTH = 5


@dataclass(frozen=True)
class Pipeline:
    """`events` gives all rows of all indexes, newest first, with their fields; `macros` is macros.conf.

    `selected` does so too, for those alone for which a test on the fields of `search_terms.INTERNAL` holds.
    `external` runs the app's own commands, those named in `external_names`. A search that names no index
    looks into `default_indexes`, as a user's role has it.
    """

    events: Callable[[], Iterable[Row]]
    macros: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    external: External | None = None
    external_names: frozenset[str] = frozenset()
    default_indexes: tuple[str, ...] = ("main",)
    lookups: Lookups | None = None
    selected: Callable[[Predicate], Iterable[Row]] | None = None

    def run(
        self,
        text: str,
        *,
        span: TimeRange | None = None,
        now: float | None = None,
        base: Rows | None = None,
    ) -> Rows:
        """The rows of a search. Raises UnknownSpl before anything runs, when a command is not known.

        `span` is the time range that was asked for beside the text, `now` the time of the search.
        With `base` the text goes on from these rows, as a chained search does.
        """
        search = _Search(self, span or TimeRange(), time.time() if now is None else now)
        return search.run(text, base)

    def check(self, text: str) -> None:
        """Raise UnknownSpl for what cannot be run, without running it."""
        _Search(self, TimeRange(), time.time()).steps(self.expanded(text))

    def expanded(self, text: str) -> str:
        """The text with its macros written out and without comments."""
        return expand(without_comments(text), self.macros)


class _Search:
    """One run of one search."""

    def __init__(self, pipeline: Pipeline, span: TimeRange, now: float) -> None:
        self.pipeline, self.span = pipeline, span
        self.context = Context(now, self._nested, pipeline.lookups, span)
        self._depth = 0

    def run(self, text: str, base: Rows | None) -> Rows:
        expanded = self.pipeline.expanded(text)
        if base is not None and not expanded.strip():
            return base
        rows = Rows() if base is None else base
        for step in self.steps(expanded, follows=base is not None):
            rows = _as_rows(step(rows))
        return rows

    def steps(self, text: str, follows: bool = False, implicit: bool = True) -> list[Step]:
        """The steps of a pipeline; one that does not follow on rows must begin with events or make rows."""
        commands = split_pipeline(text, implicit and not follows)
        for one in commands:
            if one.name not in COMMANDS and one.name not in self.pipeline.external_names:
                raise UnknownSpl(f"the command {one.name}")
        if not commands:
            raise UnknownSpl("a search without a command")
        steps = []
        for at, one in enumerate(commands):
            first = at == 0 and not follows
            if first and one.name == "search":
                steps.append(self._with_subsearches(one, self._events))
            elif first and not _generates(one):
                raise UnknownSpl(f"a search that begins with {one.name}, which needs events")
            elif not first and one.name in COMMANDS and COMMANDS[one.name].generating and not _appends(one):
                raise UnknownSpl(f"{one.name} behind other commands")
            else:
                steps.append(self._step(one))
        return steps

    def _nested(self, text: str, generating: bool) -> Step:
        """A pipeline in brackets as one step."""
        self._depth += 1
        if self._depth > DEPTH:
            raise UnknownSpl(f"more than {DEPTH} searches within each other")
        steps = self.steps(text, follows=not generating, implicit=False)
        self._depth -= 1

        def step(rows: Rows) -> list[Row]:
            for one in steps:
                rows = _as_rows(one(rows))
            return rows

        return step

    def _step(self, one: Command) -> Step:
        if one.name not in COMMANDS:
            return self._external(one)
        spec = COMMANDS[one.name]

        def read(text: str) -> Step:
            return spec.read(text, self.context)

        step = read(one.text) if spec.nests else self._with_subsearches(one, read)

        def with_columns(rows: Rows) -> list[Row]:
            made = step(rows)
            if isinstance(made, Rows) and made.columns:
                return made
            if spec.keeps_columns:
                return Rows(made, rows.columns, rows.fixed)
            return Rows(made, rows.columns, fixed=False)

        return with_columns

    def _external(self, one: Command) -> Step:
        def step(rows: Rows) -> list[Row]:
            external = self.pipeline.external
            if external is None:
                raise UnknownSpl(f"the command {one.name} cannot be run here")
            return external(one.name, one.text, rows)

        return step

    # -- events ---------------------------------------------------------------------------------------

    def _events(self, text: str) -> Step:
        terms = parse_terms(text, self.context.now)
        outer = self._depth == 0

        def step(rows: Rows) -> list[Row]:
            span = terms.time_range(self.span, self.context.now)
            if outer:
                self.context.span = span
            return [row for row in self._fetched(self._scope(terms, span)) if terms.holds(row)]

        return step

    def _fetched(self, scope: Predicate) -> Iterable[Row]:
        if self.pipeline.selected is not None:
            return self.pipeline.selected(scope)
        return (row for row in self.pipeline.events() if scope(row))

    def _scope(self, terms: Terms, span: TimeRange) -> Predicate:
        """What is decided before fields are extracted: index, time, and the terms on internal fields."""
        named = "index" in terms.fields
        default = self.pipeline.default_indexes

        def holds(row: Row) -> bool:
            index = str(row.get("index", ""))
            if not named and index not in default:
                return False
            if not _within(row, "_time", span.earliest, span.latest):
                return False
            if not _within(row, "_indextime", span.index_earliest, span.index_latest):
                return False
            return terms.early(row)

        return holds

    # -- subsearches ----------------------------------------------------------------------------------

    def _with_subsearches(self, one: Command, read: Callable[[str], Step]) -> Step:
        """A step whose text holds searches in brackets: they are run first, and their rows put in as text."""
        if not has_subsearch(one.text):
            return read(one.text)
        parts: list[str | Step] = []
        at = 0
        while (start := next((at + i for i, sign in unquoted(one.text[at:]) if sign == "["), -1)) >= 0:
            end = closing(one.text, start)
            parts += [one.text[at:start], self._nested(one.text[start + 1 : end], True)]
            at = end + 1
        parts.append(one.text[at:])

        def step(rows: Rows) -> list[Row]:
            filled = "".join(part if isinstance(part, str) else condition(part(Rows())) for part in parts)
            return read(filled)(rows)

        return step


def _as_rows(rows: list[Row]) -> Rows:
    return rows if isinstance(rows, Rows) else Rows(rows)


def _generates(one: Command) -> bool:
    return one.name in COMMANDS and COMMANDS[one.name].generating


def _appends(one: Command) -> bool:
    return re.search(r"\bappend\s*=\s*(t|true|1)\b", one.text, re.IGNORECASE) is not None


def _within(row: Row, name: str, low: float | None, high: float | None) -> bool:
    """At or after `low` and before `high`."""
    if low is None and high is None:
        return True
    at = as_number(str(row.get(name, "")))
    return at is not None and (low is None or at >= low) and (high is None or at < high)
