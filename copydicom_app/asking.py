"""One Orthanc server, asked over HTTP: requests that are tried again while that can help, errors in words.

Raises the errors of `copydicom_app.errors` and nothing else.
"""

from __future__ import annotations

import http.client
import json as jsonlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from copydicom_app.addresses import server_of_url
from copydicom_app.errors import ConfigurationError, RetriableError, SkippableError
from copydicom_app.models import Server, is_orthanc_id
from copydicom_app.refusal import no_answer, not_an_orthanc, refusal
from copydicom_app.retry import retried
from copydicom_app.transport import READ_SECONDS, Answer, Body, TooLargeError, Transport


class Asking:
    """The requests to one server, without a word of its routes. Safe to use from several threads.

    `stop` cuts short the waits between tries.
    """

    def __init__(self, server: Union[Server, str], stop: Optional[threading.Event] = None) -> None:
        if isinstance(server, str):
            server = server_of_url(server)
        if not _is_address(server.base_url):
            raise ConfigurationError(
                f"server {server.name!r}: base_url is no http:// or https:// address; "
                "set it to the address of Orthanc's REST API, for example https://pacs.example:8042"
            )
        if server.verify_tls and server.ca_bundle and not Path(server.ca_bundle).is_file():
            raise ConfigurationError(f"server {server.name!r}: the file named in ca_bundle is not there")
        self.server = server
        self.host = urlsplit(server.base_url).hostname or ""
        self._stop = stop or threading.Event()
        self._transport = Transport(server)

    def _json(self, method: str, path: str, *, json: Any = None, data: Body = None) -> Any:
        body = data if json is None else jsonlib.dumps(json).encode()
        return retried(lambda: self._decoded(self._request_once(method, path, body)), self._stop)

    def _decoded(self, answer: Answer) -> Any:
        try:
            return jsonlib.loads(answer.body)
        except ValueError as error:
            if answer.body[:1] in (b"{", b"["):
                raise RetriableError(f"server {self.server.name!r} gave half an answer") from error
            raise not_an_orthanc(self.server.name) from error

    def _request(self, method: str, path: str, body: Body = None) -> Answer:
        """One request, tried again while that can help; all requests here may safely be repeated."""
        return retried(lambda: self._request_once(method, path, body), self._stop)

    def _request_once(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Optional[dict[str, str]] = None,
        seconds: float = READ_SECONDS,
        largest: Optional[int] = None,
    ) -> Answer:
        try:
            answer = self._transport.ask(method, path, body, headers, seconds, largest)
        except TooLargeError as error:
            raise SkippableError("too many tags for one answer") from error
        except (OSError, http.client.HTTPException) as error:
            raise no_answer(self.server.name, self.host, error) from error
        if answer.status == 200:
            return answer
        raise refusal(self.server.name, answer)

    @contextmanager
    def _opened(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """A GET whose answer is read within the `with`. One try."""
        try:
            with self._transport.opened("GET", path) as response:
                if response.status != 200:
                    raise refusal(self.server.name, Answer(response.status, response.read()))
                yield response
        except (OSError, http.client.HTTPException) as error:
            raise no_answer(self.server.name, self.host, error) from error


def checked(id: str) -> str:
    """An id that may become part of a URL; anything else never leaves this machine."""
    if not is_orthanc_id(id):
        raise SkippableError("not an Orthanc id")
    return id


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
