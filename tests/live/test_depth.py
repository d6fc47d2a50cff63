"""How much of an instance is read: everything, what Orthanc keeps in its database, or a list of keywords."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from copydicom_app.indexing.lanes import Lanes
from copydicom_app.indexing.reading import BULK, AllTags, Part
from copydicom_app.models import Server
from copydicom_app.orthanc import Orthanc
from testbench.faulty_proxy import Fault, FaultyProxy
from testbench.orthanc import OrthancServer
from testbench.sample_data import load, make_instances
from tests.live.feeding import Input, running

# What we add; everything else in an event is a tag.
OURS = {"ID", "orthanc_server", "level", "ParentSeries", "ParentStudy", "ParentPatient", "time_source"}
OURS |= {
    "app_version",
    "StudyDateTime",
    "SeriesDateTime",
    "InstanceCreationDateTime",
    "_withheld",
    "_dropped",
}


@pytest.fixture(scope="module", params=["first", "second"])
def hospital(request: pytest.FixtureRequest) -> Iterator[OrthancServer]:
    with running("depth", request.param) as server:
        load(server)
        yield server


def by_id(server: OrthancServer, folder: Path, *depth: str) -> dict[str, dict[str, Any]]:
    feed = Input(folder / "-".join(depth), server, depth=depth)
    feed.run()
    return {str(e.fields["ID"]): dict(e.fields) for e in feed.events if e.sourcetype == "dicom:instance"}


def tags_of(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in OURS}


def test_main_tags_are_a_part_of_all_tags_with_the_same_values(
    hospital: OrthancServer, tmp_path: Path
) -> None:
    full, main = by_id(hospital, tmp_path, "all"), by_id(hospital, tmp_path, "main")
    assert set(main) == set(full)
    for id, event in main.items():
        assert event["ParentPatient"] == full[id]["ParentPatient"]
        assert event["ParentStudy"] == full[id]["ParentStudy"]
        if event["Modality"] == "SR":
            continue
        tags = {key: value for key, value in tags_of(event).items() if value}
        for key in tags.keys() - {"ImageOrientationPatient", "ImagePositionPatient"}:  # 1 and 1.0
            assert full[id][key].strip() == tags[key], key
        assert {"PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"} <= set(tags)


def test_structured_reports_are_whole_at_every_depth(hospital: OrthancServer, tmp_path: Path) -> None:
    full, main = by_id(hospital, tmp_path, "all"), by_id(hospital, tmp_path, "main")
    reports = [id for id, event in full.items() if event["Modality"] == "SR"]
    assert len(reports) >= 18
    assert all(main[id] == full[id] for id in reports)


def test_a_list_brings_these_keywords_and_no_others(hospital: OrthancServer, tmp_path: Path) -> None:
    full = by_id(hospital, tmp_path, "all")
    listed = ("Modality", "SeriesDescription", "Rows", "KVP")
    feed = Input(tmp_path / "list", hospital, depth=listed, only=listed)
    feed.run()
    events = [event.fields for event in feed.events if event.sourcetype == "dicom:instance"]
    assert len(events) == len(full)
    for event in events:
        wanted = {key: full[str(event["ID"])][key] for key in listed if full[str(event["ID"])].get(key)}
        assert {key: value for key, value in tags_of(dict(event)).items() if value} == wanted


def test_main_tags_are_read_without_opening_a_file(tmp_path: Path) -> None:
    with OrthancServer("main") as server, FaultyProxy(server.url) as proxy:
        server.upload_all(each.data for each in make_instances(40, 3000, 20))
        feed = Input(tmp_path, server, proxy.url, depth=("main",))
        assert len(feed.run()) == 40
        server.upload_all(each.data for each in make_instances(40, 3000, 20, "new"))
        assert len(feed.run()) == 40
        assert [asked for asked in proxy.requests if "tags" in asked.path.split("?")[0]] == []


@pytest.mark.parametrize("version", ["first", "second"])
def test_main_tags_of_a_large_series_are_asked_for_once(version: str, tmp_path: Path) -> None:
    """The answer is that of the whole series: in parts of 50, a CT of 2,000 slices would be read 40 times."""
    with running("large", version) as server, FaultyProxy(server.url) as proxy:
        held = server.upload_all(each.data for each in make_instances(620, 3000, 600))
        feed = Input(tmp_path, server, proxy.url, depth=("main",))
        assert sorted(feed.run()) == sorted(held)
        paths = [asked.path for asked in proxy.requests]
        if version == "first":
            assert sum("/instances?expand" in path for path in paths) == 2
        else:  # a search for each series of the walk, another for its instances
            assert sum(path == "/tools/find" for path in paths) == 4
            assert not any("/instances" in path for path in paths)


@pytest.mark.parametrize("version", ["first", "second"])
def test_a_large_series_is_read_whole_by_a_server_that_was_seen_to_be_fast(version: str) -> None:
    with running("large", version) as server, FaultyProxy(server.url, slow_seconds=1.0) as proxy:
        for size in (2, BULK + 10):
            server.upload_all(each.data for each in make_instances(size, 3000, size, f"series of {size}"))
        small, large = sorted(server.get("/series?expand"), key=lambda row: len(row["Instances"]))
        of_small = Part(small["ID"], (), whole=True, count=2)
        ids = sorted(large["Instances"])
        full = AllTags(Orthanc(Server("large", proxy.url, server.username, server.password)), (), Lanes(1))

        def planned() -> Sequence[Part]:
            whole = full.whole(large["ID"])  # 1.12 tells without being asked for the ids
            return [whole] if whole else full.parts(large["ID"], ids, ids)

        assert [len(part.ids) for part in planned()] == [50] * 10 + [10], "nothing is known of the server"
        full.part(of_small)
        (whole,) = planned()
        assert (whole.whole, whole.count) == (True, BULK + 10)
        assert [found.id for found in full.part(whole).found] == ids
        proxy.break_next(Fault.SLOW, path="/instances-tags")
        full.part(of_small)
        assert len(planned()) == 11, "it took half a second an instance"
