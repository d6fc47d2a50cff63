"""``copydicom check``."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import click

from copydicom_app import library
from copydicom_app.cli import options as opt
from copydicom_app.cli.stopping import stop_on_signals
from copydicom_app.differences import Difference
from copydicom_app.gauge import Gauge
from copydicom_app.models import Level, clock

_WORDS = {
    "same": "same",
    "only_src": "only at the source",
    "only_dest": "only at the destination",
    "different": "different",
    "failed": "could not be compared",
}


@click.command(
    epilog="""\b
The first character of a line:
  =  the same at both ends
  +  only at the source; replicate would copy it
  -  only at the destination
  *  different: other content, or only some of its instances are at both ends
  !  could not be compared

\b
Examples:
  copydicom check --src http://orthanc:orthanc@localhost:8042 --dest http://orthanc:orthanc@localhost:8043
  copydicom check --src pacs --dest mirror --level study | grep -v ^="""
)
@opt.options(
    opt.server("--src", "Orthanc to compare."),
    opt.server("--dest", "Orthanc to compare it with."),
    opt.level(Level.SERIES, "What a line stands for."),
    opt.option("--size-only", is_flag=True, help="Compare sizes, not MD5 sums: far fewer requests."),
    opt.jobs(4, "Comparisons at once."),
)
def check(common: opt.Common, src: str, dest: str, level: str, size_only: bool, jobs: int) -> int:
    """Tell what is missing or different at the other end. Reads only.

    Ends with 1 when anything is.
    """
    gauge, counts, began = Gauge(), Counter[str](), time.monotonic()
    with stop_on_signals() as stop, replace(common, verbose=True).report(gauge) as report:
        found = library.check(
            common.servers.find(src, "src"),
            common.servers.find(dest, "dest"),
            level=level,
            size_only=size_only,
            jobs=jobs,
            stop=stop,
            gauge=gauge,
        )
        for each in found:
            counts.update({name: getattr(each, name) for name in _WORDS})
            click.echo(json.dumps(_fields(each)) if common.as_json else _line(each))
        report.close()
        if stop.is_set():
            click.echo("stopped before the end", err=True)
        total = sum(counts.values())
        told = ", ".join(f"{counts[name]} {words}" for name, words in _WORDS.items() if counts[name])
        what = f"{total} instance{'s' if total != 1 else ''}: {told or 'nothing to compare'}"
        click.echo(f"{what} in {clock(time.monotonic() - began)}", err=common.as_json)
        return 1 if stop.is_set() or total > counts["same"] else 0


def _line(each: Difference) -> str:
    """``* 3a1b... 3 only at the source, 37 same``; where all instances are alike the mark says it."""
    told = {name: getattr(each, name) for name in _WORDS if getattr(each, name)}
    more = ", ".join(f"{count} {_WORDS[name]}" for name, count in told.items()) if len(told) > 1 else ""
    return " ".join(part for part in (each.mark.value, each.id, more, each.message) if part)


def _fields(each: Difference) -> dict[str, Any]:
    counts = {name: getattr(each, name) for name in _WORDS if getattr(each, name)}
    fields = {"mark": each.mark.value, "id": each.id, "level": each.level.value, **counts}
    return {**fields, "message": each.message} if each.message else fields
