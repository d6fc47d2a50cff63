"""The low-water mark of an input: everything before it is in Splunk. Replaced atomically, never guessed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

from copydicom_app.errors import CheckpointError
from copydicom_app.models import Change

_VERSION = 1


@dataclass(frozen=True)
class Open:
    """A series or study that grew and is not indexed as it is now.

    `last_update` is when it last grew as far as we know (the server's clock), `arrived` how many rows of the
    log said so. `whole`: all that it holds is new to us, since the walk met it.
    """

    id: str
    last_update: str
    arrived: int = 0
    whole: bool = False


@dataclass(frozen=True)
class Position:
    """How far an input has come.

    The change log is indexed up to number `since`, whose row has the date `as_of` (the server's clock).
    `known` are some rows of the log before it, oldest first: by them a replaced database is recognised.

    While `walking`, all series before `series`, and of it the instances up to `instance`, are indexed (in
    the order of their Orthanc ids), but for those that the log names after `walk_from`: these the log
    brings. With `received` the walk takes only what the server received then or later. `again` is the
    date for another such walk once this one ends. `deferred` are instances that Orthanc failed to give;
    each run asks for them again.

    At the levels series and study the walk counts in those (`series` then names the last of them), and
    `open` are those that grew: they are indexed once they are quiet.
    """

    since: int
    as_of: str = ""
    known: tuple[Change, ...] = ()
    walking: bool = False
    walk_from: int = 0
    series: str = ""
    instance: str = ""
    received: str = ""
    again: str = ""
    deferred: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()


class Checkpoint:
    """The file that remembers one input's Position between runs."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / (quote(name, safe="") + ".json")

    def load(self) -> Optional[Position]:
        """The position to go on from; None when this input never ran. It never starts over by itself."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"checkpoint {self.path} cannot be read ({type(error).__name__}); check the rights to it, or "
                "restore it from a backup"
            ) from error
        try:
            return _position(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"checkpoint {self.path} is damaged; restore it from a backup, or move it away to index "
                "everything again (what the index holds already will then be there twice)"
            ) from error

    def save(self, position: Position) -> None:
        """Replace the file; after a crash it holds either the old or the new position, whole."""
        fresh = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w", encoding="utf-8") as file:
                json.dump({"version": _VERSION, **asdict(position)}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except OSError as error:
            raise CheckpointError(f"checkpoint {self.path} cannot be written ({error.strerror})") from error


def _position(saved: dict[str, Any]) -> Position:
    if saved["version"] != _VERSION:
        raise ValueError("written by another version of the app")
    return Position(
        since=_number(saved["since"]),
        as_of=_text(saved["as_of"]),
        walk_from=_number(saved["walk_from"]),
        series=_text(saved["series"]),
        instance=_text(saved["instance"]),
        received=_text(saved["received"]),
        again=_text(saved["again"]),
        walking=_truth(saved["walking"]),
        known=tuple(
            Change(_number(row["seq"]), _text(row["kind"]), _text(row["id"]), _text(row["date"]))
            for row in saved["known"]
        ),
        deferred=tuple(_text(id) for id in saved["deferred"]),
        open=tuple(
            Open(_text(one["id"]), _text(one["last_update"]), _number(one["arrived"]), _truth(one["whole"]))
            for one in saved.get("open", [])  # not there before there were levels
        ),
    )


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("no change number")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
