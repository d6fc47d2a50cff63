"""The nouns that the modules share: small, frozen, without behaviour that needs a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional


class Level(str, Enum):
    """A level of the DICOM information model, named as Orthanc names it."""

    INSTANCE = "instance"
    SERIES = "series"
    STUDY = "study"
    PATIENT = "patient"


class Status(str, Enum):
    """What became of one row of a copy; of several the worst counts, in this order from best to worst."""

    PRESENT = "present"
    COPIED = "copied"
    PLANNED = "planned"
    CONFLICT = "conflict"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True)
class Change:
    """One row of Orthanc's change log (``GET /changes``)."""

    seq: int
    kind: str
    id: str
    date: str


@dataclass(frozen=True)
class Event:
    """One event for an index: its sourcetype, its fields in the order in which they are written, its time.

    `time` is in seconds since 1970 (UTC); None means the time of indexing.
    """

    sourcetype: str
    fields: Mapping[str, Any]
    time: Optional[float] = None


@dataclass(frozen=True)
class Outcome:
    """What became of one reference; the counts are instances, `bytes` is what was (or would be) sent."""

    ref: str
    status: Status
    copied: int = 0
    present: int = 0
    missing: int = 0
    failed: int = 0
    bytes: int = 0
    message: str = ""
