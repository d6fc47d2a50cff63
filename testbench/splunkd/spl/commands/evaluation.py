"""Commands that make fields of fields: `eval`, `rex`, `spath`, `bin`, `foreach`."""

from __future__ import annotations

import re

from testbench.splunkd.spl.bins import read_span
from testbench.splunkd.spl.commands.fields import chosen, columns_of
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import Expression, parse_expression
from testbench.splunkd.spl.extraction import Limits, extract_all, extract_path
from testbench.splunkd.spl.operators import regex
from testbench.splunkd.spl.syntax import closing, names, options, split_at, tokens, whole
from testbench.splunkd.spl.values import Row, all_values, first, from_result, one_or_many

SPATH = {"path": "", "output": "", "input": "_raw"}
REX = {"field": "_raw", "max_match": "1"}
BIN = {"span": ""}
_ASSIGNMENT = re.compile(r"\s*(\"[^\"]+\"|'[^']+'|[A-Za-z_][\w.{}:]*)\s*=(?!=)(.*)", re.DOTALL)


@command("eval")
def evaluate(text: str, context: Context) -> Step:
    """`eval a=..., b=...`; each sees what those before it have made."""
    assignments: list[tuple[str, Expression]] = []
    for part in split_at(text, ","):
        match = _ASSIGNMENT.fullmatch(part)
        if match is None:
            raise UnknownSpl(f"eval: {part.strip()!r}")
        assignments.append((match[1].strip("\"'"), parse_expression(match[2], context.now)))

    def step(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            made = dict(row)
            for field, expression in assignments:
                value = expression(made)
                if value is None:
                    made.pop(field, None)
                else:
                    made[field] = value if type(value) is str else from_result(value)  # type: ignore[assignment]
            result.append(made)
        return result

    return step


@command("rex", REX)
def rex(text: str, context: Context) -> Step:
    """The named groups of the first match, or of the first N (`max_match`; 0 is all) as several values."""
    values, rest = options(tokens(text), REX)
    if len(rest) != 1 or rest[0].kind != "quoted":
        raise UnknownSpl(f"rex: {text!r}")
    pattern, most, field = regex(rest[0].text), whole(values, "max_match"), values["field"]
    if not pattern.groupindex:
        raise UnknownSpl(f"rex: no named group in {rest[0].text!r}")

    def step(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            found: dict[str, list[str]] = {}
            for text in all_values(row, field):
                for at, match in enumerate(pattern.finditer(text)):
                    if most and at >= most:
                        break
                    for name, value in match.groupdict().items():
                        if value is not None:
                            found.setdefault(name, []).append(value)
            made = {name: one_or_many(values) for name, values in found.items()}
            result.append({**row, **{name: value for name, value in made.items() if value is not None}})
        return result

    return step


@command("spath", SPATH)
def spath(text: str, context: Context) -> Step:
    """`spath`, `spath <path>`, `spath [input=] [output=] path=`."""
    values, rest = options(tokens(text), SPATH)
    found = names(rest)
    if len(found) > 1 or (found and values["path"]):
        raise UnknownSpl(f"spath: {text!r}")
    path, source = values["path"] or "".join(found), values["input"]
    if not path and values["output"]:
        raise UnknownSpl("spath: output= without a path")

    def everything(rows: Rows) -> list[Row]:
        limits = Limits(kv_limit=1 << 30)
        return [{**row, **extract_all(first(row, source) or "", limits)} for row in rows]

    def one(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            value = extract_path(first(row, source) or "", path)
            result.append(row if value is None else {**row, values["output"] or path: value})
        return result

    return one if path else everything


@command("bin", BIN)
def bin_command(text: str, context: Context) -> Step:
    """`bin span=10 x [AS y]`, `bin _time span=1d`: times go down to their span, numbers become `20-30`."""
    values, rest = options(tokens(text), BIN)
    if len(rest) not in (1, 3) or (len(rest) == 3 and not rest[1].is_word("as")) or not values["span"]:
        raise UnknownSpl(f"bin: {text!r} (span= is needed here)")
    field, new = rest[0].text, rest[-1].text
    place = read_span(values["span"], field == "_time")

    def step(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            value = first(row, field)
            result.append(row if value is None else {**row, new: place.label(value)})
        return result

    return step


@command("foreach", nests=True)
def foreach(text: str, context: Context) -> Step:
    """`foreach a* b [eval <<FIELD>>=...]`: the commands once for each field that the names fit."""
    start = text.find("[")
    if start < 0 or closing(text, start) != len(text.rstrip()) - 1:
        raise UnknownSpl(f"foreach: {text!r}")
    patterns, body = names(tokens(text[:start])), text[start + 1 : text.rstrip().rfind("]")]
    if not patterns:
        raise UnknownSpl("foreach without a field")
    for pattern in patterns:
        context.compile(_filled(body, pattern.replace("*", "x"), pattern), False)

    def step(rows: Rows) -> list[Row]:
        columns = columns_of(rows)
        for pattern in patterns:
            for field in chosen(columns, [pattern], hidden=False):
                made = context.compile(_filled(body, field, pattern), False)(rows)
                rows = made if isinstance(made, Rows) else Rows(made, columns, fixed=False)
        return rows

    return step


def _filled(body: str, field: str, pattern: str) -> str:
    """`<<FIELD>>` is the name, `<<MATCHSTR>>` what the `*` stand for."""
    star = pattern.partition("*")
    matched = field[len(star[0]) : len(field) - len(star[2])] if star[1] else ""
    text = body.replace("<<FIELD>>", field).replace("<<MATCHSTR>>", matched)
    if re.search(r"<<[A-Z]+\w*>>", text):
        raise UnknownSpl(f"foreach: {body!r}")
    return text
