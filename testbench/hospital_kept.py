"""The hospital, made once and kept in `build/`: making it takes longer than Orthanc takes to store it.

They are kept under a digest of what makes them, so a changed table or writer makes them anew.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path

import pydicom

from testbench.dicom_objects import Instance

SOURCES = Path(__file__).parent
KEPT = SOURCES.parent / "build" / "hospital"


def kept(make: Callable[[], Iterable[Instance]]) -> list[Instance]:
    """What `make` gives: read from `build/` when the same sources made it before, else made and kept."""
    path = KEPT / f"{_digest()}.pickle"
    if path.exists():
        found: list[Instance] = pickle.loads(path.read_bytes())
        return found
    made = list(make())
    KEPT.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")  # test processes may make it at the same time
    unfinished.write_bytes(pickle.dumps(made))
    unfinished.replace(path)
    return made


def _digest() -> str:
    digest = hashlib.sha256(pydicom.__version__.encode())
    for source in sorted(SOURCES.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
