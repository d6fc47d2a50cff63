"""What a dose event takes from the header of its instance: who, when, where, which machine. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Optional

from copydicom_app.dose.fields import FIELDS
from copydicom_app.times import iso_date, iso_time

_TAGS = tuple((field.name, field.how.split()[1:]) for field in FIELDS if field.how.startswith("tag "))
_ZONE = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})$")
_AGE = re.compile(r"(\d{1,3})([DWMY])$")
_IN_A_YEAR = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}


def header(tags: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that come from the tags alone; a tag without a value gives no field."""
    record: dict[str, Any] = {}
    for name, keywords in _TAGS:
        value = next((text for text in (tag_text(tags, keyword) for keyword in keywords) if text), "")
        if value:
            record[name] = value
    _put_moments(record, tags)
    _put_patient(record, tags)
    return record


def tag_text(tags: Mapping[str, Any], keyword: str) -> str:
    """A tag as text; "" when it is absent, empty, withheld or a sequence."""
    value = tags.get(keyword)
    if isinstance(value, str):
        return value.strip("\0 \t\r\n")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return ""


def tag_number(tags: Mapping[str, Any], keyword: str) -> Optional[float]:
    """A tag's number, the first of several; None when it is none."""
    try:
        number = float(tag_text(tags, keyword).split("\\")[0])
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _put_moments(record: dict[str, Any], tags: Mapping[str, Any]) -> None:
    day, clock = iso_date(tags.get("StudyDate")), iso_time(tags.get("StudyTime"))
    if day:
        record["study_date"] = day
    if clock:
        record["study_time"] = clock
    zone = _ZONE.match(tag_text(tags, "TimezoneOffsetFromUTC"))
    if zone:
        record["timezone_offset"] = f"{zone[1]}{zone[2]}:{zone[3]}"
    requested = tag_text(tags, "RequestedProcedureDescription")
    for attributes in _items(tags.get("RequestAttributesSequence")):
        requested = requested or tag_text(attributes, "RequestedProcedureDescription")
    if requested:
        record["requested_procedure"] = requested


def _put_patient(record: dict[str, Any], tags: Mapping[str, Any]) -> None:
    age = _years_between(iso_date(tags.get("PatientBirthDate")), record.get("study_date"))
    if age is None:
        age = _years_of(tag_text(tags, "PatientAge"))
    if age is not None:
        record["patient_age_years"] = age
    # A weight or size of 0 is what consoles write when nobody typed one.
    for name, keyword in (("patient_weight_kg", "PatientWeight"), ("patient_size_m", "PatientSize")):
        value = tag_number(tags, keyword)
        if value is not None and value > 0:
            record[name] = value
    put_body_mass_index(record)


def put_body_mass_index(record: dict[str, Any]) -> None:
    """Weight over size squared, to two decimals."""
    weight, size = record.get("patient_weight_kg"), record.get("patient_size_m")
    if weight and size:
        index = float(weight) / float(size) ** 2
        if index < 1e4:  # a size in centimetres or the like says nothing
            record["body_mass_index"] = round(index, 2)


def _years_between(birth: Optional[str], day: Optional[str]) -> Optional[float]:
    if birth is None or day is None:
        return None
    days = (date.fromisoformat(day) - date.fromisoformat(birth)).days
    return round(days / 365.25, 1) if days >= 0 else None


def _years_of(age: str) -> Optional[float]:
    """An AS such as ``067Y`` or ``006M`` (PS3.5, table 6.2-1) in years."""
    match = _AGE.match(age.upper())
    return round(int(match[1]) / _IN_A_YEAR[match[2]], 1) if match else None


def _items(sequence: object) -> list[Mapping[str, Any]]:
    return [item for item in sequence if isinstance(item, Mapping)] if isinstance(sequence, list) else []
