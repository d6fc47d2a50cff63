"""The dose reports of the hospital: each scanner's irradiations, written as its manufacturer writes them.

``Study.dose`` makes the unusual ones: "cumulative" (a report after each scan, holding all before it too),
"continued" (two reports, each with half of the study), "unreadable" (a number that is none).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pydicom import Dataset

from testbench import dose_reports
from testbench.dicom_objects import instance, series
from testbench.dose_dialects import DIALECTS
from testbench.dose_reports import Dialect, Report, ct_report, projection_report
from testbench.hospital_dose import Fields, Irradiation, total
from testbench.hospital_plan import DOSE_SERIES, SCANNERS, Study
from testbench.sr_items import fill

_CONTENT = (
    "ValueType",
    "ContinuityOfContent",
    "CompletionFlag",
    "VerificationFlag",
    "ConceptNameCodeSequence",
    "ContentTemplateSequence",
    "ContentSequence",
)


def dose_records(
    header: Dataset, study: Study, irradiated: Sequence[Irradiation]
) -> Iterator[tuple[Dataset, Report]]:
    """The report instances of a study, each with what it says; ``header`` is the study's."""
    if not irradiated or not SCANNERS[study.scanner].dialect:
        return
    for number, events in enumerate(_shares(study, irradiated), start=1):
        report = _report(header, study, events)
        ends = datetime.fromisoformat(events[-1].fields["datetime_started"]) + timedelta(seconds=50)
        record = series(header, 501, DOSE_SERIES, ends, Modality="SR")
        ds = instance(record, number, report.tags["SOPClassUID"], ends)
        ds.ReferencedPerformedProcedureStepSequence = []
        ds.PerformedProcedureCodeSequence = []
        fill(ds, {keyword: report.tags[keyword] for keyword in _CONTENT if keyword in report.tags})
        yield ds, report


def _shares(study: Study, irradiated: Sequence[Irradiation]) -> list[Sequence[Irradiation]]:
    """Which irradiations each report of the study holds."""
    if study.dose == "cumulative":
        scans = [i for i, each in enumerate(irradiated, start=1) if "ctdivol_mGy" in each.fields]
        return [irradiated[:end] for end in scans]
    if study.dose == "continued":
        half = len(irradiated) // 2
        return [irradiated[:half], irradiated[half:]]
    return [irradiated]


def _report(header: Dataset, study: Study, events: Sequence[Irradiation]) -> Report:
    who = dose_reports.Study(
        name=f"hospital/{header.StudyID}",
        study_uid=str(header.StudyInstanceUID),
        accession_number=header.AccessionNumber,
        start=events[0].fields["datetime_started"],
        manufacturer=header.Manufacturer,
        model=header.ManufacturerModelName,
        station=header.StationName,
        serial=header.DeviceSerialNumber,
    )
    fields = [each.fields for each in events]
    dialect = _dialect(study)
    if header.Modality == "CT":
        return ct_report(who, fields, dialect)
    if header.Modality == "MG":
        return projection_report(who, fields, dialect, [_glandular(events)], mammography=True)
    return projection_report(who, fields, dialect, list(_by_plane(events)))


def _dialect(study: Study) -> Dialect:
    """The manufacturer's; moments are in the zone that the scanner's images name."""
    scanner = SCANNERS[study.scanner]
    dialect = replace(DIALECTS[scanner.dialect], zone=scanner.offset)
    if study.dose == "unreadable":
        dialect = replace(dialect, unreadable={"exposure_time_s": "10.50/ 15.00"})
    return dialect


def _glandular(events: Sequence[Irradiation]) -> Fields:
    sides = {side: [e for e in events if e.fields["laterality"] == side] for side in ("Left", "Right")}
    return {f"total_agd_{side.lower()}_mGy": total(of_side, "agd_mGy") for side, of_side in sides.items()}


def _by_plane(events: Sequence[Irradiation]) -> Iterator[Fields]:
    """Accumulated dose of each plane, as the machine counts it: fluoroscopy, acquisitions, both."""
    for plane in dict.fromkeys(each.fields["acquisition_plane"] for each in events):
        here = [each for each in events if each.fields["acquisition_plane"] == plane]
        fluoro = [each for each in here if each.fields["irradiation_event_type"] == "Fluoroscopy"]
        runs = [each for each in here if each not in fluoro]
        yield {
            "acquisition_plane": plane,
            "total_dap_Gycm2": total(here, "dap_Gycm2"),
            "total_rp_dose_mGy": total(here, "rp_dose_mGy"),
            "fluoro_dap_Gycm2": total(fluoro, "dap_Gycm2"),
            "fluoro_rp_dose_mGy": total(fluoro, "rp_dose_mGy"),
            "total_fluoro_time_s": total(fluoro, "irradiation_duration_s"),
            "acq_dap_Gycm2": total(runs, "dap_Gycm2"),
            "acq_rp_dose_mGy": total(runs, "rp_dose_mGy"),
        }
