"""Dose reports as flat records: one for the study, one for each irradiation. Pure.

`flatten_dose_report` takes a report in Orthanc's simplified form (fetched with ``ignore-length`` of
`structured_report.LONG_KEYWORDS`) and gives dictionaries whose keys are the fields of `fields`. It
follows PS3.16: CT (TID 10011), projection X-ray, fluoroscopy, angiography, mammography (TID 10001),
radiopharmaceuticals (TID 10021). Concepts are known by their codes. What is missing is absent, never 0;
what could not be read is in `dose_warnings`; what was computed is named in `dose_derived`.

    records = flatten_dose_report(tags, {"ID": orthanc_id, "orthanc_server": "main"})
    study, events = records[0], records[1:]

An event's `event_key` is the same whenever a report is read again, and in every report that holds the
event: the irradiation event's UID, ``uid#2`` for the second event with that UID in one report, and
``<SOP instance UID>#<event_index>`` where there is no UID.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from copydicom_app.codes import key, keys
from copydicom_app.dose.event import event_record
from copydicom_app.dose.header import header, put_body_mass_index
from copydicom_app.dose.image import IMAGE_MODALITIES, image_dose
from copydicom_app.dose.items import Part, fill, put_warnings, rules
from copydicom_app.dose.modality import modality
from copydicom_app.dose.study import ACCUMULATED, put_counts, put_totals
from copydicom_app.dose.units import convert
from copydicom_app.structured_report import ContentItem, find, is_structured_report, problems_of, read

__all__ = ["IMAGE_MODALITIES", "dose_moment", "flatten_dose_report", "image_dose", "is_dose_report"]

TEMPLATES = frozenset({"10001", "10011", "10021", "10040"})
"""Root templates of dose reports (PS3.16); ContentTemplateSequence names one, unless a vendor forgot."""

TITLES = keys("113701", "113500", "113502", "99SMS_RADSUM:C-10")
"""Titles of dose reports; the last is that of Siemens Arcadis, which gives totals only."""

EVENTS = {
    key("113819"): "ct",
    key("113706"): "projection",
    key("113502"): "administration",
    key("130501"): "projection",
}
"""Containers of one irradiation each: TID 10013, 10003, 10022 and 10042."""

_APART = frozenset(EVENTS) | ACCUMULATED
_SHARED = rules("both", "text")
_STUDY = rules("study", "text", "code", "time")
_GLUCOSE = tuple(rule for rule in rules("event", "num") if rule.name == "glucose_mmol_l")
_COMMENT = tuple(rule for rule in rules("event", "last") if rule.name == "comment")
_OBSERVERS = (
    ("manufacturer", ("device_observer_manufacturer",)),
    ("manufacturer_model", ("device_observer_model",)),
    ("device_serial_number", ("device_observer_serial",)),
    ("station_name", ("device_observer_name", "device_serial_number", "device_observer_uid")),
)


def is_dose_report(tags: Mapping[str, Any]) -> bool:
    """Whether an instance is a dose report: by its template, title or content, never by its SOP class.

    GE's CT scanners store theirs as Enhanced SR, and others name no template.
    """
    if not is_structured_report(tags):
        return False
    for template in _items(tags.get("ContentTemplateSequence")):
        ours = str(template.get("MappingResource") or "DCMR").strip() == "DCMR"
        if ours and str(template.get("TemplateIdentifier")).strip() in TEMPLATES:
            return True
    return _reports_dose(read({**tags, "ContentSequence": _outline(tags)}))


def flatten_dose_report(
    tags: Mapping[str, Any],
    context: Optional[Mapping[str, Any]] = None,
    tree: Optional[ContentItem] = None,
) -> list[dict[str, Any]]:
    """The study's record, then the events' in the order of the report.

    `context` has the fields that the caller knows (`ID`, `ParentStudy`, `orthanc_server`, ...); they come
    first in each record. Any mapping is taken; one that is no dose report gives a study without events.
    `tree` is what `structured_report.read` made of the tags, where the caller has it already.
    """
    root = tree or read(tags)
    containers = _event_containers(root)
    part = Part((child for child in root.children), apart=_APART)
    warnings: list[str] = []
    shared = _shared(tags, part, warnings)
    known = dict(context or {})

    study: dict[str, Any] = {**known, "record_type": "study", "dose_source": "report", **shared}
    fill(study, part, _STUDY, warnings)
    if root.name.text:
        study["report_title"] = root.name.text

    comment: dict[str, Any] = {}
    fill(comment, part, _COMMENT, warnings)
    events = []
    for index, (kind, container) in enumerate(containers, start=1):
        record = {**known, "record_type": "event", "dose_source": "report", **shared}
        record["event_index"] = index
        events.append(event_record(record, kind, container, study, comment.get("comment", "")))
    _put_keys(events, str(study.get("sop_instance_uid", "")))
    for record in events:
        # Imaging agent patient characteristics (TID 10024) stand beside the administration.
        fill(record, part, _GLUCOSE, warnings)
    kinds = [kind for kind, _ in containers]
    put_totals(study, part, warnings)
    put_counts(study, events, kinds)
    _put_modality(study, events, tags, root, kinds)
    study.update(comment)
    put_warnings(study, [*_problems_outside(root, [item for _, item in containers]), *warnings])
    return [study, *events]


def dose_moment(record: Mapping[str, Any]) -> tuple[Optional[str], Optional[str], Optional[str]]:
    """When a dose record happened: its ISO moment, the zone that the file names, and the field it is from.

    All are None when the record has no moment of its own, and the caller takes the instance's dates. The
    moment has no zone; the third is what to write into `time_source`.
    """
    for field in ("datetime_started", "administration_start", "irradiation_start"):
        moment = record.get(field)
        if isinstance(moment, str):
            offset = record.get("timezone_offset")
            return moment, offset if isinstance(offset, str) else None, field
    return None, None, None


def _reports_dose(root: ContentItem) -> bool:
    if root.name.key in TITLES or "radiation dose report" in root.name.text.casefold():
        return True
    return any(child.name.key in EVENTS and child.kind == "CONTAINER" for child in root.children)


def _outline(tags: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The first level of the content without what is below it: enough to tell what the report is."""
    return [{**item, "ContentSequence": None} for item in _items(tags.get("ContentSequence"))]


def _event_containers(root: ContentItem) -> list[tuple[str, ContentItem]]:
    """Each irradiation's kind and container, in document order."""
    found = []
    pending = list(reversed(root.children))
    while pending:
        item = pending.pop()
        kind = EVENTS.get(item.name.key)
        if kind and item.kind == "CONTAINER":
            found.append((kind, item))
        else:
            pending.extend(reversed(item.children))
    if not found and any(find(root, "113507", recursive=False)):
        found.append(("administration", root))
    return found


def _shared(tags: Mapping[str, Any], part: Part, warnings: list[str]) -> dict[str, Any]:
    """The fields that the study and its events have in common."""
    shared = header(tags)
    fill(shared, part, _SHARED, warnings)
    for name, substitutes in _OBSERVERS:
        for substitute in substitutes:
            if name not in shared and substitute in shared:
                shared[name] = shared[substitute]
    # Radiopharmaceutical reports give the patient's weight and size as items (TID 10024).
    for name, code, unit in (("patient_weight_kg", "LN:29463-7", "kg"), ("patient_size_m", "LN:8302-2", "m")):
        item = part.first(key(code))
        value = convert(item.number, item.unit, unit) if item and item.number else None
        if value and name not in shared:
            shared[name] = value
    put_body_mass_index(shared)
    return shared


def _put_keys(events: Iterable[dict[str, Any]], sop_uid: str) -> None:
    seen: dict[str, int] = {}
    for event in events:
        uid = event.get("irradiation_event_uid")
        if not uid:
            event["event_key"] = f"{sop_uid}#{event['event_index']}"
            continue
        seen[uid] = seen.get(uid, 0) + 1
        event["event_key"] = uid if seen[uid] == 1 else f"{uid}#{seen[uid]}"


def _put_modality(
    study: dict[str, Any],
    events: list[dict[str, Any]],
    tags: Mapping[str, Any],
    root: ContentItem,
    kinds: list[str],
) -> None:
    whole = modality(tags, root, study, events, set(kinds))
    if whole:
        study["modality"] = whole
    for event, kind in zip(events, kinds):
        own = "CT" if kind == "ct" else whole
        if own:
            event["modality"] = own


def _problems_outside(root: ContentItem, containers: list[ContentItem]) -> list[str]:
    """What could not be read outside the events: theirs are in their own records."""
    inside = {id(container) for container in containers}
    problems = [f"{root.label}: {problem}" for problem in root.problems]
    pending = list(root.children)
    while pending:
        item = pending.pop(0)
        if id(item) in inside:
            continue
        problems.extend(problems_of(item._replace(children=())))
        pending[:0] = item.children
    return problems


def _items(sequence: object) -> list[Mapping[str, Any]]:
    return [item for item in sequence if isinstance(item, Mapping)] if isinstance(sequence, list) else []
