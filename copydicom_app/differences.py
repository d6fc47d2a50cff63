"""Compare what two Orthancs hold, instance by instance, without changing anything (``check``).

An instance has the same id at both ends, since an Orthanc id is a hash of its DICOM identifiers. Equal are
two files of the same MD5, which Orthanc noted when it received them; with `size_only` of the same size, which
costs a request a series and not two an instance.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Optional

from copydicom_app.errors import CopydicomError, NotFoundError
from copydicom_app.gauge import Gauge
from copydicom_app.models import Level
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import ordered, stoppable
from copydicom_app.replication.check import digest


class Mark(str, Enum):
    """One character, as rclone writes it with ``check --combined``."""

    SAME = "="
    ONLY_SRC = "+"
    ONLY_DEST = "-"
    DIFFERENT = "*"
    FAILED = "!"


@dataclass(frozen=True)
class Difference:
    """One series (or study, ...) at both ends; the counts are instances.

    `mark` is ``+`` when the destination has nothing of it, ``-`` when the source has nothing, ``=`` when both
    have the same, ``!`` when that could not be found out, else ``*``.
    """

    id: str
    level: Level
    same: int = 0
    only_src: int = 0
    only_dest: int = 0
    different: int = 0
    failed: int = 0
    message: str = ""

    @property
    def mark(self) -> Mark:
        if self.failed:
            return Mark.FAILED
        both = self.same or self.different
        if not both and not self.only_dest and self.only_src:
            return Mark.ONLY_SRC
        if not both and not self.only_src and self.only_dest:
            return Mark.ONLY_DEST
        return Mark.DIFFERENT if self.different or self.only_src or self.only_dest else Mark.SAME


def differences(
    source: Orthanc,
    dest: Orthanc,
    level: Level,
    *,
    size_only: bool,
    workers: int,
    stop: threading.Event,
    gauge: Gauge,
) -> Iterator[Difference]:
    """One for each object of the level that either end holds, in the order of ids."""
    listed = Level.SERIES if level is Level.INSTANCE else level
    gauge.total = int(stoppable(source.statistics, stop)["CountInstances"])
    names = {id for server in (source, dest) for id in stoppable(partial(server.ids, listed), stop)}
    compare = partial(_compared, source=source, dest=dest, level=listed, size_only=size_only)
    for id, marks, trouble in ordered(compare, sorted(names), workers, stop):
        gauge.add(sum(mark is not Mark.ONLY_DEST for mark in marks.values()))
        if level is Level.INSTANCE and not trouble:
            for instance in sorted(marks):
                yield _difference(instance, level, Counter([marks[instance]]))
        elif marks or trouble:
            yield _difference(id, listed, Counter(marks.values()), trouble)


def _compared(
    id: str, source: Orthanc, dest: Orthanc, level: Level, size_only: bool
) -> tuple[str, dict[str, Mark], str]:
    """The instances of one object with their marks, and what went wrong."""
    marks: dict[str, Mark] = {}
    try:
        ours, theirs = _sizes(source, level, id), _sizes(dest, level, id)
        for instance in ours.keys() | theirs.keys():
            if instance not in theirs:
                marks[instance] = Mark.ONLY_SRC
            elif instance not in ours:
                marks[instance] = Mark.ONLY_DEST
            else:
                same = ours[instance] == theirs[instance]
                if same and not size_only:
                    same = digest(source, instance) == digest(dest, instance)
                marks[instance] = Mark.SAME if same else Mark.DIFFERENT
    except CopydicomError as error:
        return id, marks, str(error)
    return id, marks, ""


def _sizes(server: Orthanc, level: Level, id: str) -> dict[str, Optional[int]]:
    try:
        return {held.id: held.size for held in server.held_of(level, id)}
    except NotFoundError:
        return {}


def _difference(id: str, level: Level, counts: Counter[Mark], trouble: str = "") -> Difference:
    return Difference(
        id,
        level,
        same=counts[Mark.SAME],
        only_src=counts[Mark.ONLY_SRC],
        only_dest=counts[Mark.ONLY_DEST],
        different=counts[Mark.DIFFERENT],
        failed=1 if trouble else 0,
        message=trouble,
    )
