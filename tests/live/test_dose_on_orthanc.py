"""Dose reports through a real Orthanc: the three fixtures, pyskindose's four, and every synthetic dialect.

The fixtures are in ``../shared`` (or COPYDICOM_SHARED). pyskindose's reports
come with its package: ``pip install --no-deps pyskindose``, or name the folder of its unpacked wheel in
COPYDICOM_PYSKINDOSE.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pydicom")

from copydicom_app.dose import flatten_dose_report, is_dose_report
from copydicom_app.nested_report import nested
from copydicom_app.structured_report import IGNORE_LENGTH
from testbench.dose_reports import DIALECTS, Report, Study, ct_report, nuclear_report, projection_report
from testbench.dose_samples import FLUOROSCOPY, INJECTION, LOCALIZER, MAMMOGRAM, SPIRAL
from testbench.orthanc import OrthancServer, second_orthanc

SHARED = Path(os.environ.get("COPYDICOM_SHARED", Path(__file__).resolve().parents[3] / "shared"))
FIXTURES = SHARED / "fixtures" / "dose"


@pytest.fixture(scope="module", params=["first", "second"])
def orthanc(request: pytest.FixtureRequest) -> Iterator[OrthancServer]:
    """An Orthanc of our own, in each version that is at hand."""
    command = None
    if request.param == "second":
        command, reason = second_orthanc()
        if command is None:
            pytest.skip(reason)
    with OrthancServer("dose", binary=command) as server:
        yield server


def tags_of(orthanc: OrthancServer, dicom: bytes) -> dict[str, Any]:
    """Stores a file and gives the simplified tags that Orthanc makes of it."""
    instance = orthanc.upload(dicom)["ID"]
    tags: dict[str, Any] = orthanc.get(f"/instances/{instance}/tags?simplify&{IGNORE_LENGTH}")
    return tags


# ---------------------------------------------------------------- real reports


def real_report(name: str) -> bytes:
    fixture = FIXTURES / f"{name}.dcm"
    if fixture.exists():
        return fixture.read_bytes()
    folder = os.environ.get("COPYDICOM_PYSKINDOSE", "")
    if not folder:
        spec = importlib.util.find_spec("pyskindose")
        folder = str(Path(spec.origin).parent) if spec and spec.origin else ""
    found = Path(folder, "example_data", "RDSR", f"{name}.dcm") if folder else fixture
    if not found.exists():
        pytest.skip(f"the report {name} is neither in {FIXTURES} nor in the package pyskindose")
    return found.read_bytes()


def expected_values() -> dict[str, list[dict[str, str]]]:
    path = FIXTURES / "expected.csv"
    if not path.exists():
        return {}
    files: dict[str, list[dict[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            files.setdefault(row["file"], []).append(row)
    return files


def field_of(row: Mapping[str, str]) -> str:
    """Our field: values of one plane are the study's `plane_a_...`, named without `total`."""
    if row["level"] == "study" and row["sub_index"]:
        return f"plane_{row['sub_index'].lower()}_{row['field'].removeprefix('total_')}"
    return row["field"]


def agrees(got: Any, expected: str) -> bool:
    """Numbers to 1e-6 relative, moments as moments, text exactly."""
    if isinstance(got, str) and re.match(r"\d{4}-\d\d-\d\dT", expected):
        return datetime.fromisoformat(got) == datetime.fromisoformat(expected)
    if isinstance(got, (int, float)):
        return got == pytest.approx(float(expected), rel=1e-6, abs=0.0)
    return bool(got == expected)


@pytest.mark.parametrize("name", sorted(expected_values()) or ["(no expected.csv)"])
def test_a_real_report_says_what_its_readers_found(orthanc: OrthancServer, name: str) -> None:
    rows = expected_values().get(name)
    if not rows:
        pytest.skip(f"the expected values are not here: {FIXTURES}")
    tags = tags_of(orthanc, real_report(name))
    assert is_dose_report(tags)
    records = flatten_dose_report(tags)
    wrong = []
    for row in rows:
        record = records[int(row["event_index"] or 0)]
        if not agrees(record.get(field_of(row)), row["value"]):
            wrong.append((row["event_index"], field_of(row), row["value"], record.get(field_of(row))))
    assert not wrong
    title, content = nested(tags)
    events = content.get("CT Acquisition") or content["Irradiation Event X-Ray Data"]
    assert (title, len(events)) == ("X-Ray Radiation Dose Report", len(records) - 1)


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("philips_allura_clarity_u104", 25),
        ("philips_allura_clarity_u601", 29),
        ("siemens_axiom_artis", 21),
        ("siemens_axiom_example_procedure", 24),
    ],
)
def test_no_event_of_a_real_report_is_lost(orthanc: OrthancServer, name: str, events: int) -> None:
    study, *records = flatten_dose_report(tags_of(orthanc, real_report(name)))
    assert len(records) == study["n_events"] == len({record["event_key"] for record in records}) == events
    for record in records:
        assert {"dap_Gycm2", "rp_dose_mGy", "kvp_kV", "datetime_started", "modality"} <= record.keys()
        assert len(json.dumps(record)) < 5000  # what Splunk extracts fields from


# ---------------------------------------------------------------- synthetic reports


def reports(dialect: str) -> list[Report]:
    how = DIALECTS[dialect]
    totals = [{"acquisition_plane": "Plane A", "total_dap_Gycm2": 1.5}]
    totals.append({"acquisition_plane": "Plane B", "total_dap_Gycm2": 0.5})
    who = Study(f"live/{dialect}", weight_kg=70, size_m=1.7)
    return [
        ct_report(who, [LOCALIZER, {**SPIRAL, "ssde_mGy": 12.4, "wed_mm": 287.0}], how),
        projection_report(Study(f"live/{dialect}/xa"), [FLUOROSCOPY, FLUOROSCOPY], how, totals),
        projection_report(Study(f"live/{dialect}/mg"), [MAMMOGRAM], how, (), mammography=True),
        nuclear_report(Study(f"live/{dialect}/nm"), [INJECTION], how),
    ]


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"unknown_unit"}))
def test_a_synthetic_report_is_the_same_through_orthanc(orthanc: OrthancServer, dialect: str) -> None:
    syntax = "1.2.840.10008.1.2.2" if dialect == "giotto" else "1.2.840.10008.1.2.1"
    for report in reports(dialect):
        tags = tags_of(orthanc, report.dicom(syntax))
        records = flatten_dose_report(tags)
        assert report.differences(records) == []
        assert records == flatten_dose_report(report.tags)
        assert json.loads(json.dumps(nested(tags))) == json.loads(json.dumps(nested(report.tags)))


def test_a_long_comment_is_fetched_whole(orthanc: OrthancServer) -> None:
    long = {**SPIRAL, "comment": "x" * 900}
    _, record = flatten_dose_report(tags_of(orthanc, ct_report(Study("live/long"), [long]).dicom()))
    assert record["comment"] == long["comment"]


def test_utf8_bytes_under_a_latin_declaration_are_taken_as_they_come(orthanc: OrthancServer) -> None:
    protocol = {**SPIRAL, "acquisition_protocol": "Schädel"}
    report = ct_report(Study("live/charset"), [protocol])
    dicom = report.dicom().replace(b"ISO_IR 192", b"ISO_IR 100")
    _, record = flatten_dose_report(tags_of(orthanc, dicom))
    assert record["acquisition_protocol"] == "Schädel".encode().decode("latin-1")
