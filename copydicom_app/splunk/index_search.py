"""What an index holds of an Orthanc server, asked by a search on the splunkd that runs the input.

``POST search/v2/jobs/export`` (Splunk REST API Reference, "Search endpoints") streams the rows of a search
that keeps no job. With ``output_mode=json`` each line is an object: ``{"preview": false, "result": {...}}``,
the last with ``"lastrow": true``, or ``{"messages": [{"type", "text"}]}``.

A search that could not reach all of the index would make what is there look missing, and be indexed again. So
each complaint of the search counts as its failure, and an index without anything of the server is taken for
one that cannot be searched from here.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, Callable

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from copydicom_app.errors import ConfigurationError, RetriableError
from copydicom_app.indexing.backfill import Indexed
from copydicom_app.models import Level
from copydicom_app.splunk.config import status_of

_AHEAD_SECONDS = 2 * 86_400  # an event's time may lie a day ahead
_SOURCETYPES = ("dicom:instance", "dicom:dose:study", "dicom:dose:event")
_BROKE_OFF = "backfill: the answer to a search of the index broke off; the next run tries again"


class IndexSearch:
    """The events of `server` in `index`. Safe to use from several threads."""

    def __init__(
        self,
        service: client.Service,
        index: str,
        server: str,
        level: Level,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._index = index
        self._server = server
        self._level = level
        self._clock = clock

    def holds_any(self) -> bool:
        """Whether a search from here finds anything of the server."""
        return any(int(row["count"]) for row in self._rows(f"{self._base()} | head 1 | stats count"))

    def check(self) -> None:
        """Raise unless the index can be searched from here."""
        if not self.holds_any():
            raise ConfigurationError(
                f"backfill: a search on this Splunk instance finds nothing of server {self._server!r} in "
                f"index {self._index!r}. Run the input where the index can be searched, or make the indexers "
                "search peers of this forwarder. An empty index is filled by an input with start = beginning"
            )

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
        return f'search index="{_quoted(self._index)}" orthanc_server="{_quoted(self._server)}"'

    def _rows(self, search: str) -> Iterator[dict[str, Any]]:
        try:
            answer = self._service.post(
                "search/v2/jobs/export",
                search=search,
                output_mode="json",
                preview="0",
                earliest_time="0",
                latest_time=str(int(self._clock()) + _AHEAD_SECONDS),
            )
        except (HTTPError, AuthenticationError) as error:
            raise RetriableError(
                f"backfill: Splunk refused to search index {self._index!r} ({status_of(error)}); the next "
                "run tries again"
            ) from error
        whole = False
        for line in _lines(answer.body):
            _heed(line.get("messages") or ())
            if not line.get("preview"):
                whole = whole or bool(line.get("lastrow"))
                if "result" in line:
                    yield line["result"]
        if not whole:
            raise RetriableError(_BROKE_OFF)


def _lines(body: io.RawIOBase) -> Iterator[dict[str, Any]]:
    try:
        for line in io.BufferedReader(body):
            if line.strip():
                yield json.loads(line)
    except Exception as error:  # each HTTP library has its own for a stream that ends too soon
        raise RetriableError(_BROKE_OFF) from error


def _heed(messages: Sequence[dict[str, Any]]) -> None:
    for message in messages:
        if message.get("type") in ("FATAL", "ERROR", "WARN"):
            raise RetriableError(
                "backfill: a search of the index may be incomplete, so nothing was indexed from it; Splunk "
                f"says: {message.get('text', '')}"
            )


def _number(text: object) -> int:
    try:
        return int(float(str(text)))
    except ValueError:
        return 0


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
