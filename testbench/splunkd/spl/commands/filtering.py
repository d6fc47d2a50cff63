"""Commands that let rows through: `search`, `where`, `dedup`, `head`."""

from __future__ import annotations

import re

from testbench.splunkd.spl.commands.ordering import read_keys, sorted_rows
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import parse_expression
from testbench.splunkd.spl.operators import truth
from testbench.splunkd.spl.search_terms import parse_terms
from testbench.splunkd.spl.syntax import names, tokens
from testbench.splunkd.spl.values import Row, all_values


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


@command("head", keeps_columns=True)
def head(text: str, context: Context) -> Step:
    if not re.fullmatch(r"\d*", text):
        raise UnknownSpl(f"head: {text!r}")
    count = int(text or 10)
    return lambda rows: rows[:count]


@command("dedup", keeps_columns=True)
def dedup(text: str, context: Context) -> Step:
    """Keep the first (or the first N) of each combination; rows without a field are dropped. `sortby` sorts
    the rows before.
    """
    found = tokens(text)
    at = next((place for place, token in enumerate(found) if token.is_word("sortby")), len(found))
    keys = read_keys("dedup", found[at + 1 :]) if at < len(found) else []
    fields = names(found[:at])
    keep = int(fields.pop(0)) if fields and fields[0].isdigit() else 1
    if not fields or keep < 1 or (at < len(found) and not keys):
        raise UnknownSpl(f"dedup: {text!r}")

    def step(rows: Rows) -> list[Row]:
        seen: dict[tuple[tuple[str, ...], ...], int] = {}
        result = []
        for row in sorted_rows(rows, keys) if keys else rows:
            key = tuple(tuple(all_values(row, name)) for name in fields)
            if all(key) and seen.setdefault(key, 0) < keep:
                seen[key] += 1
                result.append(row)
        return result

    return step
