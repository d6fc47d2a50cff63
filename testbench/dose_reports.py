"""Synthetic radiation dose reports, with the values that a flattener must find in them.

Whoever asks for a report gives each event as fields of `dicom:dose:event` (names of docs/fields.md, in
their units and with the text of the code's meaning), and gets Orthanc's simplified tags or a DICOM file,
and what is expected of each record. The tables here say how a field is written in a report; they are the
factory's own, so that a mistake in the app's table does not repeat itself in its tests.

    report = ct_report(Study("demo/1", patient_id="P1"), [{"ct_acquisition_type": "Spiral Acquisition",
                       "ctdivol_mGy": 9.9, "dlp_mGycm": 410.0, "kvp_kV": 120.0}], DIALECTS["ge_ct"])
    report.tags, report.dicom(), report.study, report.events

The same arguments give the same report, UIDs included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbench.dose_concepts import CODES
from testbench.dose_dialects import DIALECTS
from testbench.dose_study import Study, header
from testbench.dose_writer import Event, ReportWriter
from testbench.sr_items import Dialect, Item, dicom_bytes

__all__ = ["DIALECTS", "Dialect", "Report", "Study", "ct_report", "nuclear_report", "projection_report"]

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
NUCLEAR_SR = "1.2.840.10008.5.1.4.1.1.88.68"


@dataclass(frozen=True)
class Report:
    """A report and what it says: `study` and `events` are the fields that its flat records must have."""

    tags: Mapping[str, Any]
    study: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]

    def differences(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """How flat records, the study's first, differ from what the report says; numbers count to 1e-6."""
        wanted = [self.study, *self.events]
        found = [] if len(records) == len(wanted) else [f"{len(records)} records instead of {len(wanted)}"]
        for number, (record, expected) in enumerate(zip(records, wanted)):  # noqa: B905 - 3.9 has no strict
            for name, value in expected.items():
                got = record.get(name)
                if isinstance(value, float) and isinstance(got, (int, float)):
                    same = math.isclose(got, value, rel_tol=1e-6)
                else:
                    same = got == value
                if not same:
                    found.append(f"record {number}: {name} is {got!r} instead of {value!r}")
        return found

    def dicom(self, transfer_syntax: str = "1.2.840.10008.1.2.1") -> bytes:
        """The DICOM file (needs pydicom)."""
        return dicom_bytes(self.tags, transfer_syntax)


def ct_report(study: Study, events: Sequence[Event], dialect: Dialect = DIALECTS["standard"]) -> Report:
    """A CT report (TID 10011). A second X-ray source is given by `kvp_b_kV` and its like."""
    write = ReportWriter(study, dialect)
    total = sum(float(event.get("dlp_mGycm", 0)) for event in events)
    accumulated = [
        write.number(("113812", "DCM", "Total Number of Irradiation Events"), len(events), "{events}"),
        write.number(("113813", "DCM", "CT Dose Length Product Total"), total, "mGy.cm"),
    ]
    content = [
        *write.opening("Computed Tomography X-Ray"),
        write.container(("113811", "DCM", "CT Accumulated Dose Data"), accumulated),
        *write.each(events, write.ct_event),
        write.value("113854", "Source of Dose Information", "Automated Data Collection"),
    ]
    said = {"modality": "CT", "total_dlp_mGycm": total, "n_events_reported": len(events)}
    return _report(write, content, "10011", DOSE_SR, events, said)


def projection_report(
    study: Study,
    events: Sequence[Event],
    dialect: Dialect = DIALECTS["standard"],
    totals: Sequence[Event] = (),
    mammography: bool = False,
) -> Report:
    """A projection X-ray report (TID 10001): fluoroscopy, angiography, radiography or mammography.

    `totals` has the accumulated dose, once for each plane: fields of the study, and `acquisition_plane`.
    An event's `filters` are (material, minimum, maximum in mm); its `modality` gives it an acquired image.
    """
    write = ReportWriter(study, dialect)
    procedure = "Mammography" if mammography else "Projection X-Ray"
    yes = [("113945", "Detector"), ("113943", "Source"), ("113944", "Mechanical")]
    content = [
        *write.opening(procedure),
        *(write.value(code, f"X-Ray {what} Data Available", "Yes") for code, what in yes),
        *(write.accumulated(plane) for plane in totals),
        *write.each(events, write.projection_event),
        write.value("113854", "Source of Dose Information", "Automated Data Collection"),
    ]
    said: dict[str, Any] = {"xray_detector_data_available": dialect.meaning("Yes")}
    for plane in totals:
        for name, value in plane.items():
            if isinstance(value, (int, float)):
                said[name] = said.get(name, 0) + value
                letter = PLANES.get(plane.get("acquisition_plane", ""))
                if letter and not name.startswith("total_agd"):
                    said[f"plane_{letter}_{name.removeprefix('total_')}"] = value
    return _report(write, content, "10001", DOSE_SR, events, said)


def nuclear_report(study: Study, events: Sequence[Event], dialect: Dialect = DIALECTS["standard"]) -> Report:
    """A radiopharmaceutical report (TID 10021); `glucose_mmol_l` of the first event is the patient's."""
    write = ReportWriter(study, dialect)
    content = [
        write.coded(
            ("G-C2D0", "SRT", "Associated Procedure"),
            write.known("PET study for localization of tumor"),
            "HAS CONCEPT MOD",
            [write.intent()],
        ),
        *write.each(events, write.administration),
    ]
    glucose = events[0].get("glucose_mmol_l") if events else None
    if glucose is not None:
        patient = [write.number(("14749-6", "LN", "Glucose"), float(glucose), "mmol/l")]
        content.append(write.container(("121118", "DCM", "Patient Characteristics"), patient))
    return _report(write, content, "10021", NUCLEAR_SR, events, {"modality": "PT"})


PLANES = {"Plane A": "a", "Plane B": "b"}
TITLES = {
    "10001": ("113701", "X-Ray Radiation Dose Report"),
    "10011": ("113701", "X-Ray Radiation Dose Report"),
    "10021": ("113500", "Radiopharmaceutical Radiation Dose Report"),
}


def _report(
    write: ReportWriter,
    content: list[Item],
    template: str,
    sop_class: str,
    events: Sequence[Event],
    said: Mapping[str, Any],
) -> Report:
    study, dialect = write.study, write.dialect
    code, title = TITLES[template]
    tags: dict[str, Any] = {
        **header(study),
        "SOPClassUID": ENHANCED_SR if dialect.enhanced_sr else sop_class,
        "ConceptNameCodeSequence": write.code(code, "DCM", dialect.title or dialect.meaning(title)),
        "ContentSequence": content,
    }
    if not dialect.no_template:
        tags["ContentTemplateSequence"] = [{"MappingResource": "DCMR", "TemplateIdentifier": template}]
    expected = {"study_instance_uid": study.uid, "accession_number": study.accession_number}
    distinct = 1 if dialect.same_event_uids and events else len(events)
    records = [{**expected, **_expected(write, event, i)} for i, event in enumerate(events, start=1)]
    if dialect.reverse_events:
        records.reverse()
    return Report(
        tags,
        {**expected, "n_events": distinct, **said},
        [{**record, "event_index": i} for i, record in enumerate(records, start=1)],
    )


def _expected(write: ReportWriter, event: Event, index: int) -> dict[str, Any]:
    """The event's fields as they should come out: translated, without what the dialect leaves out."""
    dialect = write.dialect
    gone = {*dialect.omit, *dialect.empty, *dialect.unreadable, "filters", "modality", "image_uid"}
    expected = {
        name: dialect.meaning(value) if name in CODES else value
        for name, value in event.items()
        if name not in gone
    }
    if not dialect.no_event_uids:
        expected["irradiation_event_uid"] = write.event_uid(event, index)
    return expected
