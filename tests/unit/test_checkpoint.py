"""The checkpoint: whole or not at all, and never started over by itself."""

from pathlib import Path

import pytest

from copydicom_app.checkpoint import Checkpoint, Position
from copydicom_app.errors import CheckpointError

POSITION = Position(since=7, walking=True, series="s", instance="i", covered={"x": 9}, deferred=("y",))


def test_a_position_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    Checkpoint(tmp_path, "orthanc://a/b").save(POSITION)
    assert Checkpoint(tmp_path, "orthanc://a/b").load() == POSITION


def test_an_input_that_never_ran_has_none(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path, "orthanc://pacs").load() is None


def test_two_inputs_never_share_a_file(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path, "orthanc://a").path != Checkpoint(tmp_path, "orthanc://b").path


@pytest.mark.parametrize("cut", range(0, 110, 7))
def test_a_damaged_checkpoint_stops_the_input_and_says_the_way_out(tmp_path: Path, cut: int) -> None:
    checkpoint = Checkpoint(tmp_path, "orthanc://pacs")
    checkpoint.save(POSITION)
    checkpoint.path.write_text(checkpoint.path.read_text()[:cut])
    with pytest.raises(CheckpointError, match="damaged; restore it"):
        checkpoint.load()


@pytest.mark.parametrize("text", ["[]", "{}", '{"version": 99}', "null", '{"version": 1, "since": -1}'])
def test_what_is_no_checkpoint_of_ours_is_damaged(tmp_path: Path, text: str) -> None:
    checkpoint = Checkpoint(tmp_path, "orthanc://pacs")
    checkpoint.path.write_text(text)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written"):
        Checkpoint(tmp_path / "file", "orthanc://pacs").save(POSITION)
