"""The low-water mark of an input: everything before it is in Splunk. Replaced atomically, never guessed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

from copydicom_app.errors import CheckpointError

_VERSION = 1


@dataclass(frozen=True)
class Position:
    """How far an input has come.

    While `walking`, all series before `series`, and of it the instances up to `instance`, are indexed (in
    the order of their Orthanc ids). The change log is indexed up to number `since`. `covered` holds the
    instances that the walk met although the log names them after `since`, with the number up to which
    the walk saw them. `deferred` are instances that Orthanc failed to give; each run asks for them again.
    """

    since: int
    walking: bool = False
    series: str = ""
    instance: str = ""
    covered: Mapping[str, int] = field(default_factory=dict)
    deferred: tuple[str, ...] = ()


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
            raise CheckpointError(f"checkpoint {self.path} cannot be read ({error})") from error
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
        walking=saved["walking"] is True,
        series=_text(saved["series"]),
        instance=_text(saved["instance"]),
        covered={_text(id): _number(seq) for id, seq in saved["covered"].items()},
        deferred=tuple(_text(id) for id in saved["deferred"]),
    )


def _number(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("no change number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no id")
    return value
