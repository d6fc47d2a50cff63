"""A toy app, packed as the real one is, with inputs and commands that keep the rules or break one."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbench.splunkd import Splunkd, pythons

TOYS = Path(__file__).parent / "toys"
FILES = {
    "default/app.conf": "[launcher]\nversion = 1.0.0\n[triggers]\nreload.copydicom_servers = simple\n",
    "default/inputs.conf": """
[sdk_input]
index = dicom
sourcetype = dicom:instance
[raw_input]
index = dicom
[monitor://$SPLUNK_HOME/var/log/splunk/copydicom_audit.log]
index = dicom_audit
sourcetype = copydicom:audit
""",
    "default/commands.conf": """
[default]
chunked = true
[raw]
filename = raw_command.py
[sdk]
filename = sdk_command.py
[secret]
filename = raw_command.py
""",
    "default/props.conf": """
[source::...[/\\\\]copydicom_au*.log]
KV_MODE = none
MAX_TIMESTAMP_LOOKAHEAD = 20
[(?::){0}dicom:*]
KV_MODE = json
TRUNCATE = 0
FIELDALIAS-ids = ID AS orthanc_id
EVAL-label = "study " . ID
""",
    "default/macros.conf": """
[dicom_index]
definition = index=dicom
[of(1)]
args = id
definition = ID=$id$
""",
    "default/indexes.conf": """
[dicom]
homePath = $SPLUNK_DB/dicom/db
[dicom_audit]
homePath = $SPLUNK_DB/dicom_audit/db
""",
    "default/authorize.conf": """
[role_operator]
importRoles = user
run_copydicom = enabled
""",
    "default/restmap.conf": """
[script:toy]
match = /toy/echo
script = raw_rest.py
scripttype = persist
handler = raw_rest.Echo
requireAuthentication = true
capability = run_copydicom
output_modes = json
passPayload = true
passSystemAuth = true
""",
    "default/alert_actions.conf": """
[raw_action]
is_custom = 1
payload_format = json
maxresults = 10
param.mode =
param.more = x
""",
    "default/collections.conf": "[copydicom_sent]\nfield.dest = string\n",
    "README/inputs.conf.spec": """
[sdk_input://<name>]
server = <string>
[raw_input://<name>]
mode = <string>
""",
    "metadata/default.meta": "[]\naccess = read : [ * ], write : [ admin ]\n[commands]\nexport = system\n"
    "[commands/secret]\naccess = read : [ admin ]\n",
}


def sdk_folder() -> Path:
    """splunklib's parent: what `COPYDICOM_SPLUNK_SDK` names (an unpacked wheel), else the installed one."""
    named = os.environ.get("COPYDICOM_SPLUNK_SDK")
    spec = importlib.util.find_spec("splunklib")
    assert spec is not None
    assert spec.origin is not None
    return Path(named) if named else Path(spec.origin).parent.parent


def pack(target: Path, files: dict[str, bytes], app: str = "copydicom_app") -> Path:
    with tarfile.open(target, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{app}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target


@pytest.fixture(scope="session")
def toy_files() -> dict[str, bytes]:
    files = {name: text.encode() for name, text in FILES.items()}
    files |= {f"bin/{path.name}": path.read_bytes() for path in TOYS.glob("*.py")}
    sdk = sdk_folder()
    parts = [
        *sdk.glob("splunklib/**/*.py"),
        *sdk.glob("splunk_sdk-*.dist-info/METADATA"),
        *sdk.glob("deprecation.py"),
    ]
    files |= {
        f"lib/{path.relative_to(sdk).as_posix()}": path.read_bytes()
        for path in parts
        if "splunklib/ai" not in str(path)
    }
    return files


@pytest.fixture(scope="session")
def toy_package(toy_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(tmp_path_factory.mktemp("package") / "toy.spl", toy_files)


@pytest.fixture
def splunk(toy_package: Path) -> Iterator[Splunkd]:
    """A stand-in with the toy app under the Python that runs the tests."""
    with Splunkd(toy_package, python=sys.executable) as splunk:
        yield splunk


@pytest.fixture(params=["3.9", "3.13"])
def splunk_python(request: pytest.FixtureRequest, toy_package: Path) -> Iterator[Splunkd]:
    """The same under each Python that Splunk bundles."""
    python = pythons().get(request.param)
    if python is None:
        pytest.skip(f"Python {request.param} is not on this machine")
    with Splunkd(toy_package, python=python) as splunk:
        yield splunk
