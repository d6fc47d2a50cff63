"""Rows of a search as splunkd's export endpoint streams them, and what an index is asked about an Orthanc.

``POST search/v2/jobs/export`` (Splunk REST API Reference, "Search endpoints") gives the rows of a search that
keeps no job, however many they are. With ``output_mode=json`` each line is an object: ``{"preview": false,
"result": {...}}``, the last with ``"lastrow": true``, or ``{"messages": [{"type", "text"}]}``. Knows nothing
of how it was asked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from copydicom_app.errors import RetriableError
from copydicom_app.indexing.backfill import Indexed
from copydicom_app.models import Level

EXPORT = "search/v2/jobs/export"
_AHEAD_SECONDS = 2 * 86_400  # an event's time may lie a day ahead
_SOURCETYPES = ("dicom:instance", "dicom:dose:study", "dicom:dose:event")


def parameters(search: str, now: float) -> dict[str, str]:
    """What to post: the whole search over all time, without previews."""
    return {
        "search": search,
        "output_mode": "json",
        "preview": "0",
        "earliest_time": "0",
        "latest_time": str(int(now) + _AHEAD_SECONDS),
    }


def rows(
    lines: Iterable[bytes], broke_off: str, heed: Callable[[Sequence[Mapping[str, Any]]], None]
) -> Iterator[dict[str, Any]]:
    """The rows. `heed` gets what the search says of itself; RetriableError(`broke_off`) unless all came."""
    whole = False
    for line in _documents(lines, broke_off):
        heed(line.get("messages") or ())
        if not line.get("preview"):
            whole = whole or bool(line.get("lastrow"))
            if "result" in line:
                yield line["result"]
    if not whole:
        raise RetriableError(broke_off)


def _documents(lines: Iterable[bytes], broke_off: str) -> Iterator[dict[str, Any]]:
    try:
        for line in lines:
            if line.strip():
                yield json.loads(line)
    except Exception as error:  # each HTTP library has its own for a stream that ends too soon
        raise RetriableError(broke_off) from error


class IndexQuestions:
    """Asks what `index` holds of `server` (empty: of all of them). Safe to use from several threads."""

    def __init__(self, index: str, server: str, level: Level, clock: Callable[[], float] = time.time) -> None:
        self._index = index
        self._server = server
        self._level = level
        self._clock = clock

    def holds_any(self) -> bool:
        """Whether a search from here finds anything of the server."""
        return any(int(row["count"]) for row in self._rows(f"{self._base()} | head 1 | stats count"))

    def of_studies(self, studies: Sequence[str]) -> dict[tuple[str, str], Indexed]:
        """What the index has of these studies (Orthanc ids), by sourcetype and Orthanc id."""
        names = ", ".join(f'"{study}"' for study in studies)
        sourcetypes = (
            _SOURCETYPES if self._level is Level.INSTANCE else (*_SOURCETYPES, f"dicom:{self._level.value}")
        )
        kinds = " OR ".join(f'sourcetype="{name}"' for name in sourcetypes)
        itself = f" OR ID IN ({names})" if self._level is Level.STUDY else ""
        search = (
            f"{self._base()} ({kinds}) (ParentStudy IN ({names}){itself}) "
            "| stats dc(event_key) AS keys max(n_events) AS n_events max(instances) AS instances "
            "max(revision) AS revision BY sourcetype ID"
        )
        return {
            (row["sourcetype"], row["ID"]): Indexed(
                *(_number(row.get(name)) for name in ("keys", "n_events", "instances", "revision"))
            )
            for row in self._rows(search)
        }

    def _base(self) -> str:
        server = f' orthanc_server="{_quoted(self._server)}"' if self._server else ""
        return f'search index="{_quoted(self._index)}"{server}'

    def _rows(self, search: str) -> Iterator[dict[str, Any]]:
        raise NotImplementedError


def _number(text: object) -> int:
    try:
        return int(float(str(text)))
    except ValueError:
        return 0


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
