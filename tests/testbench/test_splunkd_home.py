"""A package is installed as Splunk would install it, and its conf files are layered as Splunk layers them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from testbench.splunkd import PackageError, pythons
from testbench.splunkd.conf import ConfError, inherit, layer, parse_conf, render_conf
from testbench.splunkd.home import Home
from testbench.splunkd.index import props_for
from testbench.splunkd.meta import Meta


def package(tmp_path: Path, *names: str, kind: bytes = tarfile.REGTYPE) -> Path:
    path = tmp_path / "p.spl"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("copydicom_app/default/app.conf", *names):
            info = tarfile.TarInfo(name)
            info.type = kind if name in names else tarfile.REGTYPE
            info.linkname = "/etc/passwd"
            archive.addfile(info, io.BytesIO())
    return path


def test_a_package_makes_the_folders_that_splunk_has(tmp_path: Path) -> None:
    home = Home(tmp_path / "splunk", package(tmp_path))
    assert (tmp_path / "splunk/etc/apps/copydicom_app/default/app.conf").is_file()
    assert home.checkpoint_dir("orthanc") == tmp_path / "splunk/var/lib/splunk/modinputs/orthanc"
    assert home.checkpoint_dir("orthanc").is_dir()
    assert (tmp_path / "splunk/var/run/splunk/dispatch").is_dir()
    assert (tmp_path / "splunk/var/log/splunk").is_dir()


@pytest.mark.parametrize(
    "name",
    ["other/x", "/etc/x", "copydicom_app/../x", "copydicom_app/local/inputs.conf", "x"],
)
def test_a_package_that_reaches_beyond_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PackageError, match="the package's entry"):
        Home(tmp_path / "splunk", package(tmp_path, name))
    assert not (tmp_path / "splunk/etc/apps/copydicom_app").exists()


def test_a_package_with_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="neither a file nor a folder"):
        Home(tmp_path / "splunk", package(tmp_path, "copydicom_app/link", kind=tarfile.SYMTYPE))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.spl").write_bytes(b"PK")
    with pytest.raises(PackageError, match="not a gzipped tar"):
        Home(tmp_path / "splunk", tmp_path / "p.spl")


def test_a_conf_file_has_comments_continued_lines_and_values_with_equals_signs() -> None:
    text = "x = 0\n# no\n[a://b]\nq = one \\\n  two\nr=a=b\nempty =\n"
    assert parse_conf(text) == {"default": {"x": "0"}, "a://b": {"q": "one \n  two", "r": "a=b", "empty": ""}}


@pytest.mark.parametrize("text", ["[a\n", "[a]\nnonsense\n"])
def test_a_line_that_is_neither_stanza_nor_setting_is_an_error(text: str) -> None:
    with pytest.raises(ConfError, match="conf:"):
        parse_conf(text)


def test_local_goes_over_default_key_by_key_and_every_stanza_inherits() -> None:
    default = {"default": {"z": "9"}, "a": {"x": "1", "y": "1"}}
    assert inherit(layer(default, {"a": {"y": "2"}, "b": {}}))["a"] == {"z": "9", "x": "1", "y": "2"}
    assert inherit(layer(default, {"b": {}}))["b"] == {"z": "9"}


def test_a_written_conf_reads_back_the_same() -> None:
    conf = {"a": {"x": "one\ntwo", "y": ""}, "b c": {"z": "1"}}
    assert parse_conf(render_conf(conf)) == conf


def test_the_most_special_word_on_access_wins(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    text = "[]\nexport = none\naccess = read : [ * ]\n[commands]\nexport = system\n"
    text += "[commands/copydicom]\naccess = read : [ admin, operator ], write : [ admin ]\n"
    (tmp_path / "metadata/default.meta").write_text(text)
    meta = Meta(tmp_path)
    assert meta.exported("commands", "copydicom")
    assert not meta.exported("macros", "x")
    assert meta.readable("commands", "copydicom", ["operator"])
    assert not meta.readable("commands", "copydicom", ["user"])
    assert meta.readable("commands", "other", ["user"])


def test_only_pythons_that_start_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "python3.9"
    fake.write_text("#!/bin/sh\necho 3.9\n")
    dead = tmp_path / "python3.13"
    dead.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    dead.chmod(0o755)
    monkeypatch.setenv("COPYDICOM_PYTHONS", f"{fake}:{dead}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert pythons() == {"3.9": fake}


@pytest.mark.parametrize(
    ("sourcetype", "source", "value"),
    [
        ("dicom:instance", "orthanc://x", "own"),
        ("dicom:study", "orthanc://x", "pattern"),
        ("dicom:instance", "/var/log/a_1.log", "source"),
        ("other", "/var/log/a_1.log", "source"),
        ("other", "/var/log/a_1/b.log", "default"),
        ("other", "/var/log/a_1xlog", "default"),
    ],
)
def test_props_of_a_source_go_over_those_of_a_sourcetype(sourcetype: str, source: str, value: str) -> None:
    props = {
        "default": {"x": "default"},
        "(?::){0}dicom:*": {"x": "pattern"},
        "dicom:instance": {"x": "own"},
        r"source::...[/\\]a_*.log": {"x": "source"},
    }
    assert props_for(props, sourcetype, source)["x"] == value
