"""Commands that let rows through: `search`, `where`, `regex`, `dedup`, `head`, `tail`."""

from __future__ import annotations

import re

from testbench.splunkd.spl.commands.ordering import read_keys, sorted_rows
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import parse_expression
from testbench.splunkd.spl.operators import regex, truth
from testbench.splunkd.spl.search_terms import parse_terms
from testbench.splunkd.spl.syntax import flag, names, options, tokens
from testbench.splunkd.spl.values import Row, all_values

DEDUP = {"consecutive": "false", "keepempty": "false"}


@command("search", keeps_columns=True)
def search(text: str, context: Context) -> Step:
    terms = parse_terms(text, context.now)
    if terms.times:
        raise UnknownSpl(f"search: a time behind the first command: {text!r}")
    holds = terms.holds
    return lambda rows: [row for row in rows if holds(row)]


@command("where", keeps_columns=True)
def where(text: str, context: Context) -> Step:
    expression = parse_expression(text, context.now)
    return lambda rows: [row for row in rows if truth(expression(row))]


@command("regex", keeps_columns=True)
def regex_command(text: str, context: Context) -> Step:
    """`regex field="..."`, `regex field!="..."`, `regex "..."` over `_raw`; any part may fit."""
    found = tokens(text)
    field, operator = "_raw", "="
    if len(found) == 3 and found[1].is_op("=", "!="):
        field, operator = found[0].text, found[1].text
    elif len(found) != 1:
        raise UnknownSpl(f"regex: {text!r}")
    if found[-1].kind != "quoted":
        raise UnknownSpl(f"regex: put the expression in quotes: {text!r}")
    pattern, wanted = regex(found[-1].text), operator == "="

    def step(rows: Rows) -> list[Row]:
        return [row for row in rows if any(map(pattern.search, all_values(row, field))) is wanted]

    return step


@command("head", keeps_columns=True)
def head(text: str, context: Context) -> Step:
    count = _count("head", text)
    return lambda rows: rows[:count]


@command("tail", keeps_columns=True)
def tail(text: str, context: Context) -> Step:
    """The last N, the last one first."""
    count = _count("tail", text)
    return lambda rows: rows[::-1][:count]


def _count(name: str, text: str) -> int:
    if not re.fullmatch(r"\d*", text):
        raise UnknownSpl(f"{name}: {text!r}")
    return int(text or 10)


@command("dedup", DEDUP, keeps_columns=True)
def dedup(text: str, context: Context) -> Step:
    """Keep the first (or the first N) of each combination; rows without a field are dropped or, with
    `keepempty`, all kept. `sortby` sorts the rows before."""
    found = tokens(text)
    at = next((place for place, token in enumerate(found) if token.is_word("sortby")), len(found))
    keys = read_keys("dedup", found[at + 1 :]) if at < len(found) else []
    values, rest = options(found[:at], DEDUP)
    fields = names(rest)
    keep = int(fields.pop(0)) if fields and fields[0].isdigit() else 1
    if not fields or keep < 1 or (at < len(found) and not keys):
        raise UnknownSpl(f"dedup: {text!r}")
    consecutive, keep_empty = flag(values, "consecutive"), flag(values, "keepempty")

    def step(rows: Rows) -> list[Row]:
        seen: dict[tuple[tuple[str, ...], ...], int] = {}
        result = []
        for row in sorted_rows(rows, keys) if keys else rows:
            key = tuple(tuple(all_values(row, name)) for name in fields)
            if not all(key):
                if keep_empty:
                    result.append(row)
                continue
            if consecutive and key not in seen:
                seen.clear()
            if seen.setdefault(key, 0) < keep:
                seen[key] += 1
                result.append(row)
        return result

    return step
