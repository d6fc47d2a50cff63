"""``copydicom replicate_tags``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Optional

import click

from copydicom_app import library
from copydicom_app.cli import options as opt
from copydicom_app.cli.stopping import stop_on_signals
from copydicom_app.errors import ConfigurationError
from copydicom_app.gauge import Gauge


@click.command(
    name="replicate_tags",
    epilog="""\b
Examples:
  copydicom replicate_tags --src http://orthanc:orthanc@localhost:8042 \\
    --index https://admin:changeme@localhost:8089 --hec http://Splunk:TOKEN@localhost:8088
  copydicom replicate_tags --src pacs --index splunk --hec collector --watch
  copydicom replicate_tags --src pacs --out - | head -n 1 | python -m json.tool""",
)
@opt.options(
    opt.server("--src", "Orthanc to read."),
    opt.server(
        "--index",
        "Splunk's management port, to ask what it has: https://user:password@host:8089.",
        required=False,
    ),
    opt.server(
        "--hec", "Splunk's HTTP Event Collector, to send to: http://Splunk:TOKEN@host:8088.", required=False
    ),
    opt.option("--index-name", default="dicom", show_default=True, help="Index to ask and to send to."),
    opt.option(
        "--name",
        help="Name of the server in events (orthanc_server, source).  "
        "[default: its name, or its host and port]",
    ),
    opt.option(
        "--timezone", help="IANA name of the zone of dates that name none.  [default: the server's, else UTC]"
    ),
    opt.option(
        "--out",
        type=click.Path(dir_okay=False, allow_dash=True),
        help="File for the events as lines of JSON, - for standard output; nothing is sent then. "
        "With --index what it lacks, else all.",
    ),
    opt.jobs(3, "Requests to Orthanc at once."),
    opt.watch,
)
def replicate_tags(
    common: opt.Common,
    src: str,
    index: Optional[str],
    hec: Optional[str],
    index_name: str,
    name: Optional[str],
    timezone: Optional[str],
    out: Optional[str],
    jobs: int,
    watch: bool,
) -> int:
    """Send tags and dose events to Splunk that its index does not hold yet.

    They are the same events as those of the app's input. The index is asked what it has of each study, so a
    run that was stopped or killed is simply run again. A token with indexer acknowledgment (useACK) counts as
    sent what is indexed.
    """
    if out is None and not (index and hec):
        missing = "--hec" if index else "--index"
        raise click.UsageError(
            f"{missing} is missing; --index and --hec go together, or --out writes to a file instead"
        )
    if out is not None and hec:
        raise click.UsageError("--out and --hec exclude each other: with --out nothing is sent")
    if out == "-" and common.as_json:
        raise click.UsageError("--json and --out - would mix events and outcomes on standard output")
    servers = common.servers
    source = servers.find(src, "src")
    source = replace(source, name=name or source.name, timezone=timezone or source.timezone)
    gauge = Gauge()
    with (
        stop_on_signals() as stop,
        _opened(out) as file,
        common.report(gauge, out_is_taken=out == "-") as report,
    ):
        outcomes = library.replicate_tags(
            source,
            servers.find(index, "index") if index else None,
            servers.find(hec, "hec") if hec else None,
            out=file,
            index_name=index_name,
            jobs=jobs,
            watch=watch,
            stop=stop,
            tell=report.tell,
            gauge=gauge,
        )
        return report.run(outcomes, stopped=lambda: stop.is_set() and not watch)


@contextmanager
def _opened(out: Optional[str]) -> Iterator[Optional[BinaryIO]]:
    if out is None:
        yield None
    elif out == "-":
        yield sys.stdout.buffer
    else:
        try:
            file = Path(out).open("wb")  # noqa: SIM115 (closed below)
        except OSError as error:
            raise ConfigurationError(f"--out: {out} cannot be written ({error.strerror})") from error
        with file:
            yield file
