"""Commands that turn a table: `transpose`, `xyseries`, `untable`, `addtotals`."""

from __future__ import annotations

from testbench.splunkd.spl.commands.fields import chosen, columns_of
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import flag, names, options, tokens
from testbench.splunkd.spl.values import Row, Value, as_number, first, number_text, sort_key

TRANSPOSE = {"column_name": "column", "header_field": "", "include_empty": "true"}
ADDTOTALS = {"row": "true", "col": "false", "labelfield": "", "label": "Total", "fieldname": "Total"}


@command("transpose", TRANSPOSE)
def transpose(text: str, context: Context) -> Step:
    """Rows become columns: the first 5, or N, 0 is all."""
    values, rest = options(tokens(text), TRANSPOSE)
    found = names(rest)
    if len(found) > 1 or (found and not found[0].isdigit()):
        raise UnknownSpl(f"transpose: {text!r}")
    most, header, empty = int((found or ["5"])[0]), values["header_field"], flag(values, "include_empty")

    def step(rows: Rows) -> list[Row]:
        taken = rows[:most] if most else list(rows)
        heads = [
            (first(row, header) or "") if header else f"row {number}" for number, row in enumerate(taken, 1)
        ]
        if len(set(heads)) < len(heads) or "" in heads:
            raise UnknownSpl(f"transpose: {header} is empty or not unique")
        result: list[Row] = []
        for name in columns_of(rows):
            if name == header or name.startswith("_"):
                continue
            made: Row = {head: row[name] for head, row in zip(heads, taken, strict=True) if name in row}
            if made or empty:
                result.append({values["column_name"]: name, **made})
        return Rows(result, [values["column_name"], *heads])

    return step


@command("xyseries")
def xyseries(text: str, context: Context) -> Step:
    """`xyseries x series data ...`: with several data fields a column is called `data: series`."""
    found = names(tokens(text))
    if len(found) < 3 or "=" in text:
        raise UnknownSpl(f"xyseries: {text!r}")
    x, series, data = found[0], found[1], found[2:]

    def step(rows: Rows) -> list[Row]:
        table: dict[str, Row] = {}
        heads: dict[str, list[str]] = {one: [] for one in data}
        for row in rows:
            at, name = first(row, x), first(row, series)
            if at is None or name is None:
                continue
            made = table.setdefault(at, {x: at})
            for one in data:
                head = name if len(data) == 1 else f"{one}: {name}"
                heads[one].append(head)
                if one in row:
                    made[head] = row[one]
        columns = [head for one in data for head in sorted(set(heads[one]), key=sort_key)]
        return Rows([table[at] for at in sorted(table, key=sort_key)], [x, *columns])

    return step


@command("untable")
def untable(text: str, context: Context) -> Step:
    """`untable x series data`: a row for each cell that holds something."""
    found = names(tokens(text))
    if len(found) != 3:
        raise UnknownSpl(f"untable: {text!r}")
    x, series, data = found

    def step(rows: Rows) -> list[Row]:
        result: list[Row] = []
        columns = columns_of(rows)
        for row in rows:
            for name in columns:
                if x in row and name != x and name in row and not name.startswith("_"):
                    result.append({x: row[x], series: name, data: row[name]})
        return Rows(result, found)

    return step


@command("addtotals", ADDTOTALS)
def addtotals(text: str, context: Context) -> Step:
    """A column of the sums of each row (`row`), a last row with those of each column (`col`)."""
    values, rest = options(tokens(text), ADDTOTALS)
    named, in_row, in_col = names(rest), flag(values, "row"), flag(values, "col")

    def step(rows: Rows) -> list[Row]:
        columns = columns_of(rows)
        summed = chosen(columns, named or ["*"], hidden=False)
        result: list[Row] = []
        for row in rows:
            numbers = [number for name in summed if (number := _number(row.get(name))) is not None]
            result.append({**row, values["fieldname"]: number_text(sum(numbers))} if in_row else row)
        new = [values["fieldname"]] if in_row and values["fieldname"] not in columns else []
        if in_col:
            result.append(_totals(result, [*summed, *new], values["labelfield"], values["label"]))
            new += [one for one in (values["labelfield"],) if one and one not in columns]
        return Rows(result, [*columns, *new])

    return step


def _totals(rows: list[Row], columns: list[str], label_field: str, label: str) -> Row:
    totals: Row = {}
    for name in columns:
        numbers = [number for row in rows if (number := _number(row.get(name))) is not None]
        if numbers:
            totals[name] = number_text(sum(numbers))
    return {**totals, label_field: label} if label_field else totals


def _number(value: Value | None) -> float | None:
    return as_number(value) if isinstance(value, str) else None
