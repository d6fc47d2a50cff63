"""The benchmarks' scripts run, at tiny sizes; how fast anything is, no test asks."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import archives, latency, peers_of_indexing, report, rounds, scaling
from benchmarks.packaged_input import PackagedInput
from benchmarks.result import ROOT, Options, Result, Row, Target, ratios
from benchmarks.rounds import Sample, in_turns
from testbench.orthanc import OrthancServer

FACTS = {
    "date": "2026-01-01 00:00 UTC",
    "seconds": 61,
    "load": 0.5,
    "machine": "a machine",
    "versions": "x 1",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """An archive of 30 instances, filled and kept in a folder of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(archives, "ARCHIVES", tmp_path_factory.mktemp("archives"))
        with archives.archive(None, 30, print) as server:
            yield server


def test_ours_and_a_peer_read_the_same_instances(server: OrthancServer) -> None:
    with PackagedInput({"pacs": server}) as packaged:
        ours = packaged.run("pacs", tags="all")
        nothing = packaged.run("pacs", start="now").sample()
    peer = peers_of_indexing.contend("predecessor", server, 20.0)
    assert (ours.sample().count, len(ours.events), nothing.count, peer.count) == (30, 30, 0, 30)
    assert ours.peak_mb > 10
    assert ours.client_cpu > 0
    assert peer.client_cpu
    assert peer.peak_mb


def test_a_run_is_stopped_when_its_seconds_are_over_and_counts_what_it_read(server: OrthancServer) -> None:
    with PackagedInput({"pacs": server}) as packaged:
        assert packaged.run("pacs", seconds=0.0).sample().count <= 30


def test_latency_is_taken_from_the_stream(server: OrthancServer) -> None:
    (found,) = latency.idle(server, "main", 1)
    assert 0 < found < 60_000


def test_rounds_go_through_all_contenders_in_turn_and_end_with_the_budget() -> None:
    order: list[str] = []

    def contend(name: str) -> Sample:
        order.append(name)
        return Sample(10, 0.5)

    contenders = {name: (lambda name=name: contend(name)) for name in "ab"}
    in_turns(contenders, 2, lambda _: None)
    assert order == ["a", "b", "b", "a"]
    assert all(len(samples) == 1 for samples in in_turns(contenders, 3, print, budget=0).values())


def test_ours_is_compared_within_its_group_and_the_better_is_the_larger_ratio() -> None:
    rows = [
        Row("tags", "20", "1.12", "ours, all", 100, "instances/s"),
        Row("tags", "20", "1.12", "floor", 200, "instances/s", beside="all"),
        Row("tags", "20", "1.12", "ours, main", 400, "instances/s"),
        Row("tags", "20", "1.12", "a peer", 50, "instances/s"),
        Row("tags", "20", "1.10", "a peer", 50, "instances/s"),
        Row("wait", "20", "1.12", "ours", 5, "ms", more_is_better=False),
        Row("wait", "20", "1.12", "a peer", 20, "ms", more_is_better=False),
    ]
    assert [ratios(row, rows) for row in rows] == [
        {},
        {"all": 0.5},
        {},
        {"all": 2, "main": 8},
        {},
        {},
        {"": 4},
    ]


def test_a_result_survives_its_file_and_stands_on_the_page_with_its_targets(tmp_path: Path) -> None:
    rows = [
        Row("tags", "20", "1.12", "ours", 1234, "instances/s"),
        Row("tags", "20", "1.12", "peer", 617, "instances/s"),
    ]
    targets = [Target("ours / peer", 2.0, 3.0), Target("MB", 40.0, 150.0, at_least=False)]
    Result("speed", "How fast", rows, targets, ["a note"], FACTS).save(tmp_path)
    found = Result.load(tmp_path / "speed.json")
    assert (found.rows, found.targets) == (rows, targets)
    page = report.page([found])
    for line in (
        "## How fast",
        "| tags | 1.12 | 20 | ours | 1,234 instances/s |  |",
        "|  |  |  | peer | 617 instances/s | 2.00 x |",
        "- ours / peer: 2.00 (wanted ≥ 3) **missed**",
        "- MB: 40.00 (wanted ≤ 150)",
        "- a note",
        "2026-01-01 00:00 UTC, 1 min 1 s, load 0.5 at the start; a machine; x 1.",
    ):
        assert line in page.splitlines()


def test_measured_parts_of_the_scaling_page_are_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "scaling.md"
    page.write_text("before\n<!-- volume -->\nold\n<!-- /volume -->\nafter\n")
    rows = [Row("volume", "a year", "1.12", "ours, level = study", 0.125, "GB")]
    scaling.write(page, [Result("volume", "Volume", rows)])
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| level = study | 0.125 |" in text
    assert "old" not in text
    for name in ("growth", "volume"):
        assert f"<!-- {name} -->" in (ROOT / "docs" / "scaling.md").read_text()


@pytest.mark.parametrize("module", [report, rounds, scaling])
def test_the_examples_in_the_docs_hold(module: object) -> None:
    assert doctest.testmod(module) == (0, doctest.testmod(module).attempted)  # type: ignore[arg-type]


def test_quick_runs_are_small() -> None:
    assert (Options(quick=True).of(20_000, 200), Options().of(20_000, 200)) == (200, 20_000)
