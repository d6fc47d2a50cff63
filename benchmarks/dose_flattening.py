"""Flattening a dose report of 300 events, beside pydicom with rdsr-navigator on the same file.

Both sides start from bytes: ours from Orthanc's JSON, the peer from the DICOM file, and both end with one
dictionary an event. The time in which Orthanc makes that JSON is measured too: flattening should be well
below it. Without rdsr-navigator the peer's line is left out.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.result import Options, Result, Row, Say
from benchmarks.rounds import Sample, in_turns
from copydicom_app.dose import flatten_dose_report
from copydicom_app.nested_report import nested
from copydicom_app.structured_report import IGNORE_LENGTH
from testbench.dose_reports import DIALECTS, Report, Study, projection_report
from testbench.orthanc import OrthancServer

EVENTS = 300
WHAT = "flattening a dose report"
OURS, PEER = "ours, from Orthanc's JSON", "pydicom + rdsr-navigator, from the file"
ORTHANC = "Orthanc, making the JSON"


def synthetic() -> Report:
    """A fluoroscopy report of `EVENTS` events with what a Siemens or Philips system writes of each."""
    event = {
        "acquisition_plane": "Single Plane",
        "acquisition_protocol": "FL low",
        "irradiation_event_type": "Fluoroscopy",
        "target_region": "Abdomen",
        "reference_point_definition": "15cm from Isocenter toward Source",
        "fluoro_mode": "Pulsed",
        "patient_table_relationship": "headfirst",
        "patient_orientation": "recumbent",
        "rp_dose_mGy": 0.13,
        "exposure_mAs": 9.706,
        "exposure_time_ms": 122.1,
        "pulse_rate_per_s": 7.5,
        "n_pulses": 37,
        "pulse_width_ms": 3.3,
        "kvp_kV": 77.0,
        "xray_tube_current_mA": 79.5,
        "focal_spot_mm": 0.6,
        "primary_angle_deg": 0.2,
        "secondary_angle_deg": -0.3,
        "source_detector_distance_mm": 1071.0,
        "source_isocenter_distance_mm": 785.0,
        "collimated_field_area_cm2": 1105.3,
        "filters": [("Copper or Copper compound", 0.6, 0.6), ("Aluminum or Aluminum compound", 1.0, 1.0)],
    }
    events = [
        {**event, "dap_Gycm2": i / 100, "datetime_started": f"2024-03-01T10:{i // 60:02}:{i % 60:02}"}
        for i in range(EVENTS)
    ]
    return projection_report(Study("benchmark"), events, DIALECTS["siemens_xa"])


def ours(text: bytes) -> list[dict[str, Any]]:
    return flatten_dose_report(json.loads(text))[1:]


def peer() -> Callable[[bytes], list[dict[str, Any]]]:
    """pydicom and rdsr-navigator: every value of every event, by its concept's name."""
    import pydicom
    import rdsr_navigator

    def values(element: Any, found: dict[str, Any]) -> dict[str, Any]:
        for child in element.content_it():
            found[child.concept_name.code_meaning] = child.value
            values(child, found)
        return found

    def read(dicom: bytes) -> list[dict[str, Any]]:
        root = rdsr_navigator.read_file(pydicom.dcmread(io.BytesIO(dicom)), warnings=False)
        return [values(event, {}) for event in root // "113706:DCM"]

    return read


def through_orthanc(server: OrthancServer, instance: str) -> int:
    """Orthanc's making of the JSON, thrown away."""
    server.content(f"/instances/{instance}/tags?simplify&{IGNORE_LENGTH}")
    return EVENTS


def run(options: Options, say: Say) -> Result:
    """One report, read over and over."""
    report = synthetic()
    dicom, text = report.dicom(), json.dumps(report.tags).encode()
    parsed = json.loads(text)
    with OrthancServer("reports") as server:
        instance = server.upload(dicom)["ID"]
        ways: dict[str, Callable[[], int]] = {
            OURS: lambda: len(ours(text)),
            "of ours, flattening alone": lambda: len(flatten_dose_report(parsed)) - 1,
            "of ours, the nested form": lambda: EVENTS if nested(parsed) else 0,
            ORTHANC: partial(through_orthanc, server, instance),
        }
        try:
            read = peer()
            ways[PEER] = lambda: len(read(dicom))
        except ImportError as missing:
            say(f"{PEER} is left out: {missing.name} is not installed")
        rounds = options.rounds or options.of(15, 2)
        samples = in_turns({name: partial(_timed, way) for name, way in ways.items()}, rounds, _silent)
        version = server.version
    rows = [Row.of(WHAT, f"{EVENTS} events", "", name, found, "events/s") for name, found in samples.items()]
    return Result(
        "dose_flattening",
        "Flattening dose reports",
        rows,
        notes=[
            f"One report: {len(dicom):,} bytes of DICOM, {len(text):,} of JSON, made by Orthanc {version}."
        ],
    )


def _timed(way: Callable[[], int]) -> Sample:
    start = time.perf_counter()
    events = way()
    seconds = time.perf_counter() - start
    if events != EVENTS:
        raise RuntimeError(f"{events} events came of {EVENTS}")
    return Sample(events, seconds)


def _silent(_: str) -> None:
    """Rounds of milliseconds need no lines."""
