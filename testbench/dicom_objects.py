"""DICOM objects from few words: the headers and pixels that each modality's files carry.

Everything is fixed: UIDs are hashes of names, times are given, the implementation UID is the bench's own, so
that the same call writes the same bytes on each machine and with each version of pydicom.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian, XRayRadiationDoseSRStorage


@dataclass(frozen=True)
class Instance:
    """One DICOM file and the names under which others look for it."""

    data: bytes
    modality: str
    patient_id: str
    study_uid: str
    series_uid: str
    sop_uid: str
    series_description: str = ""

    @cached_property
    def orthanc_id(self) -> str:
        """The id that every Orthanc gives to it: a hash of the four DICOM ids."""
        names = "|".join((self.patient_id, self.study_uid, self.series_uid, self.sop_uid))
        digest = hashlib.sha1(names.encode("latin-1")).hexdigest()
        return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


def uid(*names: object) -> UID:
    """The UID of what is called so: always the same, under the root for UUIDs (PS3.5, B.2)."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, names))).int}")


IMPLEMENTATION = uid("copydicom_app", "testbench")


def encode(ds: Dataset) -> Instance:
    """Write as a file (explicit little endian, with its preamble)."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.ImplementationClassUID = IMPLEMENTATION
    ds.file_meta.ImplementationVersionName = "COPYDICOM_BENCH"
    buffer = io.BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return Instance(
        data=buffer.getvalue(),
        modality=ds.Modality,
        patient_id=ds.PatientID,
        study_uid=ds.StudyInstanceUID,
        series_uid=ds.SeriesInstanceUID,
        sop_uid=ds.SOPInstanceUID,
        series_description=ds.SeriesDescription,
    )


def derive(base: Dataset, **changes: Any) -> Dataset:
    """A copy with some elements set; sequences are shared, so never change one in place.

    Not ``copy.copy``: its copy shares the elements too, and setting one sets it in ``base``.
    """
    ds = Dataset()
    ds.update(base)
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def stamp(ds: Dataset, when: datetime | None, *prefixes: str) -> Dataset:
    """Set ``<prefix>Date`` and ``<prefix>Time``; without a time they stay as they are: absent or empty."""
    if when:
        for prefix in prefixes:
            setattr(ds, f"{prefix}Date", when.strftime("%Y%m%d"))
            setattr(ds, f"{prefix}Time", when.strftime("%H%M%S.%f"))
    return ds


def series(study: Dataset, number: int, description: str, when: datetime | None, **more: Any) -> Dataset:
    """The header that the instances of one series share."""
    ds = derive(study, SeriesNumber=number, SeriesDescription=description, **more)
    ds.SeriesInstanceUID = uid(study.StudyInstanceUID, number)
    return stamp(ds, when, "Series")


def instance(series: Dataset, number: int, sop_class: str, when: datetime | None, **more: Any) -> Dataset:
    """The header of one instance of a series."""
    ds = derive(series, SOPClassUID=UID(sop_class), InstanceNumber=number, **more)
    ds.SOPInstanceUID = uid(series.SeriesInstanceUID, number)
    return stamp(ds, when, "InstanceCreation", "Acquisition", "Content")


def pixels(ds: Dataset, data: bytes, size: int, *, bits: int = 16, frames: int = 1) -> Dataset:
    """Put square grayscale pixels of 8 or 16 (12 used) bits into the object."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.Rows = ds.Columns = size
    ds.BitsAllocated, ds.BitsStored = bits, min(bits, 12)
    ds.HighBit = ds.BitsStored - 1
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.add_new(0x7FE00010, "OB" if bits == 8 else "OW", data)
    return ds


def plane(
    position: Sequence[float], spacing: float, thickness: float, orientation: str = "axial"
) -> dict[str, Any]:
    """The elements that place a slice in space; lengths in mm."""
    axes = {"axial": [1, 0, 0, 0, 1, 0], "coronal": [1, 0, 0, 0, 0, -1], "sagittal": [0, 1, 0, 0, 0, -1]}
    return {
        "ImagePositionPatient": list(position),
        "ImageOrientationPatient": axes[orientation],
        "PixelSpacing": [spacing, spacing],
        "SliceThickness": thickness,
    }


def enhanced_mr(series: Dataset, frames: Sequence[bytes], size: int, when: datetime) -> Dataset:
    """A multi-frame MR whose per-frame groups repeat for each frame what a classic file says once.

    That is what makes such a file's tags large: about 2 KB of JSON a frame.
    """
    ds = instance(
        series, 1, EnhancedMRImageStorage, when, ImageType=["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
    )
    ds.DimensionOrganizationSequence = [
        _item(DimensionOrganizationUID=uid(series.SeriesInstanceUID, "dimension"))
    ]
    ds.SharedFunctionalGroupsSequence = [
        _item(MRFOVGeometrySequence=[_item(InPlanePhaseEncodingDirection="ROW", PercentSampling=100.0)])
    ]
    ds.PerFrameFunctionalGroupsSequence = [
        _frame(number, when + timedelta(milliseconds=90 * number)) for number in range(1, len(frames) + 1)
    ]
    return pixels(ds, b"".join(frames), size, frames=len(frames))


def _frame(number: int, when: datetime) -> Dataset:
    place = plane([-110.0, -110.0, 3.0 * number], 6.875, 3.0)
    moment = when.strftime("%Y%m%d%H%M%S.%f")
    b_value = float(500 * (number % 3))
    return _item(
        FrameContentSequence=[
            _item(
                FrameAcquisitionNumber=number,
                FrameReferenceDateTime=moment,
                FrameAcquisitionDateTime=moment,
                FrameAcquisitionDuration=90.0,
                StackID="1",
                InStackPositionNumber=number,
                TemporalPositionIndex=1,
                DimensionIndexValues=[1, number],
            )
        ],
        PlanePositionSequence=[_item(ImagePositionPatient=place["ImagePositionPatient"])],
        PlaneOrientationSequence=[_item(ImageOrientationPatient=place["ImageOrientationPatient"])],
        PixelMeasuresSequence=[
            _item(PixelSpacing=place["PixelSpacing"], SliceThickness=3.0, SpacingBetweenSlices=3.3)
        ],
        MRImageFrameTypeSequence=[
            _item(
                FrameType=["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"],
                PixelPresentation="MONOCHROME",
                VolumetricProperties="VOLUME",
                VolumeBasedCalculationTechnique="NONE",
                ComplexImageComponent="MAGNITUDE",
                AcquisitionContrast="DIFFUSION",
            )
        ],
        MRTimingAndRelatedParametersSequence=[
            _item(RepetitionTime=5400.0, FlipAngle=90.0, EchoTrainLength=1)
        ],
        MREchoSequence=[_item(EffectiveEchoTime=84.0)],
        MRDiffusionSequence=[
            _item(
                DiffusionBValue=b_value,
                DiffusionDirectionality="DIRECTIONAL" if b_value else "NONE",
                DiffusionGradientDirectionSequence=[_item(DiffusionGradientOrientation=[0.6, 0.64, 0.48])],
            )
        ],
        MRAveragesSequence=[_item(NumberOfAverages=2.0)],
        MRModifierSequence=[
            _item(InversionRecovery="NO", FlowCompensation="NONE", Spoiling="NONE", T2Preparation="NO")
        ],
        FrameVOILUTSequence=[_item(WindowCenter=400.0, WindowWidth=800.0)],
        PixelValueTransformationSequence=[_item(RescaleIntercept=0.0, RescaleSlope=1.0, RescaleType="US")],
    )


def _item(**elements: Any) -> Dataset:
    return derive(Dataset(), **elements)


# --- dose reports ---


@dataclass(frozen=True)
class Exposure:
    """One irradiation, as the report and the image headers both tell it.

    CT: ``dose`` is CTDIvol (mGy), ``total`` DLP (mGy.cm). XA: air kerma (Gy) and dose-area product (Gy.m2).
    MG: average glandular dose (mGy) and entrance air kerma (mGy).
    """

    uid: str
    protocol: str
    when: datetime
    dose: float
    total: float


# Names of TID 10011 (CT) and 10001 (projection): procedure, container of an event, its two values and units.
_REPORTS = {
    "CT": (
        ("77477000", "SCT", "Computed Tomography X-Ray"),
        ("113819", "DCM", "CT Acquisition"),
        (("113830", "DCM", "Mean CTDIvol"), "mGy"),
        (("113838", "DCM", "DLP"), "mGy.cm"),
    ),
    "XA": (
        ("113704", "DCM", "Projection X-Ray"),
        ("113706", "DCM", "Irradiation Event X-Ray Data"),
        (("113738", "DCM", "Dose (RP)"), "Gy"),
        (("122130", "DCM", "Dose Area Product"), "Gy.m2"),
    ),
    "MG": (
        ("71651007", "SCT", "Mammography"),
        ("113706", "DCM", "Irradiation Event X-Ray Data"),
        (("111631", "DCM", "Average Glandular Dose"), "mGy"),
        (("111636", "DCM", "Entrance Exposure at RP"), "mGy"),
    ),
}


def minimal_dose_report(header: Dataset, kind: str, exposures: Sequence[Exposure]) -> Dataset:
    """A small X-Ray Radiation Dose SR of a CT, XA or MG study; ``header`` is that of its series.

    It holds what a reader must find in any such report: the procedure, the device, the time, the scope, and
    one container an irradiation with its UID, its time, its protocol and two values.
    """
    procedure, container, dose, total = _REPORTS[kind]
    ends = exposures[-1].when + timedelta(seconds=20)
    ds = instance(header, 1, XRayRadiationDoseSRStorage, ends)
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ContentTemplateSequence = [
        _item(MappingResource="DCMR", TemplateIdentifier="10011" if kind == "CT" else "10001")
    ]
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [_code(("113701", "DCM", "X-Ray Radiation Dose Report"))]
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.PerformedProcedureCodeSequence = []
    ds.ContentSequence = [
        _says("HAS CONCEPT MOD", ("121058", "DCM", "Procedure reported"), procedure),
        _says("HAS OBS CONTEXT", ("121005", "DCM", "Observer Type"), ("121007", "DCM", "Device")),
        _says(
            "HAS OBS CONTEXT",
            ("121012", "DCM", "Device Observer UID"),
            UID(uid("device", ds.DeviceSerialNumber)),
        ),
        _says("HAS OBS CONTEXT", ("113809", "DCM", "Start of X-Ray Irradiation"), exposures[0].when),
        _says("HAS OBS CONTEXT", ("113810", "DCM", "End of X-Ray Irradiation"), ends),
        _says("HAS OBS CONTEXT", ("113705", "DCM", "Scope of Accumulation"), ("113014", "DCM", "Study")),
        *(
            _holds(
                container,
                _says("CONTAINS", ("125203", "DCM", "Acquisition Protocol"), exposure.protocol),
                _says("CONTAINS", ("111526", "DCM", "DateTime Started"), exposure.when),
                _says("CONTAINS", ("113769", "DCM", "Irradiation Event UID"), UID(exposure.uid)),
                _measures(*dose, exposure.dose),
                _measures(*total, exposure.total),
            )
            for exposure in exposures
        ),
    ]
    return ds


Code = tuple[str, str, str]  # value, scheme, meaning


def _code(code: Code) -> Dataset:
    return _item(CodeValue=code[0], CodingSchemeDesignator=code[1], CodeMeaning=code[2])


def _says(relationship: str, name: Code, value: str | datetime | Code) -> Dataset:
    """A content item; the kind of value decides its type: CODE, UIDREF, DATETIME or TEXT."""
    item = _item(RelationshipType=relationship, ConceptNameCodeSequence=[_code(name)])
    if isinstance(value, tuple):
        item.ValueType, item.ConceptCodeSequence = "CODE", [_code(value)]
    elif isinstance(value, UID):
        item.ValueType, item.UID = "UIDREF", value
    elif isinstance(value, datetime):
        item.ValueType, item.DateTime = "DATETIME", value.strftime("%Y%m%d%H%M%S")
    else:
        item.ValueType, item.TextValue = "TEXT", value
    return item


def _measures(name: Code, unit: str, value: float) -> Dataset:
    measured = _item(NumericValue=f"{value:.6g}", MeasurementUnitsCodeSequence=[_code((unit, "UCUM", unit))])
    return _item(
        RelationshipType="CONTAINS",
        ValueType="NUM",
        ConceptNameCodeSequence=[_code(name)],
        MeasuredValueSequence=[measured],
    )


def _holds(name: Code, *items: Dataset) -> Dataset:
    return _item(
        RelationshipType="CONTAINS",
        ValueType="CONTAINER",
        ContinuityOfContent="SEPARATE",
        ConceptNameCodeSequence=[_code(name)],
        ContentSequence=list(items),
    )
