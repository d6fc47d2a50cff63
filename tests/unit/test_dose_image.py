"""Dose from image headers, for scanners that send no report."""

from __future__ import annotations

from typing import Any

import pytest

from copydicom_app.dose.report import image_dose

CT = {
    "Modality": "CT",
    "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
    "StudyInstanceUID": "1.1",
    "SeriesInstanceUID": "1.2",
    "SOPInstanceUID": "1.3",
    "AcquisitionNumber": "4",
    "AcquisitionDate": "20240301",
    "AcquisitionTime": "101500.25",
    "CTDIvol": "9.5",
    "KVP": "120",
    "ExposureTime": "500",
    "XRayTubeCurrent": "200",
    "SpiralPitchFactor": "1.2",
    "CTDIPhantomTypeCodeSequence": [
        {"CodeValue": "113691", "CodingSchemeDesignator": "DCM", "CodeMeaning": "IEC Body Dosimetry Phantom"}
    ],
}
DX = {
    "Modality": "DX",
    "StudyInstanceUID": "1.1",
    "SOPInstanceUID": "1.3",
    "AcquisitionDateTime": "20240301101500+0100",
    "ExposureInuAs": "2500",
    "Exposure": "3",
    "ExposureTime": "12",
    "ImageAndFluoroscopyAreaDoseProduct": "1.25",
    "EntranceDose": "2",
    "EntranceDoseInmGy": "0.21",
    "DistanceSourceToDetector": "1150",
}
MG = {**DX, "Modality": "MG", "OrganDose": "0.0125", "BodyPartThickness": "52", "ImageLaterality": "L"}


def drug(activity: str) -> list[dict[str, Any]]:
    return [
        {
            "RadionuclideTotalDose": activity,
            "RadiopharmaceuticalStartTime": "093000",
            "RadionuclideHalfLife": "6586.2",
            "Radiopharmaceutical": "FDG",
        }
    ]


def test_ct_dose_is_read_with_its_phantom_and_units() -> None:
    record = image_dose(CT, {"ID": "abc"})
    assert record is not None
    assert next(iter(record)) == "ID"
    expected = {
        "record_type": "event",
        "dose_source": "image",
        "modality": "CT",
        "ctdivol_mGy": 9.5,
        "phantom_cm": 32,
        "exposure_time_s": 0.5,
        "pitch_factor": 1.2,
        "is_localizer": False,
        "datetime_started": "2024-03-01T10:15:00.25",
    }
    assert {name: record.get(name) for name in expected} == expected


def test_an_enhanced_ct_has_its_dose_in_the_shared_groups() -> None:
    exposure = [{"CTDIvol": "7.25", "ExposureTimeInms": "400"}]
    groups = [{"CTExposureSequence": exposure, "CTAcquisitionTypeSequence": [{"AcquisitionType": "SPIRAL"}]}]
    tags = {key: value for key, value in CT.items() if key not in ("CTDIvol", "ExposureTime")}
    record = image_dose({**tags, "SharedFunctionalGroupsSequence": groups})
    assert record is not None
    assert (record["ctdivol_mGy"], record["exposure_time_s"]) == (7.25, 0.4)
    assert record["ct_acquisition_type_code"] == "116152004"


def test_a_radiograph_is_converted_from_decigray() -> None:
    record = image_dose(DX)
    assert record is not None
    assert record["dap_Gycm2"] == pytest.approx(0.125)
    assert record["entrance_exposure_mGy"] == pytest.approx(0.21)
    assert record["exposure_mAs"] == pytest.approx(2.5)
    assert (record["exposure_time_ms"], record["timezone_offset"]) == (12.0, "+01:00")
    coarse = {key: value for key, value in DX.items() if key != "EntranceDoseInmGy"}
    assert (image_dose(coarse) or {})["entrance_exposure_mGy"] == pytest.approx(200.0)


def test_the_organ_dose_of_a_mammogram_is_its_glandular_dose() -> None:
    record = image_dose(MG)
    assert record is not None
    assert record["agd_mGy"] == pytest.approx(1.25)
    assert (record["compression_thickness_mm"], record["laterality"]) == (52.0, "L")
    assert "agd_mGy" not in (image_dose({**MG, "Modality": "DX"}) or {})


@pytest.mark.parametrize(("modality", "written"), [("PT", "312000000"), ("NM", "312")])
def test_activity_is_in_becquerel_in_pet_and_in_megabecquerel_in_nm(modality: str, written: str) -> None:
    tags = {"Modality": modality, "StudyDate": "20240301", "StudyInstanceUID": "1.1"}
    record = image_dose({**tags, "RadiopharmaceuticalInformationSequence": drug(written)})
    assert record is not None
    assert record["administered_activity_MBq"] == pytest.approx(312.0)
    assert record["administration_start"] == "2024-03-01T09:30:00"
    assert record["event_key"] == "1.1#2024-03-01T09:30:00"


def test_an_activity_out_of_proportion_is_kept_raw() -> None:
    record = image_dose({"Modality": "PT", "RadiopharmaceuticalInformationSequence": drug("312")})
    assert record is not None
    assert "administered_activity_MBq" not in record
    assert (record["administered_activity_raw"], record["administered_activity_raw_unit"]) == (312.0, "Bq")
    assert record["dose_warnings"]


@pytest.mark.parametrize(
    ("tags", "key"),
    [
        ({**CT, "IrradiationEventUID": "1.9.1\\1.9.2"}, "1.9.1"),
        (CT, "1.2#4"),
        (DX, "1.1#2024-03-01T10:15:00"),
        ({**DX, "AcquisitionDateTime": ""}, "1.3#1"),
    ],
)
def test_images_of_one_irradiation_share_a_key(tags: dict[str, Any], key: str) -> None:
    assert (image_dose(tags) or {})["event_key"] == key
    twin = {**tags, "SOPInstanceUID": "1.3.99", "InstanceNumber": "2"}
    if not key.endswith("#1"):
        assert (image_dose(twin) or {})["event_key"] == key


@pytest.mark.parametrize(
    "tags",
    [
        {"Modality": "MR"},
        {"Modality": "CT"},
        {**CT, "ImageType": "DERIVED\\SECONDARY\\MPR"},
        {**CT, "CTDIvol": "0"},
        {"Modality": "PT"},
        {"Modality": "PT", "RadiopharmaceuticalInformationSequence": [None, "x"]},
        {**CT, "CTDIvol": None, "CTDIPhantomTypeCodeSequence": "odd"},
        {},
    ],
)
def test_an_image_without_dose_gives_nothing(tags: dict[str, Any]) -> None:
    assert image_dose(tags) is None
