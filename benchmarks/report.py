"""The one table of all benchmarks, on the terminal and as docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.result import Result, Row, ratios

HEAD = (
    "what",
    "Orthanc",
    "size",
    "contender",
    "median",
    "least - most",
    "ours is",
    "CPU ms",
    "server ms",
    "MB",
)

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. Every contender runs once in each round, in turns, on the same machine;
the medians are given. Seconds differ from machine to machine: read the column *ours is*, which says how many
times as good as that line ours is. CPU ms and server ms are what one instance costs the contender and
Orthanc, MB the contender's peak resident memory."""


def show(results: Sequence[Result], console: Console) -> None:
    """One table, a section for each benchmark; then what should hold."""
    table = Table(title="ours beside its peers: medians of rounds in turns", title_justify="left")
    for name in HEAD:
        right = name in ("median", "least - most", "ours is", "CPU ms", "server ms", "MB")
        table.add_column(name, justify="right" if right else "left")
    for result in results:
        for cells, row in _lines(result.rows):
            table.add_row(*cells, style="bold" if row.ours else "")
        table.add_section()
    console.print(table)
    for result in results:
        for target in result.targets:
            console.print(f"{'[green]met   ' if target.met else '[red]missed'}[/] {target}", highlight=False)


def page(results: Sequence[Result]) -> str:
    """docs/benchmarks.md."""
    text = [INTRODUCTION]
    for result in results:
        text += ["", f"## {result.title}", "", *_table(result.rows)]
        if result.targets:
            text += ["", *(f"- {target}{'' if target.met else ' **missed**'}" for target in result.targets)]
        if result.notes:
            text += ["", *(f"- {note}" for note in result.notes)]
        text += ["", _measured(result.facts)]
    return "\n".join(text) + "\n"


def _measured(facts: Mapping[str, Any]) -> str:
    minutes, seconds = divmod(facts["seconds"], 60)
    return (
        f"{facts['date']}, {minutes} min {seconds} s, load {facts['load']} at the start; "
        f"{facts['machine']}; {facts['versions']}."
    )


def _table(rows: Sequence[Row]) -> Iterator[str]:
    # A column in which nothing stands is left out.
    lines = [cells for cells, _ in _lines(rows)]
    shown = [i for i in range(len(HEAD)) if any(cells[i] for cells in lines)]
    yield "| " + " | ".join(HEAD[i] for i in shown) + " |"
    yield "|" + " --- |" * len(shown)
    for cells in lines:
        yield "| " + " | ".join(cells[i] for i in shown) + " |"


def _lines(rows: Sequence[Row]) -> Iterator[tuple[list[str], Row]]:
    before: tuple[str, str, str] | None = None
    for row in rows:
        new = row.group != before
        before = row.group
        spread = "" if row.rounds < 2 or row.least is None or row.most is None else _spread(row)
        yield (
            [
                row.what if new else "",
                row.orthanc if new else "",
                row.size if new else "",
                row.contender,
                f"{number(row.value)} {row.unit}",
                spread,
                _ratio(row, rows),
                _optional(row.client_ms, 2),
                _optional(row.server_ms, 2),
                _optional(row.peak_mb, 0),
            ],
            row,
        )


def _spread(row: Row) -> str:
    return f"{number(row.least or 0)} - {number(row.most or 0)}"


def _ratio(row: Row, rows: Iterable[Row]) -> str:
    found = ratios(row, rows)
    words = [f"{ratio:.2f} x" if ratio < 10 else f"{ratio:.0f} x" for ratio in found.values()]
    if len(found) == 1:
        return words[0]
    return ", ".join(f"{name} {word}" for name, word in zip(found, words, strict=True))


def _optional(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def number(value: float) -> str:
    """Three digits are enough for what a noisy machine measures.

    >>> number(1234.5), number(12.345), number(0.01234)
    ('1,234', '12.3', '0.0123')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
