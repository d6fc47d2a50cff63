"""One irradiation's record, from its container (PS3.16, TID 10013, 10003 or 10022). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from copydicom_app.codes import key, keys
from copydicom_app.dose.items import SHUTTERS, Part, Rule, fill, put_number, put_warnings, rules
from copydicom_app.dose.units import convert, tidy
from copydicom_app.structured_report import ContentItem, problems_of

_FILTERS = key("113771")
_SOURCE = key("113831")
_PARAMETERS = key("113822")
_ALERT, _NOTIFICATION = key("113900"), key("113908")
_LOCALIZER = key("113805")
_PHANTOMS_CM = {key("113690"): 16, key("113691"): 32}
_COPPER = keys("SRT:C-127F9", "SRT:C-12700", "SCT:66925006")
_ALUMINIUM = keys("SRT:C-120F9", "SRT:C-12000", "SCT:12503006")

_ANY = rules("event", "text", "code", "time", "num")
_RULES = {
    "ct": _ANY + rules("event", "ct num"),
    "projection": _ANY + rules("event", "proj num", "src"),
    "administration": _ANY,
}
_COMMENT = rules("event", "last")
_SOURCES = (rules("event", "src"), rules("event", "srcb"))
_THICKNESS = {
    bound: Rule(f"filter_thickness_{bound}_mm", "num", (key(code),), "mm", f"filter_thickness_{bound}")
    for bound, code in (("min", "113758"), ("max", "113773"))
}
_FIELD_SIZE = re.compile(r"<iiDiameter\s+SRData=\"\s*(\d+(?:\.\d+)?)\s*\"")
_POSITION = re.compile(r"<Position\s+SRData=\"\s*([HF]F[SP])\s*\"", re.IGNORECASE)
_MODULATION = re.compile(r"X-ray Modulation Type\s*=\s*([^,;]+)", re.IGNORECASE)
_TABLE_END = {"H": ("headfirst", "102540008"), "F": ("feet-first", "102541007")}
_LYING = {"S": "supine", "P": "prone"}


def event_record(
    record: dict[str, Any], kind: str, container: ContentItem, study: Mapping[str, Any], comment: str
) -> dict[str, Any]:
    """Fills the record of one event and gives it back; `study` and `comment` are its report's."""
    warnings: list[str] = []
    part = Part(_shown(container), apart=frozenset({_FILTERS, _SOURCE}))
    fill(record, part, _RULES[kind], warnings)
    if kind == "ct":
        _put_ct(record, part, container, warnings)
    elif kind == "projection":
        _put_filters(record, part, container, warnings)
        _put_derived(record)
        _put_field_of_shutters(record, part)
    _put_dose_check(record, container)
    if not container.children:
        warnings.append(f"{container.label}: empty")
    if "datetime_started" not in record and "irradiation_start" in study:
        record["irradiation_start"] = study["irradiation_start"]
        if "timezone_offset" in study:
            record["timezone_offset"] = study["timezone_offset"]
    fill(record, part, _COMMENT, warnings)  # the bulky one last
    _put_from_comments(record, comment)
    put_warnings(record, [*problems_of(container), *warnings])
    return record


def _shown(container: ContentItem) -> list[ContentItem]:
    """The items of an event, but of several containers of CT parameters (one a source) the first."""
    first = next((item for item in container.children if item.name.key == _PARAMETERS), None)
    return [item for item in container.children if item is first or item.name.key != _PARAMETERS]


def _put_ct(record: dict[str, Any], part: Part, container: ContentItem, warnings: list[str]) -> None:
    sources = [item for item in _walk(container) if item.name.key == _SOURCE]
    if not sources:
        # Without the container for a source its values stand among the parameters, a container each.
        sources = [item for item in _walk(container) if item.name.key == _PARAMETERS]
    for source, wanted in zip(sources, _SOURCES):
        fill(record, Part([source._replace(name=container.name)]), wanted, warnings)
    if not sources:
        fill(record, part, _SOURCES[0], warnings)
    if len(sources) > len(_SOURCES):
        warnings.append(f"{len(sources)} X-ray sources, of which the first two are kept")
    kind = part.code(key("113820"))
    if kind is not None:
        record["is_localizer"] = kind.key == _LOCALIZER or kind.meaning == "Constant Angle Acquisition"
    phantom = part.first(key("113835"))
    if phantom is not None:
        size = _phantom_cm(phantom)
        if size:
            record["phantom_cm"] = size


def _phantom_cm(phantom: ContentItem) -> Optional[int]:
    """16 or 32: by code, else by the size that its name tells (`PMMA CT dosimetry Phantom, 32 cm`)."""
    known = _PHANTOMS_CM.get(phantom.value.key) if hasattr(phantom.value, "key") else None
    if known:
        return known
    size = re.search(r"\b(16|32)\s*cm\b", phantom.text)
    return int(size[1]) if size else None


def _put_filters(record: dict[str, Any], part: Part, container: ContentItem, warnings: list[str]) -> None:
    """The filters' type, materials and thickness (TID 10003B, row "X-Ray Filters")."""
    materials: list[str] = []
    totals = {"filter_total_Cu_mm": 0.0, "filter_total_Al_mm": 0.0}
    found = set()
    for position, filter_ in enumerate(_distinct_filters(record, part, container)):
        inner = Part(filter_.children)
        bounds: dict[str, Any] = {}
        for rule in _THICKNESS.values():
            put_number(bounds, rule, inner.all(rule.codes), warnings)
        thickness = [bounds[rule.name] for rule in _THICKNESS.values() if rule.name in bounds]
        if position == 0:
            record.update(bounds)
            if inner.text(key("113772")):
                record["filter_type"] = inner.text(key("113772"))
        material = inner.first(key("113757"))
        if material is None:
            continue
        if material.text not in materials:
            materials.append(material.text)
        total = _total_of(material)
        if total and thickness:
            totals[total] += sum(thickness) / len(thickness)
            found.add(total)
    if materials:
        record["filter_material"] = "+".join(materials)
    record.update({total: tidy(totals[total]) for total in sorted(found)})


def _distinct_filters(record: Mapping[str, Any], part: Part, container: ContentItem) -> list[ContentItem]:
    """The filters; one that is listed again for every KVP, as Pristina does in tomosynthesis, counts once."""
    filters = [item for item in part.apart if item.name.key == _FILTERS and item.children]
    if not filters and part.first(key("113757"), key("113758")) is not None:
        return [container]  # the filter's items without a container for them
    repeats = record.get("kvp_kV_n", 1)
    if repeats > 1 and len(filters) == repeats and len({str(item.children) for item in filters}) == 1:
        return filters[:1]
    return filters


def _total_of(material: ContentItem) -> str:
    """The field to which a filter of this material adds; "" for other materials."""
    code = material.value.key if hasattr(material.value, "key") else None
    name = material.text.casefold()
    if code in _COPPER or name.startswith("copper"):
        return "filter_total_Cu_mm"
    if code in _ALUMINIUM or name.startswith("alumin"):
        return "filter_total_Al_mm"
    return ""


def _put_derived(record: dict[str, Any]) -> None:
    """What follows from other values where the report does not say it (TID 10003B)."""
    derived = []
    if "avg_xray_tube_current_mA" not in record and "xray_tube_current_mA" in record:
        record["avg_xray_tube_current_mA"] = record["xray_tube_current_mA"]
        derived.append("avg_xray_tube_current_mA")
    if "exposure_time_ms" not in record and {"n_pulses", "pulse_width_ms"} <= record.keys():
        record["exposure_time_ms"] = tidy(record["n_pulses"] * record["pulse_width_ms"])
        derived.append("exposure_time_ms")
    _name_derived(record, *derived)


def _put_field_of_shutters(record: dict[str, Any], part: Part) -> None:
    """The collimated field of Philips, which gives its shutters only, at 1 m from the focus.

    Left and right bound what its "Detector Field Size" calls the Y side: the field's height.
    """
    names = ("collimated_field_height_mm", "collimated_field_width_mm", "collimated_field_area_cm2")
    distance = record.get("source_detector_distance_mm")
    shutters = [part.first(code) for code in SHUTTERS]
    sizes = [convert(s.number, s.unit, "mm") for s in shutters if s and s.number is not None]
    if len(sizes) < len(SHUTTERS) or None in sizes or not distance or any(n in record for n in names):
        return
    bottom, left, right, top = (size or 0.0 for size in sizes)
    height, width = (left + right) * distance / 1000, (bottom + top) * distance / 1000
    record.update(zip(names, (tidy(height), tidy(width), tidy(height * width / 100))))
    _name_derived(record, *names)


def _name_derived(record: dict[str, Any], *names: str) -> None:
    if names:
        record["dose_derived"] = [*record.get("dose_derived", []), *names]


def _put_from_comments(record: dict[str, Any], report_comment: str) -> None:
    """Siemens writes the field size, how the patient lies, and CT's modulation type into comments."""
    size = _FIELD_SIZE.search(record.get("comment", ""))
    if size:
        record["field_size_mm"] = float(size[1])
    modulation = _MODULATION.search(record.get("comment", ""))
    if modulation:
        record.setdefault("xray_modulation_type", modulation[1].strip())
    position = _POSITION.search(report_comment)
    if not position or "patient_table_relationship" in record or "patient_orientation" in record:
        return
    end, lying = position[1].upper()[0], position[1].upper()[2]
    record["patient_table_relationship"], record["patient_table_relationship_code"] = _TABLE_END[end]
    record["patient_orientation"], record["patient_orientation_code"] = "recumbent", "102538003"
    record["patient_orientation_modifier"] = _LYING[lying]
    _name_derived(record, "patient_table_relationship", "patient_orientation", "patient_orientation_modifier")


def _put_dose_check(record: dict[str, Any], container: ContentItem) -> None:
    """Who went on after an alert or a notification, and why (TID 10015); both use the same concepts."""
    for item in _walk(container):
        which = {_ALERT: "alert", _NOTIFICATION: "notif"}.get(item.name.key)
        if which:
            details = Part(item.children)
            for what, code in (("person", key("113870")), ("reason", key("113907"))):
                if details.text(code):
                    record.setdefault(f"dose_check_{which}_{what}", details.text(code))


def _walk(item: ContentItem) -> list[ContentItem]:
    found = []
    for child in item.children:
        if child.children:
            found.append(child)
            found.extend(_walk(child))
    return found
