"""From what a row names to the instances it means: by Orthanc id or DICOM UID, at any level."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Optional

from copydicom_app.errors import NotFoundError, SkippableError
from copydicom_app.models import Level, Reference, is_orthanc_id
from copydicom_app.orthanc import Orthanc

_UID = re.compile(r"[0-9]+(\.[0-9]+)*\Z")
_LONGEST = 64  # characters of a UID, an accession number (16) or a PatientID (DICOM PS3.5, 6.2)


class Item(NamedTuple):
    """One instance to be copied. Empty or None: not known, and nobody asked for it yet."""

    id: str
    series: str = ""
    study: str = ""
    size: Optional[int] = None


@dataclass(frozen=True)
class Resolved:
    """A reference and its instances."""

    ref: Reference
    items: list[Item]


def resolve(ref: Reference, source: Orthanc) -> Resolved:
    """The instances that a reference means at the source.

    Raises NotFoundError when the source has nothing by that name, SkippableError when it is no name. An
    Orthanc id of an instance is taken as it is: whether it is there shows when it is fetched.
    """
    if not is_orthanc_id(ref.id):
        _check_identifier(ref)
        found = [id for level, id in source.lookup(ref.id) if level.lower() == ref.level.value]
        if not found and ref.level is Level.STUDY:
            found = source.studies_with_accession(ref.id)
        if not found:
            raise NotFoundError(f"server {source.server.name!r} does not have it")
        return Resolved(ref, [item for id in found for item in _items(ref, id, source)])
    return Resolved(ref, list(_items(ref, ref.id, source)))


def _items(ref: Reference, id: str, source: Orthanc) -> Iterator[Item]:
    if ref.level is Level.INSTANCE:
        yield Item(id, ref.series, ref.study)
        return
    study = id if ref.level is Level.STUDY else ref.study if ref.level is Level.SERIES else ""
    for held in source.held_of(ref.level, id):
        yield Item(held.id, held.series, study, held.size)


def _check_identifier(ref: Reference) -> None:
    """Raise for what no DICOM identifier can be, so that a wrong field does not cost a question a row."""
    if ref.level in (Level.INSTANCE, Level.SERIES):
        good, what = bool(_UID.match(ref.id)), "a DICOM UID"
    else:
        good = ref.id.isprintable() and not any(wildcard in ref.id for wildcard in "*?\\")
        what = "a DICOM identifier"
    if not good or len(ref.id) > _LONGEST:
        raise SkippableError(f"neither an Orthanc id nor {what}; the field named by id= must hold one")
