"""The study's part of a dose report: accumulated dose by plane, and counts over its events. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from copydicom_app.codes import Code, Key, key, keys
from copydicom_app.dose.items import Part, Rule, fill, put_number, rules
from copydicom_app.dose.units import convert, tidy
from copydicom_app.structured_report import ContentItem

ACCUMULATED = keys("113702", "113811")
"""Containers of accumulated dose: TID 10002 (one a plane) and TID 10012."""

_PLANE = key("113764")
_PLANES = {key("113620"): "a", key("113621"): "b"}
_PLANES_BY_NAME = {"plane a": "a", "plane b": "b"}
_TOTALS = rules("study", "total")
_OF_PLANE = {"a": rules("study", "plane a"), "b": rules("study", "plane b")}
_MEANS = frozenset({"calibration_factor", "calibration_uncertainty_pct"})
_REFERENCE_POINT = tuple(r for r in rules("study", "text") if r.name == "reference_point_definition")
_AGD, _LATERALITY = key("111637"), key("SCT:272741003")
_SIDES = {
    **dict.fromkeys(keys("SCT:7771000", "SCT:80248007"), "left"),
    **dict.fromkeys(keys("SCT:24028007", "SCT:73056007"), "right"),
    **dict.fromkeys(keys("SCT:51440002", "SCT:63762007", "SRT:T-04080"), "both"),
}
_ACQUISITION_TYPES = {
    "116152004": "n_spiral",
    "113804": "n_sequenced",
    "113805": "n_constant_angle",
    "113806": "n_stationary",
    "113807": "n_free",
}
_ACQUISITIONS_BY_NAME = {
    "Spiral Acquisition": "n_spiral",
    "Sequenced Acquisition": "n_sequenced",
    "Constant Angle Acquisition": "n_constant_angle",
    "Stationary Acquisition": "n_stationary",
    "Free Acquisition": "n_free",
}


def put_totals(study: dict[str, Any], part: Part, warnings: list[str]) -> None:
    """Accumulated dose: of each plane, and of the study, which is the planes' sum."""
    containers = [item for item in part.apart if item.name.key in ACCUMULATED]
    by_plane: dict[Optional[str], list[Part]] = {}
    planes: set[str] = set()
    for container in containers:
        inner = Part(container.children)
        plane = _plane(inner)
        if plane:
            planes.add(plane)
        by_plane.setdefault(plane if plane in _OF_PLANE else None, []).append(inner)
        fill(study, inner, _REFERENCE_POINT, warnings)
        _put_agd(study, container, warnings)
    if planes:
        study["n_planes"] = len(planes)
    for name, wanted in _OF_PLANE.items():
        _first_of_each(study, by_plane.get(name, []), wanted, warnings)
    for rule in _TOTALS:
        _put_total(study, rule, by_plane, part, warnings)


def put_counts(study: dict[str, Any], events: list[dict[str, Any]], kinds: list[str]) -> None:
    """Events by acquisition type, and the highest CTDIvol; an event listed twice counts once."""
    distinct = [event for event in events if not _is_repeat(event)]
    study["n_events"] = len(distinct)
    if "ct" in kinds:
        study.update(dict.fromkeys(_ACQUISITION_TYPES.values(), 0))
    for event in distinct:
        name = _ACQUISITION_TYPES.get(str(event.get("ct_acquisition_type_code", "")))
        name = name or _ACQUISITIONS_BY_NAME.get(str(event.get("ct_acquisition_type", "")))
        if name:
            study[name] += 1
    doses = [e["ctdivol_mGy"] for e in distinct if "ctdivol_mGy" in e and not e.get("is_localizer")]
    if doses:
        study["max_ctdivol_mGy"] = max(doses)


def _plane(part: Part) -> Optional[str]:
    """`a`, `b`, another plane's name, or None; by code, else by the name."""
    item = part.first(_PLANE)
    if item is None:
        return None
    by_code = _PLANES.get(item.value.key) if isinstance(item.value, Code) else None
    return by_code or _PLANES_BY_NAME.get(item.text.casefold(), item.text)


def _is_repeat(event: Mapping[str, Any]) -> bool:
    return "irradiation_event_uid" in event and event["event_key"] != event["irradiation_event_uid"]


def _put_total(
    study: dict[str, Any],
    rule: Rule,
    by_plane: Mapping[Optional[str], list[Part]],
    part: Part,
    warnings: list[str],
) -> None:
    """What the report gives for the study as a whole, else the sum over the planes."""
    _first_of_each(study, [*by_plane.get(None, []), part], (rule,), warnings)
    if rule.name in study:
        return
    values = []
    for name in ("a", "b"):
        plane: dict[str, Any] = {}
        _first_of_each(plane, by_plane.get(name, []), (rule,), warnings)
        if rule.name in plane:
            values.append(plane.pop(rule.name))
        for kept_raw, value in plane.items():
            study.setdefault(kept_raw, value)
    if values:
        total = sum(values) / len(values) if rule.name in _MEANS else sum(values)
        study[rule.name] = tidy(total)


def _first_of_each(
    record: dict[str, Any], parts: list[Part], wanted: tuple[Rule, ...], warnings: list[str]
) -> None:
    """Each field from the first container that has it: one plane may have several, and they repeat values."""
    for rule in wanted:
        for part in parts:
            if rule.name not in record:
                put_number(record, rule, part.all(rule.codes), warnings)


def _put_agd(study: dict[str, Any], container: ContentItem, warnings: list[str]) -> None:
    """Accumulated average glandular dose (TID 10005): its side is a child of the number."""
    for item in container.children:
        if item.name.key != _AGD or item.number is None:
            continue
        laterality = next((child for child in item.children if child.name.key == _LATERALITY), None)
        side = _side(laterality)
        value = convert(item.number, item.unit, "mGy")
        if value is None or not side:
            what = "no side" if value is not None else "unknown unit"
            study.setdefault("total_agd_raw", item.number)
            study.setdefault("total_agd_raw_unit", item.unit.value if item.unit else "")
            warnings.append(f"{item.label}: {what}; kept as total_agd_raw")
        else:
            study.setdefault(f"total_agd_{side}_mGy", value)


def _side(laterality: Optional[ContentItem]) -> str:
    if laterality is None:
        return ""
    code: Optional[Key] = getattr(laterality.value, "key", None)
    return _SIDES.get(code, "") if code else ""
