"""The events of one instance: its tags and, of a dose report, the study and each irradiation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from copydicom_app._version import __version__
from copydicom_app.dose.report import dose_moment, flatten_dose_report, image_dose, is_dose_report
from copydicom_app.models import Event, Parents
from copydicom_app.nested_report import nested
from copydicom_app.structured_report import is_structured_report, read
from copydicom_app.tags_event import OURS, Origin, event_time, possible, tags_event
from copydicom_app.times import parse_offset, to_epoch

SOURCETYPES = {"study": "dicom:dose:study", "event": "dicom:dose:event"}


def events_of(
    id: str, tags: Mapping[str, Any], parents: Parents, origin: Origin, now: float
) -> Iterator[Event]:
    """The `dicom:instance` event of an instance, then the dose events of a dose report or an image.

    `tags` is Orthanc's simplified form, of a structured report with `structured_report.LONG_KEYWORDS` at
    full length. In the tags event of any structured report its content stands nested under its title.
    """
    shown = _without(tags, origin.exclude) if origin.exclude else tags
    if not is_structured_report(tags):
        yield tags_event(id, tags, parents, origin, now)
        record = image_dose(shown, _context(id, parents, origin)) if origin.dose_from_images else None
        if record is not None:
            yield _dose_event(record, record, tags, origin, now)
        return
    tree = read(shown)
    title, content = nested(shown, tree)
    header = {keyword: value for keyword, value in tags.items() if keyword != "ContentSequence"}
    if title in header or title in OURS or title.startswith("_"):
        title = f"Structured Report {title}"  # it must not stand in the place of another field
    yield tags_event(id, header, parents, origin, now, report={title: content})
    if origin.dose and is_dose_report(tags):
        records = flatten_dose_report(shown, _context(id, parents, origin), tree)
        for record in records:
            yield _dose_event(record, records[0], tags, origin, now)


def one_by_one(events: Iterable[Event], tags: Mapping[str, Any]) -> Iterator[Event]:
    """Of an instance's events those that come at every level: all of a dose report, the dose of an image."""
    report = is_dose_report(tags)
    return (event for event in events if report or event.sourcetype != "dicom:instance")


def _without(value: Any, keywords: frozenset[str]) -> Any:
    """The tags without some keywords, at every depth."""
    if isinstance(value, Mapping):
        return {key: _without(inner, keywords) for key, inner in value.items() if key not in keywords}
    if isinstance(value, list):
        return [_without(inner, keywords) for inner in value]
    return value


def _context(id: str, parents: Parents, origin: Origin) -> dict[str, Any]:
    return {
        "ID": id,
        "orthanc_server": origin.server,
        "ParentSeries": parents.series,
        "ParentStudy": parents.study,
        **({"ParentPatient": parents.patient} if parents.patient else {}),
        "app_version": __version__,
    }


def _dose_event(
    record: dict[str, Any], study: Mapping[str, Any], tags: Mapping[str, Any], origin: Origin, now: float
) -> Event:
    """A record with its time: its own start, else the study's, else the dates of the instance."""
    sourcetype = SOURCETYPES[record["record_type"]]
    for source in (record, study):
        moment, offset, field = dose_moment(source)
        zone = parse_offset(offset) or parse_offset(tags.get("TimezoneOffsetFromUTC")) or origin.zone
        time = to_epoch(moment, zone)
        if field is not None and time is not None and possible(time, now):
            return Event(sourcetype, {**record, "time_source": field}, time)
    time, field = event_time(tags, origin.zone, now)
    return Event(sourcetype, {**record, "time_source": field}, time)
