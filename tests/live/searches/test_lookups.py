"""The lookups as a department fills them in: what they match, what they leave out, and no false ratio."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from testbench.splunkd import Splunkd

DAY = 86_400.0


@pytest.fixture
def splunk(package: Path) -> Iterator[Splunkd]:
    """An empty index."""
    with Splunkd(package) as made:
        yield made


def fill_in(splunk: Splunkd, lookup: str, *rows: Mapping[str, Any]) -> None:
    """These rows, and no others, in the lookup's file."""
    path = splunk.home.app_dir / "lookups" / f"{lookup}.csv"
    columns = path.read_text("utf-8").splitlines()[0].split(",")
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns)
        table.writeheader()
        table.writerows(rows)


_number = itertools.count(1)


def irradiate(splunk: Splunkd, **fields: Any) -> str:
    """A study of one scan, with its report; the study's UID."""
    study = f"2.25.{next(_number)}"
    both = {
        "dose_source": "report",
        "orthanc_server": "pacs",
        "ID": f"id-{study}",
        "sop_instance_uid": f"{study}.9",
        "study_instance_uid": study,
        "modality": "CT",
        "patient_id": "P1",
        "patient_age_years": 40,
        "study_description": "CT of the head",
        **{name: value for name, value in fields.items() if name not in SCAN},
    }
    scan = {**SCAN, **{name: value for name, value in fields.items() if name in SCAN}}
    totals = {name: both.pop(name) for name in [*both] if name.startswith("total_")}
    told = {"record_type": "study", "n_events": 1, "total_dlp_mGycm": scan["dlp_mGycm"], **totals}
    event = {"record_type": "event", "event_key": f"{study}.1", "irradiation_event_uid": f"{study}.1", **scan}
    for record in ({**both, **told}, {**both, **event}):
        kept = {name: value for name, value in record.items() if value is not None}
        splunk.index_event(kept, sourcetype=f"dicom:dose:{record['record_type']}", at=splunk.now - DAY)
    return study


SCAN = {
    "event_index": 1,
    "is_localizer": False,
    "acquisition_protocol": "Head Routine",
    "ctdivol_mGy": 50.0,
    "dlp_mGycm": 900.0,
    "phantom_cm": 16,
}
LEVEL = {
    "modality": "CT",
    "standard_name": "Head",
    "age_band": "*",
    "weight_band": "*",
    "phantom": "*",
    "metric": "ctdivol_mGy",
    "level": "40",
    "unit": "mGy",
}


def test_a_protocol_is_known_whatever_its_case_and_white_space(splunk: Splunkd) -> None:
    fill_in(
        splunk,
        "dose_protocol_map",
        {"modality": "ct", "station_name": "*", "protocol": "HEAD Routine*", "standard_protocol": "Head"},
        {
            "modality": "*",
            "station_name": "*",
            "protocol": "ct of the HEAD",
            "standard_protocol": "Described",
        },
    )
    for name in ("head routine", "HEAD\tROUTINE", "  Head   Routine 2 ", None):
        irradiate(splunk, acquisition_protocol=name)
    rows = splunk.search("`dose_events` | stats count BY standard_protocol protocol_mapped").rows
    assert [tuple(row.values()) for row in rows] == [("Described", "yes", "1"), ("Head", "yes", "3")]


def test_a_phantom_is_in_no_statistics_however_it_is_told(splunk: Splunkd) -> None:
    anything = {"patient_id": "*", "procedure": "*", "protocol": "*", "station_name": "*"}
    fill_in(
        splunk,
        "dose_not_patient",
        {**anything, "patient_id": "QA*"},
        {**anything, "procedure": "*phantom*"},
        {**anything, "protocol": "daily check"},
        {**anything, "station_name": "LAB1"},
    )
    irradiate(splunk, patient_id="qa-7")
    irradiate(splunk, study_description="Water  PHANTOM")
    irradiate(splunk, acquisition_protocol="Daily  Check")  # the report's totals do not say so
    irradiate(splunk, station_name="lab1")
    real = [irradiate(splunk), irradiate(splunk, patient_id=None)]
    for start in ("`dose_events`", "`dose_studies`"):
        found = splunk.search(f"{start} | table study_instance_uid").rows
        assert sorted(str(row["study_instance_uid"]) for row in found) == sorted(real)


def ratios(splunk: Splunkd, metric: str = "ctdivol_mGy", start: str = "`dose_events`") -> list[object]:
    rows = splunk.search(f"{start} | `dose_reference({metric})`").rows
    return [row.get("reference_ratio") for row in rows]


LEVELS: tuple[tuple[dict[str, str], float | None], ...] = (
    ({}, 1.25),
    ({"modality": "ct", "standard_name": "HEAD"}, 1.25),
    ({"unit": ""}, 1.25),
    ({"unit": "Gy", "level": "0.02"}, 2.5),
    ({"unit": "mGy.cm", "level": "1"}, None),
    ({"level": ""}, None),
    ({"level": "0"}, None),
    ({"level": "none yet"}, None),
    ({"metric": "dlp_mGycm", "level": "720", "unit": "mGy cm"}, None),
    ({"phantom": "body 32 cm"}, None),
    ({"age_band": "10-15 y"}, None),
    ({"standard_name": "CT of the head"}, 1.25),
)


def test_a_reference_level_counts_where_it_is_one_and_nowhere_else(splunk: Splunkd) -> None:
    protocol = {"modality": "*", "station_name": "*", "protocol": "head*", "standard_protocol": "Head"}
    fill_in(splunk, "dose_protocol_map", protocol)
    irradiate(splunk)
    for row, ratio in LEVELS:
        fill_in(splunk, "dose_drl", {**LEVEL, **row})
        (found,) = ratios(splunk)
        assert (found if found is None else float(str(found))) == ratio, row
        alerts = splunk.run_saved_search("Dose alert: CT over reference level").result.rows
        assert len(alerts) == (ratio is not None and ratio > 2), row


def test_the_level_of_a_protocol_comes_before_that_of_the_procedure(splunk: Splunkd) -> None:
    procedure = {**LEVEL, "standard_name": "CT of the head", "level": "100"}
    fill_in(splunk, "dose_drl", {**LEVEL, "standard_name": "head routine", "level": ""}, procedure)
    irradiate(splunk)
    assert [float(str(one)) for one in ratios(splunk)] == [0.5]
    fill_in(splunk, "dose_drl", {**LEVEL, "standard_name": "head routine", "level": "25"}, procedure)
    assert [float(str(one)) for one in ratios(splunk)] == [2.0]


def test_a_level_of_dap_may_be_in_the_units_that_machines_write(splunk: Splunkd) -> None:
    both = {"modality": "XA", "metric": "total_dap_Gycm2"}
    irradiate(splunk, modality="XA", total_dap_Gycm2=250.0, ctdivol_mGy=None, dlp_mGycm=None, phantom_cm=None)
    for level, unit, over in (
        ("200", "Gy.cm2", 1),
        ("20000", "cGy.cm2", 1),
        ("20000", "µGy·m²", 1),
        ("300000", "mGy cm²", 0),
        ("200", "mGy", 0),
        ("", "Gy.cm2", 0),
    ):
        told = {**both, "level": level, "unit": unit}
        fill_in(splunk, "dose_alert_levels", {**told, "scope": "study"})
        fill_in(splunk, "dose_drl", {**LEVEL, **told, "standard_name": "CT of the head"})
        alerts = splunk.search("`dose_studies` | `dose_alert_level(study,total_rp_dose_mGy,total_dap_Gycm2)`")
        assert ["over_level" in row for row in alerts.rows] == [bool(over)], (level, unit)
        (ratio,) = ratios(splunk, "total_dap_Gycm2", "`dose_studies`")
        assert (ratio is not None and float(str(ratio)) > 1) == bool(over), (level, unit)


AGES = (
    (0, "00-01 y"), (0.999, "00-01 y"), (1, "01-05 y"), (4.99, "01-05 y"), (5, "05-10 y"), (9.9, "05-10 y"),
    (10, "10-15 y"), (14.9, "10-15 y"), (15, "15-18 y"), (17.99, "15-18 y"), (18, "18+ y"), (90, "18+ y"),
    (None, "unknown"),
)  # fmt: skip
WEIGHTS = (
    (4.9, "000-005 kg"), (5, "005-015 kg"), (15, "015-030 kg"), (30, "030-050 kg"), (50, "050-080 kg"),
    (79.99, "050-080 kg"), (80, "080+ kg"), (None, "unknown"),
)  # fmt: skip


def test_a_band_holds_its_lower_end_and_not_its_upper_one(splunk: Splunkd) -> None:
    for age, band in AGES:
        irradiate(splunk, patient_age_years=age, accession_number=f"age {age}|{band}")
    for weight, band in WEIGHTS:
        irradiate(splunk, patient_weight_kg=weight, accession_number=f"weight {weight}|{band}")
    for row in splunk.search("`dose_events`").rows:
        told, _, band = str(row["identifier"]).partition("|")
        assert row["age_band" if told.startswith("age") else "weight_band"] == band, told
