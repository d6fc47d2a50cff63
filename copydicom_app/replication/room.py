"""Whether a destination that keeps only so much has room for what is to come.

Orthanc with `MaximumPatientCount` or `MaximumStorageSize` answers Success and then drops its oldest
patients (or this very one's). So nothing is sent that would make it do so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Optional

from copydicom_app.errors import CopydicomError
from copydicom_app.health import Guard
from copydicom_app.holdings import Tags
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.resolve import Item

_PART = 200  # ids of one question


class Room:
    """Keeps count of what a destination has and was promised. Not for several threads."""

    def __init__(self, source: Guard, dest: Guard) -> None:
        self._source = source
        self._dest = dest
        self._max_patients = 0
        self._max_bytes = 0
        self._patients: set[str] = set()  # new ones that this search brings
        self._bytes = 0  # promised to this search
        self._at_first: Optional[int] = None  # bytes that the destination held before it
        self.may_recycle = True

    def learn(self, system: Tags) -> None:
        """Take in what ``GET /system`` tells; 1.10.1 does not tell its limits, so it may recycle."""
        self._max_patients = int(system.get("MaximumPatientCount") or 0)
        self._max_bytes = int(system.get("MaximumStorageSize") or 0) * 1024 * 1024
        told = "MaximumPatientCount" in system and "MaximumStorageSize" in system
        self.may_recycle = not told or bool(self._max_patients or self._max_bytes)

    def refusal(self, items: Sequence[Item]) -> str:
        """Why these may not be sent, all of them or none; an empty text when there is room."""
        if not items or not (self._max_patients or self._max_bytes):
            return ""
        try:
            return self._refusal([item.id for item in items])
        except CopydicomError as error:
            return f"whether there is room for it could not be found out: {error}"

    def _refusal(self, ids: list[str]) -> str:
        statistics = self._dest(Orthanc.statistics)
        if self._max_patients:
            patients = self._patients_of(self._source, ids) | self._patients
            # those that arrived meanwhile are counted by the server, the rest is still to come
            coming = len(patients) - len(self._patients_of(self._dest, sorted(patients)))
            if int(statistics["CountPatients"]) + coming > self._max_patients:
                return self._full(f"{self._max_patients} patients (MaximumPatientCount)")
            self._patients = patients
        if self._max_bytes:
            size = self._bytes_of(ids)
            held = int(statistics["TotalDiskSize"])
            self._at_first = held if self._at_first is None else self._at_first
            if max(held, self._at_first + self._bytes) + size > self._max_bytes:
                return self._full(f"{self._max_bytes // 1024**2} MB (MaximumStorageSize)")
            self._bytes += size
        return ""

    def _full(self, limit: str) -> str:
        return (
            f"server {self._dest.name!r} keeps {limit} and would drop others for this; "
            "raise its limit or make room there"
        )

    @staticmethod
    def _patients_of(server: Guard, ids: list[str]) -> set[str]:
        found: set[str] = set()
        for part in _parts(ids):
            found |= server(partial(Orthanc.patients_of, ids=part))
        return found

    def _bytes_of(self, ids: list[str]) -> int:
        parts = (self._source(partial(Orthanc.held, ids=part)) for part in _parts(ids))
        return sum(one.size or 0 for held in parts for one in held.values())


def _parts(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + _PART] for start in range(0, len(ids), _PART)]
