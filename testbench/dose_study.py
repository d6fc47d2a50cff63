"""Who a synthetic dose report is about: the patient, the examination and the machine, as its header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbench.sr_items import uid


@dataclass(frozen=True)
class Study:
    """Who and where: the header of the report. Dates and times are ISO 8601; UIDs come from `name`."""

    name: str
    patient_id: str = "DEMO0001"
    patient_name: str = "DEMO^PATIENT"
    birth_date: str = "1960-05-17"
    sex: str = "F"
    weight_kg: float = 0.0
    size_m: float = 0.0
    accession_number: str = "A0001"
    description: str = "Synthetic study"
    requested_procedure: str = ""
    start: str = "2024-03-01T10:00:00"
    manufacturer: str = "Synthetic Medical"
    model: str = "Model S"
    station: str = "SYN01"
    serial: str = "S-0001"
    institution: str = "Example Hospital"
    study_uid: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        return self.study_uid or uid(self.name, "study")


def header(study: Study) -> dict[str, Any]:
    """The tags in front of the content; `study.extra` adds to them and changes them."""
    day, clock = study.start.replace("-", "").replace(":", "").split("T")
    tags = {
        "SOPInstanceUID": uid(study.name, "report"),
        "StudyInstanceUID": study.uid,
        "SeriesInstanceUID": uid(study.name, "report series"),
        "Modality": "SR",
        "SpecificCharacterSet": "ISO_IR 192",
        "StudyDate": day,
        "StudyTime": clock,
        "SeriesDate": day,
        "SeriesTime": clock,
        "ContentDate": day,
        "ContentTime": clock,
        "AccessionNumber": study.accession_number,
        "StudyDescription": study.description,
        "SeriesDescription": "Dose Report",
        "PatientID": study.patient_id,
        "PatientName": study.patient_name,
        "PatientBirthDate": study.birth_date.replace("-", ""),
        "PatientSex": study.sex,
        "PatientWeight": f"{study.weight_kg:g}",
        "PatientSize": f"{study.size_m:g}",
        "Manufacturer": study.manufacturer,
        "ManufacturerModelName": study.model,
        "StationName": study.station,
        "DeviceSerialNumber": study.serial,
        "InstitutionName": study.institution,
        "SeriesNumber": "997",
        "InstanceNumber": "1",
        "StudyID": "1",
        "ValueType": "CONTAINER",
        "ContinuityOfContent": "SEPARATE",
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
    }
    if study.requested_procedure:
        tags["RequestedProcedureDescription"] = study.requested_procedure
    return {**tags, **study.extra}
