"""Send anonymized copies: Orthanc takes out what a profile names, then the identifiers are keyed (`rekey`).

Orthanc alone invents new UIDs at each call, so two runs would make two patients of one, and a reference from
one instance to another would lead nowhere.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from copydicom_app.errors import CopydicomError, NotFoundError, SkippableError
from copydicom_app.health import Guard
from copydicom_app.models import Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.rekey import EXPLICIT, Keys, Rekeyed, readable, rekeyed
from copydicom_app.replication.resolve import Item
from copydicom_app.replication.transfer import CANCELLED, Result, judged

# Orthanc leaves these as they are; `rekey` then replaces them, at any depth.
_KEYED = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "InstanceCreatorUID",
    "IrradiationEventUID",
    "ReferencedSOPInstanceUID",
    "ReferencedFrameOfReferenceUID",
    "SynchronizationFrameOfReferenceUID",
    "ConcatenationUID",
    "DimensionOrganizationUID",
    "AccessionNumber",
)

_TEXT_IN_THE_IMAGE = frozenset(("US", "SC", "OT", "XC"))
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_DOCUMENTS = "1.2.840.10008.5.1.4.1.1.104."
ALLOWANCES = ("burned_in", "reports", "documents")


@dataclass(frozen=True)
class Profile:
    """A stanza of ``copydicom_profiles.conf``; tags by keyword. `allow` names what is else refused."""

    name: str
    keep: tuple[str, ...] = ()
    replace: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()

    def query(self, patient_id: str, transcode: bool) -> dict[str, Any]:
        """The body of ``POST /instances/{id}/anonymize``."""
        removed = set(self.remove)
        names = {"PatientID": patient_id, "PatientName": patient_id}
        replace = {tag: value for tag, value in names.items() if tag not in {*removed, *self.keep}}
        query: dict[str, Any] = {
            "Keep": [tag for tag in (*_KEYED, *self.keep) if tag not in removed and tag not in self.replace],
            "Remove": [tag for tag in self.remove if tag not in _KEYED[:3]],
            "Replace": {**replace, **self.replace, "PatientID": patient_id},
            "Force": True,
        }
        return {**query, "Transcode": EXPLICIT} if transcode else query

    def refusal(self, file: Rekeyed) -> str:
        """Why a file may not be sent under this profile; empty when it may.

        Text within pixels, and what people wrote into reports and documents, no tag shows.
        """
        if file.sop_class.startswith(_REPORTS) and "reports" not in self.allow:
            return (
                f"profile {self.name!r} does not allow structured reports: they hold text (allow = reports)"
            )
        if file.sop_class.startswith(_DOCUMENTS) and "documents" not in self.allow:
            return f"profile {self.name!r} does not allow encapsulated documents (allow = documents)"
        risky = file.modality in _TEXT_IN_THE_IMAGE or not file.modality
        risky = risky or file.sop_class.startswith(_SECONDARY_CAPTURE) or file.burned_in == "YES"
        if risky and file.burned_in != "NO" and "burned_in" not in self.allow:
            modality = file.modality or "unknown"
            return (
                f"its image may hold text (modality {modality}, BurnedInAnnotation is not NO); "
                f"profile {self.name!r} does not allow that (allow = burned_in)"
            )
        return ""


class AnonymizingSender:
    """A Sender of anonymized copies; each result tells the id that the copy was `given`."""

    together = 10
    aim = 2_000_000
    must_ask_again = False
    if_absent = ""

    def __init__(
        self, source: Guard, dest: Guard, stop: threading.Event, profile: Profile, keys: Keys
    ) -> None:
        self._source = source
        self._dest = dest
        self._stop = stop
        self._profile = profile
        self._keys = keys
        self._patients: dict[str, str] = {}  # series -> keyed PatientID, so that it is asked once a series

    def check(self) -> None:
        """Nothing can be missing."""

    def send(self, items: Sequence[Item]) -> list[Result]:
        """See Sender."""
        return [self._sent(item) for item in items]

    def _sent(self, item: Item) -> Result:
        if self._stop.is_set():
            return Result(Status.FAILED, message=CANCELLED, study=item.study)
        try:
            self._dest.check()
            file = self._source(lambda source: self._anonymized(source, item))
        except NotFoundError:
            message = f"server {self._source.name!r} does not have it"
            return Result(Status.MISSING, message=message, study=item.study)
        except CopydicomError as error:
            return Result(Status.FAILED, message=str(error), study=item.study)
        refusal = self._profile.refusal(file)
        if refusal:
            return Result(Status.FAILED, message=refusal, study=item.study)
        try:
            stored = self._dest(lambda dest: dest.store(file.dicom))
        except CopydicomError as error:
            return Result(Status.FAILED, message=str(error), study=item.study)
        # the study that the audit names is the one at the source, never the copy's
        result = judged(item, len(file.dicom), stored, self._dest.name, file.orthanc_id)
        return result._replace(study=item.study)

    def _anonymized(self, source: Orthanc, item: Item) -> Rekeyed:
        patient = self._patients.get(item.series) or self._keys.patient_id(source.patient_id(item.id))
        if item.series:
            self._patients[item.series] = patient
        dicom = source.anonymized(item.id, self._profile.query(patient, transcode=False))
        if not readable(dicom):
            dicom = source.anonymized(item.id, self._profile.query(patient, transcode=True))
        if not readable(dicom):
            raise SkippableError(
                f"it is deflated or in big endian and server {self._source.name!r} does not transcode it "
                "(Orthanc 1.12 does), so it cannot be anonymized"
            )
        return rekeyed(dicom, self._keys)
