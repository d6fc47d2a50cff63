"""Commands that bring in other rows, or make text of rows: `append`, `appendpipe`, `makeresults`, `format`,
`return`.
"""

from __future__ import annotations

import re

from testbench.splunkd.chunks import field_names
from testbench.splunkd.spl.commands.fields import columns_of
from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import closing, names, options, tokens, whole
from testbench.splunkd.spl.values import Row, all_values, number_text

MAKERESULTS = {"count": "1"}
SUBSEARCH_LIMIT = 10_000  # limits.conf [subsearch] maxout
APPEND_LIMIT = 50_000


def _nested(name: str, text: str) -> str:
    text = text.strip()
    if not text.startswith("[") or closing(text, 0) != len(text) - 1:
        raise UnknownSpl(f"{name}: {text!r}, expected a search in brackets")
    return text[1:-1]


@command("append", nests=True)
def append(text: str, context: Context) -> Step:
    """The rows of another search below these."""
    other = context.compile(_nested("append", text), True)

    def step(rows: Rows) -> list[Row]:
        return _below(rows, Rows(other(Rows())[:APPEND_LIMIT]))

    return step


@command("appendpipe", nests=True)
def appendpipe(text: str, context: Context) -> Step:
    """What the commands make of these rows, below them."""
    other = context.compile(_nested("appendpipe", text), False)
    return lambda rows: _below(rows, other(Rows(rows, rows.columns, rows.fixed)))


def _below(rows: Rows, more: list[Row]) -> Rows:
    columns = columns_of(rows)
    added = columns_of(more) if isinstance(more, Rows) else field_names(more)
    return Rows([*rows, *more], dict.fromkeys([*columns, *added]))


@command("makeresults", MAKERESULTS, generating=True)
def makeresults(text: str, context: Context) -> Step:
    """Rows with the present time and nothing else."""
    values, rest = options(tokens(text), MAKERESULTS)
    if rest:
        raise UnknownSpl(f"makeresults: {text!r}")
    count = whole(values, "count")
    return lambda rows: [{"_time": number_text(float(int(context.now)))} for _ in range(count)]


@command("format")
def format_command(text: str, context: Context) -> Step:
    """One row with the field `search`: the rows as a condition."""
    if text:
        raise UnknownSpl(f"format: {text!r}")
    return lambda rows: Rows([{"search": condition(rows)}], ["search"])


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


@command("return")
def return_command(text: str, context: Context) -> Step:
    """`return [N] a`, `alias=a`, `$a`: the first N rows as `(a="1") OR (a="2")`, or the values alone."""
    match = re.fullmatch(r"(?:(\d+)\s+)?(.+)", text.strip(), re.DOTALL)
    if match is None:
        raise UnknownSpl(f"return: {text!r}")
    count = int(match[1] or 1)
    wanted = []
    for part in match[2].split():
        alias, _, name = part.partition("=")
        plain = alias.startswith("$")
        wanted.append((alias.lstrip("$"), (name or alias).lstrip("$"), plain))
        names(tokens((name or alias).lstrip("$")))

    def step(rows: Rows) -> list[Row]:
        found = []
        for row in rows[:count]:
            terms = [
                one if plain else f'{alias}="{_escaped(one)}"'
                for alias, name, plain in wanted
                for one in all_values(row, name)[:1]
            ]
            found.append(" ".join(terms))
        single = len(found) == 1 or all(plain for _, _, plain in wanted)
        text = " OR ".join(found if single else [f"({one})" for one in found])
        return Rows([{"search": text}], ["search"])

    return step
