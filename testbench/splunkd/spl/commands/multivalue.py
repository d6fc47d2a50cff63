"""The command on fields with several values: `mvexpand`."""

from __future__ import annotations

from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import names, tokens
from testbench.splunkd.spl.values import Row, all_values


@command("mvexpand")
def mvexpand(text: str, context: Context) -> Step:
    """A row for each value; a row without the field stays as it is."""
    fields = names(tokens(text))
    if len(fields) != 1:
        raise UnknownSpl(f"mvexpand: {text!r}")
    field = fields[0]

    def step(rows: Rows) -> list[Row]:
        result = []
        for row in rows:
            result += [{**row, field: one} for one in all_values(row, field)] or [row]
        return result

    return step
