"""What an index holds of an Orthanc server, asked by a search on the splunkd that runs the input.

A search that could not reach all of the index would make what is there look missing, and be indexed again. So
each complaint of the search counts as its failure, and an index without anything of the server is taken for
one that cannot be searched from here.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from copydicom_app.errors import ConfigurationError, RetriableError
from copydicom_app.models import Level
from copydicom_app.splunk.config import status_of
from copydicom_app.splunk.exported import EXPORT, IndexQuestions, parameters, rows

_BROKE_OFF = "backfill: the answer to a search of the index broke off; the next run tries again"


class IndexSearch(IndexQuestions):
    """The events of `server` in `index`. Safe to use from several threads."""

    def __init__(
        self,
        service: client.Service,
        index: str,
        server: str,
        level: Level,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(index, server, level, clock)
        self._service = service

    def check(self) -> None:
        """Raise unless the index can be searched from here."""
        if not self.holds_any():
            raise ConfigurationError(
                f"backfill: a search on this Splunk instance finds nothing of server {self._server!r} in "
                f"index {self._index!r}. Run the input where the index can be searched, or make the indexers "
                "search peers of this forwarder. An empty index is filled by an input with start = beginning"
            )

    def _rows(self, search: str) -> Iterator[dict[str, Any]]:
        try:
            answer = self._service.post(EXPORT, **parameters(search, self._clock()))
        except (HTTPError, AuthenticationError) as error:
            raise RetriableError(
                f"backfill: Splunk refused to search index {self._index!r} ({status_of(error)}); the next "
                "run tries again"
            ) from error
        yield from rows(io.BufferedReader(answer.body), _BROKE_OFF, _heed)


def _heed(messages: Sequence[Mapping[str, Any]]) -> None:
    for message in messages:
        if message.get("type") in ("FATAL", "ERROR", "WARN"):
            raise RetriableError(
                "backfill: a search of the index may be incomplete, so nothing was indexed from it; Splunk "
                f"says: {message.get('text', '')}"
            )
