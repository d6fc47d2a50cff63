"""DICOM objects from few words: the headers and pixels that each modality's files carry.

Everything is fixed: UIDs are hashes of names, times are given, the implementation UID is the bench's own, so
that the same call writes the same bytes on each machine and with each version of pydicom.
"""

from __future__ import annotations

import copy
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
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian


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

    Elements are copied one by one: ``copy.copy(base)`` and ``update`` share them, and then setting one sets
    it in ``base`` too.
    """
    ds = Dataset()
    for element in base:
        ds.add(copy.copy(element))
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


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence."""
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
