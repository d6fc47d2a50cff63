"""One function for each command: rows in, rows out. `COMMANDS` is the registry.

Source: Splunk Search Reference, the page of each command. An option that is not named here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import parse_expression, to_value
from testbench.splunkd.spl.extraction import Limits, extract_all, extract_path
from testbench.splunkd.spl.search_terms import parse_terms
from testbench.splunkd.spl.stats import run_stats
from testbench.splunkd.spl.syntax import names, options, tokens
from testbench.splunkd.spl.values import Row, all_values, first, sort_key, wildcard

Function = Callable[[list[Row], str], list[Row]]
COMMANDS: dict[str, Function] = {}
SORT_LIMIT = 10_000


def command(name: str) -> Callable[[Function], Function]:
    def register(function: Function) -> Function:
        COMMANDS[name] = function
        return function

    return register


@command("search")
def search(rows: list[Row], text: str) -> list[Row]:
    holds = parse_terms(text)
    return [row for row in rows if holds(row)]


@command("where")
def where(rows: list[Row], text: str) -> list[Row]:
    expression = parse_expression(text)
    return [row for row in rows if expression(row)]


@command("eval")
def evaluate(rows: list[Row], text: str) -> list[Row]:
    name, equals, body = text.partition("=")
    if not equals or not re.fullmatch(r"\s*(\"[^\"]+\"|'[^']+'|[A-Za-z_][\w.{}:]*)\s*", name):
        raise UnknownSpl(f"eval: {text!r}")
    field, expression = name.strip().strip("\"'"), parse_expression(body)
    result = []
    for row in rows:
        value = to_value(expression(row))
        kept = {key: old for key, old in row.items() if key != field}
        result.append(kept if value is None else {**row, field: value})
    return result


@command("spath")
def spath(rows: list[Row], text: str) -> list[Row]:
    """`spath`, `spath <path>`, `spath [input=] [output=] path=`."""
    values, rest = options(tokens(text), {"path": "", "output": "", "input": "_raw"})
    found = names(rest)
    if len(found) > 1:
        raise UnknownSpl(f"spath: {text!r}")
    path = values["path"] or "".join(found)
    if not path:
        limits = Limits(kv_limit=1 << 30)
        return [{**row, **extract_all(first(row, values["input"]) or "", limits)} for row in rows]
    result = []
    for row in rows:
        value = extract_path(first(row, values["input"]) or "", path)
        result.append(row if value is None else {**row, values["output"] or path: value})
    return result


@command("dedup")
def dedup(rows: list[Row], text: str) -> list[Row]:
    """Keep the first (or the first N) of each combination; rows without a field are dropped."""
    found = names(tokens(text))
    keep = int(found.pop(0)) if found and found[0].isdigit() else 1
    if not found or any("=" in name or name == "sortby" for name in found):
        raise UnknownSpl(f"dedup: {text!r}")
    seen: dict[tuple[tuple[str, ...], ...], int] = {}
    result = []
    for row in rows:
        key = tuple(tuple(all_values(row, name)) for name in found)
        if all(key) and seen.setdefault(key, 0) < keep:
            seen[key] += 1
            result.append(row)
    return result


def _select(row: Row, patterns: Sequence[str]) -> Row:
    """The fields that the patterns name, in the order of the patterns."""
    selected: Row = {}
    for pattern in patterns:
        matching = [name for name in row if wildcard(pattern, ignore_case=False).fullmatch(name)]
        for name in matching if "*" in pattern else [pattern]:
            if name in row:
                selected[name] = row[name]
    return selected


@command("table")
def table(rows: list[Row], text: str) -> list[Row]:
    patterns = names(tokens(text))
    if not patterns:
        raise UnknownSpl("table without a field")
    return [_select(row, patterns) for row in rows]


@command("fields")
def fields(rows: list[Row], text: str) -> list[Row]:
    """`fields [+|-] ...`; the internal `_time` and `_raw` stay unless they are named to go."""
    sign = text[:1] if text[:1] in ("+", "-") else "+"
    patterns = names(tokens(text.lstrip("+-")))
    if not patterns:
        raise UnknownSpl("fields without a field")
    if sign == "+":
        return [{**_select(row, ["_time", "_raw"]), **_select(row, patterns)} for row in rows]
    gone = [wildcard(pattern, ignore_case=False) for pattern in patterns]
    return [
        {name: value for name, value in row.items() if not any(one.fullmatch(name) for one in gone)}
        for row in rows
    ]


@command("rename")
def rename(rows: list[Row], text: str) -> list[Row]:
    found = [token for token in tokens(text) if token.text != ","]
    pairs = []
    while found:
        if len(found) < 3 or not found[1].is_word("as") or "*" in found[0].text:
            raise UnknownSpl(f"rename: {text!r}")
        pairs.append((found[0].text, found[2].text))
        found = found[3:]
    for old, new in pairs:
        rows = [
            {
                new if name == old else name: value
                for name, value in row.items()
                if name != new or old not in row
            }
            for row in rows
        ]
    return rows


@command("head")
def head(rows: list[Row], text: str) -> list[Row]:
    if not re.fullmatch(r"\d*", text):
        raise UnknownSpl(f"head: {text!r}")
    return rows[: int(text or 10)]


@command("sort")
def sort(rows: list[Row], text: str) -> list[Row]:
    """`sort [N] [+|-]field, ...`; N is 10,000 when not given, 0 is all."""
    limit = SORT_LIMIT
    match = re.match(r"(\d+)\s+", text)
    if match:
        limit, text = int(match[1]), text[match.end() :]
    keys = re.findall(r'([+-]?)\s*("[^"]+"|[^\s,+-][^\s,]*)', text)
    if not keys or any("(" in name or "=" in name for _, name in keys):
        raise UnknownSpl(f"sort: {text!r}")
    for sign, quoted in reversed(keys):
        name, down = quoted.strip('"'), sign == "-"
        there = [row for row in rows if first(row, name) is not None]
        there.sort(key=lambda row: sort_key(first(row, name)), reverse=down)
        rows = there + [row for row in rows if first(row, name) is None]
    return rows[:limit] if limit else rows


@command("stats")
def stats(rows: list[Row], text: str) -> list[Row]:
    return run_stats(rows, text)
