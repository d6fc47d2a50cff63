"""The nouns that the modules share: small, frozen, without behaviour that needs a server."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

_ORTHANC_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{8}){4}\Z")


def is_orthanc_id(text: str) -> bool:
    """Whether a text has the form of an Orthanc id, so that it may become part of a URL.

    >>> is_orthanc_id("7d920505-66582151-91b80675-3cc75542-104b5862"), is_orthanc_id("../../system")
    (True, False)
    """
    return _ORTHANC_ID.match(text) is not None


_COMPACT = json.JSONEncoder(separators=(",", ":"))  # dumps() would make one for every call


def as_json(value: Any) -> str:
    """Compact JSON in ASCII: escaped, so that no character of a tag can break a stream it is written to."""
    return _COMPACT.encode(value)


class Level(str, Enum):
    """A level of the DICOM information model, named as Orthanc names it."""

    INSTANCE = "instance"
    SERIES = "series"
    STUDY = "study"
    PATIENT = "patient"


class Status(str, Enum):
    """What became of one row of a copy, from best to worst: of several the worst is the row's."""

    PRESENT = "present"
    COPIED = "copied"
    PLANNED = "planned"
    CONFLICT = "conflict"
    MISSING = "missing"
    FAILED = "failed"

    @property
    def severity(self) -> int:
        """The higher the worse."""
        return _SEVERITY[self]


_SEVERITY = {status: place for place, status in enumerate(Status)}


@dataclass(frozen=True)
class Server:
    """An Orthanc server as ``copydicom_servers.conf`` describes it, with its password.

    `timezone` is an IANA name for dates that name no zone; `ca_bundle` a file of trusted certificates; `peer`
    the name by which other Orthancs know it (default: its own). `rewrites`: it gives new ids to what it gets.
    `requires_anonymized`: it takes anonymized copies only; `deidentified`: as a source it holds nothing else.
    `allow_ownerless`: searches that belong to nobody may send there.
    """

    name: str
    base_url: str
    username: str = ""
    password: str = field(default="", repr=False)
    verify_tls: bool = True
    ca_bundle: str = ""
    timezone: str = "UTC"
    max_connections: int = 4
    roles: tuple[str, ...] = ()
    max_instances: int = 0
    peer: str = ""
    rewrites: bool = False
    requires_anonymized: bool = False
    deidentified: bool = False
    allow_ownerless: bool = False


@dataclass(frozen=True)
class Change:
    """One row of Orthanc's change log (``GET /changes``).

    `date` is when, by the server's clock in UTC: ``20200131T101112``.
    """

    seq: int
    kind: str
    id: str
    date: str = ""


@dataclass(frozen=True)
class Parents:
    """The Orthanc ids of the series, study and patient that an instance belongs to."""

    series: str
    study: str
    patient: str


@dataclass(frozen=True)
class Found:
    """The tags of one instance as Orthanc gives them, and what else the same answer told.

    `tags` is keyword -> value; `parents` are None where they were not told.
    """

    id: str
    tags: Mapping[str, Any]
    parents: Optional[Parents] = None


@dataclass(frozen=True)
class Summary:
    """What a series or study holds at one moment.

    `tags` are the values that all its images share (see `indexing.summaries`), `parents` the Orthanc ids
    above it. `instances` and `series` count all that is in it, `bytes` is the size of their files,
    `modalities` are those of its series. `last_update` is when it last grew, by the server's clock in UTC:
    ``20200131T101112``.
    """

    id: str
    level: Level
    tags: Mapping[str, Any]
    parents: Parents
    instances: int
    series: int
    bytes: int
    modalities: tuple[str, ...]
    last_update: str


@dataclass(frozen=True)
class Event:
    """One event for an index: its sourcetype, its fields in the order in which they are written, its time.

    `time` is in seconds since 1970 (UTC). The fields are not changed any more once the event is made.
    """

    sourcetype: str
    fields: Mapping[str, Any]
    time: float
    json: str = field(init=False, compare=False, repr=False)
    """The fields as they are sent; made once, for who asks how long it is and who writes it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "json", as_json(self.fields))


@dataclass(frozen=True)
class Reference:
    """What a row names: by Orthanc id or DICOM UID, a study also by accession number, a patient by PatientID.

    `series` and `study` are the Orthanc ids of its parents where the row tells them; they spare questions.
    """

    id: str
    level: Level = Level.INSTANCE
    series: str = ""
    study: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one reference; the counts are instances, `bytes` is what was (or would be) sent."""

    ref: str
    status: Status
    copied: int = 0
    present: int = 0
    planned: int = 0
    conflict: int = 0
    missing: int = 0
    failed: int = 0
    bytes: int = 0
    message: str = ""

    @staticmethod
    def of_instance(ref: str, status: Status, size: int = 0, message: str = "") -> Outcome:
        """The outcome of a reference that names one instance."""
        return Outcome(ref, status, bytes=size, message=message, **{status.value: 1})

    def count(self, status: Status) -> int:
        """How many instances came to this."""
        return int(getattr(self, status.value))


_USUAL = (Status.COPIED, Status.PRESENT, Status.FAILED)  # told even when there are none


class Tally:
    """Counts the instances of outcomes as they pass, for the closing line."""

    def __init__(self) -> None:
        self._counts: Counter[Status] = Counter()
        self._bytes = 0
        self._started = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        for status in Status:
            self._counts[status] += outcome.count(status)
        self._bytes += outcome.bytes

    def as_fields(self) -> dict[str, float]:
        """The counts by status, the bytes, and the seconds since the first."""
        counts: dict[str, float] = {status.value: self._counts[status] for status in Status}
        return {**counts, "bytes": self._bytes, "seconds": round(time.monotonic() - self._started, 3)}

    def rate(self) -> str:
        """For example ``412 instances/s, 4.1 MB/s`` of what was copied; empty when nothing was."""
        seconds = max(time.monotonic() - self._started, 0.001)
        copied = self._counts[Status.COPIED]
        speed = f"{copied / seconds:.0f} instances/s, {self._bytes / seconds / 1e6:.1f} MB/s"
        return speed if copied else ""

    def __str__(self) -> str:
        """For example ``1204 instances: 37 copied, 1166 present, 1 failed in 0:42``."""
        counts = {status: self._counts[status] for status in _USUAL}
        counts.update({status: count for status, count in self._counts.items() if count})
        said = ", ".join(f"{count} {status.value}" for status, count in counts.items())
        total = sum(self._counts.values())
        what = f"{total} instance{'s' if total != 1 else ''}"
        return f"{what}: {said} in {clock(time.monotonic() - self._started)}"


def clock(seconds: float) -> str:
    """A duration for a person: ``0:42`` are 42 seconds, ``1:02:03`` an hour and more."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass(frozen=True)
class Held:
    """What a server says it holds of one instance: its size in bytes and the series it is in."""

    id: str
    size: Optional[int] = None
    series: str = ""


@dataclass(frozen=True)
class Stored:
    """What Orthanc answered to one uploaded file: the id it has there, `Success`, `AlreadyStored` or
    `FilteredOut`, and the study that it went into."""

    id: str
    status: str
    study: str = ""
