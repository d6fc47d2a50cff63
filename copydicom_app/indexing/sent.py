"""Which series and studies were indexed, as what, so that only growth is indexed again.

A file of lines ``<Orthanc id> <revision> <last update>``, to which each batch adds its own: a kill cuts off
the last line at most. Before a revision is written to the index there is a line without the date: dies the
run then, nobody knows whether it arrived, and the next one gets another number. Only the latest are
remembered; what was forgotten costs nothing but that its next revision counts from 2 again, or that it
comes once more as it was.
"""

from __future__ import annotations

import contextlib
import re
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Optional

from copydicom_app.errors import CheckpointError

REMEMBERED = 20_000  # a month of series at 30,000 instances a day; 1.3 MB of lines
_LINE = re.compile(r"([0-9a-f-]{44}) (\d{1,9}) (\w{0,15})")


class Sent:
    """Remembers, between runs in the file `path`, revision and age of what was indexed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._new: dict[str, tuple[int, str]] = {}
        self._load()

    def of(self, id: str) -> Optional[tuple[int, str]]:
        """The revision that was indexed last, and when the series or study had grown last by then."""
        return self._known.get(id)

    def note(self, id: str, revision: int, last_update: str) -> None:
        """This revision is going to be written."""
        self._known[id] = revision, last_update
        self._known.move_to_end(id)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        self._new[id] = revision, last_update

    def announce(self) -> None:
        """Remember that the numbers noted are taken; called before their events are written."""
        self._append(_line(id, revision, "") for id, (revision, _) in self._new.items())

    def save(self) -> None:
        """Remember what was noted as indexed. Called before the checkpoint moves: a loss repeats only."""
        self._append(_line(id, revision, last_update) for id, (revision, last_update) in self._new.items())
        self._new.clear()

    def _append(self, lines: Iterable[str]) -> None:
        if not self._new:
            return
        try:
            with self._path.open("a", encoding="ascii") as file:
                file.write("".join(lines))
        except OSError as error:
            raise CheckpointError(f"{self._path} cannot be written ({error.strerror})") from error

    def _load(self) -> None:
        """Read the file; write it anew once it holds twice as much as is remembered, or a torn line."""
        try:
            text = self._path.read_text(encoding="ascii", errors="replace")
        except OSError:
            return
        lines = text.split("\n")
        matches = [_LINE.fullmatch(line) for line in lines[:-1]]
        for match in matches:
            if match:
                self._known[match[1]] = int(match[2]), match[3]
                self._known.move_to_end(match[1])
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        if lines[-1] or None in matches or len(matches) > 2 * REMEMBERED:
            fresh = self._path.with_suffix(".new_sent")
            # Where the folder cannot be written, `save` says so.
            with contextlib.suppress(OSError):
                lines = [_line(id, revision, date) for id, (revision, date) in self._known.items()]
                fresh.write_text("".join(lines), encoding="ascii")
                fresh.replace(self._path)


def _line(id: str, revision: int, last_update: str) -> str:
    return f"{id} {revision} {last_update}\n"
