"""`lookup` and `inputlookup`."""

from __future__ import annotations

from dataclasses import dataclass

from testbench.splunkd.spl.commands.fields import columns_of
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.lookups import Line, Table, as_row
from testbench.splunkd.spl.syntax import Token, flag, names, options, tokens
from testbench.splunkd.spl.values import Row, Value, all_values, one_or_many

INPUTLOOKUP = {"append": "false"}


@dataclass(frozen=True)
class LookupCall:
    """`<name> f [AS g] ... [OUTPUT|OUTPUTNEW a [AS b] ...]`; pairs are (field of the table, field of the
    row).
    """

    table: str
    inputs: list[tuple[str, str]]
    outputs: list[tuple[str, str]] | None
    overwrite: bool = True


def read_call(found: list[Token]) -> LookupCall:
    at = next((n for n, token in enumerate(found) if token.is_word("output", "outputnew")), len(found))
    if len(found) < 2 or found[0].kind == "op" or at < 2:
        raise UnknownSpl(f"lookup: {' '.join(token.text for token in found)!r}")
    outputs = _pairs(found[at + 1 :]) if at < len(found) else None
    if outputs == []:
        raise UnknownSpl("lookup: OUTPUT without a field")
    overwrite = at == len(found) or found[at].is_word("output")
    return LookupCall(found[0].text, _pairs(found[1:at]), outputs, overwrite)


def _pairs(found: list[Token]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    left = [token for token in found if not token.is_op(",")]
    while left:
        one = left[0].text
        other, size = (left[2].text, 3) if len(left) > 2 and left[1].is_word("as") else (one, 1)
        if left[0].kind == "op" or left[0].is_word("as") or "*" in one:
            raise UnknownSpl(f"lookup: {left[0].text!r} among its fields")
        pairs.append((one, other))
        left = left[size:]
    return pairs


def checked(call: LookupCall, table: Table) -> list[tuple[str, str]]:
    """The outputs; without OUTPUT all fields that are no input. Raises for a field that the table has not."""
    given = [name for name, _ in call.inputs]
    outputs = call.outputs
    if outputs is None:
        outputs = [(name, name) for name in table.fields if name not in given and not name.startswith("_")]
    missing = [name for name in [*given, *(name for name, _ in outputs)] if name not in table.fields]
    if missing:
        raise UnknownSpl(f"the lookup {call.table} has no field {missing}")
    return outputs


def looked_up(row: Row, call: LookupCall, table: Table, outputs: list[tuple[str, str]]) -> Row:
    """What the lookup adds to a row.

    Several matches give several values. Without a match `default_match` stands in when `min_matches` asks for
    it. What OUTPUT does with a field that is there already, when nothing matches, the manual does not say:
    refused.
    """
    wanted = {name: all_values(row, field) for name, field in call.inputs}
    if not all(wanted.values()):
        lines: list[Line] = []
        if not any(wanted.values()):
            return {}
    else:
        lines = table.matching(wanted)
    added: Row = {}
    for name, target in outputs:
        if not call.overwrite and all_values(row, target):
            continue
        found = [line[name] for line in lines if name in line]
        if len(lines) < table.min_matches:
            found += [table.default] * (table.min_matches - len(lines))
        value: Value | None = one_or_many(found)
        if value is not None:
            added[target] = value
        elif target in row and not lines:
            raise UnknownSpl(
                f"lookup {call.table}: nothing matches and {target} is there already; use another name"
            )
    return added


@command("lookup")
def lookup(text: str, context: Context) -> Step:
    call = read_call(tokens(text))
    outputs = checked(call, context.lookups.table(call.table))

    def step(rows: Rows) -> list[Row]:
        table = context.lookups.table(call.table)
        return [{**row, **looked_up(row, call, table, outputs)} for row in rows]

    return step


@command("inputlookup", INPUTLOOKUP, generating=True)
def inputlookup(text: str, context: Context) -> Step:
    """All rows of a lookup, behind those that are there with `append`."""
    values, rest = options(tokens(text), INPUTLOOKUP)
    found = names(rest)
    if len(found) != 1:
        raise UnknownSpl(f"inputlookup: {text!r}")
    behind = flag(values, "append")
    context.lookups.definition(found[0])

    def step(rows: Rows) -> list[Row]:
        table = context.lookups.table(found[0])
        made = list(map(as_row, table.lines))
        visible = [name for name in table.fields if name != "_key"]
        if not behind:
            return Rows(made, visible)
        return Rows([*rows, *made], dict.fromkeys([*columns_of(rows), *visible]))

    return step
