"""A small synthetic hospital: the same studies, series and bytes every time.

    with OrthancServer("source") as server:
        load(server)

``hospital()`` yields some 30 studies of five weeks: CT, MR, CR, MG and XA from twelve machines, with what
real archives hold and programs stumble over: names in four character sets, a study without dates, private
tags, a text longer than Orthanc shows, a multi-frame file with large tags, dose reports. ``make_instances()``
yields as many plain CT instances as a benchmark or a scale test wants. No patient in here ever lived.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any, Protocol

from pydicom import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    XRayAngiographicImageStorage,
)

from testbench import phantoms
from testbench.dicom_objects import (
    Exposure,
    Instance,
    derive,
    encode,
    enhanced_mr,
    instance,
    minimal_dose_report,
    pixels,
    plane,
    series,
    stamp,
    uid,
)
from testbench.hospital_plan import (
    DOSE_SERIES,
    EXAMINATIONS,
    FIRST_DAY,
    INSTANCES_BY_MODALITY,
    PATIENTS,
    SCANNERS,
    STUDIES,
    Examination,
    Plan,
    Scanner,
    Study,
)

__all__ = [
    "DOSE_SERIES",
    "INSTANCES_BY_MODALITY",
    "STUDIES",
    "Instance",
    "hospital",
    "load",
    "make_instances",
]

SIZE = 64  # pixels a side


class Server(Protocol):
    """What load() needs: an OrthancServer."""

    def upload(self, data: bytes) -> Any: ...


def load(server: Server, progress: Callable[[int, int], None] | None = None) -> list[Instance]:
    """Upload the hospital; ``progress(done, total)`` is called after each instance. Returns what was sent."""
    instances = list(hospital())
    for done, each in enumerate(instances, start=1):
        status = server.upload(each.data)["Status"]
        if status not in ("Success", "AlreadyStored"):
            raise RuntimeError(f"Orthanc did not take {each.sop_uid} ({each.series_description}): {status}")
        if progress:
            progress(done, len(instances))
    return instances


def hospital() -> Iterator[Instance]:
    """Every instance, study by study in the order of STUDIES."""
    for number, study in enumerate(STUDIES, start=1):
        yield from map(encode, _study(number, study))


# --- from the tables to datasets ---


def _study(number: int, study: Study) -> Iterator[Dataset]:
    examination = EXAMINATIONS[study.examination]
    begin = None
    if study.day is not None:
        begin = datetime.combine(FIRST_DAY + timedelta(days=study.day), time.fromisoformat(study.at))
    header = _header(number, study, examination, begin)
    exposures: list[Exposure] = []
    for index, plan in enumerate(examination.plans, start=1):
        when = begin and begin + timedelta(minutes=2 * index)
        of_series = series(header, index, plan.description, when)
        localizer = "LOCALIZER" in plan.header.get("ImageType", ())
        if examination.dose and when and not localizer:
            # The second kernel of a CT is another reconstruction of the same irradiation.
            if not (exposures and examination.modality == "CT"):
                exposures.append(_exposure(of_series, study, examination, when))
            of_series.IrradiationEventUID = exposures[-1].uid
        for place in range(plan.count):
            at = when and when + timedelta(seconds=1.25 * place)
            ds = _BUILDERS[examination.modality](of_series, plan, place, at)
            if exposures and not localizer:
                _tell_dose(ds, exposures[-1])
            yield derive(ds, **plan.header)
    if study.more:
        assert begin
        yield _ODDITIES[study.more](header, begin + timedelta(minutes=20))
    if exposures:
        record = series(header, 501, DOSE_SERIES, exposures[-1].when, Modality="SR")
        yield minimal_dose_report(record, examination.modality, exposures)


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
        ds.PatientAge = f"{_years(patient.born, begin):03d}Y"
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


def _years(born: str, at: datetime) -> int:
    birthday = datetime.strptime(born, "%Y%m%d")
    return at.year - birthday.year - ((at.month, at.day) < (birthday.month, birthday.day))


def _exposure(of_series: Dataset, study: Study, examination: Examination, when: datetime) -> Exposure:
    """Dose grows with the patient, and varies as technique does; an alarm must have something to find."""
    assert examination.dose
    chance = random.Random(f"exposure {of_series.SeriesInstanceUID}")
    factor = (PATIENTS[study.patient].weight / 75) ** 0.7 * chance.uniform(0.85, 1.2)
    if chance.random() < 0.07:
        factor *= 2.5
    dose, total = examination.dose
    event = uid(of_series.SeriesInstanceUID, "irradiation")
    return Exposure(event, of_series.ProtocolName, when, round(dose * factor, 6), round(total * factor, 6))


def _tell_dose(ds: Dataset, exposure: Exposure) -> None:
    if ds.Modality == "CT":
        ds.CTDIvol = exposure.dose
    elif ds.Modality == "MG":
        ds.OrganDose = f"{exposure.dose / 100:.6g}"  # dGy
        ds.EntranceDoseInmGy = f"{exposure.total:.6g}"
    elif ds.Modality == "XA":
        ds.ImageAndFluoroscopyAreaDoseProduct = f"{exposure.total * 1e5:.6g}"  # dGy.cm2


def _ct(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    level = place / max(1, plan.count - 1)
    looks = {
        "topogram": lambda: phantoms.upright(soft=900, air=400, bone=1300),
        "head": lambda: phantoms.head(level, scalp=1080, bone=2100, brain=1060, fluid=1030),
        "trunk": lambda: phantoms.trunk(level),
    }
    thickness = plan.header.get("SliceThickness", 0.6)
    ds = instance(
        of_series, place + 1, CTImageStorage, when, **plane([-200, -200, -place * thickness], 6.25, thickness)
    )
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime, ds.Exposure = 120, 180 + 5 * place, 500, 90 + 2 * place
    ds.SliceLocation, ds.GantryDetectorTilt = str(-place * thickness), "0"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.WindowCenter, ds.WindowWidth = ("-550", "1600") if "Lung" in plan.description else ("40", "400")
    return pixels(ds, phantoms.draw(looks[plan.look](), SIZE), SIZE)


def _mr(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    level = place / max(1, plan.count - 1)
    looks = {
        "brain-t1": lambda: phantoms.head(level, scalp=900, bone=60, brain=520, fluid=120),
        "brain-t2": lambda: phantoms.head(level, scalp=500, bone=40, brain=330, fluid=950),
        "joint": lambda: phantoms.joint(level, bone=620, soft=280, fluid=900),
    }
    way = "sagittal" if "sag" in plan.description else "coronal" if "cor" in plan.description else "axial"
    ds = instance(
        of_series, place + 1, MRImageStorage, when, **plane([-110, -110, 4.4 * place], 3.4375, 4.0, way)
    )
    ds.ImageType, ds.ScanningSequence, ds.SequenceVariant = ["ORIGINAL", "PRIMARY", "M"], "SE", "SK"
    ds.ScanOptions, ds.MRAcquisitionType, ds.EchoTrainLength = "", "2D", 8
    ds.WindowCenter, ds.WindowWidth = "450", "900"
    return pixels(ds, phantoms.draw(looks[plan.look](), SIZE), SIZE)


def _cr(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    ds = instance(of_series, place + 1, ComputedRadiographyImageStorage, when)
    ds.ImageType, ds.PixelSpacing = ["ORIGINAL", "PRIMARY"], [5.6, 5.6]
    ds.Exposure, ds.TargetExposureIndex, ds.DeviationIndex = 3, 450, "-0.4"
    ds.WindowCenter, ds.WindowWidth = "1500", "2600"
    return pixels(ds, phantoms.draw(phantoms.upright(soft=1900, air=700, bone=2500), SIZE), SIZE)


def _mg(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    _, side, view = plan.look.split("-")
    ds = instance(of_series, place + 1, DigitalMammographyXRayImageStorageForPresentation, when)
    ds.ImageType, ds.PresentationIntentType = ["DERIVED", "PRIMARY"], "FOR PRESENTATION"
    ds.KVP, ds.Exposure, ds.AnodeTargetMaterial, ds.FilterMaterial = 29, 82, "TUNGSTEN", "RHODIUM"
    ds.BodyPartThickness, ds.CompressionForce = "54", "102"
    ds.WindowCenter, ds.WindowWidth = "1900", "3400"
    return pixels(ds, phantoms.draw(phantoms.breast(side, view), SIZE), SIZE)


def _xa(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    """A run: eight frames in which the contrast agent fills the vessel."""
    frames = [phantoms.draw(phantoms.vessel(n / 7), SIZE, background=30, grain=6, bits=8) for n in range(8)]
    ds = instance(of_series, place + 1, XRayAngiographicImageStorage, when)
    ds.ImageType, ds.PixelIntensityRelationship = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"], "LOG"
    ds.FrameIncrementPointer, ds.FrameTime, ds.RadiationSetting = 0x00181063, "66.7", "GR"
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime = 78, 640, 533
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "1100", "760"
    return pixels(ds, b"".join(frames), SIZE, bits=8, frames=len(frames))


_BUILDERS = {"CT": _ct, "MR": _mr, "CR": _cr, "MG": _mg, "XA": _xa}


def _multiframe(header: Dataset, when: datetime) -> Dataset:
    size, count = 32, 72
    levels = (n % 20 / 19 for n in range(count))
    frames = [phantoms.draw(phantoms.head(x, scalp=90, bone=20, brain=410, fluid=700), size) for x in levels]
    return enhanced_mr(series(header, 90, "DWI multiframe tra", when), frames, size, when)


def _screenshot(header: Dataset, when: datetime) -> Dataset:
    """A secondary capture whose comment is longer than the 256 characters that Orthanc shows."""
    of_series = series(header, 99, "Screenshot", when, Modality="OT")
    ds = instance(of_series, 1, SecondaryCaptureImageStorage, when, ConversionType="WSD")
    ds.ImageComments = " ".join(
        f"Line {n}: compared with the previous study, no change." for n in range(1, 13)
    )
    return pixels(ds, phantoms.draw(phantoms.upright(soft=120, air=40, bone=200), SIZE, bits=8), SIZE, bits=8)


def _private(header: Dataset, when: datetime) -> Dataset:
    """A CT image with a manufacturer's private elements: text, numbers, bytes and a sequence."""
    plan = Plan("Private MPR 2.0", 1, "trunk", {"SliceThickness": 2.0})
    ds = _ct(series(header, 80, plan.description, when), plan, 0, when)
    block = ds.private_block(0x0029, "COPYDICOM BENCH 1.0", create=True)
    block.add_new(0x01, "LO", "reconstruction job 4711")
    block.add_new(0x02, "FD", [0.25, -1.5])
    block.add_new(0x03, "OB", bytes(range(256)))
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = "X1", "private step"
    block.add_new(0x04, "SQ", [inner])
    return ds


_ODDITIES = {"multiframe": _multiframe, "screenshot": _screenshot, "private": _private}


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
    ds = _ct(header, Plan("Bulk 1.0", 1, "head"), 0, when)
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
