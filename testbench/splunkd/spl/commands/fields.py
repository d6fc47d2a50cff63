"""Commands that choose and name fields: `table`, `fields`, `rename`, `fillnull`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from testbench.splunkd.chunks import field_names
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import names, options, tokens
from testbench.splunkd.spl.values import Row, wildcard

FILLNULL = {"value": "0"}


def columns_of(rows: Rows) -> list[str]:
    """All fields: first the columns as they were, where they are fixed or some row has them."""
    there = field_names(rows)
    if not rows.columns:
        return there
    known = set(there)
    kept = [name for name in rows.columns if rows.fixed or name in known]
    return list(dict.fromkeys([*kept, *there]))


def chosen(columns: Iterable[str], patterns: Sequence[str], hidden: bool = True) -> list[str]:
    """The fields that the patterns name, in the order of the patterns; a plain name always.

    Without `hidden`, a wildcard takes no field that begins with `_`.
    """
    found: list[str] = []
    for pattern in patterns:
        if "*" not in pattern:
            found.append(pattern)
            continue
        form = wildcard(pattern, ignore_case=False)
        found += sorted(
            one
            for one in columns
            if form.fullmatch(one) and (hidden or pattern.startswith("_") or not one.startswith("_"))
        )
    return list(dict.fromkeys(found))


def only(row: Row, columns: Iterable[str]) -> Row:
    return {name: row[name] for name in columns if name in row}


@command("table")
def table(text: str, context: Context) -> Step:
    patterns = names(tokens(text))
    if not patterns:
        raise UnknownSpl("table without a field")

    def step(rows: Rows) -> list[Row]:
        columns = chosen(columns_of(rows), patterns, hidden=False)
        return Rows([only(row, columns) for row in rows], columns)

    return step


@command("fields")
def fields(text: str, context: Context) -> Step:
    """`fields [+|-] ...`; the internal `_time` and `_raw` stay unless they are named to go."""
    sign = text[:1] if text[:1] in ("+", "-") else "+"
    patterns = names(tokens(text.lstrip("+-")))
    if not patterns:
        raise UnknownSpl("fields without a field")

    def step(rows: Rows) -> list[Row]:
        columns = columns_of(rows)
        named = chosen(columns, patterns)
        if sign == "+":
            internal = [name for name in ("_time", "_raw") if name in columns]
            named = [*internal, *(name for name in named if name in columns and name not in internal)]
        else:
            gone = set(named)
            named = [name for name in columns if name not in gone]
        return Rows([only(row, named) for row in rows], named)

    return step


@command("rename")
def rename(text: str, context: Context) -> Step:
    found = [token for token in tokens(text) if not token.is_op(",")]
    pairs: list[tuple[str, str]] = []
    while found:
        if len(found) < 3 or not found[1].is_word("as") or "op" in (found[0].kind, found[2].kind):
            raise UnknownSpl(f"rename: {text!r}")
        old, new = found[0].text, found[2].text
        if old.count("*") != new.count("*"):
            raise UnknownSpl(f"rename: as many * in {new!r} as in {old!r}")
        pairs.append((old, new))
        found = found[3:]
    if not pairs:
        raise UnknownSpl("rename without a field")

    def step(rows: Rows) -> list[Row]:
        columns = columns_of(rows)
        result = list(rows)
        for old, new in pairs:
            for one, other in _renamed(old, new, columns):
                result = [_with_name(row, one, other) for row in result]
                columns = [
                    other if name == one else name for name in columns if name != other or one == other
                ]
        return Rows(result, columns)

    return step


def _renamed(old: str, new: str, columns: list[str]) -> list[tuple[str, str]]:
    if "*" not in old:
        return [(old, new)] if old in columns else []
    form = wildcard(old, ignore_case=False)
    stars = _stars(old)
    found = []
    for name in columns:
        if form.fullmatch(name):
            parts = stars(name)
            other = "".join(a + b for a, b in zip(new.split("*"), [*parts, ""], strict=True))
            found.append((name, other))
    return found


def _stars(pattern: str) -> Callable[[str], tuple[str, ...]]:
    """What each `*` of a pattern stands for in a name."""
    form = re.compile("(.*)".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)

    def parts(name: str) -> tuple[str, ...]:
        match = form.fullmatch(name)
        return match.groups() if match else ()

    return parts


def _with_name(row: Row, old: str, new: str) -> Row:
    """A field that had the new name already gives way, to nothing when the old one is absent too."""
    if old == new:
        return row
    return {new if name == old else name: value for name, value in row.items() if name != new}


@command("fillnull", FILLNULL)
def fillnull(text: str, context: Context) -> Step:
    """In the named fields, or in all that any row has. An empty text is no null."""
    values, rest = options(tokens(text), FILLNULL)
    named = names(rest)

    def step(rows: Rows) -> list[Row]:
        columns = columns_of(rows)
        filled = dict.fromkeys(chosen(columns, named) if named else columns, values["value"])
        result = [{**row, **{k: v for k, v in filled.items() if k not in row}} for row in rows]
        return Rows(result, [*columns, *(name for name in filled if name not in columns)])

    return step
