"""What Orthanc tells of a series: the same by the route that does not slow down as the archive grows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from copydicom_app.errors import NotFoundError
from copydicom_app.models import Server
from copydicom_app.orthanc import Orthanc
from testbench.faulty_proxy import Fault, FaultyProxy
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import make_instances
from tests.live.feeding import running

TOLD = ("ID", "Instances", "MainDicomTags", "ParentStudy", "LastUpdate")


@pytest.fixture(scope="module", params=["first", "second"])
def server(request: pytest.FixtureRequest) -> Iterator[OrthancServer]:
    with running("series", request.param) as server:
        server.upload_all(each.data for each in make_instances(12, series_of=3))
        yield server


@pytest.fixture
def orthanc(server: OrthancServer) -> Orthanc:
    return Orthanc(Server("series", server.url, server.username, server.password))


def told(row: dict[str, object]) -> dict[str, object]:
    """What the input lives on, in an order of its own."""
    return {key: sorted(row[key]) if key == "Instances" else row[key] for key in TOLD}  # type: ignore[call-overload]


def test_a_series_is_told_as_by_its_own_route(server: OrthancServer, orthanc: Orthanc) -> None:
    for id in server.get("/series"):
        assert told(orthanc.series(id)) == told(server.get(f"/series/{id}"))


def test_the_series_of_a_study_are_told_as_by_their_own_route(
    server: OrthancServer, orthanc: Orthanc
) -> None:
    (study,) = server.get("/studies")
    expected = {row["ID"]: told(row) for row in server.get(f"/studies/{study}/series")}
    assert {row["ID"]: told(row) for row in orthanc.series_of_study(study)} == expected
    assert len(expected) == 4


@pytest.mark.parametrize("requested", [(), ("PatientID", "KVP")])
def test_the_instances_of_a_series_are_told_as_by_their_own_route(
    server: OrthancServer, orthanc: Orthanc, requested: tuple[str, ...]
) -> None:
    keys = ("ID", "MainDicomTags", *(["RequestedTags"] if requested else []))
    for id in server.get("/series"):
        asked = f"/series/{id}/instances?expand&requestedTags={';'.join(requested)}"
        expected = {row["ID"]: {key: row.get(key) for key in keys} for row in server.get(asked)}
        rows = orthanc.instances_of_series(id, orthanc.series(id)["Instances"], requested)
        assert {row["ID"]: {key: row.get(key) for key in keys} for row in rows} == expected
        assert len(expected) == 3


def test_what_is_not_there_is_not_found(orthanc: Orthanc) -> None:
    nowhere = "-".join(["0" * 8] * 5)
    with pytest.raises(NotFoundError):
        orthanc.series(nowhere)
    with pytest.raises(NotFoundError):
        orthanc.series_of_study(nowhere)
    with pytest.raises(NotFoundError):
        orthanc.instances_of_series(nowhere, [nowhere])


def test_a_server_that_may_not_be_searched_is_asked_by_the_plain_routes(server: OrthancServer) -> None:
    (study,) = server.get("/studies")
    with FaultyProxy(server.url) as proxy:
        proxy.break_next(Fault.FULL, path="/tools/find", times=1_000)
        orthanc = Orthanc(Server("series", proxy.url, server.username, server.password))
        rows = orthanc.series_of_study(study)
        assert [orthanc.series(row["ID"])["Status"] for row in rows] == ["Unknown"] * 4
        assert len(orthanc.instances_of_series(rows[0]["ID"], rows[0]["Instances"])) == 3
        assert proxy.broken[Fault.FULL] <= 1


def test_a_server_that_cuts_searches_short_tells_all_of_a_study_and_of_a_series() -> None:
    command, reason = second_orthanc()
    if command is None:
        pytest.skip(reason)
    limits = {"LimitFindResults": 2, "LimitFindInstances": 2}
    with OrthancServer("series", binary=command, config=limits) as server:
        server.upload_all(each.data for each in make_instances(12, series_of=3))
        (study,) = server.get("/studies")
        orthanc = Orthanc(Server("series", server.url, server.username, server.password))
        rows = orthanc.series_of_study(study)
        assert {row["ID"] for row in rows} == set(server.get("/series"))
        assert {orthanc.series(row["ID"])["ID"] for row in rows} == {row["ID"] for row in rows}
        for row in rows:
            instances = orthanc.instances_of_series(row["ID"], row["Instances"])
            assert {each["ID"] for each in instances} == set(row["Instances"])
            assert len(instances) == 3
