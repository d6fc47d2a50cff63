"""A structured report as nested keys: the form in which the predecessor indexed dose reports. Pure.

Old searches read paths such as ``X-Ray Radiation Dose Report.CT Acquisition{}.CT Dose.Mean CTDIvol``, so
its keys stay as they were: the meanings of the concepts. What it lacked is added beside them, under
keys that cannot be meanings:

- ``<key>_unit``: the unit of a number (a list when a repeated number changes its unit);
- ``<key>_details``: what hangs below an item that is no container, such as a laterality or an intent;
- ``_ctdi_imputed``: true where ``CT Dose: {Mean CTDIvol: 0}`` was put in for an acquisition without dose;
- ``_warnings``: what could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from copydicom_app.codes import Code, key, keys
from copydicom_app.structured_report import ContentItem, problems_of, read
from copydicom_app.times import iso_date, iso_datetime, iso_from_dt, iso_time, offset_from_dt

XRAY_TITLE = "X-Ray Radiation Dose Report"

_TITLES = {key("113701"): XRAY_TITLE, key("113500"): "Radiopharmaceutical Radiation Dose Report"}
_CT_ACQUISITION = key("113819")
_ALWAYS_LISTS = keys("113819", "113706")
_ALWAYS_LISTS_BY_NAME = frozenset({"CT Acquisition", "Irradiation Event X-Ray Data"})
_MAX_WARNINGS = 50


def nested(tags: Mapping[str, Any], tree: Optional[ContentItem] = None) -> tuple[str, dict[str, Any]]:
    """The key and the value that stand for a report's ContentSequence in its tags event.

    `tags` is the report in Orthanc's simplified form. The value has every item of the content; a
    repeated key holds a list, and the acquisitions are a list even when there is one. `tree` is what
    `structured_report.read` made of the tags, where the caller has it already.
    """
    root = tree or read(tags)
    content = _container(root)
    moment = _content_moment(tags)
    if moment is not None:
        content["ContentDateTime"] = moment
    warnings = list(dict.fromkeys(problems_of(root)))
    if len(warnings) > _MAX_WARNINGS:
        warnings = [*warnings[:_MAX_WARNINGS], f"and {len(warnings) - _MAX_WARNINGS} more"]
    if warnings:
        content["_warnings"] = warnings
    return _title(root.name), content


def _title(title: Code) -> str:
    """The title, in one spelling for dose reports: Spectrum writes `X-ray`, others translate it."""
    if title.key in _TITLES:
        return _TITLES[title.key]
    for known in _TITLES.values():
        if title.text.casefold() == known.casefold():
            return known
    return title.text or "Structured Report"


def _container(item: ContentItem) -> dict[str, Any]:
    groups: dict[str, list[ContentItem]] = {}
    for child in item.children:
        groups.setdefault(child.name.text or child.kind or "item", []).append(child)
    content: dict[str, Any] = {}
    for name, members in groups.items():
        values = [_value(member) for member in members]
        several = len(members) > 1 or name in _ALWAYS_LISTS_BY_NAME or members[0].name.key in _ALWAYS_LISTS
        content[name] = values if several else values[0]
    for name, members in groups.items():
        _beside(
            content, f"{name}_unit", [m.unit.value or m.unit.meaning if m.unit else None for m in members]
        )
        details = [_container(m) if m.children and m.kind != "CONTAINER" else None for m in members]
        _beside(content, f"{name}_details", details)
    if item.name.key == _CT_ACQUISITION or item.name.text == "CT Acquisition":
        _impute_ctdi(content)
    return content


def _beside(content: dict[str, Any], name: str, values: list[Any]) -> None:
    """Adds what belongs to the values of a key: once when it is the same for all, else aligned with them."""
    if any(value is not None for value in values) and name not in content:
        content[name] = values[0] if all(value == values[0] for value in values) else values


def _impute_ctdi(acquisition: dict[str, Any]) -> None:
    """Old searches zip types with CTDIvol: an acquisition without one would shift all that follow."""
    if "CT Dose" not in acquisition:
        acquisition["CT Dose"] = {"Mean CTDIvol": 0}
        acquisition["_ctdi_imputed"] = True


def _value(item: ContentItem) -> Any:
    if item.kind == "CONTAINER":
        return _container(item)
    if item.kind == "NUM":
        return item.value[0] if len(item.value) == 1 else list(item.value) or None
    if item.kind == "CODE":
        return item.text or "UNKNOWN"
    if item.kind == "DATETIME":
        return _moment(item.text)
    if item.kind == "DATE":
        return iso_date(item.text) or item.text
    if item.kind == "TIME":
        return iso_time(item.text) or item.text
    if isinstance(item.value, tuple):
        uids = [reference.uid for reference in item.value if reference.uid]
        return uids[0] if len(uids) == 1 else uids or None
    return item.value


def _moment(dt: str) -> str:
    """ISO 8601, with the zone if the file names one; what is no date stays as it was written."""
    iso = iso_from_dt(dt)
    return dt if iso is None else iso + (offset_from_dt(dt) or "")


def _content_moment(tags: Mapping[str, Any]) -> Optional[str]:
    """ContentDate and ContentTime as one moment.

    De-identified reports hold times such as ``22222.111111``, a clock of five digits. Old events have
    them with the last digit as seconds, and this form keeps to what old events have.
    """
    day, clock = tags.get("ContentDate"), tags.get("ContentTime")
    odd = re.match(r"(\d{4})(\d)(\.\d+)?$", clock.strip()) if isinstance(clock, str) else None
    return iso_datetime(day, f"{odd[1]}0{odd[2]}{odd[3] or ''}" if odd else clock)
