"""The images of the hospital: what each modality writes into its headers, over pixels that look like it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydicom import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    MRImageStorage,
    XRayAngiographicImageStorage,
)

from testbench import phantoms
from testbench.dicom_objects import code_item, instance, pixels, plane
from testbench.hospital_protocols import Plan

SIZE = 64  # pixels a side
_RADIOGRAPHS = {"CR": ComputedRadiographyImageStorage, "DX": DigitalXRayImageStorageForPresentation}


def ct_image(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
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
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime, ds.Exposure = 120, 180, 500, 90
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


def _radiograph(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    ds = instance(of_series, place + 1, _RADIOGRAPHS[of_series.Modality], when)
    if ds.Modality == "DX":
        ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImageType, ds.PixelSpacing = ["ORIGINAL", "PRIMARY"], [5.6, 5.6]
    ds.TargetExposureIndex, ds.DeviationIndex = 450, "-0.4"
    ds.WindowCenter, ds.WindowWidth = "1500", "2600"
    return pixels(ds, phantoms.draw(phantoms.upright(soft=1900, air=700, bone=2500), SIZE), SIZE)


def _mg(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    _, side, view = plan.look.split("-")
    ds = instance(of_series, place + 1, DigitalMammographyXRayImageStorageForPresentation, when)
    ds.ImageType, ds.PresentationIntentType = ["DERIVED", "PRIMARY"], "FOR PRESENTATION"
    ds.AnodeTargetMaterial, ds.FilterMaterial = "TUNGSTEN", "RHODIUM"
    ds.WindowCenter, ds.WindowWidth = "1900", "3400"
    return pixels(ds, phantoms.draw(phantoms.breast(side, view), SIZE), SIZE)


def _xa(of_series: Dataset, plan: Plan, place: int, when: datetime | None) -> Dataset:
    """A run: eight frames in which the contrast agent fills the vessel."""
    frames = [phantoms.draw(phantoms.vessel(n / 7), SIZE, background=30, grain=6, bits=8) for n in range(8)]
    ds = instance(of_series, place + 1, XRayAngiographicImageStorage, when)
    plane_of = {"vessel-A": "BIPLANE A", "vessel-B": "BIPLANE B"}.get(plan.look, "SINGLE PLANE")
    ds.ImageType, ds.PixelIntensityRelationship = ["ORIGINAL", "PRIMARY", plane_of], "LOG"
    ds.FrameIncrementPointer, ds.FrameTime, ds.RadiationSetting = 0x00181063, "66.7", "GR"
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "1100", "760"
    return pixels(ds, b"".join(frames), SIZE, bits=8, frames=len(frames))


BUILDERS = {"CT": ct_image, "MR": _mr, "CR": _radiograph, "DX": _radiograph, "MG": _mg, "XA": _xa}


def tell_dose(ds: Dataset, fields: dict[str, Any]) -> None:
    """Write into an image's header what its irradiation gave; units are those of PS3.3."""
    ds.IrradiationEventUID = fields["irradiation_event_uid"]
    ds.KVP = _ds(fields["kvp_kV"])
    _TELLS[ds.Modality](ds, fields)


def _tell_ct(ds: Dataset, fields: dict[str, Any]) -> None:
    ds.XRayTubeCurrent = round(fields["xray_tube_current_mA"])
    if "ctdivol_mGy" not in fields:
        return
    rotation, code = fields["exposure_time_per_rotation_s"], fields["ctdiw_phantom_type"]
    ds.CTDIvol, ds.SpiralPitchFactor = fields["ctdivol_mGy"], fields["pitch_factor"]
    ds.RevolutionTime, ds.ExposureTime = rotation, round(1000 * rotation)
    ds.Exposure = round(ds.XRayTubeCurrent * rotation)
    ds.TotalCollimationWidth = fields["nominal_total_collimation_mm"]
    ds.CTDIPhantomTypeCodeSequence = [code_item(*_PHANTOMS[code], code)]


def _tell_mg(ds: Dataset, fields: dict[str, Any]) -> None:
    ds.OrganDose = _ds(fields["agd_mGy"] / 100)  # dGy
    ds.EntranceDoseInmGy = _ds(fields["entrance_exposure_mGy"])
    ds.Exposure = round(fields["exposure_mAs"])
    ds.BodyPartThickness = _ds(fields["compression_thickness_mm"])
    ds.CompressionForce = _ds(fields["compression_force_N"])


def _tell_xa(ds: Dataset, fields: dict[str, Any]) -> None:
    ds.ImageAndFluoroscopyAreaDoseProduct = _ds(fields["dap_Gycm2"] * 10)  # dGy.cm2
    ds.XRayTubeCurrent = round(fields["xray_tube_current_mA"])
    ds.ExposureTime = round(fields["exposure_time_ms"])


def _tell_radiograph(ds: Dataset, fields: dict[str, Any]) -> None:
    ds.Exposure = round(fields["exposure_mAs"])
    ds.ExposureInuAs = round(1000 * fields["exposure_mAs"])
    if "dap_Gycm2" in fields:
        ds.ImageAndFluoroscopyAreaDoseProduct = _ds(fields["dap_Gycm2"] * 10)  # dGy.cm2
        ds.EntranceDoseInmGy = _ds(fields["entrance_exposure_mGy"])


def _ds(value: float) -> str:
    return f"{value:.6g}"


_PHANTOMS = {
    "IEC Head Dosimetry Phantom": ("113690", "DCM"),
    "IEC Body Dosimetry Phantom": ("113691", "DCM"),
}
_TELLS = {"CT": _tell_ct, "MG": _tell_mg, "XA": _tell_xa, "CR": _tell_radiograph, "DX": _tell_radiograph}
