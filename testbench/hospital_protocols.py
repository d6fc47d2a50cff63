"""What is done to patients: each examination's series, and the technique that decides on its dose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Plan:
    """One series of a protocol: how many instances, and what is special about its headers and pixels."""

    description: str
    count: int
    look: str
    header: dict[str, Any] = field(default_factory=dict)
    again: bool = False  # another reconstruction of the irradiation before

    @property
    def is_localizer(self) -> bool:
        return "LOCALIZER" in self.header.get("ImageType", ())


@dataclass(frozen=True)
class Scan:
    """CT of an adult of 75 kg; the tube current follows the patient in the body, the age in the head."""

    ctdivol_mGy: float
    length_mm: float
    region: str
    phantom: str = "Body"
    kvp_kV: float = 120.0
    pitch: float = 0.9
    rotation_s: float = 0.5
    collimation_mm: float = 38.4
    contrast: bool = True


@dataclass(frozen=True)
class Intervention:
    """Fluoroscopy before each run; air kerma at the reference point, of a patient of 75 kg."""

    region: str
    fluoro_s: float
    fluoro_mGy_per_s: float
    run_mGy: float
    run_s: float
    frames_per_s: float
    field_cm2: float


@dataclass(frozen=True)
class Mammogram:
    """One view of a breast 53 mm thick."""

    agd_mGy: float = 1.3


@dataclass(frozen=True)
class Radiograph:
    """One exposure at 75 kg; a detector without a dose meter (CR) tells the mAs alone."""

    exposure_mAs: float
    dap_Gycm2: float = 0.0
    entrance_mGy: float = 0.0


Technique = Scan | Intervention | Mammogram | Radiograph


@dataclass(frozen=True)
class Examination:
    """What is done, under the same names each time it is done."""

    modality: str
    description: str
    body_part: str
    protocol: str
    plans: tuple[Plan, ...]
    technique: Technique | None = None


_TOPOGRAM = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "KVP": 100}
_FOLLOW_UP = (
    Plan("Topogram 0.6 T20f", 1, "topogram", _TOPOGRAM),
    Plan("CAP 5.0 Br40", 2, "trunk", {"ConvolutionKernel": "Br40d", "SliceThickness": 5.0}),
)
_LIVER = {"ConvolutionKernel": "Br40d", "SliceThickness": 3.0}
EXAMINATIONS = {
    "head": Examination(
        "CT",
        "CT Head without contrast",
        "HEAD",
        "01_HeadRoutine",
        (
            Plan("Topogram 0.6 T20f", 1, "topogram", _TOPOGRAM),
            Plan("Head 4.0 Hr40", 6, "head", {"ConvolutionKernel": "Hr40f", "SliceThickness": 4.0}),
            Plan(
                "Bone 1.5 Hr59", 4, "head", {"ConvolutionKernel": "Hr59f", "SliceThickness": 1.5}, again=True
            ),
        ),
        Scan(46.0, 158, "Head", "Head", pitch=0.55, rotation_s=1.0, collimation_mm=19.2, contrast=False),
    ),
    "trunk": Examination(
        "CT",
        "CT Chest Abdomen Pelvis with contrast",
        "CHESTABDPELVIS",
        "05_ChestAbdPelvis",
        (
            Plan("Topogram 0.6 T20f", 2, "topogram", _TOPOGRAM),
            Plan(
                "ChestAbdPelvis 3.0 Br40", 9, "trunk", {"ConvolutionKernel": "Br40d", "SliceThickness": 3.0}
            ),
            Plan(
                "Lung 1.0 Bl57", 5, "trunk", {"ConvolutionKernel": "Bl57d", "SliceThickness": 1.0}, again=True
            ),
        ),
        Scan(9.5, 670, "Entire body"),
    ),
    # One protocol, in two spellings.
    "followup": Examination(
        "CT",
        "CT Chest Abdomen Pelvis with contrast",
        "CHESTABDPELVIS",
        "Follow up  CAP",
        _FOLLOW_UP,
        Scan(9.5, 670, "Entire body"),
    ),
    "followup-west": Examination(
        "CT",
        "CT CHEST ABDOMEN PELVIS WITH CONTRAST",
        "CHESTABDPELVIS",
        "FOLLOW UP CAP",
        _FOLLOW_UP,
        Scan(9.5, 670, "Entire body"),
    ),
    "screening": Examination(
        "CT",
        "CT Lung Cancer Screening",
        "CHEST",
        "6.1 Low Dose Lung",
        (
            Plan("Scout", 2, "topogram", _TOPOGRAM),
            Plan("Low Dose Lung 1.25", 8, "trunk", {"ConvolutionKernel": "LUNG", "SliceThickness": 1.25}),
        ),
        Scan(1.6, 340, "Chest", pitch=1.2, contrast=False),
    ),
    "embolism": Examination(
        "CT",
        "CT Pulmonary Angiogram",
        "CHEST",
        "PE Chest CTA",
        (
            Plan("Scout", 1, "topogram", _TOPOGRAM),
            Plan("CTPA 1.0 FC08", 9, "trunk", {"ConvolutionKernel": "FC08", "SliceThickness": 1.0}),
        ),
        Scan(7.2, 320, "Chest", kvp_kV=100.0, pitch=1.2),
    ),
    "liver": Examination(
        "CT",
        "CT Liver multiphase",
        "ABDOMEN",
        "07_LiverMultiphase",
        (
            Plan("Topogram 0.6 T20f", 1, "topogram", _TOPOGRAM),
            Plan("Liver arterial 3.0 Br40", 6, "trunk", _LIVER),
            Plan("Liver portal venous 3.0 Br40", 6, "trunk", _LIVER),
        ),
        Scan(10.5, 240, "Abdomen"),
    ),
    "phantom": Examination(
        "CT",
        "QA CTDI phantom",
        "PHANTOM",
        "Daily QA",
        (Plan("Phantom 5.0 Hr40", 2, "head", {"ConvolutionKernel": "Hr40f", "SliceThickness": 5.0}),),
        Scan(61.0, 50, "Head", "Head", pitch=0.55, rotation_s=1.0, collimation_mm=19.2, contrast=False),
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
        Radiograph(2.5),
    ),
    "bedside": Examination(
        "CR",
        "XR Chest portable",
        "CHEST",
        "Chest AP portable",
        (Plan("Chest AP", 1, "radiograph", {"ViewPosition": "AP", "KVP": 90, "ExposureIndex": 530}),),
        Radiograph(2.0),
    ),
    "pelvis": Examination(
        "DX",
        "XR Pelvis AP",
        "PELVIS",
        "Pelvis AP",
        (Plan("Pelvis AP", 1, "radiograph", {"ViewPosition": "AP", "KVP": 80, "ExposureIndex": 380}),),
        Radiograph(22.0, 0.92, 2.4),
    ),
    "abdomen": Examination(
        "DX",
        "XR Abdomen",
        "ABDOMEN",
        "Abdomen AP",
        (Plan("Abdomen AP", 1, "radiograph", {"ViewPosition": "AP", "KVP": 81, "ExposureIndex": 365}),),
        Radiograph(19.0, 0.85, 2.1),
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
        Mammogram(),
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
        Intervention("Heart", 45, 0.34, 78, 5.3, 15.0, 78),
    ),
    "stent": Examination(
        "XA",
        "Percutaneous coronary intervention",
        "HEART",
        "Coronary 15 fps",
        tuple(
            Plan(
                f"Run {run}", 1, "vessel", {"PositionerPrimaryAngle": angle, "PositionerSecondaryAngle": tilt}
            )
            for run, (angle, tilt) in enumerate(((-30, 0), (30, 25), (-5, -35)), start=1)
        ),
        Intervention("Heart", 600, 0.34, 78, 5.3, 15.0, 78),
    ),
    "aneurysm": Examination(
        "XA",
        "Cerebral aneurysm coiling",
        "HEAD",
        "Neuro DSA 4 fps",
        tuple(
            Plan(
                f"DSA {run} {plane}",
                1,
                f"vessel-{plane}",
                {"PositionerPrimaryAngle": angle, "PositionerSecondaryAngle": tilt},
            )
            for run, (front, side) in enumerate((((0, 18), (-90, 0)), ((25, -12), (-78, 4))), start=1)
            for plane, (angle, tilt) in (("A", front), ("B", side))
        ),
        Intervention("Head", 460, 0.42, 170, 14.0, 4.0, 62),
    ),
}
