"""The main job, shown on real Orthanc servers: index a hospital, search it, copy what was found.

    python -m testbench.demo [--keep] [--views] [--svg FILE]

Splunk itself is not here: `testbench.splunkd` stands in for it and runs the packaged input and command as
Splunk would, as processes of their own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from copydicom_app.models import is_orthanc_id
from testbench.orthanc import OrthancServer
from testbench.sample_data import load
from testbench.splunkd import SearchResult, Splunkd, pythons
from testbench.views.showing import show

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "build" / "demo"

COHORT = 'index=dicom SeriesDescription="Dose Record"'
DOSE = (
    "index=dicom sourcetype=dicom:dose:event modality=CT is_localizer=false | dedup event_key"
    " | table station_name acquisition_protocol phantom_cm ctdivol_mGy dlp_mGycm | head 5"
)
EVENT_KEYS = (
    "ID",
    "orthanc_server",
    "ParentStudy",
    "StudyDateTime",
    "Modality",
    "PatientName",
    "SeriesDescription",
)


def main() -> int:
    """Run the demo; 0 when everything it claims was seen to be so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--keep", action="store_true", help="leave the servers up until Ctrl-C")
    parser.add_argument("--views", action="store_true", help="show the dashboards, and take their pictures")
    parser.add_argument("--svg", type=Path, help="also write what was printed as a picture")
    options = parser.parse_args()
    console = Console(record=True, width=110, highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    started = time.monotonic()
    with OrthancServer("pacs") as pacs, OrthancServer("research") as research:
        Demo(console, pacs, research, options.views).run(options.keep)
        console.print(f"\n[bold green]Done[/] in {time.monotonic() - started:.0f} s.")
        if options.svg:
            options.svg.parent.mkdir(parents=True, exist_ok=True)
            console.save_svg(str(options.svg), title="make demo")
        if options.keep:
            keep(console, pacs, research)
    return 0


class Demo:
    """The steps, each printed with what came of it."""

    def __init__(
        self, console: Console, pacs: OrthancServer, research: OrthancServer, views: bool = False
    ) -> None:
        self.console, self.pacs, self.research, self.views = console, pacs, research, views

    def run(self, keep: bool = False) -> None:
        """All of it, in order. The dashboards stay until Ctrl-C with `keep`, and where a person looks on."""
        self.step("Two Orthanc servers and a hospital")
        self.console.print(f"pacs      Orthanc {self.pacs.version} at {self.pacs.url}")
        self.console.print(f"research  Orthanc {self.research.version} at {self.research.url}, empty")
        self.load()
        python = next(iter(pythons().values()), Path(sys.executable))
        with Splunkd(newest_package(), python=python) as splunk:
            for name, server in (("pacs", self.pacs), ("research", self.research)):
                splunk.add_server(
                    name, base_url=server.url, username=server.username, password=server.password
                )
            self.index(splunk)
            self.copy(splunk)
            if self.views:
                self.step("The dashboards, rendered by Splunk's own components")
                show(splunk, self.pacs, self.console, PICTURES, until_stopped=keep or sys.stdin.isatty())
            splunk.assert_no_violations()

    def load(self) -> None:
        """Upload the synthetic hospital to the source."""
        columns = (TextColumn("loading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task("load")
            sent = load(self.pacs, lambda done, total: bar.update(task, completed=done, total=total))
        studies = len({instance.study_uid for instance in sent})
        size = sum(len(instance.data) for instance in sent)
        self.console.print(f"loaded {len(sent)} instances of {studies} studies, {size / 1e6:.1f} MB")

    def index(self, splunk: Splunkd) -> None:
        """Run the modular input, twice."""
        self.step("The modular input, as Splunk starts it:  \\[orthanc://pacs] server = pacs")
        began = time.monotonic()
        # Radiographs come without a dose report here; their view shows what the images tell.
        run = splunk.run_input("orthanc://pacs", server="pacs", dose_from_images=self.views)
        seconds = time.monotonic() - began
        expect(run.exit_code == 0, f"the input failed: {run.log}")
        self.console.print(f"{len(run.events)} events in {seconds:.1f} s, start of Python included")
        again = splunk.run_input("orthanc://pacs", server="pacs", dose_from_images=self.views)
        expect(not again.events, "the second run indexed something twice")
        self.console.print("run again: 0 events, since nothing is new")
        self.search(splunk, "index=dicom sourcetype=dicom:instance | stats count by Modality")
        self.search(splunk, DOSE)
        events = (json.loads(event.data) for event in run.events)
        event = next(event for event in events if event.get("Modality") == "CT")
        self.console.print("\nan event, the first of its fields:")
        self.console.print_json(json.dumps({key: event[key] for key in EVENT_KEYS if key in event}))

    def copy(self, splunk: Splunkd) -> None:
        """A search piped into the command: a dry run, for real, and once more."""
        found = f"{COHORT} | dedup ID | table orthanc_server ID StudyDescription"
        self.step("A cohort, first as a dry run")
        planned = self.search(splunk, f"{found} | copydicom dest=research dryrun=true")
        expect(not self.research.get("/instances"), "the dry run copied something")
        self.step("Now for real")
        copied = self.search(splunk, f"{found} | copydicom dest=research")
        expect({row["copydicom_status"] for row in copied.rows} == {"copied"}, "not all was copied")
        self.compare(str(row["ID"]) for row in planned.rows)
        self.step("Once more: nothing is sent twice")
        again = self.search(splunk, f"{found} | copydicom dest=research")
        expect({row["copydicom_status"] for row in again.rows} == {"present"}, "something was sent twice")

    def search(self, splunk: Splunkd, spl: str) -> SearchResult:
        """Run a search; print it, its rows and what the command said."""
        self.console.print(f"\n[cyan]{spl}[/]")
        result = splunk.search(spl)
        expect(result.error is None, f"the search failed: {result.error}")
        shown = result.rows[:8]
        names = [name for name in dict.fromkeys(key for row in shown for key in row) if wanted(name)]
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in names:
            table.add_column(name, no_wrap=True)
        for row in shown:
            table.add_row(*(shortened(str(row.get(name, ""))) for name in names))
        self.console.print(table)
        if len(result.rows) > len(shown):
            self.console.print(f"... and {len(result.rows) - len(shown)} rows more", style="dim")
        for _, text in result.messages:
            self.console.print(f"[green]{text}[/]")
        return result

    def compare(self, ids: Iterable[str]) -> None:
        """Source and destination hold the same bytes."""
        ids = list(ids)
        expect(sorted(ids) == sorted(self.research.get("/instances")), "the destination holds something else")
        for id in ids:
            ours, theirs = (digest(server, id) for server in (self.pacs, self.research))
            expect(ours == theirs, f"{id} differs at the destination")
        self.console.print(f"{len(ids)} files compared byte for byte (SHA-256): equal at both ends")

    def step(self, title: str) -> None:
        """A heading."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")


def wanted(name: str) -> bool:
    """Columns that fit a terminal: the counts stay in the result."""
    return name not in ("copydicom_present", "copydicom_missing", "copydicom_failed", "copydicom_copied")


def shortened(value: str) -> str:
    """Orthanc ids are long and their beginning tells them apart."""
    return value[:17] + "…" if is_orthanc_id(value) else value


def digest(server: OrthancServer, id: str) -> str:
    """SHA-256 of an instance's file as the server gives it."""
    return hashlib.sha256(server.content(f"/instances/{id}/file")).hexdigest()


def expect(holds: bool, otherwise: str) -> None:
    """The demo ends with an error rather than show something that is not so."""
    if not holds:
        raise SystemExit(f"demo: {otherwise}")


def newest_package() -> Path:
    """The package that `make package` built."""
    packages = sorted((ROOT / "dist").glob("copydicom_app-*.spl"), key=lambda path: path.stat().st_mtime)
    if not packages:
        raise SystemExit("demo: there is no package; run make package")
    return packages[-1]


def keep(console: Console, *servers: OrthancServer) -> None:
    """Say where the servers are and wait for Ctrl-C."""
    console.print("\nThe servers stay up until Ctrl-C:")
    for server in servers:
        console.print(f"  {server.name:9} {server.url}  user {server.username}  password {server.password}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("stopped")


if __name__ == "__main__":
    sys.exit(main())
