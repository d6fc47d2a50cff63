"""What live tests run on: the built package, real Orthanc servers, the Pythons that Splunk bundles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from copydicom_app import health, retry
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.splunkd import Splunkd, pythons

ROOT = Path(__file__).resolve().parents[2]
SplunkOn = Callable[..., Splunkd]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as `make package` builds it from the files as they are."""
    done = subprocess.run(
        [sys.executable, "packaging/build.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ROOT / done.stdout.split()[0]


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twentieth of the waits between tries: what is tried again, and how often, stays as it is."""
    monkeypatch.setattr(retry, "_SECONDS", tuple(seconds / 20 for seconds in retry._SECONDS))
    monkeypatch.setattr(health, "_PROBE_SECONDS", tuple(seconds / 20 for seconds in health._PROBE_SECONDS))


# Each Orthanc and each Python once: what depends on the one does not depend on the other.
PAIRINGS = {"orthanc-1.10-python-3.9": ("1.10", "3.9"), "orthanc-1.12-python-3.13": ("1.12", "3.13")}


@pytest.fixture(scope="module", params=PAIRINGS.values(), ids=PAIRINGS.keys())
def pairing(request: pytest.FixtureRequest) -> tuple[list[str] | None, Path]:
    """The command line of an Orthanc (None: the machine's own) and an interpreter that Splunk bundles."""
    orthanc, python = request.param
    found = pythons()
    if python not in found:
        pytest.skip(f"no Python {python} on this machine (COPYDICOM_PYTHONS names interpreters)")
    if orthanc == "1.10":
        return None, found[python]
    command, reason = second_orthanc()
    if command is None:
        pytest.skip(f"no Orthanc 1.12: {reason}")
    return command, found[python]


@pytest.fixture(scope="module")
def orthanc_binary(pairing: tuple[list[str] | None, Path]) -> list[str] | None:
    """The Orthanc of the pairing."""
    return pairing[0]


@pytest.fixture(scope="module")
def python(pairing: tuple[list[str] | None, Path]) -> Path:
    """The Python of the pairing."""
    return pairing[1]


@pytest.fixture
def pacs(orthanc_binary: list[str] | None) -> Iterator[OrthancServer]:
    """An empty source."""
    with OrthancServer("pacs", binary=orthanc_binary) as server:
        yield server


@pytest.fixture
def research(orthanc_binary: list[str] | None) -> Iterator[OrthancServer]:
    """An empty destination."""
    with OrthancServer("research", binary=orthanc_binary) as server:
        yield server


@pytest.fixture
def splunk_on(package: Path, python: Path) -> Iterator[SplunkOn]:
    """Makes the stand-in with the app installed and the given Orthanc servers configured.

    Whatever a test does with it, at the end the app has broken none of Splunk's rules.
    """
    started: list[Splunkd] = []

    def start(**servers: OrthancServer) -> Splunkd:
        splunk = Splunkd(package, python=python)
        started.append(splunk)
        for name, server in servers.items():
            splunk.add_server(name, base_url=server.url, username=server.username, password=server.password)
        return splunk

    yield start
    try:
        for splunk in started:
            splunk.assert_no_violations()
    finally:
        for splunk in started:
            splunk.close()
