"""Dose from the headers of images, for scanners that send no report. Pure.

`image_dose` gives one record for an instance; many instances share an irradiation. The caller keeps one for
each `event_key`, and none whose `irradiation_event_uid` a report has. The key is the first of:

- IrradiationEventUID (0008,3010), the same in images and reports; for PET and NM
  RadiopharmaceuticalAdministrationEventUID (0008,3012);
- CT: ``<series UID>#<AcquisitionNumber>``; projection: ``<study UID>#<acquisition date and time>``, which an
  image for processing shares with its twin for presentation; PET and NM: ``<study UID>#<start>``;
- ``<SOP instance UID>#1``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from copydicom_app.codes import Code, key
from copydicom_app.dose.header import header, tag_number, tag_text
from copydicom_app.dose.items import put_warnings
from copydicom_app.dose.units import tidy
from copydicom_app.times import iso_datetime, iso_from_dt, offset_from_dt

IMAGE_MODALITIES = {
    "CT": "CT",
    "DX": "DX",
    "CR": "DX",
    "MG": "MG",
    "XA": "XA",
    "RF": "RF",
    "PT": "PT",
    "NM": "NM",
}

# Field: (keyword, factor to the field's unit), best first. Units are those of PS3.3.
_EXPOSURE = (("ExposureInmAs", 1.0), ("ExposureInuAs", 1e-3), ("Exposure", 1.0))
_CURRENT = (("XRayTubeCurrentInmA", 1.0), ("XRayTubeCurrentInuA", 1e-3), ("XRayTubeCurrent", 1.0))
_TIME_MS = (("ExposureTimeInms", 1.0), ("ExposureTimeInuS", 1e-3), ("ExposureTime", 1.0))
_SHARED = {
    "kvp_kV": (("KVP", 1.0),),
    "xray_tube_current_mA": _CURRENT,
    "exposure_mAs": _EXPOSURE,
    "focal_spot_mm": (("FocalSpots", 1.0),),
    "source_detector_distance_mm": (("DistanceSourceToDetector", 1.0),),
}
_CT = {
    **_SHARED,
    "ctdivol_mGy": (("CTDIvol", 1.0),),
    "ssde_mGy": (("SizeSpecificDoseEstimation", 1.0),),
    "wed_mm": (("WaterEquivalentDiameter", 1.0),),
    "exposure_time_s": tuple((keyword, factor / 1000) for keyword, factor in _TIME_MS),
    "exposure_time_per_rotation_s": (("RevolutionTime", 1.0),),
    "nominal_single_collimation_mm": (("SingleCollimationWidth", 1.0),),
    "nominal_total_collimation_mm": (("TotalCollimationWidth", 1.0),),
    "pitch_factor": (("SpiralPitchFactor", 1.0),),
    "scanning_length_mm": (("ScanLength", 1.0),),
}
_PROJECTION = {
    **_SHARED,
    "dap_Gycm2": (("ImageAndFluoroscopyAreaDoseProduct", 0.1),),  # dGy.cm2
    "entrance_exposure_mGy": (("EntranceDoseInmGy", 1.0), ("EntranceDose", 100.0)),  # dGy
    "exposure_time_ms": _TIME_MS,
    "hvl_mmAl": (("HalfValueLayer", 1.0),),
    "filter_thickness_min_mm": (("FilterThicknessMinimum", 1.0),),
    "filter_thickness_max_mm": (("FilterThicknessMaximum", 1.0),),
    "source_entrance_distance_mm": (("DistanceSourceToEntrance", 1.0),),
    "primary_angle_deg": (("PositionerPrimaryAngle", 1.0),),
    "secondary_angle_deg": (("PositionerSecondaryAngle", 1.0),),
    "exposure_index": (("ExposureIndex", 1.0),),
    "target_exposure_index": (("TargetExposureIndex", 1.0),),
    "deviation_index": (("DeviationIndex", 1.0),),
    "relative_xray_exposure": (("RelativeXRayExposure", 1.0),),
    "sensitivity": (("Sensitivity", 1.0),),
    "grid_focal_distance_mm": (("GridFocalDistance", 1.0),),
    "magnification_factor": (("EstimatedRadiographicMagnificationFactor", 1.0),),
}
_MAMMOGRAPHY = {
    **_PROJECTION,
    "agd_mGy": (("OrganDose", 100.0),),  # dGy
    "compression_thickness_mm": (("BodyPartThickness", 1.0),),
    "compression_force_N": (("CompressionForce", 1.0),),
}
_NUMBERS = {"CT": _CT, "DX": _PROJECTION, "XA": _PROJECTION, "RF": _PROJECTION, "MG": _MAMMOGRAPHY}
_DOSES = (
    "ctdivol_mGy",
    "ssde_mGy",
    "dap_Gycm2",
    "entrance_exposure_mGy",
    "agd_mGy",
    "exposure_mAs",
    "administered_activity_MBq",
    "administered_activity_raw",
)
_TEXTS = {
    "acquisition_protocol": ("ProtocolName",),
    "target_region": ("BodyPartExamined",),
    "laterality": ("ImageLaterality", "Laterality"),
    "image_view": ("ViewPosition",),
    "anode_target_material": ("AnodeTargetMaterial",),
    "filter_material": ("FilterMaterial",),
    "filter_type": ("FilterType",),
    "xray_grid": ("Grid",),
}
_CT_TYPES = {
    "SPIRAL": ("Spiral Acquisition", "116152004"),
    "SEQUENCED": ("Sequenced Acquisition", "113804"),
    "CONSTANT_ANGLE": ("Constant Angle Acquisition", "113805"),
    "STATIONARY": ("Stationary Acquisition", "113806"),
    "FREE": ("Free Acquisition", "113807"),
}
_PHANTOMS_CM = {key("113690"): 16, key("113691"): 32}


def image_dose(
    tags: Mapping[str, Any], context: Optional[Mapping[str, Any]] = None
) -> Optional[dict[str, Any]]:
    """The dose record of an image in Orthanc's simplified form; None when its header has no dose.

    `context` has the caller's fields, as for `dose.flatten_dose_report`.
    """
    modality = IMAGE_MODALITIES.get(tag_text(tags, "Modality"))
    if modality is None or "SECONDARY" in _image_type(tags)[1:2]:
        return None
    record: dict[str, Any] = {**(context or {}), "record_type": "event", "dose_source": "image"}
    record.update(header(tags), modality=modality)
    _put_start(record, tags)
    warnings: list[str] = []
    if modality in ("PT", "NM"):
        _put_administration(record, tags, warnings)
    else:
        _put_exposure(record, tags, modality)
    if not any(record.get(name) for name in _DOSES):
        return None
    _put_key(record, tags)
    put_warnings(record, warnings)
    return record


def _put_exposure(record: dict[str, Any], tags: Mapping[str, Any], modality: str) -> None:
    layers = list(_layers(tags))
    for name, keywords in _NUMBERS[modality].items():
        value = _first_number(layers, keywords)
        if value is not None:
            record[name] = value
    for name, words in _TEXTS.items():
        text = next((t for layer in layers for t in (tag_text(layer, word) for word in words) if t), "")
        if text:
            record[name] = text
    uid = tag_text(tags, "IrradiationEventUID").split("\\")[0]
    if uid:
        record["irradiation_event_uid"] = uid
    if modality == "CT":
        _put_ct(record, layers, _image_type(tags))


def _put_ct(record: dict[str, Any], layers: list[Mapping[str, Any]], image_type: list[str]) -> None:
    written = next((t for t in (tag_text(layer, "AcquisitionType") for layer in layers) if t), "")
    record["is_localizer"] = "LOCALIZER" in image_type or written == "CONSTANT_ANGLE"
    if written in _CT_TYPES:
        record["ct_acquisition_type"], record["ct_acquisition_type_code"] = _CT_TYPES[written]
    for layer in layers:
        phantom = _code(layer.get("CTDIPhantomTypeCodeSequence"))
        if phantom:
            record["ctdiw_phantom_type"] = phantom.text
            if phantom.key in _PHANTOMS_CM:
                record["phantom_cm"] = _PHANTOMS_CM[phantom.key]
            return


def _put_administration(record: dict[str, Any], tags: Mapping[str, Any], warnings: list[str]) -> None:
    """Injected activity of PET and NM, of the first radiopharmaceutical (PS3.3, C.8.9.2 and C.8.4.10)."""
    sequence = tags.get("RadiopharmaceuticalInformationSequence")
    drugs = [item for item in sequence if isinstance(item, Mapping)] if isinstance(sequence, list) else []
    if not drugs:
        return
    drug = drugs[0]
    _put_activity(record, drug, warnings)
    numbers = {
        "radionuclide_half_life_s": (("RadionuclideHalfLife", 1.0),),
        "radiopharmaceutical_volume_cm3": (("RadiopharmaceuticalVolume", 1.0),),
        "radiopharmaceutical_specific_activity": (("RadiopharmaceuticalSpecificActivity", 1e6),),  # Bq/umol
    }
    for name, keywords in numbers.items():
        value = _first_number([drug], keywords)
        if value:
            record[name] = value
    agent = _code(drug.get("RadiopharmaceuticalCodeSequence"))
    nuclide = _code(drug.get("RadionuclideCodeSequence"))
    route = _code(drug.get("AdministrationRouteCodeSequence"))
    texts = {
        "radiopharmaceutical_agent": agent.text if agent else tag_text(drug, "Radiopharmaceutical"),
        "radionuclide": nuclide.text if nuclide else "",
        "radionuclide_code": nuclide.key.value if nuclide else "",
        "route_of_administration": route.text if route else tag_text(drug, "RadiopharmaceuticalRoute"),
        "irradiation_event_uid": tag_text(drug, "RadiopharmaceuticalAdministrationEventUID"),
        "administration_start": _start_of(drug, tags) or "",
    }
    record.update({name: text for name, text in texts.items() if text})


def _put_activity(record: dict[str, Any], drug: Mapping[str, Any], warnings: list[str]) -> None:
    """RadionuclideTotalDose (0018,1074) is in Bq in a PET image and in MBq in an NM image; both get mixed up.

    So a PET value below 10 kBq, or an NM value above 100 GBq, is kept as it is and said to be odd.
    """
    activity = tag_number(drug, "RadionuclideTotalDose")
    if not activity:
        return
    in_bq = record["modality"] == "PT"
    value = activity / 1e6 if in_bq else activity
    if (in_bq and value < 0.01) or (not in_bq and value > 1e5):
        record["administered_activity_raw"] = activity
        record["administered_activity_raw_unit"] = "Bq" if in_bq else "MBq"
        warnings.append("RadionuclideTotalDose: out of all proportion; kept as administered_activity_raw")
    else:
        record["administered_activity_MBq"] = tidy(value)


def _put_start(record: dict[str, Any], tags: Mapping[str, Any]) -> None:
    written = tag_text(tags, "AcquisitionDateTime")
    start = iso_from_dt(written) or iso_datetime(tags.get("AcquisitionDate"), tags.get("AcquisitionTime"))
    if start:
        record["datetime_started"] = start
    offset = offset_from_dt(written)
    if offset:
        record["timezone_offset"] = offset


def _start_of(drug: Mapping[str, Any], tags: Mapping[str, Any]) -> Optional[str]:
    """The administration's start; the older RadiopharmaceuticalStartTime has the clock only."""
    start = iso_from_dt(tag_text(drug, "RadiopharmaceuticalStartDateTime"))
    if start is None and tag_text(drug, "RadiopharmaceuticalStartTime"):
        day = tags.get("SeriesDate") or tags.get("StudyDate")
        start = iso_datetime(day, drug.get("RadiopharmaceuticalStartTime"))
    return start


def _put_key(record: dict[str, Any], tags: Mapping[str, Any]) -> None:
    uid = record.get("irradiation_event_uid")
    series, study = record.get("series_instance_uid"), record.get("study_instance_uid")
    number, start = tag_text(tags, "AcquisitionNumber"), record.get("datetime_started")
    injected = record.get("administration_start")
    if uid:
        found = str(uid)
    elif record["modality"] == "CT" and series and number:
        found = f"{series}#{number}"
    elif record["modality"] in ("PT", "NM") and study and injected:
        found = f"{study}#{injected}"
    elif record["modality"] not in ("CT", "PT", "NM") and study and start:
        found = f"{study}#{start}"
    else:
        found = f"{record.get('sop_instance_uid', '')}#1"
    record["event_key"] = found


def _layers(tags: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The header, and the functional groups that all frames of an enhanced image share (PS3.3, C.7.6.16)."""
    yield tags
    for group in _items(tags.get("SharedFunctionalGroupsSequence")):
        for macro in group.values():
            yield from _items(macro)


def _first_number(
    layers: list[Mapping[str, Any]], keywords: tuple[tuple[str, float], ...]
) -> Optional[float]:
    for keyword, factor in keywords:
        for layer in layers:
            value = tag_number(layer, keyword)
            if value is not None:
                return tidy(value * factor)
    return None


def _image_type(tags: Mapping[str, Any]) -> list[str]:
    return tag_text(tags, "ImageType").upper().split("\\")


def _code(sequence: object) -> Optional[Code]:
    for item in _items(sequence):
        code = Code(
            tag_text(item, "CodeValue"),
            tag_text(item, "CodingSchemeDesignator"),
            tag_text(item, "CodeMeaning"),
        )
        return code if code else None
    return None


def _items(sequence: object) -> list[Mapping[str, Any]]:
    return [item for item in sequence if isinstance(item, Mapping)] if isinstance(sequence, list) else []
