"""Pairs of real Orthancs, in each version that is at hand; a source is shared, a destination is new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import Instance, make_instances
from tests.live.replication.pairs import Pair, fill

COHORT = 60


@pytest.fixture(scope="session", params=["first", "second"])
def stocked(request: pytest.FixtureRequest) -> Iterator[tuple[OrthancServer, list[Instance], Any]]:
    binary = None
    if request.param == "second":
        binary, reason = second_orthanc()
        if binary is None:
            pytest.skip(reason)
    with OrthancServer("pacs", binary=binary) as server:
        cohort = list(make_instances(COHORT, size=4_000, series_of=10))
        fill(server, cohort)
        yield server, cohort, binary


@pytest.fixture
def pair(stocked: tuple[OrthancServer, list[Instance], Any], short_waits: None) -> Iterator[Pair]:
    source, cohort, binary = stocked
    with OrthancServer("research", binary=binary) as dest:
        made = Pair(source, dest, cohort, binary)
        try:
            yield made
        finally:
            for server in made.more:
                server.close()
