"""What pip installs is enough: the command runs with what pyproject.toml declares, and with nothing else.

pip itself has run when the development tools were installed; another run would cost a minute of downloads.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from testbench.sample_data import hospital

ROOT = Path(__file__).resolve().parents[2]


def declared(name: str) -> set[str]:
    """A distribution and what it needs, what those need, and so on; extras are left out."""
    found: set[str] = set()
    todo = [name]
    while todo:
        one = todo.pop()
        found.add(one)
        for text in distribution(one).requires or ():
            wanted = Requirement(text)
            if (wanted.marker is None or wanted.marker.evaluate({"extra": ""})) and wanted.name not in found:
                todo.append(wanted.name)
    return found


@pytest.fixture(scope="module")
def bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a virtual environment that has our package and what it declares, and nothing else."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [site] = folder.glob("lib/python3*/site-packages")
    (site / "copydicom_app").symlink_to(ROOT / "copydicom_app")
    for name in declared("copydicom_app") - {"copydicom_app"}:
        files = distribution(name).files or ()
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    script = (Path(sys.executable).parent / "copydicom").read_text().splitlines()  # as pip wrote it
    (folder / "bin" / "copydicom").write_text("\n".join([f"#!{folder}/bin/python", *script[1:]]))
    (folder / "bin" / "copydicom").chmod(0o755)
    return folder / "bin"


def said(*command: Path | str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout


def test_the_command_and_the_library_need_no_splunk_sdk(bin: Path) -> None:
    assert "replicate_tags" in said(bin / "copydicom", "--help")
    assert said(bin / "python", "-m", "copydicom_app", "--version").startswith("copydicom, version ")
    names = "import copydicom_app as c; print(*[getattr(c, name) for name in c.__all__])"
    assert "simplify" in said(bin / "python", "-c", names)
    missing = "import importlib.util as u; print(u.find_spec('splunklib'), u.find_spec('requests'))"
    assert said(bin / "python", "-c", missing).split() == ["None", "None"]


def test_a_dose_report_is_read_with_what_is_declared(bin: Path, tmp_path: Path) -> None:
    report = next(each for each in hospital() if each.series_description == "Dose Record")
    file = tmp_path / "report.dcm"
    file.write_bytes(report.data)
    assert "irradiation" in said(bin / "copydicom", "dose", str(file), "--all")
    records = [json.loads(line) for line in said(bin / "copydicom", "dose", str(file), "--json").splitlines()]
    assert [record["record_type"] for record in records[:2]] == ["study", "event"]


def test_the_splunk_app_brings_nothing_of_the_command_line(package: Path) -> None:
    with tarfile.open(package) as archive:
        names = {name.removeprefix("copydicom_app/") for name in archive.getnames()}
    assert "copydicom_app/__init__.py" in names
    ours = {name for name in names if name.startswith("copydicom_app/")}
    assert not [
        name for name in ours if "/cli/" in name or name.endswith(("main__.py", "hec.py", "library.py"))
    ]
    assert not [name for name in names if name.startswith(("lib/click", "lib/rich", "lib/pydicom"))]
