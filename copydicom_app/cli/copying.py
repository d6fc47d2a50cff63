"""``copydicom replicate`` and ``copydicom conditional_replicate``."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Optional

import click

from copydicom_app import library
from copydicom_app.cli import options as opt
from copydicom_app.cli.report import Report
from copydicom_app.cli.servers import Servers
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
        help="Only what the source received since: 2026-01-31, 2026-01-31T10:00, or how long ago: 7d, "
        "12h. Of a series "
        "or study that grew since, all.",
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
    as_json: bool,
    verbose: bool,
    quiet: bool,
    config: Optional[Path],
    ca_bundle: Optional[str],
    insecure: bool,
) -> int:
    """Copy all instances that DEST does not have yet.

    Nothing is sent twice and nothing is replaced; stopped or killed, it is simply run again. The last line
    says what became of the instances.
    """
    servers = Servers(config, ca_bundle or "", insecure)
    source, target = servers.find(src, "src"), _rewriting(servers.find(dest, "dest"), rewrites)
    gauge = Gauge()
    with stop_on_signals() as stop, Report(gauge, as_json=as_json, verbose=verbose, quiet=quiet) as report:
        outcomes = library.replicate(
            source,
            target,
            level=level,
            since=since,
            dry_run=dry_run,
            verify=verify,
            jobs=jobs,
            method=method,
            watch=watch,
            ledger=_ledger(target, state),
            stop=stop,
            tell=report.tell,
            gauge=gauge,
        )
        for _ in report.counted(outcomes):
            pass
        return report.done(stopped=_early(stop, watch))


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
    as_json: bool,
    verbose: bool,
    quiet: bool,
    config: Optional[Path],
    ca_bundle: Optional[str],
    insecure: bool,
) -> int:
    """Copy what a search of Splunk names and DEST does not have yet.

    The search runs by the REST API to its end, however many rows it finds; then they are copied. What the
    source does not have (any more) counts as failed.
    """
    servers = Servers(config, ca_bundle or "", insecure)
    source, target = servers.find(src, "src"), _rewriting(servers.find(dest, "dest"), rewrites)
    gauge = Gauge()
    with stop_on_signals() as stop, Report(gauge, as_json=as_json, verbose=verbose, quiet=quiet) as report:
        outcomes = library.conditional_replicate(
            source,
            servers.find(index, "index"),
            query,
            target,
            id=id,
            level=level,
            dry_run=dry_run,
            verify=verify,
            jobs=jobs,
            method=method,
            ledger=_ledger(target, state),
            stop=stop,
            tell=report.tell,
            gauge=gauge,
        )
        for _ in report.counted(outcomes):
            pass
        return report.done(stopped=_early(stop, False), missing_is_wrong=True)


def _early(stop: threading.Event, watch: bool) -> bool:
    """Whether a stop cut it short; a run that goes on until stopped has no other end."""
    return stop.is_set() and not watch


def _rewriting(dest: Server, rewrites: bool) -> Server:
    from dataclasses import replace

    return replace(dest, rewrites=True) if rewrites else dest


def _ledger(dest: Server, state: Path) -> Optional[FileLedger]:
    return FileLedger(state.expanduser(), dest) if dest.rewrites else None
