"""The modality of a dose report, which itself says only "projection X-ray". Pure.

A mammogram shows by its procedure or its glandular dose; angiography by XA images or a second plane;
fluoroscopy by its events or totals; what is left of projection X-ray is plain radiography.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from copydicom_app.codes import key, keys
from copydicom_app.structured_report import ContentItem, Reference, find

_PROCEDURE = "121058"
_CT, _MAMMOGRAPHY = key("SCT:77477000"), key("SCT:71651007")
_ARCADIS = key("99SMS_RADSUM:C-10")
_FLUOROSCOPY = "44491008"
_PET_NUCLIDES = keys(
    "SCT:77004003",  # 18F
    "SCT:40565003",  # 11C
    "SCT:21576001",  # 13N
    "SCT:32505007",  # 15O
    "SRT:C-131A3",  # 68Ga
    "SRT:C-159A2",  # 82Rb
    "SRT:C-127A2",  # 64Cu
    "SRT:C-168A4",  # 89Zr
    "SRT:C-114A5",  # 124I
)
_DEVICES = {key("113957"): "RF", key("113958"): "DX", key("113959"): "DX"}

# SOP classes of images (PS3.4, B.5).
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_IMAGES = {
    **dict.fromkeys(("12.1", "12.1.1", "12.3", "13.1.1"), "XA"),
    "12.2": "RF",
    "12.2.1": "RF",
    **dict.fromkeys(("1", "1.1", "1.1.1"), "DX"),
    **dict.fromkeys(("1.2", "1.2.1", "13.1.3", "13.1.4"), "MG"),
    **dict.fromkeys(("2", "2.1"), "CT"),
    **dict.fromkeys(("128", "130"), "PT"),
    "20": "NM",
}


def modality(
    tags: Mapping[str, Any],
    root: ContentItem,
    study: Mapping[str, Any],
    events: list[dict[str, Any]],
    kinds: set[str],
) -> str:
    """CT, RF, XA, DX, MG, NM or PT; "" when the report has nothing to tell it by."""
    procedures = {item.value.key for item in find(root, _PROCEDURE, kind="CODE", recursive=False)}
    if "administration" in kinds:
        return _nuclear(tags, root)
    if "ct" in kinds or _CT in procedures:
        return "CT"
    if _MAMMOGRAPHY in procedures or _has_glandular_dose(study, events):
        return "MG"
    if root.name.key == _ARCADIS:
        return "RF"
    if "projection" not in kinds and not procedures:
        return ""
    imaged = _imaged(tags, root)
    for candidate in ("MG", "XA", "RF", "DX"):
        if candidate in imaged:
            return candidate
    return _projection(root, study, events)


def _projection(root: ContentItem, study: Mapping[str, Any], events: list[dict[str, Any]]) -> str:
    if study.get("n_planes", 1) > 1:
        return "XA"
    fluoroscopy = ("fluoro_dap_Gycm2", "fluoro_rp_dose_mGy", "total_fluoro_time_s")
    if any(study.get(name) for name in fluoroscopy) or any(_is_fluoroscopy(event) for event in events):
        return "RF"
    for item in find(root, "122142", kind="CODE", recursive=False):
        if item.value.key in _DEVICES:
            return _DEVICES[item.value.key]
    return "DX"


def _is_fluoroscopy(event: Mapping[str, Any]) -> bool:
    return "fluoro_mode" in event or event.get("irradiation_event_type_code") == _FLUOROSCOPY


def _has_glandular_dose(study: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> bool:
    return any(name.startswith("total_agd_") for name in study) or any("agd_mGy" in e for e in events)


def _nuclear(tags: Mapping[str, Any], root: ContentItem) -> str:
    if "PT" in _imaged(tags, root) or tags.get("Modality") == "PT":
        return "PT"
    nuclides = (item.value for item in find(root, "SCT:89457008", kind="CODE"))
    return "PT" if any(nuclide.key in _PET_NUCLIDES for nuclide in nuclides) else "NM"


def _imaged(tags: Mapping[str, Any], root: ContentItem) -> set[str]:
    """The modalities of the images that the report refers to."""
    classes = set(_classes(tags.get("CurrentRequestedProcedureEvidenceSequence"), depth=0))
    for item in find(root, kind="IMAGE"):
        classes.update(ref.sop_class for ref in item.value if isinstance(ref, Reference))
    return {
        _IMAGES[sop_class[len(_STORAGE) :]]
        for sop_class in classes
        if sop_class.startswith(_STORAGE) and sop_class[len(_STORAGE) :] in _IMAGES
    }


def _classes(sequence: object, depth: int) -> Iterable[str]:
    """Every ReferencedSOPClassUID in study, series and instance references (PS3.3, table C.17-2)."""
    if not isinstance(sequence, list) or depth > 3:
        return
    for entry in sequence:
        if isinstance(entry, Mapping):
            if isinstance(entry.get("ReferencedSOPClassUID"), str):
                yield entry["ReferencedSOPClassUID"]
            yield from _classes(entry.get("ReferencedSeriesSequence"), depth + 1)
            yield from _classes(entry.get("ReferencedSOPSequence"), depth + 1)
