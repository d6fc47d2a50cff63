"""Flat records of synthetic reports: every kind, and a dialect for each vendor's trap."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from copydicom_app.dose.report import dose_moment, flatten_dose_report, is_dose_report
from copydicom_app.nested_report import nested
from copydicom_app.structured_report import read
from testbench.dose_reports import (
    DIALECTS,
    Report,
    Study,
    ct_report,
    nuclear_report,
    projection_report,
)
from testbench.dose_samples import FLUOROSCOPY, INJECTION, LOCALIZER, MAMMOGRAM, RADIOGRAPH, SPIRAL

WHO = Study("unit", weight_kg=81.0, size_m=1.8)


def ct(*events: Mapping[str, Any], dialect: str = "standard") -> Report:
    return ct_report(WHO, events or (LOCALIZER, SPIRAL), DIALECTS[dialect])


def fluoroscopy(*events: Mapping[str, Any], dialect: str = "standard") -> Report:
    totals = [{"total_dap_Gycm2": 2.7902, "total_rp_dose_mGy": 14.06, "total_fluoro_time_s": 74.0}]
    return projection_report(WHO, events or (FLUOROSCOPY,), DIALECTS[dialect], totals)


def mammography(*events: Mapping[str, Any], dialect: str = "standard") -> Report:
    totals = [{"total_agd_left_mGy": 1.3, "total_agd_right_mGy": 1.28}]
    return projection_report(WHO, events or (MAMMOGRAM,), DIALECTS[dialect], totals, mammography=True)


def radiography(*events: Mapping[str, Any], dialect: str = "standard") -> Report:
    return projection_report(WHO, events or (RADIOGRAPH,), DIALECTS[dialect], [{"total_dap_Gycm2": 0.081}])


def nuclear(dialect: str = "standard") -> Report:
    return nuclear_report(WHO, (INJECTION,), DIALECTS[dialect])


def assert_says(record: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """The record has every expected field: numbers to 1e-6, anything else exactly."""
    got = {name: record.get(name) for name in expected}
    wanted = {
        name: pytest.approx(value, rel=1e-6) if isinstance(value, (int, float)) else value
        for name, value in expected.items()
    }
    assert got == wanted


def flat(report: Report) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Study and events, checked against what the factory says of the report."""
    records = flatten_dose_report(report.tags)
    assert report.differences(records) == []
    return records[0], records[1:]


# Which dialects make sense for which kind of report.
_KINDS = {
    ct: ("standard sct german ge_ct siemens_ct philips_ct toshiba_ct carestream repeated_uids no_uids"),
    fluoroscopy: (
        "standard sct german ge_surgery ge_oec siemens_xa philips_xa canon_rf eurocolumbus spectrum no_uids"
    ),
    mammography: "standard sct german hologic giotto carestream",
    radiography: "standard sct canon_dx carestream spectrum",
    nuclear: "standard sct german",
}


@pytest.mark.parametrize(
    ("make", "dialect"), [(make, name) for make, names in _KINDS.items() for name in names.split()]
)
def test_each_kind_of_report_is_read_in_each_dialect(make: Any, dialect: str) -> None:
    report = make(dialect=dialect)
    assert is_dose_report(report.tags)
    flat(report)


def test_an_acquisition_without_dose_is_a_localizer_without_ctdi() -> None:
    study, (localizer, spiral) = flat(ct())
    assert localizer["is_localizer"] is True
    assert "ctdivol_mGy" not in localizer
    assert "dlp_mGycm" not in localizer
    assert spiral["is_localizer"] is False
    assert study["max_ctdivol_mGy"] == 9.91
    counts = {name: study[f"n_{name}"] for name in ("spiral", "sequenced", "constant_angle", "stationary")}
    assert counts == {"spiral": 1, "sequenced": 0, "constant_angle": 1, "stationary": 0}


def test_the_phantom_is_told_in_centimetres() -> None:
    head = {**SPIRAL, "ctdiw_phantom_type": "IEC Head Dosimetry Phantom"}
    other = {**SPIRAL, "ctdiw_phantom_type": "Acme PMMA phantom, 32 cm"}
    _, events = flat(ct(SPIRAL, head, other))
    assert [event["phantom_cm"] for event in events] == [32, 16, 32]


def test_two_sources_are_kept_apart() -> None:
    dual = {**SPIRAL, "n_xray_sources": 2, "kvp_b_kV": 140.0, "xray_tube_current_b_mA": 90.0}
    _, (event,) = flat(ct(dual))
    assert (event["kvp_kV"], event["kvp_b_kV"]) == (120.0, 140.0)
    assert "kvp_kV_n" not in event


def test_a_source_with_its_own_container_of_parameters_is_a_second_one() -> None:
    tags = copy.deepcopy(dict(ct(SPIRAL).tags))
    acquisition = next(item for item in _items(tags) if _code(item) == "113819")
    parameters = next(item for item in _items(acquisition) if _code(item) == "113822")
    second = copy.deepcopy(parameters)
    for item in _items(second):
        if _code(item) == "113733":
            item["MeasuredValueSequence"][0]["NumericValue"] = "140"
    acquisition["ContentSequence"].append(second)
    _, event = flatten_dose_report(tags)
    assert (event["kvp_kV"], event["kvp_b_kV"]) == (120.0, 140.0)
    assert (event["scanning_length_mm"], "scanning_length_mm_n" in event) == (414.0, False)


def test_size_specific_dose_and_water_equivalent_diameter_are_read() -> None:
    flat(ct({**SPIRAL, "ssde_mGy": 12.4, "wed_mm": 287.0, "effective_diameter_mm": 301.0}))


def test_a_dose_check_names_its_values_and_who_went_on() -> None:
    checked = {
        **SPIRAL,
        "dose_check_dlp_alert_configured": "Yes",
        "dose_check_dlp_alert_value_mGycm": 400.0,
        "dose_check_accum_dlp_fwd_mGycm": 410.0,
        "dose_check_alert_person": "Roe^Richard",
        "dose_check_dlp_notif_configured": "Yes",
        "dose_check_dlp_notif_value_mGycm": 300.0,
        "dose_check_dlp_fwd_mGycm": 411.0,
        "dose_check_notif_person": "Doe^Jane",
    }
    flat(ct(checked, dialect="toshiba_ct"))


def test_both_planes_are_kept_and_summed() -> None:
    a = {"acquisition_plane": "Plane A", "total_dap_Gycm2": 1.5, "total_rp_dose_mGy": 20.0}
    b = {"acquisition_plane": "Plane B", "total_dap_Gycm2": 0.5, "total_rp_dose_mGy": 7.0}
    events = [{**FLUOROSCOPY, "acquisition_plane": plane} for plane in ("Plane A", "Plane B")]
    report = projection_report(WHO, events, DIALECTS["standard"], [a, b])
    study, _ = flat(report)
    assert_says(
        study,
        {
            "plane_a_dap_Gycm2": 1.5,
            "plane_b_dap_Gycm2": 0.5,
            "total_dap_Gycm2": 2.0,
            "plane_b_rp_dose_mGy": 7.0,
            "total_rp_dose_mGy": 27.0,
            "n_planes": 2,
            "modality": "XA",
        },
    )


@pytest.mark.parametrize(
    ("report", "modality"),
    [
        (ct(), "CT"),
        (fluoroscopy(), "RF"),
        (fluoroscopy({**FLUOROSCOPY, "modality": "XA"}), "XA"),
        (mammography(), "MG"),
        (radiography(), "DX"),
        (nuclear(), "PT"),
    ],
)
def test_the_modality_is_told_by_what_was_done(report: Report, modality: str) -> None:
    assert {record["modality"] for record in flatten_dose_report(report.tags)} == {modality}


def test_filters_are_summed_by_material() -> None:
    _, (event,) = flat(fluoroscopy())
    assert_says(
        event,
        {
            "filter_type": "Strip filter",
            "filter_material": "Copper or Copper compound+Aluminum or Aluminum compound",
            "filter_thickness_min_mm": 0.5,
            "filter_thickness_max_mm": 0.7,
            "filter_total_Cu_mm": 0.6,
            "filter_total_Al_mm": 1.0,
        },
    )


def test_repeated_source_items_give_their_mean_once() -> None:
    copper = {**MAMMOGRAM, "filters": [("Copper or Copper compound", 0.3, 0.3)]}
    _, (event,) = flat(mammography(copper, dialect="pristina"))
    assert (event["kvp_kV"], event["kvp_kV_n"]) == (28.0, 10)
    assert event["filter_total_Cu_mm"] == 0.3
    assert event["filter_material"] == "Copper or Copper compound"


def test_a_number_with_many_values_gives_their_mean() -> None:
    _, (event,) = flat(fluoroscopy(dialect="eurocolumbus"))
    assert (event["kvp_kV"], event["kvp_kV_n"]) == (77.0, 22)


def test_an_empty_number_is_absent_and_not_zero() -> None:
    _, (event,) = flat(fluoroscopy(dialect="ge_surgery"))
    assert "primary_angle_deg" not in event
    assert "Positioner Primary Angle: no value (Value unknown)" in event["dose_warnings"]


def test_zero_is_a_value() -> None:
    _, (event,) = flat(fluoroscopy({**FLUOROSCOPY, "dap_Gycm2": 0.0, "primary_angle_deg": 0.0}))
    assert (event["dap_Gycm2"], event["primary_angle_deg"]) == (0.0, 0.0)


def test_what_is_no_number_is_named_and_the_rest_is_kept() -> None:
    _, (event,) = flat(fluoroscopy(dialect="unreadable"))
    assert "kvp_kV" not in event
    assert event["dose_warnings"] == ["KVP: '10.50/ 15.00' is not a number"]


def test_a_value_in_an_unknown_unit_is_kept_raw_and_flagged() -> None:
    _, *events = flatten_dose_report(ct(SPIRAL, dialect="unknown_unit").tags)
    assert "ctdivol_mGy" not in events[0]
    assert (events[0]["ctdivol_raw"], events[0]["ctdivol_raw_unit"]) == (pytest.approx(0.991), "R")
    assert any("kept as ctdivol_raw" in warning for warning in events[0]["dose_warnings"])


def test_a_number_without_any_unit_is_in_the_templates_unit_and_says_so() -> None:
    tags = copy.deepcopy(dict(fluoroscopy().tags))
    for item in _items(tags):
        for measured in item.get("MeasuredValueSequence", ()):
            del measured["MeasurementUnitsCodeSequence"]
    _, event = flatten_dose_report(tags)
    assert event["rp_dose_mGy"] == pytest.approx(0.13)  # PS3.16 fixes Gy
    assert event["dap_Gycm2"] == pytest.approx(0.0542)  # Gy.m2
    assert "Dose (RP): no unit, read as Gy" in event["dose_warnings"]


def test_event_keys_tell_repeats_and_events_without_uid() -> None:
    _, events = flat(ct(SPIRAL, SPIRAL, dialect="repeated_uids"))
    uid = events[0]["irradiation_event_uid"]
    assert [event["event_key"] for event in events] == [uid, f"{uid}#2"]
    study, events = flat(ct(SPIRAL, SPIRAL, dialect="no_uids"))
    sop = study["sop_instance_uid"]
    assert [event["event_key"] for event in events] == [f"{sop}#1", f"{sop}#2"]


def test_an_event_has_the_same_key_in_a_later_cumulative_report() -> None:
    first = flatten_dose_report(ct(SPIRAL).tags)
    later = flatten_dose_report(ct(SPIRAL, {**SPIRAL, "ctdivol_mGy": 4.0}).tags)
    assert later[1]["event_key"] == first[1]["event_key"]
    assert later[2]["event_key"] != first[1]["event_key"]


def test_reading_again_gives_the_same_records() -> None:
    tags = fluoroscopy().tags
    before = copy.deepcopy(dict(tags))
    assert flatten_dose_report(tags) == flatten_dose_report(tags)
    assert tags == before
    assert flatten_dose_report(tags, tree=read(tags)) == flatten_dose_report(tags)
    assert nested(tags, read(tags)) == nested(tags)


def test_the_zone_of_a_start_goes_to_its_own_field() -> None:
    _, (event,) = flat(fluoroscopy(dialect="ge_surgery"))
    assert (event["datetime_started"], event["timezone_offset"]) == ("2024-03-01T10:01:02.5", "-04:00")
    assert dose_moment(event) == ("2024-03-01T10:01:02.5", "-04:00", "datetime_started")


def test_an_event_without_a_start_has_that_of_its_report() -> None:
    study, events = flat(ct(dialect="siemens_ct"))
    assert dose_moment(study) == ("2024-03-01T10:00:00", "+00:00", "irradiation_start")
    assert dose_moment(events[0]) == dose_moment(study)
    assert dose_moment({"record_type": "event"}) == (None, None, None)


def test_an_injection_is_dated_by_its_start() -> None:
    _, (event,) = flat(nuclear())
    assert dose_moment(event)[::2] == ("2024-03-01T09:00:00", "administration_start")


def test_the_callers_fields_come_first() -> None:
    context = {"ID": "abc", "orthanc_server": "main"}
    for record in flatten_dose_report(ct().tags, context):
        assert list(record)[:2] == ["ID", "orthanc_server"]


def test_weight_and_size_of_zero_are_absent() -> None:
    report = ct_report(Study("unit"), (SPIRAL,))
    study = flatten_dose_report(report.tags)[0]
    assert not {"patient_weight_kg", "patient_size_m", "body_mass_index"} & study.keys()
    assert flatten_dose_report(ct().tags)[0]["body_mass_index"] == 25.0


def test_age_is_reckoned_from_birth_and_else_read() -> None:
    assert flatten_dose_report(ct().tags)[0]["patient_age_years"] == 63.8
    for written, years in (("067Y", 67.0), ("006M", 0.5), ("001W", 0.0), ("XXX", None)):
        tags = {**ct().tags, "PatientBirthDate": "", "PatientAge": written}
        assert flatten_dose_report(tags)[0].get("patient_age_years") == years


def test_a_station_without_a_name_has_its_serial_number() -> None:
    tags = {**nuclear().tags, "StationName": ""}
    assert flatten_dose_report(tags)[0]["station_name"] == "S-0001"


def test_a_siemens_comment_tells_field_size_and_position() -> None:
    tags = copy.deepcopy(dict(fluoroscopy({k: v for k, v in FLUOROSCOPY.items() if "patient" not in k}).tags))
    xml = '<Root><PatientPosition><Position SRData="FFP "/></PatientPosition></Root>'
    tags["ContentSequence"].append(_comment(xml))
    event = next(i for i in tags["ContentSequence"] if i["ValueType"] == "CONTAINER" and _code(i) == "113706")
    event["ContentSequence"].append(_comment('<FluoroData><iiDiameter SRData="480"/></FluoroData>'))
    _, record = flatten_dose_report(tags)
    assert_says(
        record,
        {
            "field_size_mm": 480.0,
            "patient_table_relationship": "feet-first",
            "patient_orientation": "recumbent",
            "patient_orientation_modifier": "prone",
        },
    )


def test_philips_shutters_give_the_field_at_the_detector() -> None:
    tags = copy.deepcopy(dict(fluoroscopy().tags))
    event = next(item for item in _items(tags) if _code(item) == "113706")
    event["ContentSequence"] = [i for i in event["ContentSequence"] if _code(i) != "113790"]
    for code, value in (("006", "130"), ("007", "160"), ("008", "165"), ("009", "131"), ("018", "1200")):
        event["ContentSequence"].append(_number(code, "99PHI-IXR-XPER", value, "mm"))
    _, record = flatten_dose_report(tags)
    expected = {
        "collimated_field_height_mm": 325 * 1.2,
        "collimated_field_width_mm": 261 * 1.2,
        "collimated_field_area_cm2": 325 * 261 * 1.44 / 100,
        "source_detector_distance_mm": 1200.0,
    }
    assert_says(record, expected)
    assert "collimated_field_area_cm2" in record["dose_derived"]


def test_a_report_of_totals_only_is_a_study_without_events() -> None:
    title = [
        {"CodeValue": "C-10", "CodingSchemeDesignator": "99SMS_RADSUM", "CodeMeaning": "Radiation Summary"}
    ]
    content = [
        _number("C-200", "99SMS_RADSUM", "4", "1"),
        _number("C-202", "99SMS_RADSUM", "63", "s"),
        _number("C-204", "99SMS_RADSUM", "1.5", "Gy.cm2"),
    ]
    tags = {"ConceptNameCodeSequence": title, "ValueType": "CONTAINER", "ContentSequence": content}
    assert is_dose_report(tags)
    (study,) = flatten_dose_report(tags)
    expected = {
        "n_radiographic_frames": 4,
        "total_fluoro_time_s": 63.0,
        "total_dap_Gycm2": 1.5,
        "n_events": 0,
    }
    assert_says(study, {**expected, "modality": "RF"})


def test_a_concept_with_an_unknown_code_is_known_by_its_name_unless_the_code_is_there_too() -> None:
    tags = copy.deepcopy(dict(radiography({k: v for k, v in RADIOGRAPH.items() if k != "dap_Gycm2"}).tags))
    event = next(item for item in _items(tags) if _code(item) == "113706")
    odd = _number("77", "99ACME", "0.5", "Gy.cm2")
    odd["ConceptNameCodeSequence"][0]["CodeMeaning"] = "Dose Area Product"
    event["ContentSequence"].append(odd)
    assert flatten_dose_report(tags)[1]["dap_Gycm2"] == 0.5
    event["ContentSequence"].append(_number("122130", "DCM", "0.7", "Gy.cm2"))
    assert flatten_dose_report(tags)[1]["dap_Gycm2"] == 0.7


def test_a_siemens_ct_comment_tells_the_modulation() -> None:
    comment = "Internal technical scan parameters: Body Size = Adult, X-ray Modulation Type = XYZ_EC"
    _, (event,) = flat(ct({**SPIRAL, "comment": comment}))
    assert event["xray_modulation_type"] == "XYZ_EC"


def test_what_is_computed_is_named() -> None:
    pulsed = {k: v for k, v in FLUOROSCOPY.items() if k != "exposure_time_ms"}
    _, (event,) = flat(fluoroscopy(pulsed))
    assert event["exposure_time_ms"] == pytest.approx(37 * 3.3)
    assert event["dose_derived"] == ["avg_xray_tube_current_mA", "exposure_time_ms"]


@pytest.mark.parametrize(
    "change",
    [
        {"ContentTemplateSequence": []},
        {"ConceptNameCodeSequence": []},
        {"ConceptNameCodeSequence": [{"CodeValue": "1", "CodeMeaning": "X-ray radiation dose report"}]},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.22"},
    ],
)
def test_a_dose_report_is_known_by_template_title_or_content(change: dict[str, Any]) -> None:
    assert is_dose_report({**ct().tags, **change})


def test_another_structured_report_is_none() -> None:
    title = [{"CodeValue": "126000", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Imaging Measurements"}]
    tags = {
        **ct().tags,
        "ConceptNameCodeSequence": title,
        "ContentTemplateSequence": [],
        "ContentSequence": [],
    }
    assert not is_dose_report(tags)
    assert not is_dose_report({"Modality": "CT", "CTDIvol": "3"})


def _items(tags: Mapping[str, Any]) -> Any:
    for item in tags.get("ContentSequence", ()):
        yield item
        yield from _items(item)


def _code(item: Mapping[str, Any]) -> str:
    return item["ConceptNameCodeSequence"][0]["CodeValue"]


def _number(code: str, scheme: str, value: str, unit: str) -> dict[str, Any]:
    name = {"CodeValue": code, "CodingSchemeDesignator": scheme, "CodeMeaning": "vendor's own"}
    units = [{"CodeValue": unit, "CodingSchemeDesignator": "UCUM", "CodeMeaning": unit}]
    measured = [{"NumericValue": value, "MeasurementUnitsCodeSequence": units}]
    return {"ConceptNameCodeSequence": [name], "ValueType": "NUM", "MeasuredValueSequence": measured}


def _comment(text: str) -> dict[str, Any]:
    name = {"CodeValue": "121106", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Comment"}
    return {"ConceptNameCodeSequence": [name], "ValueType": "TEXT", "TextValue": text}
