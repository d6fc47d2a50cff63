"""Commands that bring in other rows: `appendpipe`, `makeresults`; and the text that a subsearch becomes."""

from __future__ import annotations

import re

from testbench.splunkd.chunks import field_names
from testbench.splunkd.spl.commands.fields import columns_of
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import closing
from testbench.splunkd.spl.values import Row, all_values, number_text

SUBSEARCH_LIMIT = 10_000  # limits.conf [subsearch] maxout


def _nested(name: str, text: str) -> str:
    text = text.strip()
    if not text.startswith("[") or closing(text, 0) != len(text) - 1:
        raise UnknownSpl(f"{name}: {text!r}, expected a search in brackets")
    return text[1:-1]


@command("appendpipe", nests=True)
def appendpipe(text: str, context: Context) -> Step:
    """What the commands make of these rows, below them."""
    other = context.compile(_nested("appendpipe", text), False)
    return lambda rows: _below(rows, other(Rows(rows, rows.columns, rows.fixed)))


def _below(rows: Rows, more: list[Row]) -> Rows:
    columns = columns_of(rows)
    added = columns_of(more) if isinstance(more, Rows) else field_names(more)
    return Rows([*rows, *more], dict.fromkeys([*columns, *added]))


@command("makeresults", generating=True)
def makeresults(text: str, context: Context) -> Step:
    """One row with the present time and nothing else."""
    if text:
        raise UnknownSpl(f"makeresults: {text!r}")
    return lambda rows: [{"_time": number_text(float(int(context.now)))}]


def condition(rows: list[Row]) -> str:
    """`( ( a="1" AND b="2" ) OR ( a="3" ) )`; no rows are the condition that nothing fulfils.

    A field called `search` or `query` gives its value as it is; fields that begin with `_` are left out.
    """
    alternatives = []
    for row in rows[:SUBSEARCH_LIMIT]:
        parts = []
        for name in row:
            if name in ("search", "query"):
                parts.append(" ".join(all_values(row, name)))
            elif not name.startswith("_"):
                terms = [f'{_name(name)}="{_escaped(one)}"' for one in all_values(row, name)]
                parts.append(terms[0] if len(terms) == 1 else "( " + " OR ".join(terms) + " )")
        if parts:
            alternatives.append("( " + " AND ".join(parts) + " )")
    return "( " + " OR ".join(alternatives) + " )" if alternatives else "NOT ()"


def _name(name: str) -> str:
    return name if re.fullmatch(r"[\w.{}:]+", name) else f'"{name}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
