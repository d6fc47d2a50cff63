"""Rows of the change log that an input remembers, to recognise what happened to the log in between.

The numbers of the log alone do not tell a replaced database from the old one: the new log starts at 1
with the same server identifier and may have grown beyond the number that we have reached. A remembered
row does: there under its number stands the same row (the log is ours), another one (another database),
or none (its resource was deleted, or somebody emptied the log with ``DELETE /changes``).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from copydicom_app.models import Change
from copydicom_app.orthanc import Orthanc

_MOST = 8


class Testimony(Enum):
    """What the remembered rows say of the log."""

    SAME = "it is the log that we know"
    OTHER = "it is the log of another database"
    SILENT = "none of the rows is there any more"


def remembered(known: Iterable[Change], new: Iterable[Change]) -> tuple[Change, ...]:
    """Which rows to remember: the newest, and older ones at distances that double, oldest first.

    So a deletion of the latest study, or of the latest thousand, still leaves witnesses.
    """
    rows = sorted({row.seq: row for row in (*known, *new)}.values(), key=lambda row: -row.seq)
    kept: list[Change] = []
    distance = 0
    for row in rows:
        if not kept or rows[0].seq - row.seq >= distance:
            kept.append(row)
            distance = max(1, 2 * (rows[0].seq - row.seq))
    return tuple(reversed(kept[:_MOST]))


def ask(orthanc: Orthanc, known: Iterable[Change]) -> Testimony:
    """Compare the remembered rows with the log, the newest first, until one of them answers."""
    for row in reversed(tuple(known)):
        found, _ = orthanc.changes(row.seq - 1, 1)
        if found and found[0].seq == row.seq:
            return Testimony.SAME if found[0] == row else Testimony.OTHER
    return Testimony.SILENT
