"""What an input remembers of the series and studies that it has indexed."""

from __future__ import annotations

from pathlib import Path

import pytest

from copydicom_app.errors import CheckpointError
from copydicom_app.indexing import sent
from copydicom_app.indexing.sent import Sent


def id_of(number: int) -> str:
    return "-".join([f"{number:08x}"] * 5)


def test_what_was_saved_is_known_to_the_next_run_and_what_was_not_is_not(tmp_path: Path) -> None:
    memory = Sent(tmp_path / "a.sent")
    memory.note(id_of(1), 1, "20260901T080000")
    memory.note(id_of(1), 2, "20260901T090000")
    memory.save()
    memory.note(id_of(2), 1, "20260901T100000")
    again = Sent(tmp_path / "a.sent")
    assert again.of(id_of(1)) == (2, "20260901T090000")
    assert again.of(id_of(2)) is None


def test_a_number_that_may_have_been_written_is_not_given_again(tmp_path: Path) -> None:
    memory = Sent(tmp_path / "a.sent")
    memory.note(id_of(1), 1, "20260901T080000")
    memory.announce()
    assert Sent(tmp_path / "a.sent").of(id_of(1)) == (1, "")
    memory.save()
    assert Sent(tmp_path / "a.sent").of(id_of(1)) == (1, "20260901T080000")


def test_a_torn_line_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / "a.sent"
    memory = Sent(path)
    for number in range(3):
        memory.note(id_of(number), 1, "20260901T080000")
    memory.save()
    path.write_text(path.read_text()[:-20])
    torn = Sent(path)
    torn.note(id_of(3), 1, "20260901T080000")
    torn.save()
    assert [Sent(path).of(id_of(number)) is not None for number in range(4)] == [True, True, False, True]


def test_it_keeps_the_latest_and_its_file_does_not_grow_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent, "REMEMBERED", 10)
    path = tmp_path / "a.sent"
    for number in range(100):
        memory = Sent(path)
        memory.note(id_of(number), 1, "20260901T080000")
        memory.save()
    assert [Sent(path).of(id_of(number)) is not None for number in (88, 89, 90, 99)] == [0, 0, 1, 1]
    assert len(path.read_text().splitlines()) <= 21


def test_a_folder_that_cannot_be_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    memory = Sent(tmp_path / "nowhere" / "a.sent")
    memory.note(id_of(1), 1, "")
    with pytest.raises(CheckpointError, match=r"a\.sent cannot be written"):
        memory.save()
