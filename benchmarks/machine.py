"""What the numbers were measured on: machine, systems, versions."""

from __future__ import annotations

import functools
import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.result import Clock, Options

PEERS = (
    "pyorthanc",
    "orthanc-tools",
    "orthanc-api-client",
    "requests",
    "pycurl",
    "pydicom",
    "rdsr-navigator",
)


def facts(options: Options, clock: Clock) -> dict[str, Any]:
    """Of one benchmark's run, in words that a reader needs to judge its numbers."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(clock.seconds),
        "load": round(clock.load, 1),
        "quick": options.quick,
        "machine": machine(),
        "versions": versions(),
    }


@functools.cache
def machine() -> str:
    """Cores, their model, memory."""
    model = _found(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine()
    kilobytes = int(_found(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0)
    # Of a container or a virtual machine the cores that this process may use.
    return f"{len(os.sched_getaffinity(0))} cores ({model}), {kilobytes / 1024**2:.0f} GB of memory"


@functools.cache
def versions() -> str:
    """Python, libcurl and the peers that are installed."""
    found = [f"Python {platform.python_version()}", f"{platform.system()} {platform.release().split('-')[0]}"]
    for name in PEERS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if "pycurl" in sys.modules:
        found.append(str(sys.modules["pycurl"].version).split()[1])
    return ", ".join(found)


def _found(pattern: str, path: str) -> str:
    match = re.search(pattern, Path(path).read_text())
    return match[1].strip() if match else ""
