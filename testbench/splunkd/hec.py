"""The HTTP Event Collector, as far as the stand-alone commands send to it, on a free port of the loopback.

Source: Splunk Getting Data In, "Format events for HTTP Event Collector", "About HTTP Event Collector Indexer
Acknowledgment", "Troubleshoot HTTP Event Collector" (the codes); REST API Reference, `services/collector`.
What was taken from it, since clients stumble there:

- a batch is JSON objects one behind the other, with or without white space: no array, no commas
- `time` is a plain decimal number of seconds; one in scientific notation is refused with code 15
- a token with indexer acknowledgment wants a channel, a GUID, in each request (codes 10 and 11); it answers
  with an `ackId`, which counts from 0 in each channel; `collector/ack` says once that an id is indexed, then
  forgets it
- a token writes to its own indexes only (code 7); `Authorization: Splunk <token>`, or Basic with it as
  password

A batch with one bad event is refused whole here; the documents leave open what becomes of the events before
it. What the stand-in does not know it refuses, and it is a violation.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import threading
import time
import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from testbench.splunkd.index import Indexes
from testbench.splunkd.violations import Violations

# code: (HTTP status, text)
CODES = {
    0: (200, "Success"),
    1: (403, "Token disabled"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    8: (500, "Internal server error"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    15: (400, "Error in handling indexed fields"),
    16: (400, "Query string authorization is not enabled"),
    17: (200, "HEC is healthy"),
}
_EVENTS = ("/services/collector", "/services/collector/event", "/services/collector/event/1.0")
_HEALTH = ("/services/collector/health", "/services/collector/health/1.0")
_ACK = "/services/collector/ack"
_KEYS = frozenset({"time", "host", "source", "sourcetype", "index", "event"})
_DECIMAL = re.compile(r"\d+(\.\d+)?\Z")
_SPACE = re.compile(r"\s*")


class _Number(str):
    """A number as it was written."""


_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number)


@dataclass(frozen=True)
class Token:
    """One token, as inputs.conf has it: `indexes` it may write to, the first is its own; `useACK`."""

    value: str
    indexes: tuple[str, ...] = ("dicom",)
    use_ack: bool = False
    disabled: bool = False


class Answered(Exception):
    """The answer to a request that is not a success."""

    def __init__(self, code: int, **more: Any) -> None:
        super().__init__(CODES[code][1])
        self.code, self.more = code, more


@dataclass
class Received:
    """One request of events: how many, bytes as sent and unpacked, and the channel."""

    path: str
    events: int
    sent: int
    unpacked: int
    channel: str
    zipped: bool


@dataclass
class _Channel:
    given: int = 0
    indexed_at: dict[int, float] = field(default_factory=dict)  # ackId -> when it may be said


class HecServer:
    """Answers until it is closed; what it takes is indexed. Faults are set by a test, for the next requests.

    `busy`: so many are answered 503; `silent`: so many are indexed and the connection closed before the
    answer; `lost`: so many are accepted and never indexed nor acknowledged. `ack_seconds` is how long
    indexing takes.
    """

    def __init__(self, indexes: Indexes, violations: Violations, max_content_length: int = 1_000_000) -> None:
        self._indexes, self._violations = indexes, violations
        self.max_content_length = max_content_length
        self.tokens: dict[str, Token] = {}
        self.received: list[Received] = []
        self.log: list[tuple[str, str, int]] = []
        self.busy = self.silent = self.lost = 0
        self.ack_seconds = 0.0
        self._channels: defaultdict[tuple[str, str], _Channel] = defaultdict(_Channel)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"hec": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def token(self, *indexes: str, use_ack: bool = False, disabled: bool = False) -> Token:
        """A new token; it writes to `dicom` unless told otherwise."""
        token = Token(str(uuid.uuid4()), indexes or ("dicom",), use_ack, disabled)
        self.tokens[token.value] = token
        return token

    def url(self, token: Token | None = None) -> str:
        """`http://127.0.0.1:<port>`, with the token as the predecessor's README writes it."""
        login = f"Splunk:{token.value}@" if token else ""
        return f"http://{login}127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- one request --------------------------------------------------------------------------------------

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]] | None:
        """Status and document; None to close the connection without an answer."""
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            if url.path in _HEALTH and method == "GET":
                return self._said(Answered(17))
            if method != "POST" or url.path not in (*_EVENTS, _ACK):
                self._violations.add(f"asked for what the stand-in does not know: {method} {url.path}")
                return 404, {"text": "The requested URL was not found on this server.", "code": 404}
            token = self._token(headers, query)
            channel = self._channel(headers, query)
            unknown = set(query) - {"channel"}
            if unknown:
                self._violations.add(f"{url.path} with parameters that it does not take: {sorted(unknown)}")
                raise Answered(6)
            if url.path == _ACK:
                return 200, self._acks(token, channel, body)
            return self._events(url.path, token, channel, headers, body)
        except Answered as other:
            return self._said(other)

    @staticmethod
    def _said(answer: Answered) -> tuple[int, dict[str, Any]]:
        status, text = CODES[answer.code]
        return status, {"text": text, "code": answer.code, **answer.more}

    def _token(self, headers: dict[str, str], query: dict[str, str]) -> Token:
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if not scheme:
            raise Answered(16 if "token" in query else 2)
        if scheme == "Basic":
            try:
                value = base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                value = ""
        elif scheme != "Splunk":
            raise Answered(3)
        if not value.strip():
            raise Answered(3)
        token = self.tokens.get(value.strip())
        if token is None:
            raise Answered(4)
        if token.disabled:
            raise Answered(1)
        return token

    @staticmethod
    def _channel(headers: dict[str, str], query: dict[str, str]) -> str:
        channel = headers.get("x-splunk-request-channel", query.get("channel", ""))
        if channel:
            try:
                uuid.UUID(channel)
            except ValueError:
                raise Answered(11) from None
        return channel

    def _events(
        self, path: str, token: Token, channel: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]] | None:
        if token.use_ack and not channel:
            raise Answered(10)
        if body and headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            self._violations.add(f"events with Content-Type {headers.get('content-type')!r}, not JSON")
        with self._lock:
            if self.busy > 0 and body:
                self.busy -= 1
                raise Answered(9)
        text = self._unpacked(headers.get("content-encoding", ""), body)
        if len(text) > self.max_content_length:
            return 413, {"text": f"Content-Length of {len(text)} too large", "code": 413}
        if not text.strip():
            raise Answered(5)
        events = [self._checked(number, each, token) for number, each in enumerate(_objects(text))]
        with self._lock:
            lost, silent = self.lost > 0, self.silent > 0
            self.lost -= lost
            self.silent -= silent
        if not lost:
            for event in events:
                self._indexes.add(*event)
        zipped = bool(headers.get("content-encoding"))
        self.received.append(Received(path, len(events), len(body), len(text), channel, zipped))
        if silent:
            return None
        more = {"ackId": self._number(token, channel, lost)} if token.use_ack else {}
        return self._said(Answered(0, **more))

    def _unpacked(self, encoding: str, body: bytes) -> bytes:
        if not encoding:
            return body
        if encoding != "gzip":
            self._violations.add(f"events with Content-Encoding {encoding!r}; it takes gzip")
            raise Answered(6)
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            raise Answered(6) from None

    def _checked(self, number: int, envelope: Any, token: Token) -> tuple[Any, ...]:
        """What `Indexes.add` takes, of one envelope."""

        def refused(code: int) -> Answered:
            self._violations.add(f"event {number} of a batch: {CODES[code][1]}")
            return Answered(code, **{"invalid-event-number": number})

        if not isinstance(envelope, dict) or set(envelope) - _KEYS:
            raise refused(6)
        if "event" not in envelope or envelope["event"] is None:
            raise refused(12)
        event = envelope["event"]
        if event == "":
            raise refused(13)
        at = envelope.get("time")
        if at is not None and not _DECIMAL.match(str(at)):
            raise refused(15)
        index = envelope.get("index", token.indexes[0])
        if index not in token.indexes:
            raise Answered(7, **{"invalid-event-number": number})
        raw = event if type(event) is str else _written(event)
        return (
            raw,
            None if at is None else float(at),
            index,
            envelope.get("host", f"127.0.0.1:{self.port}"),
            envelope.get("source", "http:test"),
            envelope.get("sourcetype", "httpevent"),
        )

    # -- acknowledgment -----------------------------------------------------------------------------------

    def _number(self, token: Token, channel: str, lost: bool) -> int:
        with self._lock:
            known = self._channels[token.value, channel]
            number, known.given = known.given, known.given + 1
            if not lost:
                known.indexed_at[number] = time.monotonic() + self.ack_seconds
        return number

    def _acks(self, token: Token, channel: str, body: bytes) -> dict[str, Any]:
        if not token.use_ack:
            raise Answered(14)
        if not channel:
            raise Answered(10)
        try:
            asked = json.loads(body)["acks"]
            numbers = [int(number) for number in asked]
        except (ValueError, KeyError, TypeError):
            self._violations.add(f"a question for acknowledgments that is none: {body[:80]!r}")
            raise Answered(6) from None
        with self._lock:
            known = self._channels[token.value, channel].indexed_at
            now = time.monotonic()
            said = {number: known.get(number, now + 1) <= now for number in numbers}
            for number, indexed in said.items():
                if indexed:
                    del known[number]
        return {"acks": {str(number): indexed for number, indexed in said.items()}}


def _objects(text: bytes) -> Iterator[Any]:
    """The JSON documents that stand one behind the other; code 6 for what is none."""
    try:
        left = text.decode("utf-8")
    except UnicodeDecodeError:
        raise Answered(6, **{"invalid-event-number": 0}) from None
    number = 0
    at = _SPACE.match(left).end()  # type: ignore[union-attr]
    while at < len(left):
        try:
            document, at = _DECODER.raw_decode(left, at)
        except ValueError:
            raise Answered(6, **{"invalid-event-number": number}) from None
        yield document
        number += 1
        at = _SPACE.match(left, at).end()  # type: ignore[union-attr]


def _written(event: Any) -> str:
    """An event as the text that is indexed: compact, in the order and with the numbers in which it came."""
    if isinstance(event, _Number):
        return str(event)
    if isinstance(event, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_written(value)}" for key, value in event.items()) + "}"
    if isinstance(event, list):
        return "[" + ",".join(map(_written, event)) + "]"
    return json.dumps(event)


class _Handler(BaseHTTPRequestHandler):
    hec: ClassVar[HecServer]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: a second one waits 40 ms for the first to be acknowledged
    server_version = "Splunkd"
    sys_version = ""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.hec.answer(self.command, self.path, headers, body)
        if answer is None:
            self.close_connection = True
            return
        status, document = answer
        self.hec.log.append((self.command, self.path.partition("?")[0], status))
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are in `HecServer.log`."""
