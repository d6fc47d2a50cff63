"""The parts of docs/scaling.md that are measured: tables of growth and volume, and the curve.

They stand between ``<!-- growth -->`` and ``<!-- /growth -->``, ``<!-- volume -->`` and ``<!-- /volume -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.report import number
from benchmarks.result import Result, Row


def write(page: Path, results: Iterable[Result]) -> None:
    """Put what is measured into the page, and the curve beside it."""
    text = page.read_text(encoding="utf-8")
    for result in results:
        if result.benchmark == "growth":
            text = _between(text, "growth", [*growth(result.rows), "", "![The same as a curve](growth.svg)"])
            draw(result.rows, page.with_name("growth.svg"))
        elif result.benchmark == "volume":
            text = _between(
                text, "volume", [*volume(result.rows), "", *(f"- {note}" for note in result.notes)]
            )
    page.write_text(text, encoding="utf-8")


def growth(rows: Sequence[Row]) -> list[str]:
    """A line for each contender, a column for each version and size; milliseconds."""
    columns = list(dict.fromkeys((row.orthanc, row.size) for row in rows))
    costs = {(row.contender, row.orthanc, row.size): number(row.value) for row in rows}
    return [
        "| ms | " + " | ".join(f"{version}, {size}" for version, size in columns) + " |",
        "|" + " --- |" * (len(columns) + 1),
        *(
            f"| {name} | " + " | ".join(costs.get((name, *column), "-") for column in columns) + " |"
            for name in dict.fromkeys(row.contender for row in rows)
        ),
    ]


def volume(rows: Sequence[Row]) -> list[str]:
    """A line for each level and depth, a column for each archive; GB per million instances."""
    archives = list(dict.fromkeys(row.size for row in rows))
    found = {(row.contender, row.size): number(row.value) for row in rows}
    return [
        "| GB per million instances | " + " | ".join(archives) + " |",
        "|" + " --- |" * (len(archives) + 1),
        *(
            f"| {name.removeprefix('ours, ')} | "
            + " | ".join(found.get((name, size), "-") for size in archives)
            + " |"
            for name in dict.fromkeys(row.contender for row in rows)
        ),
    ]


def draw(rows: Sequence[Row], path: Path) -> None:
    """The cost of an instance over the size of the archive, both logarithmic; one panel a version."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"  # the same file from the same numbers
    from matplotlib import pyplot

    versions = list(dict.fromkeys(row.orthanc for row in rows))
    figure, panels = pyplot.subplots(
        1, len(versions), sharey=True, squeeze=False, figsize=(9, 4), layout="constrained"
    )
    for panel, version in zip(panels[0], versions, strict=True):
        here = [row for row in rows if row.orthanc == version]
        for name in dict.fromkeys(row.contender for row in here):
            line = sorted((resident(row.size), row.value) for row in here if row.contender == name)
            style = "--" if name.startswith("floor") else "-"
            panel.plot(*zip(*line, strict=True), style, marker="o", label=name)
        panel.set(title=f"Orthanc {version}", xlabel="instances resident", xscale="log", yscale="log")
        sizes = sorted({resident(row.size) for row in here})
        panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
        panel.set_xticks([], minor=True)
        panel.yaxis.set_major_formatter("{x:g}")
        panel.grid(visible=True, which="both", alpha=0.2)
    panels[0][0].set_ylabel("ms for one instance")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def resident(size: str) -> int:
    """
    >>> resident("20,000 resident")
    20000
    """
    return int(re.sub(r"\D", "", size))


def _between(text: str, name: str, lines: Sequence[str]) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"docs/scaling.md lacks {begin} or {end}")
    return head + begin + "\n\n" + "\n".join(lines) + "\n\n" + end + tail
