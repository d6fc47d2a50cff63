"""The sample hospital on one real Orthanc, indexed by the packaged input under each `phi`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import duckdb

from testbench.orthanc import OrthancServer
from testbench.sample_data import load
from testbench.splunkd import Splunkd
from tests.live.searches.oracle import oracle


@pytest.fixture(scope="session")
def hospital_server() -> Iterator[OrthancServer]:
    with OrthancServer("pacs") as server:
        load(server)
        yield server


@pytest.fixture(scope="session")
def indexed(package: Path, hospital_server: OrthancServer) -> Iterator[Callable[[str], Splunkd]]:
    """The hospital as an input with that `phi` indexed it; no alert is too old for it."""
    made: dict[str, Splunkd] = {}

    def of(phi: str) -> Splunkd:
        if phi not in made:
            splunk = made[phi] = Splunkd(package)
            splunk.home.confs.update("macros", "dose_alert_max_age", {"definition": '"-100y"'})
            splunk.home.confs.update("macros", "dose_outlier_history", {"definition": "0"})
            splunk.add_server(
                "pacs",
                base_url=hospital_server.url,
                username=hospital_server.username,
                password=hospital_server.password,
            )
            assert splunk.run_input("orthanc://pacs", server="pacs", phi=phi).exit_code == 0
        return made[phi]

    yield of
    try:
        for splunk in made.values():
            splunk.assert_no_violations()
    finally:
        for splunk in made.values():
            splunk.close()


@pytest.fixture
def phi() -> str:
    """What an input does with patients' data; a test that is EACH_PHI runs in every mode."""
    return "keep"


@pytest.fixture
def splunk(phi: str, indexed: Callable[[str], Splunkd]) -> Splunkd:
    """The hospital, indexed."""
    return indexed(phi)


@pytest.fixture(scope="session")
def oracles(
    indexed: Callable[[str], Splunkd], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], duckdb.DuckDBPyConnection]:
    made: dict[str, duckdb.DuckDBPyConnection] = {}

    def of(phi: str) -> duckdb.DuckDBPyConnection:
        if phi not in made:
            made[phi] = oracle(indexed(phi).indexed["dicom"], tmp_path_factory.mktemp(phi))
        return made[phi]

    return of


@pytest.fixture
def truth(phi: str, oracles: Callable[[str], duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
    """DuckDB over the same events."""
    return oracles(phi)
