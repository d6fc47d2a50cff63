"""The low-water mark between runs, and the rows that it remembers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydicom_app.errors import CheckpointError
from copydicom_app.indexing.checkpoint import Checkpoint, Open, Position
from copydicom_app.indexing.witnesses import remembered
from copydicom_app.models import Change

POSITION = Position(
    since=7,
    as_of="20260901T080000",
    known=(Change(5, "NewInstance", "a", "20260901T075959"), Change(7, "NewSeries", "b", "20260901T080000")),
    walking=True,
    walk_from=3,
    series="c",
    instance="d",
    received="20260901T070000",
    again="20260901T060000",
    deferred=("e",),
    open=(Open("f", "20260901T080000", 3), Open("g", "", whole=True)),
)


def test_a_position_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "new", "orthanc://pacs/1").save(POSITION)
    assert Checkpoint(tmp_path / "new", "orthanc://pacs/1").load() == POSITION


def test_an_input_that_never_ran_has_no_position(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path, "orthanc://pacs").load() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"version": 1, "since": 7',
        json.dumps({"version": 2, **asdict(POSITION)}),
        json.dumps({"version": 1, **asdict(POSITION), "since": "7"}),
        json.dumps({"version": 1, **asdict(POSITION), "since": -1}),
        json.dumps({"version": 1, **asdict(POSITION), "walking": 1}),
        json.dumps({"version": 1, **asdict(POSITION), "known": [{"seq": 1}]}),
        json.dumps({"version": 1, **asdict(POSITION), "deferred": None}),
        json.dumps({"version": 1, **asdict(POSITION), "open": [{"id": "f"}]}),
    ],
)
def test_a_damaged_checkpoint_is_never_a_new_beginning(tmp_path: Path, text: str) -> None:
    checkpoint = Checkpoint(tmp_path, "orthanc://pacs")
    checkpoint.path.write_text(text)
    with pytest.raises(CheckpointError, match="is damaged; restore it"):
        checkpoint.load()
    assert checkpoint.path.read_text() == text


def test_bytes_that_are_no_text_are_a_damaged_checkpoint_too(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, "orthanc://pacs")
    checkpoint.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load()


def test_a_crash_while_saving_leaves_the_old_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint(tmp_path, "orthanc://pacs")
    checkpoint.save(POSITION)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(CheckpointError, match="No space left on device"):
        checkpoint.save(Position(since=8))
    assert checkpoint.load() == POSITION


@given(st.lists(st.lists(st.integers(1, 100_000), max_size=50), max_size=10))
def test_the_remembered_rows_are_few_and_always_hold_the_newest(pages: list[list[int]]) -> None:
    known: tuple[Change, ...] = ()
    for page in pages:
        known = remembered(known, [Change(seq, "NewInstance", "x") for seq in page])
    everything = [seq for page in pages for seq in page]
    assert len(known) <= 8
    assert [row.seq for row in known] == sorted({row.seq for row in known} & set(everything))
    assert [row.seq for row in known[-1:]] == ([max(everything)] if everything else [])


def test_the_remembered_rows_reach_far_back() -> None:
    known: tuple[Change, ...] = ()
    for first in range(1, 10_001, 1000):
        known = remembered(known, [Change(seq, "NewInstance", "x") for seq in range(first, first + 1000)])
    distances = [known[-1].seq - row.seq for row in known]
    assert distances[-1] == 0
    assert distances[-2] == 1
    assert max(distances) >= 64
