"""The command that turns a table: `xyseries`."""

from __future__ import annotations

from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import names, tokens
from testbench.splunkd.spl.values import Row, first, sort_key


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
