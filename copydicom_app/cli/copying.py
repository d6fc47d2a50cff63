"""``copydicom replicate`` and ``copydicom conditional_replicate``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Optional

import click

from copydicom_app import library
from copydicom_app.cli import options as opt
from copydicom_app.cli.report import Report
from copydicom_app.cli.stopping import stop_on_signals
from copydicom_app.gauge import Gauge
from copydicom_app.models import Level, Server
from copydicom_app.replication.file_ledger import FileLedger


@click.command(
    epilog="""\b
Examples:
  copydicom replicate --src http://orthanc:orthanc@localhost:8042 --dest http://orthanc:orthanc@localhost:8043
  copydicom replicate --src pacs --dest research --since 7d --dry-run
  copydicom replicate --src pacs --dest mirror --watch"""
)
@opt.options(
    opt.src,
    opt.dest,
    opt.level(Level.SERIES, "What one outcome stands for."),
    opt.option(
        "--since",
        type=opt.Moment(),
        help="Only what the source received since: 2026-01-31, 2026-01-31T10:00, or how long ago: 7d, 12h. "
        "Of a series or study that grew since, all.",
    ),
    opt.dry_run,
    opt.verify,
    opt.jobs(None, "Transfers at once.  [default: 4]"),
    opt.method,
    opt.watch,
    opt.rewrites,
    opt.state,
)
def replicate(
    common: opt.Common,
    src: str,
    dest: str,
    level: str,
    since: Optional[datetime],
    dry_run: bool,
    verify: bool,
    jobs: Optional[int],
    method: str,
    watch: bool,
    rewrites: bool,
    state: Path,
) -> int:
    """Copy all instances that DEST does not have yet.

    Nothing is sent twice and nothing is replaced; stopped or killed, it is simply run again. The last line
    says what became of the instances.
    """
    with _copying(common, src, dest, rewrites, state) as run:
        outcomes = library.replicate(
            run.source,
            run.dest,
            level=level,
            since=since,
            dry_run=dry_run,
            verify=verify,
            jobs=jobs,
            method=method,
            watch=watch,
            ledger=run.ledger,
            stop=run.stop,
            tell=run.report.tell,
            gauge=run.gauge,
        )
        # A run that goes on until stopped has no other end.
        return run.report.run(outcomes, stopped=lambda: run.stop.is_set() and not watch)


@click.command(
    name="conditional_replicate",
    epilog="""\b
Examples:
  copydicom conditional_replicate --src http://orthanc:orthanc@localhost:8042 \\
    --index https://admin:changeme@localhost:8089 \\
    --query 'search index=dicom SeriesDescription="Dose Record" | table ID' \\
    --dest http://orthanc:orthanc@localhost:8043
  copydicom conditional_replicate --src pacs --index splunk --dest research --dry-run \\
    --query 'index=dicom sourcetype=dicom:study StudyDescription="*LIVER*" earliest=-1d'""",
)
@opt.options(
    opt.src,
    opt.index,
    opt.option(
        "--query", metavar="SPL", required=True, help="Search whose rows name what to copy, in the field ID."
    ),
    opt.dest,
    opt.option(
        "--id", metavar="FIELD", default="ID", show_default=True, help="Field with Orthanc ids or DICOM UIDs."
    ),
    opt.level(None, "What the rows name.  [default: the row's field level, else instance]"),
    opt.dry_run,
    opt.verify,
    opt.jobs(None, "Transfers at once.  [default: 4]"),
    opt.method,
    opt.rewrites,
    opt.state,
)
def conditional_replicate(
    common: opt.Common,
    src: str,
    index: str,
    query: str,
    dest: str,
    id: str,
    level: Optional[str],
    dry_run: bool,
    verify: bool,
    jobs: Optional[int],
    method: str,
    rewrites: bool,
    state: Path,
) -> int:
    """Copy what a search of Splunk names and DEST does not have yet.

    The search runs by the REST API to its end, however many rows it finds; then they are copied. What the
    source does not have (any more) counts as failed.
    """
    with _copying(common, src, dest, rewrites, state) as run:
        outcomes = library.conditional_replicate(
            run.source,
            common.servers.find(index, "index"),
            query,
            run.dest,
            id=id,
            level=level,
            dry_run=dry_run,
            verify=verify,
            jobs=jobs,
            method=method,
            ledger=run.ledger,
            stop=run.stop,
            tell=run.report.tell,
            gauge=run.gauge,
        )
        return run.report.run(outcomes, stopped=run.stop.is_set, missing_is_wrong=True)


@dataclass(frozen=True)
class _Copying:
    """What every copy needs beside what its own options say."""

    source: Server
    dest: Server
    ledger: Optional[FileLedger]
    stop: threading.Event
    report: Report
    gauge: Gauge


@contextmanager
def _copying(common: opt.Common, src: str, dest: str, rewrites: bool, state: Path) -> Iterator[_Copying]:
    source, target = common.servers.find(src, "src"), common.servers.find(dest, "dest")
    if rewrites:
        target = replace(target, rewrites=True)
    ledger = FileLedger(state.expanduser(), target) if target.rewrites else None
    gauge = Gauge()
    with stop_on_signals() as stop, common.report(gauge) as report:
        yield _Copying(source, target, ledger, stop, report, gauge)
