"""The doses of the sample hospital: plausible enough for a dashboard, with the outliers it must show."""

from __future__ import annotations

import sys
from statistics import mean
from typing import Any

import pytest

if sys.version_info < (3, 11):
    pytest.skip("the testbench needs Python 3.11", allow_module_level=True)
pytest.importorskip("pydicom", minversion="3")

from copydicom_app.dose import flatten_dose_report
from testbench.hospital_plan import PATIENTS, STUDIES
from testbench.sample_data import dose_told_by_images, dose_told_by_reports, subject

Record = dict[str, Any]


@pytest.fixture(scope="module")
def reports() -> list[list[Record]]:
    """The flat records of each report: of its content, since the patient is in the header of the file."""
    return [flatten_dose_report(report.tags) for report in dose_told_by_reports().values()]


@pytest.fixture(scope="module")
def scans(reports: list[list[Record]]) -> dict[str, Record]:
    """CT events that are no localizer, by their keys: an event of two reports counts once."""
    return {event["event_key"]: event for _, *events in reports for event in events if "ctdivol_mGy" in event}


def test_every_report_says_what_the_plan_says() -> None:
    for report in dose_told_by_reports().values():
        assert report.differences(flatten_dose_report(report.tags)) == []


def test_each_scanner_reports_in_its_manufacturers_way(reports: list[list[Record]]) -> None:
    of_ge = [event for _, *events in reports for event in events if event["station_name"] == "CT02"]
    assert of_ge
    assert not any("acquisition_protocol" in event for event in of_ge)
    of_siemens = [study for study, *_ in reports if study["station_name"] in ("CTER", "XA02")]
    assert {study["timezone_offset"] for study in of_siemens} == {"+02:00"}
    assert {(study["modality"], study["manufacturer"].split()[0]) for study, *_ in reports} == {
        ("CT", "SIEMENS"),
        ("CT", "GE"),
        ("CT", "CANON"),
        ("MG", "HOLOGIC,"),
        ("MG", "GE"),
        ("XA", "Philips"),
        ("XA", "SIEMENS"),
    }


def test_one_scanner_gives_a_fifth_to_a_third_more_than_the_others() -> None:
    """Per kilogram, since its patients are not those of the others."""
    shares: dict[bool, list[float]] = {True: [], False: []}
    for station, study_dose, weight, fields in plan("trunk"):
        if "ctdivol_mGy" in fields and study_dose != "tripled":
            shares[station == "CT02"].append(fields["ctdivol_mGy"] / weight**0.95)
    assert min(len(each) for each in shares.values()) >= 3
    assert 1.2 < mean(shares[True]) / mean(shares[False]) < 1.33


def test_heavier_patients_get_more(reports: list[list[Record]]) -> None:
    doses = sorted(
        (weight, fields["ctdivol_mGy"])
        for station, study_dose, weight, fields in plan("trunk")
        if station != "CT02" and study_dose != "tripled" and "ctdivol_mGy" in fields
    )
    assert [dose for _, dose in doses] == sorted(dose for _, dose in doses)
    assert doses[-1][1] > 1.2 * doses[0][1]


def test_a_head_is_measured_in_16_cm_and_a_body_in_32_cm_of_children_too(scans: dict[str, Record]) -> None:
    phantoms = {(event["target_region"], event["phantom_cm"]) for event in scans.values()}
    assert phantoms == {("Head", 16), ("Chest", 32), ("Abdomen", 32), ("Entire body", 32)}


def test_children_get_less() -> None:
    heads = {
        weight: fields["ctdivol_mGy"] for _, _, weight, fields in plan("head") if "ctdivol_mGy" in fields
    }
    small = [dose for weight, dose in heads.items() if weight < 30]
    assert len(small) == 2
    assert max(small) < 0.85 * min(dose for weight, dose in heads.items() if weight >= 30)
    bodies = {weight: fields for _, _, weight, fields in plan("trunk") if "ctdivol_mGy" in fields}
    lightest = min(bodies)
    assert lightest < 50
    assert bodies[lightest]["kvp_kV"] == 100.0


def test_one_ct_has_three_times_the_usual_dose() -> None:
    usual = mean(
        fields["ctdivol_mGy"] / weight for _, dose, weight, fields in plan("trunk") if is_scan(fields)
    )
    high = [
        dose
        for _, dose, weight, fields in plan("trunk")
        if is_scan(fields) and fields["ctdivol_mGy"] > 2 * usual * weight
    ]
    assert high == ["tripled"]


def test_one_scan_was_repeated_under_the_same_protocol(reports: list[list[Record]]) -> None:
    twice = [
        events
        for _, *events in reports
        if len([e for e in events if e.get("acquisition_protocol") == "PE Chest CTA"]) == 2
    ]
    assert len(twice) == 1


def test_one_intervention_is_above_2_gray_in_two_planes(reports: list[list[Record]]) -> None:
    (study,) = [study for study, *_ in reports if study.get("total_rp_dose_mGy", 0) > 2000]
    assert study["n_planes"] == 2
    assert min(study["plane_a_rp_dose_mGy"], study["plane_b_rp_dose_mGy"]) > 500
    others = [study["total_rp_dose_mGy"] for study, *_ in reports if study["modality"] == "XA"]
    assert sorted(others)[-4] < 1000
    assert sorted(others)[-2] < 2000 < sorted(others)[-2] + sorted(others)[-3], "one patient's two stents"


def test_every_intervention_has_fluoroscopy_and_acquisitions(reports: list[list[Record]]) -> None:
    for study, *events in reports:
        if study["modality"] == "XA":
            types = {event["irradiation_event_type"] for event in events}
            assert types == {"Fluoroscopy", "Stationary Acquisition"}
            parts = study["fluoro_rp_dose_mGy"] + study["acq_rp_dose_mGy"]
            assert study["total_rp_dose_mGy"] == pytest.approx(parts)


def test_glandular_dose_grows_with_thickness(reports: list[list[Record]]) -> None:
    views = [event for study, *events in reports if study["modality"] == "MG" for event in events]
    assert {event["image_view"] for event in views} == {"cranio-caudal", "medio-lateral oblique"}
    views.sort(key=lambda event: event["compression_thickness_mm"])
    third = len(views) // 3
    thin, thick = (mean(event["agd_mGy"] for event in some) for some in (views[:third], views[-third:]))
    assert 1.2 < thick / thin < 2
    assert all(0.5 < event["agd_mGy"] < 3 for event in views)


def test_one_study_has_cumulative_and_one_has_continued_reports(reports: list[list[Record]]) -> None:
    keys: dict[str, list[set[str]]] = {}
    for study, *events in reports:
        keys.setdefault(study["study_instance_uid"], []).append({event["event_key"] for event in events})
    pairs = [each for each in keys.values() if len(each) == 2]
    assert sorted(first < second for first, second in pairs) == [False, True]
    assert sorted(first.isdisjoint(second) for first, second in pairs) == [False, True]


def test_one_scan_had_a_dose_check_notification(scans: dict[str, Record]) -> None:
    (event,) = [event for event in scans.values() if "dose_check_dlp_notif_configured" in event]
    assert event["dose_check_dlp_fwd_mGycm"] > event["dose_check_dlp_notif_value_mGycm"]
    assert event["dose_check_notif_person"] == "Novak^Eva"
    assert event["dose_check_notif_reason"] == "Heavy patient"


def test_one_report_has_numbers_that_nobody_can_read(reports: list[list[Record]]) -> None:
    (events,) = [events for _, *events in reports if any("dose_warnings" in event for event in events)]
    for event in events:
        assert event["dose_warnings"] == ["Exposure Time: '10.50/ 15.00' is not a number"]
    assert "ctdivol_mGy" in events[-1]


def test_radiographs_tell_their_dose_in_their_headers_alone() -> None:
    reported = {e["irradiation_event_uid"] for r in dose_told_by_reports().values() for e in r.events}
    alone = [each for each in dose_told_by_images().values() if each.uid not in reported]
    assert len({each.uid for each in alone}) == 11
    assert sum("dap_Gycm2" in each.fields for each in alone) == 3


def plan(examination: str) -> list[tuple[str, str, float, Record]]:
    """Station, what is unusual, weight and fields of each irradiation of an examination."""
    return [
        (study.scanner, study.dose, PATIENTS[study.patient].weight, each.fields)
        for number, study in enumerate(STUDIES, start=1)
        if study.examination == examination
        for each in subject(number, study)[2]
    ]


def is_scan(fields: Record) -> bool:
    return "ctdivol_mGy" in fields
