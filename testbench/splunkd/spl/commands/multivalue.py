"""Commands on fields with several values: `makemv`, `mvexpand`, `nomv`."""

from __future__ import annotations

from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.operators import regex
from testbench.splunkd.spl.syntax import flag, names, options, tokens, whole
from testbench.splunkd.spl.values import Row, all_values, first, one_or_many

MAKEMV = {"delim": " ", "tokenizer": "", "allowempty": "false"}
MVEXPAND = {"limit": "0"}


@command("makemv", MAKEMV)
def makemv(text: str, context: Context) -> Step:
    """`makemv delim="," f`, or `tokenizer="(...)"`, whose first group is a value."""
    values, rest = options(tokens(text), MAKEMV)
    fields = names(rest)
    if len(fields) != 1:
        raise UnknownSpl(f"makemv: {text!r}")
    field, empty = fields[0], flag(values, "allowempty")
    pattern = regex(values["tokenizer"]) if values["tokenizer"] else None
    if pattern is not None and pattern.groups != 1:
        raise UnknownSpl(f"makemv: one group in tokenizer={values['tokenizer']!r}")

    def step(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            value = first(row, field)
            if value is None:
                result.append(row)
                continue
            parts = pattern.findall(value) if pattern else value.split(values["delim"])
            made = one_or_many([part for part in parts if part or empty])
            result.append({**row, field: "" if made is None else made})
        return result

    return step


@command("mvexpand", MVEXPAND)
def mvexpand(text: str, context: Context) -> Step:
    """A row for each value; a row without the field stays as it is."""
    values, rest = options(tokens(text), MVEXPAND)
    fields = names(rest)
    if len(fields) != 1:
        raise UnknownSpl(f"mvexpand: {text!r}")
    field, most = fields[0], whole(values, "limit")

    def step(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            found = all_values(row, field)
            result += [{**row, field: one} for one in (found[:most] if most else found)] or [row]
        return result

    return step


@command("nomv")
def nomv(text: str, context: Context) -> Step:
    """Several values become one, a line each."""
    fields = names(tokens(text))
    if len(fields) != 1:
        raise UnknownSpl(f"nomv: {text!r}")

    def step(rows: Rows) -> list[Row]:
        field = fields[0]
        return [{**row, field: "\n".join(all_values(row, field))} if field in row else row for row in rows]

    return step
