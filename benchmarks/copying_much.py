"""The packaged search command with much to do: 2 GB of pixels, a million rows; its memory and its pace."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pydicom

from benchmarks import archives
from benchmarks.result import ROOT, Options, Result, Row, Say, Target
from testbench.orthanc import OrthancServer
from testbench.peak_memory import peak_mb, report_peak
from testbench.sample_data import make_instances
from testbench.splunkd import CommandResult, Splunkd, pythons
from testbench.splunkd import Options as Given

LARGEST_MB = 200.0
CHUNK = 50_000  # rows, as Splunk sends at most


def run(options: Options, say: Say) -> Result:
    """On the machine's own Orthanc, with the newest Python that Splunk bundles."""
    result = Result("copying_much", "Copying much: memory and pace of the search command")
    with (
        OrthancServer("pacs") as source,
        OrthancServer("research") as dest,
        Splunkd(_package(), python=list(pythons().values())[-1]) as splunkd,
    ):
        report_peak(splunkd.home.app_dir / "bin" / "copydicom.py")
        for name, server in (("pacs", source), ("research", dest)):
            splunkd.add_server(name, base_url=server.url, username=server.username, password=server.password)
        result.rows.append(many_rows(splunkd, dest.version, options.of(20, 1), options.of(CHUNK, 500), say))
        result.rows += pixels(splunkd, source, dest, options, say)
    if not options.quick:
        result.targets = [
            Target(f"{row.size}: MB", row.peak_mb or 0.0, LARGEST_MB, at_least=False) for row in result.rows
        ]
    result.notes = ["Python's start is part of it. The rows name instances that the source does not have."]
    return result


def many_rows(splunkd: Splunkd, version: str, chunks: int, rows: int, say: Say) -> Row:
    """A dry run of one search over `chunks` chunks; each row comes back with its outcome."""
    total = chunks * rows
    say(f"{total:,} rows in chunks of {rows:,}")
    given = [
        {"ID": f"{n:08x}-00000000-00000000-00000000-00000000", "orthanc_server": "pacs", "n": str(n)}
        for n in range(total)
    ]
    began = time.perf_counter()
    result = _run(splunkd, "dest=research dryrun=true", given, chunk_rows=(rows,), timeout=1800)
    seconds = time.perf_counter() - began
    if [row["n"] for row in result.rows] != [row["n"] for row in given] or _statuses(result) != {
        "missing": total
    }:
        raise RuntimeError("not every row came back in its place with its outcome")
    say(f"{seconds:.0f} s with what the stand-in for Splunk takes to write, read and compare them")
    size = f"{total:,} rows in chunks of {rows:,}"
    return Row(
        "a search's rows", size, version, "ours", total / seconds, "rows/s", peak_mb=peak_mb(result.stderr)
    )


def pixels(
    splunkd: Splunkd, source: OrthancServer, dest: OrthancServer, options: Options, say: Say
) -> Iterator[Row]:
    """2 GB in twenty instances of 100 MB, then in many of 512 KB; each end then holds the same bytes."""
    for count, size in options.of(((20, 100_000_000), (4_000, 512_000)), ((2, 10_000_000),)):
        say(f"{count:,} instances of {size / 1e6:g} MB")
        kind = f"much {size}"
        ids = []
        if size > 1_000_000:
            for data in _large(count, size, kind):
                ids.append(source.upload(data)["ID"])
        else:
            instances = make_instances(count, size=size, name=kind)
            while some := list(islice(instances, 100)):
                archives.fill(source, iter(some), lambda _: None)
                ids += [each.orthanc_id for each in some]
        given = [{"ID": id, "orthanc_server": "pacs"} for id in ids]
        began = time.perf_counter()
        result = _run(splunkd, "dest=research", given, timeout=1800)
        seconds = time.perf_counter() - began
        if _statuses(result) != {"copied": count}:
            raise RuntimeError(f"not all was copied: {_statuses(result)}")
        for id in ids[:: max(1, count // 20)]:
            path = f"/instances/{id}/attachments/dicom/md5"
            if source.content(path) != dest.content(path):
                raise RuntimeError("a copy differs")
        about = f"{count:,} instances of {size / 1e6:g} MB"
        rate = sum(int(str(row["copydicom_bytes"])) for row in result.rows) / seconds / 1e6
        yield Row("pixels", about, dest.version, "ours", rate, "MB/s", peak_mb=peak_mb(result.stderr))
        for server in (source, dest):
            for patient in server.get("/patients"):
                server.delete(f"/patients/{patient}")


def _large(count: int, size: int, name: str) -> Iterator[bytes]:
    """Pixels that are no picture: to draw one takes longer than to copy it."""
    for number, each in enumerate(make_instances(count, name=name)):
        dataset = pydicom.dcmread(io.BytesIO(each.data))
        dataset.Rows, dataset.Columns = size // 20_000, 10_000
        dataset.PixelData = number.to_bytes(4, "big") * (size // 20_000 * 5_000)
        written = io.BytesIO()
        dataset.save_as(written)
        yield written.getvalue()


def _run(splunkd: Splunkd, text: str, rows: list[dict[str, Any]], **options: Any) -> CommandResult:
    result = splunkd.run_command("copydicom", text, rows, Given(app="search", **options))
    if result.error:
        raise RuntimeError(result.error)
    return result


def _statuses(result: CommandResult) -> Counter[str]:
    return Counter(str(row["copydicom_status"]) for row in result.rows)


def _package() -> Any:
    done = subprocess.run(
        [sys.executable, "packaging/build.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ROOT / done.stdout.split()[0]
