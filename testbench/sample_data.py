"""A small synthetic hospital: the same studies, series and bytes every time.

    with OrthancServer("source") as server:
        load(server)

``hospital()`` gives some 40 studies of five weeks: CT, MR, CR, DX, MG and XA from thirteen machines, with
what real archives hold and programs stumble over: names in four character sets, a study without dates,
private tags, a text longer than Orthanc shows, a multi-frame file with large tags, dose reports of five
vendors. ``make_instances()`` yields as many plain CT instances as a benchmark or a scale test wants. No
patient in here ever lived.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any, Protocol

from pydicom import Dataset

from testbench import phantoms
from testbench.dicom_objects import Instance, derive, encode, pixels, series, stamp, uid
from testbench.dose_reports import Report
from testbench.hospital_dose import Irradiation, irradiations, plans_of, series_time, years
from testbench.hospital_images import BUILDERS, ct_image, tell_dose
from testbench.hospital_kept import kept
from testbench.hospital_oddities import ODDITIES
from testbench.hospital_plan import (
    DOSE_SERIES,
    FIRST_DAY,
    INSTANCES_BY_MODALITY,
    PATIENTS,
    SCANNERS,
    STUDIES,
    Scanner,
    Study,
)
from testbench.hospital_protocols import EXAMINATIONS, Examination, Plan
from testbench.hospital_reports import dose_records

__all__ = [
    "DOSE_SERIES",
    "INSTANCES_BY_MODALITY",
    "STUDIES",
    "Instance",
    "dose_told_by_images",
    "dose_told_by_reports",
    "hospital",
    "load",
    "make_hospital",
    "make_instances",
]


class Server(Protocol):
    """What load() needs: an OrthancServer."""

    def upload(self, data: bytes) -> Any: ...


def load(server: Server, progress: Callable[[int, int], None] | None = None) -> list[Instance]:
    """Upload the hospital; ``progress(done, total)`` is called after each instance. Returns what was sent."""
    instances = hospital()
    for done, each in enumerate(instances, start=1):
        status = server.upload(each.data)["Status"]
        if status not in ("Success", "AlreadyStored"):
            raise RuntimeError(f"Orthanc did not take {each.sop_uid} ({each.series_description}): {status}")
        if progress:
            progress(done, len(instances))
    return instances


@functools.cache
def hospital() -> list[Instance]:
    """Every instance, study by study in the order of STUDIES."""
    return kept(make_hospital)


def make_hospital() -> Iterator[Instance]:
    """What `hospital` gives, made from the tables each time."""
    for number, study in enumerate(STUDIES, start=1):
        yield from _encoded(number, study)


@functools.cache
def _encoded(number: int, study: Study) -> tuple[Instance, ...]:
    """Encoded once a process: to do it takes seconds, to keep it five megabytes for all."""
    return tuple(map(encode, _study(number, study)))


def dose_told_by_reports() -> dict[str, Report]:
    """Each dose report's SOP instance UID, and what a reader must find in it."""
    return {
        str(ds.SOPInstanceUID): report
        for number, study in enumerate(STUDIES, start=1)
        for ds, report in dose_records(*subject(number, study))
    }


def dose_told_by_images() -> dict[str, Irradiation]:
    """The series that show an irradiation, by their UIDs, and what their headers must say of it."""
    return {
        str(uid(header.StudyInstanceUID, number)): each
        for header, _, irradiated in (subject(number, study) for number, study in enumerate(STUDIES, 1))
        for each in irradiated
        for number in each.series
    }


# --- from the tables to datasets ---


def _begin(study: Study) -> datetime | None:
    if study.day is None:
        return None
    return datetime.combine(FIRST_DAY + timedelta(days=study.day), time.fromisoformat(study.at))


def subject(number: int, study: Study) -> tuple[Dataset, Study, list[Irradiation]]:
    """The header that all files of a study share, the study, and its irradiations."""
    begin = _begin(study)
    header = _header(number, study, EXAMINATIONS[study.examination], begin)
    return header, study, irradiations(study, header.StudyInstanceUID, begin)


def _study(number: int, study: Study) -> Iterator[Dataset]:
    begin = _begin(study)
    header, _, irradiated = subject(number, study)
    shown = {index: each.fields for each in irradiated for index in each.series}
    for index, plan in enumerate(plans_of(study), start=1):
        when = series_time(begin, index, plan)
        of_series = series(header, index, plan.description, when)
        for place in range(plan.count):
            at = when and when + timedelta(seconds=1.25 * place)
            ds = derive(BUILDERS[header.Modality](of_series, plan, place, at), **plan.header)
            if index in shown:
                tell_dose(ds, shown[index])
            yield ds
    if study.more:
        assert begin
        yield ODDITIES[study.more](header, begin + timedelta(minutes=20))
    for ds, _ in dose_records(header, study, irradiated):
        yield ds


def _header(number: int, study: Study, examination: Examination, begin: datetime | None) -> Dataset:
    """What all files of a study share: patient, study and equipment."""
    patient, scanner = PATIENTS[study.patient], SCANNERS[study.scanner]
    ds = Dataset()
    if patient.charset:
        ds.SpecificCharacterSet = patient.charset
    ds.PatientName, ds.PatientID = patient.name, f"P{1000 + 37 * study.patient}"
    ds.PatientSex, ds.PatientBirthDate = patient.sex, patient.born
    ds.PatientWeight, ds.PatientSize = str(patient.weight), str(patient.size)
    if begin and patient.born:
        ds.PatientAge = f"{years(patient, begin):03d}Y"
    ds.StudyInstanceUID = uid("copydicom_app", "hospital", number)
    ds.StudyID, ds.AccessionNumber = str(number), f"A26{9000 + number}"
    ds.StudyDate = ds.StudyTime = ""
    stamp(ds, begin, "Study")
    ds.StudyDescription = ds.RequestedProcedureDescription = examination.description
    ds.ReferringPhysicianName = ("Grant^Helen", "Weber^Paul", "Costa^Ines")[number % 3]
    ds.PerformingPhysicianName = ("Novak^Eva", "Lindqvist^Per")[number % 2]
    ds.InstitutionName = "Bench General Hospital"
    ds.Modality, ds.BodyPartExamined = examination.modality, examination.body_part
    ds.ProtocolName, ds.PatientPosition = examination.protocol, "HFS"
    ds.FrameOfReferenceUID = uid(ds.StudyInstanceUID, "frame of reference")
    return _equipment(ds, scanner)


def _equipment(ds: Dataset, scanner: Scanner) -> Dataset:
    ds.Manufacturer, ds.ManufacturerModelName = scanner.manufacturer, scanner.model
    ds.StationName, ds.DeviceSerialNumber = scanner.station, scanner.serial
    ds.SoftwareVersions = scanner.software
    if scanner.offset:
        ds.TimezoneOffsetFromUTC = scanner.offset
    if scanner.modality == "MR":
        ds.MagneticFieldStrength = "3"
    return ds


# --- many instances ---

_FIELDS = {  # values of fixed length that are found once and then replaced
    "patient": "BULK-000000000000",
    "study": "2.25." + "1" * 38,
    "series": "2.25." + "2" * 38,
    "sop": "2.25." + "3" * 38,
    "number": "987654",
}


def make_instances(n: int, size: int = 10_000, series_of: int = 50, name: str = "bulk") -> Iterator[Instance]:
    """``n`` CT instances of about ``size`` bytes in series of ``series_of``, four series a study and patient.

    One file is encoded and its ids are replaced in place, so many thousands come a second. Another ``name``
    gives other instances.
    """
    pieces = _cut(_bulk_template(size))
    for index in range(n):
        in_series = index // series_of
        values = {
            "patient": _number_of(name, "patient", in_series // 4, form="BULK-{:012d}", digits=12),
            "study": _number_of(name, "study", in_series // 4),
            "series": _number_of(name, "series", in_series),
            "sop": _number_of(name, "instance", index),
            "number": f"{index % series_of + 1:<6d}",
        }
        data = b"".join(values[piece].encode() if isinstance(piece, str) else piece for piece in pieces)
        yield Instance(
            data, "CT", values["patient"], values["study"], values["series"], values["sop"], "Bulk 1.0"
        )


def _bulk_template(size: int) -> bytes:
    when = datetime(2026, 9, 1, 8)
    header = series(_header(0, STUDIES[0], EXAMINATIONS["head"], when), 1, "Bulk 1.0", when)
    ds = ct_image(header, Plan("Bulk 1.0", 1, "head"), 0, when)
    ds.PatientID, ds.InstanceNumber = _FIELDS["patient"], _FIELDS["number"]
    ds.StudyInstanceUID, ds.SeriesInstanceUID = _FIELDS["study"], _FIELDS["series"]
    ds.SOPInstanceUID = _FIELDS["sop"]
    side = max(8, 2 * round((max(0, size - 2_000) / 2) ** 0.5 / 2))
    look = phantoms.head(0.3, scalp=1080, bone=2100, brain=1060, fluid=1030)
    return encode(pixels(ds, phantoms.draw(look, side), side)).data


def _cut(template: bytes) -> list[bytes | str]:
    """The file as constant bytes and, between them, the names of the fields that stand there."""
    pieces: list[bytes | str] = [template]
    for name, value in _FIELDS.items():
        cut: list[bytes | str] = []
        for piece in pieces:
            parts = piece.split(value.encode()) if isinstance(piece, bytes) else [piece]
            cut += [item for part in parts for item in (part, name)][:-1]
        pieces = cut
    return pieces


def _number_of(*names: object, form: str = "2.25.{:038d}", digits: int = 38) -> str:
    """A hash of the names as a decimal of fixed length, not beginning with 0: no part of a UID may."""
    number = int.from_bytes(hashlib.sha256("/".join(map(str, names)).encode()).digest())
    lowest = 10 ** (digits - 1)
    return form.format(lowest + number % (9 * lowest))
