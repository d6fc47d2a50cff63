"""Dose reports through a real Orthanc: the three fixtures, pyskindose's four, and every synthetic dialect.

Needs Orthanc on this machine; the fixtures are in ``../shared`` (or COPYDICOM_SHARED). pyskindose's reports
come with its package: ``pip install --no-deps pyskindose``, or name the folder of its unpacked wheel in
COPYDICOM_PYSKINDOSE.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

pytest.importorskip("pydicom")

from copydicom_app.dose import flatten_dose_report, is_dose_report
from copydicom_app.nested_report import nested
from copydicom_app.structured_report import IGNORE_LENGTH
from testbench.dose_reports import DIALECTS, Report, Study, ct_report, nuclear_report, projection_report
from tests.unit.test_dose import (
    FLUOROSCOPY,
    INJECTION,
    LOCALIZER,
    MAMMOGRAM,
    SPIRAL,
    assert_says,
)

SHARED = Path(os.environ.get("COPYDICOM_SHARED", Path(__file__).resolve().parents[3] / "shared"))
FIXTURES = SHARED / "fixtures" / "dose"
# COPYDICOM_ORTHANC may name another version's command line.
COMMAND = shlex.split(os.environ.get("COPYDICOM_ORTHANC", "")) or [
    shutil.which("Orthanc") or "/usr/sbin/Orthanc"
]


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an Orthanc of our own, on loopback."""
    if not Path(COMMAND[0]).exists():
        pytest.skip("Orthanc is not installed")
    folder = tmp_path_factory.mktemp("orthanc")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "KeepAlive": True,
        "Plugins": [],
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
    }
    (folder / "config.json").write_text(json.dumps(config))
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([*COMMAND, str(folder / "config.json")], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            break
        try:
            requests.get(f"{url}/system", timeout=2)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail("Orthanc did not start")


def tags_of(orthanc: str, dicom: bytes) -> dict[str, Any]:
    """Stores a file and gives the simplified tags that Orthanc makes of it."""
    answer = requests.post(f"{orthanc}/instances", data=dicom, timeout=60)
    answer.raise_for_status()
    route = f"{orthanc}/instances/{answer.json()['ID']}/tags?simplify&{IGNORE_LENGTH}"
    tags = requests.get(route, timeout=60)
    tags.raise_for_status()
    found: dict[str, Any] = tags.json()
    return found


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
def test_a_real_report_says_what_its_readers_found(orthanc: str, name: str) -> None:
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
def test_no_event_of_a_real_report_is_lost(orthanc: str, name: str, events: int) -> None:
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
def test_a_synthetic_report_is_the_same_through_orthanc(orthanc: str, dialect: str) -> None:
    syntax = "1.2.840.10008.1.2.2" if dialect == "giotto" else "1.2.840.10008.1.2.1"
    for report in reports(dialect):
        tags = tags_of(orthanc, report.dicom(syntax))
        records = flatten_dose_report(tags)
        assert_says(records[0], report.study)
        assert len(records) == len(report.events) + 1
        for record, expected in zip(records[1:], report.events):
            assert_says(record, expected)
        assert records == flatten_dose_report(report.tags)
        assert json.loads(json.dumps(nested(tags))) == json.loads(json.dumps(nested(report.tags)))


def test_a_long_comment_is_fetched_whole(orthanc: str) -> None:
    long = {**SPIRAL, "comment": "x" * 900}
    _, record = flatten_dose_report(tags_of(orthanc, ct_report(Study("live/long"), [long]).dicom()))
    assert record["comment"] == long["comment"]


def test_utf8_bytes_under_a_latin_declaration_are_taken_as_they_come(orthanc: str) -> None:
    protocol = {**SPIRAL, "acquisition_protocol": "Schädel"}
    report = ct_report(Study("live/charset"), [protocol])
    dicom = report.dicom().replace(b"ISO_IR 192", b"ISO_IR 100")
    _, record = flatten_dose_report(tags_of(orthanc, dicom))
    assert record["acquisition_protocol"] == "Schädel".encode().decode("latin-1")
