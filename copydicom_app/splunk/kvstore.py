"""The ledger of copies whose ids changed, in the KV store collection `copydicom_sent`."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from copydicom_app.errors import ConfigurationError, RetriableError

COLLECTION = "copydicom_sent"
_PART = 500  # documents of one request; Splunk takes 1,000

Document = dict[str, Any]


class KvLedger:
    """The copies that one destination has, by profile (empty: as they were). Holds ids, nothing of a patient.

    The key of a document is a hash of destination, profile and id, so that a second note replaces the first.
    """

    def __init__(self, service: client.Service, dest: str, profile: str) -> None:
        self._service = service
        self._dest = dest
        self._profile = profile
        self._lock = threading.Lock()

    def given(self, ids: Sequence[str]) -> dict[str, str]:
        """Id at the source -> id at the destination, for those that were sent."""
        found: dict[str, str] = {}
        for part in _parts(list(ids)):
            query = {"query": {"$or": [{"_key": self._key(id)} for id in part]}}
            for documents in self._asked("batch_find", query):
                found.update((document["id"], document["given"]) for document in documents)
        return found

    def note(self, given: Mapping[str, str]) -> None:
        """Remember more of them."""
        documents = [
            {
                "_key": self._key(id),
                "dest": self._dest,
                "profile": self._profile,
                "id": id,
                "given": id_there,
            }
            for id, id_there in given.items()
        ]
        for part in _parts(documents):
            self._asked("batch_save", *part)

    def _asked(self, verb: str, *documents: Document) -> Any:
        try:
            with self._lock:
                data = self._service.kvstore[COLLECTION].data
                return getattr(data, verb)(*documents)
        except KeyError as error:
            raise ConfigurationError(
                f"the KV store has no collection {COLLECTION}; your role needs read access to it"
            ) from error
        except (HTTPError, AuthenticationError, OSError) as error:
            status = getattr(error, "status", 0)
            if status in (401, 403):
                raise ConfigurationError(
                    f"the KV store collection {COLLECTION} may not be used by your role (HTTP {status})"
                ) from error
            raise RetriableError(f"the KV store collection {COLLECTION} does not answer") from error

    def _key(self, id: str) -> str:
        return hashlib.sha256(f"{self._dest}|{self._profile}|{id}".encode()).hexdigest()


def _parts(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _PART):
        yield items[start : start + _PART]
