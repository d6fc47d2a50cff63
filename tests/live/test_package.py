"""The package: the same bytes each time, only what belongs in it, and nothing that AppInspect fails."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def members(package: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(package) as archive:
        return archive.getmembers()


def test_the_same_files_give_the_same_bytes(package: Path) -> None:
    before = hashlib.sha256(package.read_bytes()).hexdigest()
    subprocess.run([sys.executable, "packaging/build.py"], cwd=ROOT, check=True, capture_output=True)
    assert hashlib.sha256(package.read_bytes()).hexdigest() == before


def test_what_python_compiled_beside_the_libraries_stays_out(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("splunklib/client.py", "splunklib/__pycache__/client.cpython-313.pyc", ".requirements"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    build = script("build")
    monkeypatch.setattr(build, "VENDORED", tmp_path)
    assert {name for name, path in build.members() if tmp_path in path.parents} == {"lib/splunklib/client.py"}


def test_nothing_is_in_it_that_splunk_refuses(members: list[tarfile.TarInfo]) -> None:
    names = [member.name for member in members]
    assert all(name.startswith("copydicom_app/") for name in names)
    assert not [name for name in names if "/local/" in name or name.endswith((".pyc", ".so", "limits.conf"))]
    assert not [name for name in names if any(part.startswith(".") for part in name.split("/"))]
    assert not [member.name for member in members if member.mode & 0o111 or member.uid or member.mtime]
    assert not [
        name for name in names if "/tests/" in name or "/testbench/" in name or "/splunklib/ai/" in name
    ]


def test_what_it_needs_at_run_time_is_in_it(members: list[tarfile.TarInfo]) -> None:
    names = {member.name.removeprefix("copydicom_app/") for member in members}
    assert {
        "bin/orthanc.py",
        "bin/copydicom.py",
        "default/app.conf",
        "metadata/default.meta",
        "README/inputs.conf.spec",
        "LICENSE",
        "lib/splunklib/client.py",
        "lib/certifi/cacert.pem",
        "appserver/static/pages.js",
        "appserver/static/pages.txt",
    } <= names
    # With requests in lib/, AppInspect's check of TLS looks at nothing: it must see ours.
    assert not any(name.startswith(("lib/requests", "lib/urllib3")) for name in names)
    # splunklib asks for its own version at every REST call
    assert any(name.startswith("lib/splunk_sdk-") and name.endswith("METADATA") for name in names)


def test_it_stays_small(package: Path) -> None:
    assert package.stat().st_size < 1_000_000


@pytest.mark.timeout(600)
def test_appinspect_finds_no_failure(package: Path) -> None:
    inspector = script("inspect_package")
    bad = [check for check in inspector.findings(package) if check["result"] in inspector.BAD]
    assert bad == []
