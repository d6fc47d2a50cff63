"""Flattening a dose report of 300 events, beside pydicom with rdsr-navigator on the same file.

    python -m benchmarks.dose_flattening [--orthanc URL] [--rounds 7]

Both sides start from bytes: ours from Orthanc's JSON, the peer from the DICOM file, and both end with one
dictionary an event. The rounds alternate and the medians are compared, so that a noisy machine troubles
both alike; read the ratios. With ``--orthanc`` (an empty server, to which the report is sent) the time in
which Orthanc makes the JSON is measured too: flattening should be well below it.

Needs pydicom and rdsr-navigator; without the latter the peer's line is left out.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from copydicom_app.dose import flatten_dose_report
from copydicom_app.nested_report import nested
from copydicom_app.structured_report import IGNORE_LENGTH
from testbench.dose_reports import DIALECTS, Report, Study, projection_report

EVENTS = 300


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


def through_orthanc(url: str, dicom: bytes) -> Callable[[bytes], list[dict[str, Any]]]:
    """Orthanc's making of the JSON: the request for the simplified tags, its text thrown away."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/instances", data=dicom)) as answer:
        instance = json.load(answer)["ID"]

    def fetch(_: bytes) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{url}/instances/{instance}/tags?simplify&{IGNORE_LENGTH}") as answer:
            answer.read()
        return [{}] * EVENTS

    return fetch


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--orthanc", default="", help="URL of an Orthanc to measure beside")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    report = synthetic()
    dicom, text = report.dicom(), json.dumps(report.tags).encode()
    parsed = json.loads(text)
    ways: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
        "ours, from Orthanc's JSON": (ours, text),
        "of this, flattening alone": (lambda _: flatten_dose_report(parsed)[1:], b""),
        "the nested form alone": (lambda _: [nested(parsed)] * EVENTS, b""),
    }
    try:
        ways["pydicom + rdsr-navigator, from the file"] = (peer(), dicom)
    except ImportError as missing:
        print(f"left out: {missing.name} is not installed")
    if options.orthanc:
        ways["Orthanc: making the JSON"] = (through_orthanc(options.orthanc.rstrip("/"), dicom), b"")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, (way, data) in ways.items():
            start = time.perf_counter()
            events = way(data)
            seconds[name].append(time.perf_counter() - start)
            if len(events) != EVENTS:
                raise SystemExit(f"{name} gave {len(events)} events of {EVENTS}")
    base = statistics.median(seconds["ours, from Orthanc's JSON"])
    print(f"{EVENTS} events, {len(dicom):,} bytes of DICOM, {len(text):,} of JSON, {options.rounds} rounds")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        print(
            f"{name:42} {EVENTS / median:10,.0f} events/s   {median * 1000:8.1f} ms   {median / base:6.2f} x"
        )


if __name__ == "__main__":
    main()
