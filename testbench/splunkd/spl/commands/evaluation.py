"""Commands that make fields of fields: `eval`, `rex`, `spath`, `foreach`."""

from __future__ import annotations

import re

from testbench.splunkd.spl.commands.fields import chosen, columns_of
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import Expression, parse_expression
from testbench.splunkd.spl.extraction import Limits, extract_all, extract_path
from testbench.splunkd.spl.operators import regex
from testbench.splunkd.spl.syntax import closing, names, options, split_at, tokens
from testbench.splunkd.spl.values import Row, first, from_result

SPATH = {"path": "", "output": ""}
REX = {"field": "_raw"}
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
    """The named groups of the first match."""
    values, rest = options(tokens(text), REX)
    if len(rest) != 1 or rest[0].kind != "quoted":
        raise UnknownSpl(f"rex: {text!r}")
    pattern, field = regex(rest[0].text), values["field"]
    if not pattern.groupindex:
        raise UnknownSpl(f"rex: no named group in {rest[0].text!r}")

    def step(rows: Rows) -> list[Row]:
        matches = [pattern.search(first(row, field) or "") for row in rows]
        return [
            {**row, **{name: value for name, value in match.groupdict().items() if value is not None}}
            if match
            else row
            for row, match in zip(rows, matches, strict=True)
        ]

    return step


@command("spath", SPATH)
def spath(text: str, context: Context) -> Step:
    """`spath`, `spath <path>`, `spath [output=] path=`, of `_raw`."""
    values, rest = options(tokens(text), SPATH)
    found = names(rest)
    if len(found) > 1 or (found and values["path"]):
        raise UnknownSpl(f"spath: {text!r}")
    path = values["path"] or "".join(found)
    if not path and values["output"]:
        raise UnknownSpl("spath: output= without a path")

    def everything(rows: Rows) -> list[Row]:
        limits = Limits(kv_limit=1 << 30)
        return [{**row, **extract_all(first(row, "_raw") or "", limits)} for row in rows]

    def one(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            value = extract_path(first(row, "_raw") or "", path)
            result.append(row if value is None else {**row, values["output"] or path: value})
        return result

    return one if path else everything


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
