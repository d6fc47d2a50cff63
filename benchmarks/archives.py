"""Orthancs that hold many small instances, filled once and kept in build/benchmarks/archives.

Filling takes some milliseconds an instance, so 20,000 are a minute and 100,000 several. A benchmark gets a
copy of what is kept, in memory where there is room, and may do with it what it likes.
"""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.result import KEPT, Say
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import Instance, make_instances

ARCHIVES = KEPT / "archives"
SIZE = 10_000  # bytes an instance
SERIES_OF = 50  # instances
INDEX = "CREATE UNIQUE INDEX ResourcesById ON Resources(publicId)"
NOTE_INDEX = f"*With the index*, as docs/scaling.md proposes for 1.12 with SQLite: `{INDEX}`."
_TOGETHER = 100  # instances in one ZIP
_BYTES_EACH = 3 * 4096 + 2000  # on the disk, with its rows in the database
_MEMORY = Path("/dev/shm")


def versions(say: Say) -> Iterator[list[str] | None]:
    """The command lines of the Orthancs at hand: the machine's own (None), then 1.12."""
    yield None
    binary, reason = second_orthanc()
    if binary is None:
        say(f"Orthanc 1.12 is left out: {reason}")
    else:
        yield binary


def kinds(say: Say) -> Iterator[tuple[list[str] | None, bool]]:
    """The same, each with whether its database gets the proposed index: 1.12 comes without and with it."""
    for binary in versions(say):
        yield binary, False
        if binary:
            yield binary, True


def named(server: OrthancServer, indexed: bool) -> str:
    """Its version, as a row tells it."""
    return f"{server.version}, with the index" if indexed else str(server.version)


@contextmanager
def archive(
    binary: Sequence[str] | None, instances: int, say: Say, indexed: bool = False
) -> Iterator[OrthancServer]:
    """A running Orthanc that holds the first `instances` of ``make_instances``; its storage is scratch.

    `indexed`: its database has the index that docs/scaling.md proposes for 1.12 with SQLite.
    """
    kept = _kept(binary, instances, say)
    with tempfile.TemporaryDirectory(prefix="orthanc-archive-", dir=_roomy(instances)) as folder:
        storage = Path(folder) / "storage"
        shutil.copytree(kept, storage)
        if indexed:
            with closing(sqlite3.connect(storage / "index")) as database:
                database.execute(INDEX)
        with OrthancServer("archive", binary=binary, storage=storage) as server:
            held = server.get("/statistics")["CountInstances"]
            if held != instances:
                raise RuntimeError(f"{kept} holds {held} instances instead of {instances}; remove it")
            yield server


def fill(server: OrthancServer, instances: Iterator[Instance], say: Say, every: int = 10_000) -> None:
    """Upload in ZIP archives, two at a time."""

    def send(part: Sequence[Instance]) -> int:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as files:
            for number, each in enumerate(part):
                files.writestr(str(number), each.data)
        server.upload(packed.getvalue())
        return len(part)

    done = 0
    with ThreadPoolExecutor(2) as pool:
        while parts := [part for _ in range(8) if (part := list(islice(instances, _TOGETHER)))]:
            before, done = done, done + sum(pool.map(send, parts))
            if done // every > before // every:
                say(f"{done:,} instances uploaded")


def _kept(binary: Sequence[str] | None, instances: int, say: Say) -> Path:
    """The folder that keeps such an archive; the next smaller one that is kept is where filling begins."""
    name = "second" if binary else "first"
    folder = ARCHIVES / f"{name}-{instances}"
    if folder.exists():
        return folder
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    smaller = [
        count
        for path in ARCHIVES.glob(f"{name}-*")
        if (text := path.name.rpartition("-")[2]).isdigit() and (count := int(text)) < instances
    ]
    start = max(smaller, default=0)
    say(f"filling an archive of {instances:,} instances" + (f" from {start:,} on" if start else ""))
    with tempfile.TemporaryDirectory(prefix="orthanc-fill-", dir=_roomy(instances)) as scratch:
        storage = Path(scratch) / "storage"
        if start:
            shutil.copytree(ARCHIVES / f"{name}-{start}", storage)
        with OrthancServer("archive", binary=binary, storage=storage) as server:
            fill(server, islice(make_instances(instances, SIZE, SERIES_OF), start, None), say)
            server.stop()  # in order, so that its database is whole
        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(storage, new)
        new.rename(folder)
    return folder


def _roomy(instances: int) -> Path | None:
    """The memory's own file system when it takes such an archive twice, else the usual temporary folder."""
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK):
        return None
    free = min(shutil.disk_usage(_MEMORY).free, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return _MEMORY if free > 2 * instances * _BYTES_EACH else None
