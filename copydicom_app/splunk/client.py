"""splunkd's REST API from outside, for the stand-alone commands: run a search, ask an index what it holds.

Needs no splunklib. Login is Basic by name and password, or ``Authorization: Bearer`` with an authentication
token (a server without user name). Messages name the server and never what was sent.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable, Optional, TypeVar
from urllib.parse import urlencode, urlsplit

from copydicom_app.addresses import check_token
from copydicom_app.errors import (
    ConfigurationError,
    CopydicomError,
    LoginRefusedError,
    RetriableError,
    WrongServerError,
)
from copydicom_app.models import Level, Reference, Server, is_orthanc_id
from copydicom_app.refusal import UntrustedError, no_answer
from copydicom_app.retry import retried
from copydicom_app.splunk.exported import EXPORT, IndexQuestions, parameters, rows
from copydicom_app.transport import Answer, Transport

_Out = TypeVar("_Out")

_SEARCH_SECONDS = 3600.0  # of silence: a search that counts a large index sends nothing until it is done


class Splunkd:
    """One splunkd, asked as one user. `tell` hears what a search warns of."""

    def __init__(
        self,
        server: Server,
        stop: Optional[threading.Event] = None,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.name = server.name
        self._stop = stop or threading.Event()
        self._tell = tell
        self._host = urlsplit(server.base_url).hostname or ""
        self._headers: dict[str, str] = {}
        if server.password and not server.username:
            check_token(server.password, f"Splunk {server.name!r}")
            self._headers["Authorization"] = f"Bearer {server.password}"
            server = replace(server, password="")
        self._transport = Transport(server)

    def check(self) -> None:
        """Raise unless it is a splunkd that lets us in."""

        def ask() -> Answer:
            path = "/services/authentication/current-context?output_mode=json"
            return self._whole("GET", path)

        answer = self.patiently(ask)
        if answer.status != 200 or b'"entry"' not in answer.body:
            raise self._refusal(answer)

    def rows(self, search: str, *, strict: bool = False) -> Iterator[dict[str, Any]]:
        """The rows of a search, as they come. Raises ConfigurationError when Splunk does not understand it.

        RetriableError when the answer broke off, or when `strict` and Splunk warns that it is incomplete:
        what came until then is not to be acted upon.
        """
        form = parameters(search, time.time())
        heed = self._heed_strictly if strict else self._heed
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        broke_off = f"the answer of Splunk {self.name!r} to the search broke off; run it again"
        try:
            path = f"/services/{EXPORT}"
            body = urlencode(form).encode()
            with self._transport.opened("POST", path, body, headers, _SEARCH_SECONDS) as response:
                if response.status != 200:
                    raise self._refusal(Answer(response.status, response.read()))
                yield from rows(response, broke_off, heed)
        except (OSError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error

    def patiently(self, question: Callable[[], _Out]) -> _Out:
        """What `question` returns, asked again while that can help."""
        return retried(question, self._stop)

    def _heed(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for message in messages:
            kind, text = str(message.get("type", "")), str(message.get("text", ""))
            if kind in ("FATAL", "ERROR"):
                raise ConfigurationError(f"Splunk {self.name!r} says of the search: {text}")
            if kind == "WARN":
                self._tell(f"Splunk {self.name!r} says of the search: {text}")

    def _heed_strictly(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for message in messages:
            if message.get("type") in ("FATAL", "ERROR", "WARN"):
                raise RetriableError(
                    f"a search of Splunk {self.name!r} may be incomplete, so nothing was indexed from it; "
                    f"it says: "
                    f"{message.get('text', '')}"
                )

    def _whole(self, method: str, path: str) -> Answer:
        try:
            return self._transport.ask(method, path, None, self._headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error

    def _no_answer(self, error: Exception) -> CopydicomError:
        trouble = no_answer(self.name, self._host, error)
        if isinstance(trouble, UntrustedError):
            return trouble
        return RetriableError(
            f"Splunk {self.name!r} ({self._host}) cannot be reached; check that splunkd's management port "
            "(8089 as a rule) is there, and that it is https or http as given"
        )

    def _refusal(self, answer: Answer) -> CopydicomError:
        said = _messages(answer.body)
        if answer.status == 401:
            return LoginRefusedError(
                f"Splunk {self.name!r} refused the login (HTTP 401); check user and password"
            )
        if answer.status == 403:
            return LoginRefusedError(
                f"Splunk {self.name!r} does not let this user search (HTTP 403); give it a role with the "
                "capability search"
            )
        if said and answer.status == 400:
            return ConfigurationError(f"Splunk {self.name!r} does not understand the search: {said}")
        if answer.status >= 500 or answer.status == 429:
            return RetriableError(f"Splunk {self.name!r} failed (HTTP {answer.status})")
        return WrongServerError(
            f"what answers as Splunk {self.name!r} (HTTP {answer.status}) is not splunkd's REST API; its "
            f"address "
            "is that of the management port, 8089 as a rule"
        )


class IndexOverRest(IndexQuestions):
    """What an index has, of whatever server: an instance has the same id in all of them."""

    def __init__(self, splunkd: Splunkd, index: str) -> None:
        super().__init__(index, "", Level.INSTANCE)
        self._splunkd = splunkd

    def _rows(self, search: str) -> Iterator[dict[str, Any]]:
        return iter(self._splunkd.patiently(lambda: list(self._splunkd.rows(search, strict=True))))


class Found:
    """The references that a search of a person names, by the field `id`; `level` as given, else the row's."""

    def __init__(self, splunkd: Splunkd, query: str, id: str = "ID", level: Optional[Level] = None) -> None:
        self._splunkd, self._id, self._level = splunkd, id, level
        fields = [id, "level", "ParentSeries", "ParentStudy"]
        # Without their text events are a tenth as large; a search that makes rows of its own keeps them so.
        self._search = f"{completed(query)} | fields {' '.join(map(_field, fields))} | fields - _*"

    def references(self) -> Iterator[Reference]:
        """Each of them, as the rows come. ConfigurationError when rows come and none has the field."""
        rows = named = 0
        for row in self._splunkd.rows(self._search):
            rows += 1
            level = self._level or _level(row.get("level"))
            parents = (_only(row.get("ParentSeries")), _only(row.get("ParentStudy")))
            for id in _values(row.get(self._id)):
                named += 1
                yield Reference(id, level, *parents)
        if rows and not named:
            raise ConfigurationError(
                f"the search found {rows} rows, and none has the field {self._id}; let it end with "
                f"`| table {self._id}`, or name the field that holds Orthanc ids or DICOM UIDs with --id"
            )


def completed(query: str) -> str:
    """A search as the REST API wants it: it begins with a command.

    >>> completed('index=dicom Modality=CT | table ID')
    'search index=dicom Modality=CT | table ID'
    """
    query = query.strip().rstrip("|").strip()
    first = query.split(None, 1)[0].lower() if query else ""
    return query if query.startswith("|") or first == "search" else f"search {query}"


def _field(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _values(value: object) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    return [str(text).strip() for text in texts if text is not None and str(text).strip()]


def _only(value: object) -> str:
    values = _values(value)
    return values[0] if len(values) == 1 and is_orthanc_id(values[0]) else ""


def _level(value: object) -> Level:
    text = "".join(_values(value)[:1]).lower()
    try:
        return Level(text)
    except ValueError:
        return Level.INSTANCE


def _messages(body: bytes) -> str:
    """What splunkd says in an error; empty when it is none of its."""
    try:
        return "; ".join(str(message["text"]) for message in json.loads(body)["messages"])
    except (ValueError, KeyError, TypeError):
        return ""
