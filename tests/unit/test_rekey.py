"""Keyed identifiers: the same each time, others with another key, and only where they belong."""

from __future__ import annotations

import io
import zipfile

import pytest

from copydicom_app.errors import SkippableError
from copydicom_app.replication.rekey import Keys, readable, rekeyed
from copydicom_app.replication.transfer import archive

pydicom = pytest.importorskip("pydicom")  # the bench's own Python has it
testbench = pytest.importorskip("testbench.sample_data", exc_type=ImportError)
KEYS = Keys(b"the key of this test")


def test_identifiers_depend_on_the_value_and_the_key_only() -> None:
    assert KEYS.uid("1.2.3") == Keys(b"the key of this test").uid("1.2.3")
    assert KEYS.uid("1.2.3") != Keys(b"another key").uid("1.2.3")
    assert KEYS.uid("1.2.3") != KEYS.uid("1.2.4")
    assert KEYS.patient_id("7") != KEYS.accession("7")
    assert len(KEYS.uid("1.2.3")) <= 64
    assert len(KEYS.accession("7")) == 16


def test_only_identifiers_change_in_every_kind_of_file() -> None:
    kinds = {(each.modality, each.series_description): each for each in testbench.hospital()}
    for each in kinds.values():
        before = pydicom.dcmread(io.BytesIO(each.data))
        file = rekeyed(each.data, KEYS)
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


def test_implicit_little_endian_is_told_apart() -> None:
    data = next(testbench.make_instances(1)).data
    assert readable(data)
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset, implicit_vr=True, little_endian=True, enforce_file_format=True)
    assert not readable(out.getvalue())


def test_an_archive_is_read_by_others_with_every_file_in_it() -> None:
    files = [b"one", b"", b"three" * 1000]
    with zipfile.ZipFile(io.BytesIO(archive(files))) as members:
        assert members.testzip() is None
        assert [members.read(name) for name in members.namelist()] == files
