"""Keyed identifiers: the same each time, others with another key, and only where they belong."""

from __future__ import annotations

import io
import sys
import zipfile
from typing import Any

import pytest

from copydicom_app.errors import SkippableError
from copydicom_app.replication.rekey import Keys, readable, rekeyed
from copydicom_app.replication.transfer import archive

if sys.version_info < (3, 11):
    pytest.skip("the testbench needs Python 3.11", allow_module_level=True)
pydicom = pytest.importorskip("pydicom", minversion="3")
testbench = pytest.importorskip("testbench.sample_data")
KEYS = Keys(b"the key of this test")


def test_identifiers_depend_on_the_value_and_the_key_only() -> None:
    assert KEYS.uid("1.2.3") == Keys(b"the key of this test").uid("1.2.3")
    assert KEYS.uid("1.2.3") != Keys(b"another key").uid("1.2.3")
    assert KEYS.uid("1.2.3") != KEYS.uid("1.2.4")
    assert KEYS.patient_id("7") != KEYS.accession("7")
    assert len(KEYS.uid("1.2.3")) <= 64
    assert len(KEYS.accession("7")) == 16


@pytest.fixture(scope="module")
def kinds() -> list[bytes]:
    """One file of each kind that a hospital has."""
    found = {(each.modality, each.series_description): each.data for each in testbench.hospital()}
    return list(found.values())


def written(dataset: Any, syntax: str) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    little = syntax != pydicom.uid.ExplicitVRBigEndian
    implicit = syntax == pydicom.uid.ImplicitVRLittleEndian
    pydicom.dcmwrite(out, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return out.getvalue()


def test_only_identifiers_change_in_every_kind_of_file(kinds: list[bytes]) -> None:
    for data in kinds:
        before = pydicom.dcmread(io.BytesIO(data))
        file = rekeyed(data, KEYS)
        after = pydicom.dcmread(io.BytesIO(file.dicom))
        assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
        assert after.SOPInstanceUID == KEYS.uid(before.SOPInstanceUID)
        assert (file.sop_class, file.modality) == (before.SOPClassUID, before.Modality)
        changed = {
            element.keyword
            for element in before
            if element.VR != "SQ" and element.value != after[element.tag].value
        }
        assert all(before[name].VR == "UI" or name == "AccessionNumber" for name in changed)
        assert {element.tag for element in before} == {element.tag for element in after}


def test_what_is_no_dicom_or_ends_too_early_is_refused() -> None:
    data = next(testbench.make_instances(1)).data
    for broken in (b"", b"x" * 200, data[:700], data[:-10]):
        with pytest.raises(SkippableError):
            rekeyed(broken, KEYS)


def test_an_implicit_file_changes_as_its_explicit_twin_does(kinds: list[bytes]) -> None:
    """It names no VR, so UIDs and sequences have to be known otherwise, at any depth."""
    for data in kinds:
        dataset = pydicom.dcmread(io.BytesIO(data))
        if dataset.file_meta.TransferSyntaxUID.is_compressed:
            continue
        twin, file = rekeyed(data, KEYS), rekeyed(written(dataset, pydicom.uid.ImplicitVRLittleEndian), KEYS)
        assert (file.orthanc_id, file.sop_class, file.modality) == (
            twin.orthanc_id,
            twin.sop_class,
            twin.modality,
        )
        explicit = written(pydicom.dcmread(io.BytesIO(twin.dicom)), pydicom.uid.ImplicitVRLittleEndian)
        found, wanted = (pydicom.dcmread(io.BytesIO(each)).to_json_dict() for each in (file.dicom, explicit))
        assert found == wanted


@pytest.mark.parametrize("undefined", [False, True])
def test_implicit_sequences_are_known_with_and_without_their_length(undefined: bool) -> None:
    dataset = pydicom.dcmread(io.BytesIO(next(testbench.make_instances(1)).data))
    inner, item = pydicom.Dataset(), pydicom.Dataset()
    inner.ReferencedSOPInstanceUID = "1.2.3.4"
    inner.is_undefined_length_sequence_item = item.is_undefined_length_sequence_item = undefined
    item.ReferencedSeriesSequence = [inner]
    item["ReferencedSeriesSequence"].is_undefined_length = undefined
    dataset.ReferencedStudySequence = [item]
    dataset["ReferencedStudySequence"].is_undefined_length = undefined
    file = rekeyed(written(dataset, pydicom.uid.ImplicitVRLittleEndian), KEYS)
    study = pydicom.dcmread(io.BytesIO(file.dicom)).ReferencedStudySequence[0]
    assert study.ReferencedSeriesSequence[0].ReferencedSOPInstanceUID == KEYS.uid("1.2.3.4")


def test_deflated_and_big_endian_files_are_told_apart() -> None:
    dataset = pydicom.dcmread(io.BytesIO(next(testbench.make_instances(1)).data))
    assert readable(written(dataset, pydicom.uid.ImplicitVRLittleEndian))
    assert not readable(written(dataset, pydicom.uid.DeflatedExplicitVRLittleEndian))


def test_an_archive_is_read_by_others_with_every_file_in_it() -> None:
    files = [b"one", b"", b"three" * 1000]
    with zipfile.ZipFile(io.BytesIO(archive(files))) as members:
        assert members.testzip() is None
        assert [members.read(name) for name in members.namelist()] == files
