"""Writes docs/fields.md from the table in `copydicom_app.dose.fields`: ``python -m testbench.fields_doc``."""

from __future__ import annotations

from pathlib import Path

from copydicom_app.dose.concept_names import NAMES
from copydicom_app.dose.fields import FIELDS, Field

TARGET = Path(__file__).resolve().parent.parent / "docs" / "fields.md"

_HEAD = """\
# Fields of the events

This page is made from the table in `copydicom_app/dose/fields.py`; after a change there run
`python -m testbench.fields_doc`.

What becomes of each field and tag under `phi = hash` and `phi = drop` is in [privacy.md](privacy.md).

## Fields of `dicom:instance`

Orthanc's simplified tags at the top level, by DICOM keyword, and these:

| field | example | note |
| --- | --- | --- |
| `ID` | `7d920505-66582151-...` | Orthanc's id of the instance; `copydicom` copies by it |
| `orthanc_server` | `pacs` | the server's stanza in copydicom_servers.conf |
| `level` | `instance` | |
| `ParentSeries`, `ParentStudy`, `ParentPatient` | as `ID` | Orthanc's ids |
| `StudyDateTime` | `2026-09-28T07:50:25` | by the scanner's clock; absent without a date |
| `SeriesDateTime`, `InstanceCreationDateTime` | | likewise |
| `time_source` | `Content` | which date gave `_time`; `indexing` when none could be true |
| `app_version` | `0.1.0` | of this app |
| `_withheld` | `["ImageComments"]` | texts of more than 256 characters, which Orthanc does not give |
| `_dropped` | `["ROIContourSequence"]` | left out to keep within `max_event_bytes` |

Pixel data, other binary values and private elements are never in an event. A structured report has its
content under its title, such as `X-Ray Radiation Dose Report`, in place of ContentSequence.

## Fields of `dicom:series` and `dicom:study`

With `level = series` or `level = study` there is one event for each of them, and the tags are those whose
value is the same in all its images. Sequences are not among them. Reports, presentation states and key
objects (modalities SR, PR, KO, DOC) count, but their tags do so only where there are no images: they come
from other machines. With `tags = main`, tags of the series are what Orthanc noted from its first instance.

| field | example | note |
| --- | --- | --- |
| `ID` | `8ad2e0f1-...` | Orthanc's id of the series or study; `copydicom` copies by it |
| `orthanc_server` | `pacs` | the server's stanza in copydicom_servers.conf |
| `level` | `series` | or `study` |
| `revision` | `1` | rises each time the same `ID` is indexed again, since it grew |
| `ParentStudy` | as `ID` | of a series |
| `ParentPatient` | as `ID` | |
| `instances` | `312` | in it when it was indexed |
| `series` | `4` | of a study: how many |
| `bytes` | `164266352` | of its files |
| `modalities` | `CT,SR` | of its series, in the order of the alphabet |
| `last_arrival` | `2026-09-28T07:50:25Z` | when Orthanc last received something of it, in UTC |
| `StudyDateTime` | `2026-09-28T07:50:25` | by the scanner's clock; of a series `SeriesDateTime` too |
| `time_source` | `Series` | which date gave `_time`: of a series Series, of a study Study comes first |
| `app_version`, `_dropped` | | as above |

An event comes once a series has not grown for 60 seconds, a study for 5 minutes. Each growth after that
gives an event with a higher `revision`; the latest state of each is

    index=dicom sourcetype=dicom:study | sort 0 - last_arrival | dedup ID

The revisions of the last 20,000 are remembered; one that grows after it was forgotten counts from 2 again.
After a kill the last batch may come again as the next revision. What is deleted in Orthanc keeps its event.
A dose report comes as `dicom:instance` with its dose events at these levels too.

## Dose events

`dicom:dose:study` has one event for each dose report, `dicom:dose:event` one for each irradiation. A unit is
part of a field's name, and values are converted to it. What a report does not say is absent, never 0.

- **Codes.** Concepts and values are known by code and scheme; SNOMED RT codes count as their SNOMED CT
  twins. A text field holds the code's meaning as the report has it; `<field>_code` the code.
- **Several values.** A repeated or multi-valued number gives its mean, and `<field>_n` how many there were.
- **Unknown units.** Such a value is kept as `<stem>_raw` with `<stem>_raw_unit`, where the stem is the
  field's name without its unit, and `dose_warnings` says so. A number without any unit is read in the one
  that PS3.16 fixes for its concept, which `dose_warnings` says too.
- **Moments** are ISO 8601 by the clock of the scanner; the zone, where the report names one, is in
  `timezone_offset`.
- **Identity.** `event_key` is the same each time an irradiation is read, and in each report that repeats it.
  Deduplicate on it, never on the accession number; of two versions the later indexed wins.
- **Modality.** CT, PT and NM by the kind of event; MG by the procedure or a glandular dose; XA by XA images
  or a second plane; RF by RF images, fluoroscopic events or totals; the rest of projection X-ray is DX.
- **Computed values** are named in `dose_derived`: they follow from others where a report leaves them out.
- With `dose_source = "image"` the values are from an image's header, and `event_key` is the irradiation
  event UID, else the series and its acquisition number (CT), or the study and the time of acquisition.

Codes are DCM unless a scheme is named; TID is the template of PS3.16 that has the item.
"""
_RECORDS = {
    "both": "Fields of both records",
    "study": "Fields of `dicom:dose:study`",
    "event": "Fields of `dicom:dose:event`",
}


def render() -> str:
    """The page's text."""
    parts = [_HEAD]
    for record, title in _RECORDS.items():
        rows = [_row(field) for field in FIELDS if field.record == record]
        head = _line("field", "type", "unit", "code or tag", "TID", "example", "note")
        parts.append("\n".join([f"## {title}\n", head, _line(*["---"] * 7), *rows]) + "\n")
    return "\n".join(parts)


def _row(field: Field) -> str:
    return _line(
        f"`{field.name}`", field.type, field.unit, _source(field), field.tid, field.example, field.note
    )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _source(field: Field) -> str:
    name = NAMES.get(field.codes[0], "") if field.codes else ""
    return f"{field.sources} {name}".strip() if "derived" not in field.sources else "computed"


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(render(), encoding="utf-8")
