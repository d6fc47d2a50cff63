"""The bench with a real Splunk, as far as it can be seen without Docker: schema, names, paths, passwords."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from testbench.real_splunk import prepare

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "testbench" / "compose.yaml"
# What the images document (docker-splunk and splunk-ansible, "Supported environment variables").
SPLUNKS = {"SPLUNK_START_ARGS", "SPLUNK_GENERAL_TERMS", "SPLUNK_APPS_URL"}


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
    return document


def test_it_is_what_the_compose_specification_allows() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_docker_compose_itself_reads_it(tmp_path: Path) -> None:
    """Where the command is; no engine is needed for it."""
    if shutil.which("docker-compose"):
        command = ["docker-compose"]
    elif (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    ):
        command = ["docker", "compose"]
    else:
        pytest.skip("no Docker Compose on this machine")
    done = subprocess.run(
        [*command, "--file", str(COMPOSE), "--profile", "verify", "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["services"]) == {
        "prepare",
        "pacs",
        "research",
        "splunk",
        "fill",
        "verify",
    }


def test_every_service_is_pinned_or_built_here_and_checked(bench: dict[str, Any]) -> None:
    services = bench["services"]
    for name, service in services.items():
        image = service["image"]
        if "build" not in service:
            version = re.fullmatch(r"[\w/]+:\$\{[A-Z]+_VERSION:-(\d+\.\d+\.\d+)\}", image)
            assert version, f"{name}: {image} is not pinned to a version"
            assert "healthcheck" in service
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in bench["volumes"], f"{name} mounts {volume}"
        for other, how in service.get("depends_on", {}).items():
            wanted = (
                "service_healthy" if "healthcheck" in services[other] else "service_completed_successfully"
            )
            assert how["condition"] == wanted, f"{name} waits for {other} to be {how['condition']}"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network on {port}"
    assert set(services["splunk"]["environment"]) == SPLUNKS


def test_what_it_builds_and_runs_is_there(bench: dict[str, Any]) -> None:
    build = bench["services"]["prepare"]["build"]
    context = (COMPOSE.parent / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    for service in ("prepare", "fill", "verify"):
        _, _, module, *_ = bench["services"][service]["command"]
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        assert path.is_file(), module


def test_what_it_runs_needs_no_more_than_its_containers_have() -> None:
    """The extra `compose` of pyproject.toml; whatever else a developer has is not there."""
    absent = ["duckdb", "hypothesis", "playwright", "pytest", "ruamel", "splunklib", "splunk_appinspect"]
    program = f"""import sys
sys.modules.update(dict.fromkeys({absent}))
import testbench.real_splunk.prepare, testbench.real_splunk.fill, testbench.verify_on_splunk"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_password_is_written_down(bench: dict[str, Any]) -> None:
    """What the environment may give is empty else, so that each bench makes its own."""
    given = bench["services"]["prepare"]["environment"]
    assert set(given) == {"SPLUNK_PASSWORD", "SPLUNK_HEC_TOKEN", "ORTHANC_PASSWORD"}
    assert all(value == f"${{{name}:-}}" for name, value in given.items())
    others = [
        bench["services"][name].get("environment", {}) for name in bench["services"] if name != "prepare"
    ]
    assert not [name for each in others for name in each if re.search("PASSWORD|TOKEN|SECRET", name)]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "copydicom_app-0.0.1.spl").write_bytes(b"the package")
    return folder


def test_each_bench_makes_its_own_passwords_and_keeps_them(tmp_path: Path, packages: Path) -> None:
    first = prepare.main(tmp_path / "one", packages, {})
    assert prepare.main(tmp_path / "one", packages, {"SPLUNK_PASSWORD": "later"}) == first
    other = prepare.main(tmp_path / "two", packages, {})
    assert not {first.splunk, first.operator, first.orthanc, first.hec_token, first.anonymize} & {
        other.splunk,
        other.operator,
        other.orthanc,
        other.hec_token,
        other.anonymize,
    }
    chosen = prepare.main(tmp_path / "three", packages, {"SPLUNK_PASSWORD": "chosen by me"})
    assert chosen.splunk == "chosen by me"


def test_the_images_get_their_settings_and_splunk_the_package(
    tmp_path: Path, packages: Path, bench: dict[str, Any]
) -> None:
    passwords = prepare.main(tmp_path, packages, {})
    defaults = YAML(typ="safe").load(tmp_path / "splunk" / "default.yml")
    assert defaults["splunk"]["password"] == passwords.splunk
    assert defaults["splunk"]["hec"]["token"] == passwords.hec_token
    pacs = json.loads((tmp_path / "pacs" / "orthanc.json").read_text())
    research = json.loads((tmp_path / "research" / "orthanc.json").read_text())
    assert pacs["RegisteredUsers"] == research["RegisteredUsers"] == {"splunk": passwords.orthanc}
    (peer,) = pacs["OrthancPeers"].values()
    assert peer == ["http://research:8042/", "splunk", passwords.orthanc]
    # Where prepare writes, and where the others read.
    made = {volume.split(":")[0]: volume.split(":")[1] for volume in bench["services"]["prepare"]["volumes"]}
    assert {Path(path).name for path in made.values()} == {path.name for path in tmp_path.iterdir()} - {
        "dist"
    }
    url = bench["services"]["splunk"]["environment"]["SPLUNK_APPS_URL"]
    (mounted,) = (
        volume.split(":")[1] for volume in bench["services"]["splunk"]["volumes"] if volume[:4] == "app:"
    )
    assert url == f"{mounted}/copydicom_app.spl"
    assert (tmp_path / "app" / "copydicom_app.spl").read_bytes() == b"the package"


def test_without_a_package_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="run make package"):
        prepare.main(tmp_path, tmp_path, {})
