"""Who is examined, on what, how and when: the tables from which sample_data makes its files.

The names are what a dashboard groups by, so the same examination has the same names each time. The patients
have names in four scripts and four character sets; none of them ever lived.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

_LATIN_1, _UTF_8, _JAPANESE = "ISO_IR 100", "ISO_IR 192", ["", "ISO 2022 IR 87"]
FIRST_DAY = date(2026, 9, 7)
DOSE_SERIES = "Dose Record"
# What the hospital holds: for a demo's report and a test's comparison. OT is a screenshot, SR a dose report.
INSTANCES_BY_MODALITY = {"CT": 152, "MR": 138, "CR": 10, "MG": 20, "XA": 12, "OT": 1, "SR": 18}


@dataclass(frozen=True)
class Scanner:
    modality: str
    station: str
    manufacturer: str
    model: str
    serial: str
    software: str
    offset: str = ""  # TimezoneOffsetFromUTC, where the machine writes it


@dataclass(frozen=True)
class Patient:
    name: str
    sex: str
    born: str
    weight: float  # kg
    size: float  # m
    charset: str | list[str] | None = None


@dataclass(frozen=True)
class Plan:
    """One series of a protocol: how many instances, and what is special about its headers and pixels."""

    description: str
    count: int
    look: str
    header: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Examination:
    """What is done, under the same names each time it is done."""

    modality: str
    description: str
    body_part: str
    protocol: str
    plans: tuple[Plan, ...]
    dose: tuple[float, float] | None = None  # of an irradiation at 75 kg; see Exposure for the units


@dataclass(frozen=True)
class Study:
    """One visit: ``day`` counts from the first; None where the files tell no date at all."""

    day: int | None
    at: str
    patient: int
    scanner: str
    examination: str
    more: str = ""  # an oddity added to it, by its name in sample_data


SCANNERS = {
    scanner.station: scanner
    for scanner in (
        Scanner("CT", "CTER", "SIEMENS", "SOMATOM Force", "75801", "syngo CT VB20A", "+0200"),
        Scanner("CT", "CT02", "GE MEDICAL SYSTEMS", "Revolution CT", "413002", "revo_ct_21b.31"),
        Scanner("CT", "CT03", "CANON MEDICAL SYSTEMS", "Aquilion ONE", "2CA1862", "V10.9"),
        Scanner("MR", "MR01", "SIEMENS", "MAGNETOM Skyra", "145121", "syngo MR XA30", "+0200"),
        Scanner("MR", "MR02", "Philips Medical Systems", "Ingenia", "42113", "5.7.1"),
        Scanner("MR", "MR03", "GE MEDICAL SYSTEMS", "SIGNA Premier", "MR88123", "30.0_R01"),
        Scanner("CR", "CR01", "FUJIFILM Corporation", "FCR Profect", "56880411", "A12-08"),
        Scanner("CR", "CRMOB", "Carestream Health", "DRX-Revolution", "K60013", "5.7.417.1"),
        Scanner("MG", "MG01", "HOLOGIC, Inc.", "Selenia Dimensions", "81007180", "1.10.0.168"),
        Scanner("MG", "MG02", "GE MEDICAL SYSTEMS", "Senographe Pristina", "BUC0147", "ADS 59.2"),
        Scanner("XA", "XA01", "Philips Medical Systems", "Azurion 7 M20", "722079", "2.2.3"),
        Scanner("XA", "XA02", "SIEMENS", "ARTIS pheno", "164042", "VE10B", "+0200"),
    )
}

PATIENTS = (
    Patient("Miller^Ruth", "F", "19520314", 68, 1.64),
    Patient("Müller^Jürgen", "M", "19480722", 91, 1.78, _LATIN_1),
    Patient("Ångström^Åsa", "F", "19810509", 61, 1.71, _LATIN_1),
    Patient("Łukasiewicz^Żaneta", "F", "19740130", 72, 1.66, _UTF_8),
    Patient("Παπαδόπουλος^Γιώργος", "M", "19591111", 84, 1.74, _UTF_8),
    Patient("Yamada^Tarou=山田^太郎=やまだ^たろう", "M", "19660417", 64, 1.68, _JAPANESE),
    Patient("Suzuki^Hanako=鈴木^花子=すずき^はなこ", "F", "19770803", 52, 1.57, _JAPANESE),
    Patient("O'Neil^Patrick^James", "M", "19390226", 77, 1.72),
    Patient("Okafor^Adaeze", "F", "19900612", 58, 1.65),
    Patient("Peñalosa^José María", "M", "19831005", 102, 1.83, _LATIN_1),
    Patient("Smith^John", "M", "19551219", 80, 1.76),
    Patient("Smith^John", "M", "20170401", 27, 1.28),  # a namesake, and a child
    Patient("Иванова^Ольга", "F", "19690915", 70, 1.62, _UTF_8),
    Patient("van der Berg^Els", "F", "19450808", 59, 1.60),
    Patient("Haddad^Samir", "M", "19720227", 88, 1.80),
    Patient("Fernández^Lucía", "F", "19980318", 55, 1.63, _LATIN_1),
    Patient("Brown^Mary^^Dr.", "F", "19600702", 74, 1.67),
    Patient("Unknown^Trauma 17", "O", "", 75, 1.75),
)

_TOPOGRAM = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "KVP": 100}
EXAMINATIONS = {
    "head": Examination(
        "CT",
        "CT Head without contrast",
        "HEAD",
        "01_HeadRoutine",
        (
            Plan("Topogram 0.6 T20f", 1, "topogram", _TOPOGRAM),
            Plan("Head 4.0 Hr40", 8, "head", {"ConvolutionKernel": "Hr40f", "SliceThickness": 4.0}),
            Plan("Bone 1.5 Hr59", 6, "head", {"ConvolutionKernel": "Hr59f", "SliceThickness": 1.5}),
        ),
        (46.0, 780.0),
    ),
    "trunk": Examination(
        "CT",
        "CT Chest Abdomen Pelvis with contrast",
        "CHESTABDPELVIS",
        "05_ChestAbdPelvis",
        (
            Plan("Topogram 0.6 T20f", 2, "topogram", _TOPOGRAM),
            Plan(
                "ChestAbdPelvis 3.0 Br40", 14, "trunk", {"ConvolutionKernel": "Br40d", "SliceThickness": 3.0}
            ),
            Plan("Lung 1.0 Bl57", 8, "trunk", {"ConvolutionKernel": "Bl57d", "SliceThickness": 1.0}),
        ),
        (9.5, 640.0),
    ),
    "screening": Examination(
        "CT",
        "CT Lung Cancer Screening",
        "CHEST",
        "6.1 Low Dose Lung",
        (
            Plan("Scout", 2, "topogram", _TOPOGRAM),
            Plan("Low Dose Lung 1.25", 12, "trunk", {"ConvolutionKernel": "LUNG", "SliceThickness": 1.25}),
        ),
        (1.6, 58.0),
    ),
    "embolism": Examination(
        "CT",
        "CT Pulmonary Angiogram",
        "CHEST",
        "PE Chest CTA",
        (
            Plan("Scout", 1, "topogram", _TOPOGRAM),
            Plan("CTPA 1.0 FC08", 14, "trunk", {"ConvolutionKernel": "FC08", "SliceThickness": 1.0}),
        ),
        (7.2, 265.0),
    ),
    "brain": Examination(
        "MR",
        "MR Brain",
        "BRAIN",
        "Brain routine",
        (
            Plan("Localizer", 3, "brain-t1", {"RepetitionTime": 8.6, "EchoTime": 4.0, "FlipAngle": 20}),
            Plan("T1 SE sag", 6, "brain-t1", {"RepetitionTime": 550.0, "EchoTime": 9.1, "FlipAngle": 70}),
            Plan("T2 TSE tra", 8, "brain-t2", {"RepetitionTime": 5400.0, "EchoTime": 96.0, "FlipAngle": 150}),
            Plan("FLAIR tra", 6, "brain-t1", {"RepetitionTime": 9000.0, "EchoTime": 92.0, "FlipAngle": 150}),
        ),
    ),
    "knee": Examination(
        "MR",
        "MR Knee",
        "KNEE",
        "Knee sport",
        (
            Plan("Localizer", 3, "joint", {"RepetitionTime": 8.6, "EchoTime": 4.0, "FlipAngle": 20}),
            Plan("PD TSE FS cor", 8, "joint", {"RepetitionTime": 3200.0, "EchoTime": 33.0, "FlipAngle": 150}),
            Plan("T1 TSE sag", 6, "joint", {"RepetitionTime": 620.0, "EchoTime": 11.0, "FlipAngle": 150}),
        ),
    ),
    "spine": Examination(
        "MR",
        "MR Lumbar Spine",
        "LSPINE",
        "L-Spine routine",
        (
            Plan("Localizer", 3, "joint", {"RepetitionTime": 8.6, "EchoTime": 4.0, "FlipAngle": 20}),
            Plan("T2 TSE sag", 7, "joint", {"RepetitionTime": 3500.0, "EchoTime": 102.0, "FlipAngle": 150}),
            Plan("T1 TSE sag", 7, "joint", {"RepetitionTime": 580.0, "EchoTime": 10.0, "FlipAngle": 150}),
        ),
    ),
    "chest": Examination(
        "CR",
        "XR Chest 2 views",
        "CHEST",
        "Chest PA LAT",
        (
            Plan("Chest PA", 1, "radiograph", {"ViewPosition": "PA", "KVP": 125, "ExposureIndex": 412}),
            Plan("Chest LAT", 1, "radiograph", {"ViewPosition": "LL", "KVP": 125, "ExposureIndex": 455}),
        ),
    ),
    "bedside": Examination(
        "CR",
        "XR Chest portable",
        "CHEST",
        "Chest AP portable",
        (Plan("Chest AP", 1, "radiograph", {"ViewPosition": "AP", "KVP": 90, "ExposureIndex": 530}),),
    ),
    "mammogram": Examination(
        "MG",
        "MG Screening bilateral",
        "BREAST",
        "Screening 4 views",
        tuple(
            Plan(
                f"{side} {view}", 1, f"breast-{side}-{view}", {"ImageLaterality": side, "ViewPosition": view}
            )
            for side in "RL"
            for view in ("CC", "MLO")
        ),
        (1.35, 5.2),
    ),
    "coronary": Examination(
        "XA",
        "Coronary angiography",
        "HEART",
        "Coronary 15 fps",
        tuple(
            Plan(
                f"Run {run}", 1, "vessel", {"PositionerPrimaryAngle": angle, "PositionerSecondaryAngle": tilt}
            )
            for run, (angle, tilt) in enumerate(((-30, 0), (30, 25), (-5, -35)), start=1)
        ),
        (0.082, 0.00061),
    ),
}

STUDIES = (
    Study(0, "08:12:05", 0, "CTER", "head"),
    Study(0, "09:40:31", 1, "CT02", "trunk"),
    Study(1, "07:55:10", 5, "MR01", "brain", "multiframe"),
    Study(1, "10:02:44", 2, "MG01", "mammogram"),
    Study(2, "11:20:00", 7, "CRMOB", "bedside"),
    Study(3, "13:05:27", 10, "XA01", "coronary"),
    Study(4, "08:30:19", 4, "CT02", "screening"),
    Study(4, "15:47:52", 8, "MR02", "knee"),
    Study(7, "09:15:33", 6, "CR01", "chest"),
    Study(8, "10:10:10", 3, "MG02", "mammogram"),
    Study(9, "16:20:48", 9, "CTER", "trunk", "private"),
    Study(10, "08:05:56", 12, "MR03", "brain"),
    Study(11, "23:58:41", 11, "CTER", "head"),  # runs over midnight
    Study(14, "12:34:56", 14, "XA02", "coronary"),
    Study(15, "09:00:00", 13, "CT03", "embolism"),
    Study(16, "10:45:12", 15, "MR01", "knee"),
    Study(17, "08:20:37", 16, "MG01", "mammogram"),
    Study(18, "14:14:14", 1, "CR01", "chest", "screenshot"),
    Study(21, "07:50:25", 10, "CT02", "screening"),
    Study(22, "11:31:08", 0, "MR02", "spine"),
    Study(23, "13:13:59", 5, "XA01", "coronary"),
    Study(24, "09:26:40", 6, "MG02", "mammogram"),
    Study(25, "03:02:15", 7, "CRMOB", "bedside"),
    Study(28, "10:55:23", 9, "MR03", "spine"),
    Study(29, "08:44:02", 12, "CT03", "embolism"),
    Study(30, "15:30:45", 4, "XA02", "coronary"),
    Study(31, "09:09:09", 14, "CTER", "head"),
    Study(32, "10:00:30", 3, "CR01", "chest"),
    Study(35, "08:18:18", 8, "MG01", "mammogram"),
    Study(36, "11:11:47", 2, "MR01", "brain"),
    Study(None, "", 17, "CRMOB", "chest"),
)
