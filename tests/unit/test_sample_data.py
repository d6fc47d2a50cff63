"""The synthetic hospital: the same bytes every time, and the oddities that other tests rest on."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.version_info < (3, 11):
    pytest.skip("the testbench needs Python 3.11", allow_module_level=True)
pytest.importorskip("pydicom", minversion="3")

from pydicom import Dataset, dcmread

from testbench.dicom_objects import derive
from testbench.sample_data import (
    DOSE_SERIES,
    INSTANCES_BY_MODALITY,
    STUDIES,
    Instance,
    hospital,
    make_instances,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def files() -> list[tuple[Instance, Dataset]]:
    return [(each, dcmread(io.BytesIO(each.data))) for each in hospital()]


def datasets(files: list[tuple[Instance, Dataset]], **having: object) -> list[Dataset]:
    return [ds for _, ds in files if all(ds.get(keyword) == value for keyword, value in having.items())]


def test_two_processes_with_different_hash_seeds_make_the_same_bytes() -> None:
    code = (
        "import hashlib\n"
        "from testbench.sample_data import make_hospital, make_instances\n"
        "digest = hashlib.sha256()\n"
        "for each in (*make_hospital(), *make_instances(60)): digest.update(each.data)\n"
        "print(digest.hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(digests) == 1


def test_it_holds_what_it_declares(files: list[tuple[Instance, Dataset]]) -> None:
    assert Counter(each.modality for each, _ in files) == INSTANCES_BY_MODALITY
    assert len({each.study_uid for each, _ in files}) == len(STUDIES)
    assert len({each.sop_uid for each, _ in files}) == len(files)
    assert sum(len(each.data) for each, _ in files) < 6_000_000


def test_what_an_instance_says_of_itself_is_what_its_file_says(files: list[tuple[Instance, Dataset]]) -> None:
    for each, ds in files:
        assert (each.patient_id, each.study_uid, each.series_uid, each.sop_uid, each.modality) == (
            ds.PatientID,
            ds.StudyInstanceUID,
            ds.SeriesInstanceUID,
            ds.SOPInstanceUID,
            ds.Modality,
        )
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


def test_setting_an_element_of_a_derived_header_leaves_the_first_as_it_was() -> None:
    first = derive(Dataset(), Modality="CT")
    assert derive(first, Modality="SR").Modality == "SR"
    assert first.Modality == "CT"


def test_one_study_tells_no_date_and_no_time_at_all(files: list[tuple[Instance, Dataset]]) -> None:
    undated = datasets(files, StudyDate="")
    assert len({ds.StudyInstanceUID for ds in undated}) == 1
    for ds in undated:
        assert [e.keyword for e in ds if e.VR in ("DA", "TM", "DT") and e.value] == []


def test_the_topogram_alone_is_a_localizer(files: list[tuple[Instance, Dataset]]) -> None:
    """Elements of one series must not leak into the next."""
    for ds in datasets(files, Modality="CT"):
        is_localizer = "LOCALIZER" in ds.ImageType
        assert is_localizer == (ds.SeriesDescription.startswith(("Topogram", "Scout")))
        assert not (is_localizer and "CTDIvol" in ds)


def test_each_study_with_radiation_to_report_has_its_reports(files: list[tuple[Instance, Dataset]]) -> None:
    reports = datasets(files, Modality="SR")
    radiating = {ds.StudyInstanceUID for _, ds in files if ds.Modality in ("CT", "MG", "XA")}
    counted = Counter(ds.StudyInstanceUID for ds in reports)
    assert counted.keys() == radiating
    assert sorted(counted.values()) == [1] * (len(radiating) - 2) + [2, 2], "one is cumulative, one continued"
    for ds in reports:
        assert ds.SeriesDescription == DOSE_SERIES
        enhanced = ds.StationName == "CT02"  # GE's CT
        assert ds.SOPClassUID == f"1.2.840.10008.5.1.4.1.1.88.{22 if enhanced else 67}"
        assert "PixelData" not in ds
        assert "Rows" not in ds


def test_every_image_made_with_radiation_names_an_irradiation_of_its_studys_reports(
    files: list[tuple[Instance, Dataset]],
) -> None:
    reported = {(str(report.StudyInstanceUID), item.UID) for report, item in items(files, "113769")}
    for _, ds in files:
        if ds.Modality in ("CT", "MG", "XA") and ds.SeriesDescription != "Private MPR 2.0":
            assert (str(ds.StudyInstanceUID), ds.IrradiationEventUID) in reported


def test_the_images_that_a_report_refers_to_are_there(files: list[tuple[Instance, Dataset]]) -> None:
    classes = {str(ds.SOPInstanceUID): str(ds.SOPClassUID) for _, ds in files}
    named = [item.ReferencedSOPSequence[0] for _, item in items(files, "113795")]
    assert len(named) == sum(ds.Modality in ("MG", "XA") for _, ds in files)
    for one in named:
        assert classes[one.ReferencedSOPInstanceUID] == one.ReferencedSOPClassUID


def items(files: list[tuple[Instance, Dataset]], code: str) -> Iterator[tuple[Dataset, Dataset]]:
    """Each dose report, and the items of its events whose concept has that code."""
    for report in datasets(files, Modality="SR"):
        for event in report.ContentSequence:
            for item in event.get("ContentSequence", []):
                if item.ConceptNameCodeSequence[0].CodeValue == code:
                    yield report, item


def test_it_holds_the_oddities_that_other_tests_need(files: list[tuple[Instance, Dataset]]) -> None:
    every = [ds for _, ds in files]
    assert sum(len(ds.get("ImageComments", "")) > 256 for ds in every) == 1
    assert sum(any(e.tag.is_private for e in ds) for ds in every) == 1
    assert [
        len(ds.PerFrameFunctionalGroupsSequence) for ds in every if "PerFrameFunctionalGroupsSequence" in ds
    ] == [72]
    assert {ds.get("TimezoneOffsetFromUTC") for ds in every} == {None, "+0200"}
    charsets = {str(ds.get("SpecificCharacterSet", "")) for ds in every}
    assert charsets == {"", "ISO_IR 100", "ISO_IR 192", "['', 'ISO 2022 IR 87']"}


def test_pixels_fill_their_frames(files: list[tuple[Instance, Dataset]]) -> None:
    for _, ds in files:
        if "PixelData" in ds:
            expected = ds.Rows * ds.Columns * ds.BitsAllocated // 8 * int(ds.get("NumberOfFrames", 1))
            assert len(ds.PixelData) == expected
            assert len(set(ds.PixelData)) > 8, "an image shows something"


@pytest.mark.parametrize("size", [10_000, 512 * 1024])
def test_bulk_instances_are_whole_files_of_the_size_asked_for(size: int) -> None:
    made = list(make_instances(5, size=size, series_of=2))
    for number, each in enumerate(made):
        ds = dcmread(io.BytesIO(each.data))
        assert ds.SOPInstanceUID == ds.file_meta.MediaStorageSOPInstanceUID == each.sop_uid
        assert (ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID) == (
            each.patient_id,
            each.study_uid,
            each.series_uid,
        )
        assert ds.InstanceNumber == number % 2 + 1
        assert len(ds.PixelData) == 2 * ds.Rows * ds.Columns
        assert abs(len(each.data) - size) < 0.1 * size
    assert len({each.series_uid for each in made}) == 3
    assert len({each.sop_uid for each in made}) == 5


def test_bulk_instances_of_another_name_are_others_and_of_the_same_name_the_same() -> None:
    def digest(name: str) -> str:
        return hashlib.sha256(b"".join(each.data for each in make_instances(3, name=name))).hexdigest()

    assert digest("one") == digest("one") != digest("two")
