"""HTTP to one server: kept-alive connections, a bounded number at once, bodies whole or streamed.

`http.client` and no more: an upload costs a quarter of the CPU time that requests takes for it, and with
two Orthancs on the same machine that time is theirs. Raises OSError and `http.client.HTTPException` as they
come; what they mean to a person is told by `copydicom_app.orthanc`.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import weakref
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Optional, Union
from urllib.parse import urlsplit

from copydicom_app.models import Server

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0
BLOCK = 1 << 18  # bytes at once of a streamed body

_MOST_FIELDS, _LONGEST_FIELD = 100, 65_536

Body = Union[bytes, IO[bytes], None]
BrokenOffError = http.client.IncompleteRead  # an answer that ended in its middle


class TooLargeError(OSError):
    """An answer is larger than its reader takes."""


@dataclass(frozen=True)
class Answer:
    """What a server answered; `body` is whole. `realm`: its ``WWW-Authenticate``, with 401."""

    status: int
    body: bytes
    realm: str = ""


class Transport:
    """The connections to one server, no more than `server.max_connections`; a thread waits for a free one.

    Neither a proxy nor a .netrc of the machine may redirect images or change the login: neither is read.
    """

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.base_url)
        self._tls = _context(server) if parts.scheme == "https" else None
        self._host, self._port = parts.hostname or "", parts.port
        self._prefix = parts.path.rstrip("/")
        # Orthanc 1.10.1 spends 30 ms a file on compression unless told not to.
        self._headers = {"Accept-Encoding": "identity"}
        if server.username:
            login = f"{server.username}:{server.password}".encode()
            self._headers["Authorization"] = f"Basic {b64encode(login).decode('ascii')}"
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close_all, self._idle)
        self._free = threading.BoundedSemaphore(server.max_connections)

    def ask(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Optional[dict[str, str]] = None,
        seconds: float = READ_SECONDS,
        largest: Optional[int] = None,
    ) -> Answer:
        """One request, its answer read to the end; `seconds` of silence are borne.

        Raises TooLargeError when it has more than `largest` bytes; the rest is not waited for.
        """
        with self.opened(method, path, body, headers, seconds) as response:
            if largest is None:
                realm = response.getheader("WWW-Authenticate") or ""
                return Answer(response.status, response.read(), realm)
            content = b"".join(_up_to(largest, response))
            return Answer(response.status, content)

    @contextmanager
    def opened(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Optional[dict[str, str]] = None,
        seconds: float = READ_SECONDS,
    ) -> Iterator[http.client.HTTPResponse]:
        """One request; its answer is read within the `with`. What is left unread costs the connection."""
        with self._free:
            connection, response = self._sent(
                method, self._prefix + path, body, {**self._headers, **(headers or {})}, seconds
            )
            try:
                yield response
                if response.isclosed() and connection.sock is not None:
                    self._idle.append(connection)
                    return
            except BaseException:
                connection.close()
                raise
            connection.close()

    def _sent(
        self, method: str, path: str, body: Body, headers: dict[str, str], seconds: float
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send on an idle connection, else on a new one.

        Orthanc closes an idle connection after a second. That shows only when the next request fails, so
        one that fails on a used connection before a word of its answer is sent again on a new one.
        """
        while connection := self._used():
            try:
                return connection, _exchange(connection, method, path, body, headers, seconds)
            except (ConnectionError, http.client.BadStatusLine, ssl.SSLEOFError):
                connection.close()
                if not isinstance(body, (bytes, type(None))):
                    raise  # a stream that is used up
            except BaseException:
                connection.close()
                raise
        connection = self._connected()
        try:
            return connection, _exchange(connection, method, path, body, headers, seconds)
        except BaseException:
            connection.close()
            raise

    def _used(self) -> Optional[http.client.HTTPConnection]:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connected(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._tls:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT_SECONDS, context=self._tls, blocksize=BLOCK
            )
        else:
            connection = http.client.HTTPConnection(
                self._host, self._port, timeout=CONNECT_SECONDS, blocksize=BLOCK
            )
        connection.response_class = _Response
        connection.connect()
        return connection


class _Response(http.client.HTTPResponse):
    """Reads the head of an answer by itself, and of it only how long the body is and who wants a login.

    `http.client` has it parsed as the head of an e-mail, which takes 40 % of the time of a small file.
    """

    def begin(self) -> None:
        """Read up to the body, as HTTPResponse does (RFC 9112, 6.3)."""
        if self.headers is not None:
            return
        while True:
            version, status, reason = self._read_status()
            said = self._read_fields()
            if status != http.client.CONTINUE:
                break
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.headers = self.msg = http.client.HTTPMessage()
        for name in ("connection", "keep-alive", "www-authenticate"):
            if name in said:
                self.headers[name] = said[name]
        self.chunked = said.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        length = said.get("content-length", "")
        self.length = int(length) if length.isdecimal() and not self.chunked else None
        if status in (http.client.NO_CONTENT, http.client.NOT_MODIFIED):
            self.length = 0
        self.will_close = self._check_close() or (self.length is None and not self.chunked)

    def _read_fields(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        for _ in range(_MOST_FIELDS):
            line = self.fp.readline(_LONGEST_FIELD)
            if line in (b"\r\n", b"\n", b""):
                return fields
            if len(line) == _LONGEST_FIELD:
                break
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.strip().lower()] = value.strip()
        raise http.client.HTTPException("the head of the answer is too long")


def _up_to(largest: int, response: http.client.HTTPResponse) -> Iterator[bytes]:
    size = 0
    while piece := response.read(BLOCK):
        size += len(piece)
        if size > largest:
            raise TooLargeError
        yield piece
    if response.length:  # read(n), unlike read(), does not tell
        raise http.client.IncompleteRead(b"", response.length)


def _close_all(connections: deque[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Body,
    headers: dict[str, str],
    seconds: float,
) -> http.client.HTTPResponse:
    connection.sock.settimeout(seconds)
    connection.request(method, path, body, headers)
    return connection.getresponse()


def _context(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not server.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif server.ca_bundle and Path(server.ca_bundle).is_file():
        context = ssl.create_default_context(cafile=server.ca_bundle)
    else:
        import certifi  # Splunk's Python finds no certificates of the machine

        context.load_verify_locations(certifi.where())
    return context
