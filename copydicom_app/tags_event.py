"""From Orthanc's simplified tags to the tags event. Pure: dicts in, an Event out, no I/O, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timezone, tzinfo
from functools import cached_property, lru_cache
from typing import Any, Optional
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from copydicom_app._version import __version__
from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Event, Level, Parents, Summary, as_json
from copydicom_app.privacy import Privacy
from copydicom_app.times import iso_datetime, iso_from_dt, orthanc_moment, parse_offset, to_epoch

DAY_SECONDS = 86_400
DEFAULT_MAX_EVENT_BYTES = 100_000

# Splunk extracts fields from the first 5,000 characters and at most 100 of them by itself, so what is
# searched most comes first.
_FIRST = (
    "Modality",
    "PatientID",
    "PatientName",
    "PatientSex",
    "PatientAge",
    "PatientBirthDate",
    "AccessionNumber",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "BodyPartExamined",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
    "ImageType",
    "StudyDate",
    "StudyTime",
    "SeriesNumber",
    "InstanceNumber",
    "Manufacturer",
    "ManufacturerModelName",
    "StationName",
    "InstitutionName",
    "DeviceSerialNumber",
    "RequestedProcedureDescription",
)

_IS_FIRST = frozenset(_FIRST)

# The keywords under which Orthanc's simplified form gives private elements: they collide with each other.
_PRIVATE = frozenset({"PrivateCreator", "Unknown Tag & Data"})
_TEXTS = frozenset({str})
# Values that Orthanc never puts into JSON, so that their absence tells nothing.
_PIXELS = frozenset({"PixelData"})  # nearly every instance has them
_BINARY_ENDINGS = ("Data", "EncapsulatedDocument", "OffsetTable", "OffsetTableLengths")
_NONE: frozenset[str] = frozenset()

_IDENTITY = frozenset({"ID", "ParentSeries", "ParentStudy", "ParentPatient"})
# What we add to an event and no limit takes away.
OURS = _IDENTITY | {"orthanc_server", "level", "time_source", "app_version"}
OURS |= {"revision", "instances", "series", "bytes", "modalities", "last_arrival"}

_TIME_CHAIN = ("InstanceCreation", "Content", "Acquisition", "Series", "Study")
# The dates of a series' or study's own come first: what its instances share of theirs may be half a moment.
_TIME_CHAINS = {
    Level.SERIES: ("Series", "Study", "Acquisition", "Content", "InstanceCreation"),
    Level.STUDY: ("Study", "Series", "Acquisition", "Content", "InstanceCreation"),
}
_OWN_MOMENTS = {Level.SERIES: ("Study", "Series"), Level.STUDY: ("Study",)}


@dataclass(frozen=True)
class Origin:
    """Where events come from and what governs them: the same for every event of one input.

    `zone` serves dates that name none; the keywords in `exclude` are left out at every depth. With `only`
    an event holds these keywords and no others, beside the fields that we add. `privacy` is applied to the
    tags before they come here, since other events are made of them too.
    """

    server: str
    zone: tzinfo = timezone.utc
    dose: bool = True
    dose_from_images: bool = False
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    exclude: frozenset[str] = frozenset()
    only: Optional[frozenset[str]] = None
    privacy: Privacy = field(default_factory=Privacy)

    @cached_property
    def unwanted(self) -> frozenset[str]:
        """The keywords that no event shows, at any depth."""
        return _PRIVATE | _PIXELS | self.exclude


def zone_named(name: str) -> tzinfo:
    """The time zone of an IANA name such as ``Europe/Berlin``."""
    if name == "UTC":
        return timezone.utc  # also where there is no time zone database, as on Windows
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"timezone {name!r} is not known here; use an IANA name such as Europe/Berlin"
        ) from error


def tags_event(
    id: str,
    tags: Mapping[str, Any],
    parents: Parents,
    origin: Origin,
    now: float,
    report: Optional[Mapping[str, Any]] = None,
) -> Event:
    """The `dicom:instance` event of one instance.

    `tags` is Orthanc's simplified form (``GET /instances/{id}/tags?simplify``), `now` the seconds since
    1970. Values that Orthanc withheld for their length are left out and named in `_withheld`; sequences
    that go beyond `origin.max_event_bytes` in `_dropped`. `report` is the content of a structured report by
    its title: it comes last and stays whole, since searches for dose live on it.
    """
    time, time_source = event_time(tags, origin.zone, now)
    fields: dict[str, Any] = {
        "ID": id,
        "orthanc_server": origin.server,
        "level": "instance",
        "ParentSeries": parents.series,
        "ParentStudy": parents.study,
        **({"ParentPatient": parents.patient} if parents.patient else {}),
        "time_source": time_source,
        "app_version": __version__,
    }
    _put_tags(fields, tags, ("Study", "Series", "InstanceCreation"), origin)
    event = _within(Event("dicom:instance", fields, time), origin.max_event_bytes)
    if report is None or origin.only is not None:
        return event
    return replace(event, fields={**event.fields, **_readable(dict(report), _NONE, [])})


def summary_event(summary: Summary, revision: int, origin: Origin, now: float) -> Event:
    """The `dicom:series` or `dicom:study` event: what it holds, and the tags that its images share."""
    tags, level = summary.tags, summary.level
    time, time_source = event_time(tags, origin.zone, now, _TIME_CHAINS[level])
    arrival = orthanc_moment(summary.last_update)
    study = level is Level.STUDY
    fields: dict[str, Any] = {
        "ID": summary.id,
        "orthanc_server": origin.server,
        "level": level.value,
        "revision": revision,
        **({} if study else {"ParentStudy": summary.parents.study}),
        **({"ParentPatient": summary.parents.patient} if summary.parents.patient else {}),
        "instances": summary.instances,
        **({"series": summary.series} if study else {}),
        "bytes": summary.bytes,
        **({"modalities": ",".join(summary.modalities)} if summary.modalities else {}),
        **({"last_arrival": arrival.strftime("%Y-%m-%dT%H:%M:%SZ")} if arrival else {}),
        "time_source": time_source,
        "app_version": __version__,
    }
    _put_tags(fields, tags, _OWN_MOMENTS[level], origin)
    return _within(Event(f"dicom:{level.value}", fields, time), origin.max_event_bytes)


def _put_tags(
    fields: dict[str, Any], tags: Mapping[str, Any], moments: Iterable[str], origin: Origin
) -> None:
    """The tags as an event shows them, behind their moments in ISO 8601."""
    for name in moments:
        moment = iso_datetime(tags.get(name + "Date"), tags.get(name + "Time"))
        if moment is not None:
            fields[name + "DateTime"] = moment
    shown = {name: tags[name] for name in _search_order(tuple(tags), origin.unwanted, origin.only)}
    if not _TEXTS.issuperset(map(type, shown.values())):
        _put_others_last(shown, origin.unwanted)
    fields.update(shown)


def _put_others_last(shown: dict[str, Any], unwanted: frozenset[str]) -> None:
    """What is no text: sequences go behind the texts, small before large, and nulls out; see `_readable`."""
    others = [name for name, value in shown.items() if type(value) is not str]
    withheld: list[str] = []
    values = _readable({name: shown[name] for name in others}, unwanted, withheld)
    last = {name: value for name, value in values.items() if _is_nested(value) and name not in _IS_FIRST}
    for name in others:
        if name in values and name not in last:
            shown[name] = values[name]
        else:
            del shown[name]
    for name in sorted(last, key=lambda name: _size(last[name])):
        shown[name] = last[name]
    if withheld:
        shown["_withheld"] = sorted(withheld)


def event_time(
    tags: Mapping[str, Any], zone: tzinfo, now: float, chain: Iterable[str] = _TIME_CHAIN
) -> tuple[float, str]:
    """When the object was made, and which date said so: the first of the chain that can be true.

    A moment before 1970 or more than a day ahead is no answer; without one it is the time of indexing.
    """
    own_zone = parse_offset(tags.get("TimezoneOffsetFromUTC")) or zone
    for name in chain:
        moment = to_epoch(_moment(tags, name), own_zone)
        if moment is not None and possible(moment, now):
            return moment, name
    return now, "indexing"


def possible(moment: float, now: float) -> bool:
    """Whether something can have been made then: not before 1970, not more than a day ahead."""
    return 0 <= moment <= now + DAY_SECONDS


def parents_by_hash(id: str, tags: Mapping[str, Any]) -> Optional[Parents]:
    """The Orthanc ids above an instance, computed instead of asked for; None where that cannot be proven.

    An Orthanc id is the SHA-1 of the DICOM identifiers down to its level, joined by ``|``. The instance's
    own id is made of all four: when it comes out right, so do the others.
    """
    keywords = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    uids = [tags.get(keyword, "") for keyword in keywords]
    if not _TEXTS.issuperset(map(type, uids)):
        return None
    if _orthanc_id("|".join(uids)) != id:
        return None
    return _parents(*uids[:3])


@lru_cache(maxsize=256)
def _parents(patient: str, study: str, series: str) -> Parents:
    """The same for all instances of a series, which follow each other."""
    return Parents(
        _orthanc_id(f"{patient}|{study}|{series}"), _orthanc_id(f"{patient}|{study}"), _orthanc_id(patient)
    )


def _orthanc_id(uids: str) -> str:
    digest = hashlib.sha1(uids.encode()).hexdigest()  # noqa: S324 (Orthanc's own identifier)
    return f"{digest[:8]}-{digest[8:16]}-{digest[16:24]}-{digest[24:32]}-{digest[32:]}"


def _moment(tags: Mapping[str, Any], name: str) -> Optional[str]:
    moment = iso_datetime(tags.get(name + "Date"), tags.get(name + "Time"))
    return moment or iso_from_dt(tags.get(name + "DateTime"))


def _readable(value: Any, unwanted: frozenset[str], withheld: list[str]) -> Any:
    """The value without unwanted keywords and nulls; the keywords of withheld texts go to `withheld`."""
    if isinstance(value, dict):  # as JSON gives it; Mapping would cost ten times as much
        kept = {}
        for keyword, inner in value.items():
            if keyword in unwanted:
                continue
            if type(inner) is str:  # nearly all: no call for these
                kept[keyword] = inner
            elif inner is not None:
                kept[keyword] = _readable(inner, unwanted, withheld)
            elif not keyword.endswith(_BINARY_ENDINGS) and keyword not in withheld:
                withheld.append(keyword)
        return kept
    if isinstance(value, list):
        return [_readable(item, unwanted, withheld) for item in value]
    return value


@lru_cache(maxsize=256)
def _search_order(
    keywords: tuple[str, ...], unwanted: frozenset[str], only: Optional[frozenset[str]]
) -> tuple[str, ...]:
    """What an event shows of these keywords: the most searched first, then by name.

    The instances of a series have the same keywords in the same order, nearly always.
    """
    here = set(keywords) - unwanted if only is None else (set(keywords) - unwanted) & only
    return (*(keyword for keyword in _FIRST if keyword in here), *sorted(here - _IS_FIRST))


def _within(event: Event, limit: int) -> Event:
    """The event without its bulkiest values until it fits; what went is named in `_dropped`.

    Sequences go first; what identifies the instance stays, however small the limit.
    """
    excess = len(event.json) - limit
    if excess <= 0:
        return event
    excess += len(',"_dropped":[]')
    kept = dict(event.fields)
    dropped: list[str] = []
    for keyword in _expendable(event.fields):
        # its value, its colon and its comma go; its quoted name moves to the list, with a comma there
        excess -= _size(kept.pop(keyword)) + 1
        dropped.append(keyword)
        if excess <= 0:
            break
    kept["_dropped"] = sorted(dropped)
    return replace(event, fields=kept)


def _expendable(fields: Mapping[str, Any]) -> list[str]:
    kept = OURS | _IS_FIRST
    names = [name for name in fields if name not in kept and not name.startswith("_")]
    return sorted(names, key=lambda name: (_is_nested(fields[name]), _size(fields[name])), reverse=True)


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _size(value: Any) -> int:
    return len(as_json(value))
