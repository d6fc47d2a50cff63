"""A proxy in front of a server that breaks what it is told to break: for tests of survival.

    with FaultyProxy(orthanc.url) as proxy:
        proxy.break_next(Fault.HALF_BODY, path="/series/", times=2)
        proxy.on(lambda asked: Fault.SLOW if asked.method == "POST" else None)
        ...  # talk to proxy.url

`requests` lists what was asked, `broken` counts the faults that were dealt, `most_at_once` tells how many
requests were under way together. Logins pass through, connections are kept alive, as Orthanc keeps them.
`ahead_seconds` puts the clock that Orthanc tells forward, so that what arrived just now is old.
"""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


class Fault(Enum):
    """What becomes of a request."""

    REFUSED = "the connection is closed; the server never hears of it"
    NO_ANSWER = "the server does it, but the connection is closed before its answer"
    FAILED = "500, as Orthanc says it"
    FULL = "507, as Orthanc 1.12 says that its disk is full"
    BUSY = "503, as a proxy says it"
    NOT_OURS = "404, as a proxy says it"
    HALF_BODY = "the connection breaks in the middle of the body"
    HALF_JSON = "the body is cut off and its length says so"
    SLOW = "the server hears of it after `slow_seconds`"
    SILENT = "no answer, as long as the proxy lives"


_INSTEAD = {  # status, content and its type
    Fault.FAILED: (
        500,
        b'{"HttpStatus": 500, "OrthancError": "Bad file format", "OrthancStatus": 15}',
        "application/json",
    ),
    Fault.FULL: (
        507,
        b'{"HttpStatus": 507, "OrthancError": "The file storage is full", "OrthancStatus": 45}',
        "application/json",
    ),
    Fault.BUSY: (503, b"<html>Service Unavailable</html>", "text/html"),
    Fault.NOT_OURS: (404, b"<html>Not Found</html>", "text/html"),
}


@dataclass(frozen=True)
class Asked:
    """One request, and how many of the same method and path came before it."""

    method: str
    path: str
    before: int


Rule = Callable[[Asked], "Fault | None"]


class FaultyProxy:
    """Passes requests on to `target` (``http://host:port``) but for those that a rule breaks."""

    def __init__(self, target: str, slow_seconds: float = 0.5, ahead_seconds: float = 0.0) -> None:
        self.slow_seconds = slow_seconds
        self.ahead_seconds = ahead_seconds
        self.requests: list[Asked] = []
        self.broken: Counter[Fault] = Counter()
        self.most_at_once = 0
        self._target = urlsplit(target).netloc
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._at_once = 0
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def on(self, rule: Rule) -> None:
        """Ask this rule too at each request; of several the first that answers a Fault has it."""
        self._rules.append(rule)

    def break_next(self, fault: Fault, *, path: str = "", times: int = 1) -> None:
        """The next `times` requests whose path holds `path` meet this fault."""
        left = times

        def rule(asked: Asked) -> Fault | None:
            nonlocal left
            if left <= 0 or path not in asked.path:
                return None
            left -= 1
            return fault

        self.on(rule)

    def heal(self) -> None:
        """Forget all rules."""
        self._rules.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    # --- for the handler ---

    def begin(self, method: str, path: str) -> Fault | None:
        """Note a request; what is to become of it. The rules are asked one request at a time."""
        with self._lock:
            asked = Asked(method, path, self._seen[method, path])
            self._seen[method, path] += 1
            self.requests.append(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            faults = (rule(asked) for rule in tuple(self._rules))
            fault = next((fault for fault in faults if fault), None)
            if fault:
                self.broken[fault] += 1
        return fault

    def end(self) -> None:
        with self._lock:
            self._at_once -= 1

    def wait(self, fault: Fault) -> None:
        self._closing.wait(self.slow_seconds if fault is Fault.SLOW else None)

    def _later(self, now: bytes) -> bytes:
        moment = datetime.strptime(now.decode(), "%Y%m%dT%H%M%S") + timedelta(seconds=self.ahead_seconds)
        return f"{moment:%Y%m%dT%H%M%S}".encode()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection(self._target, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            if path == "/tools/now" and answer.status == 200:
                content = self._later(content)
            return answer.status, content, answer.getheader("Content-Type", "application/json")
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultyProxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: a second one waits 40 ms for the first to be acknowledged

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.begin(self.command, self.path)
        try:
            self._meet(fault, body)
        except OSError:  # the server is away: so are we
            self.close_connection = True
        finally:
            self.proxy.end()

    def _meet(self, fault: Fault | None, body: bytes) -> None:
        if fault in (Fault.SLOW, Fault.SILENT):
            self.proxy.wait(fault)
        if fault in (Fault.REFUSED, Fault.SILENT):
            self.close_connection = True
        elif fault in _INSTEAD:
            self._answer(*_INSTEAD[fault])
        else:
            headers = {
                name: self.headers[name]
                for name in ("Authorization", "Accept-Encoding", "Content-Type", "Content-Encoding")
                if name in self.headers
            }
            self._pass_back(fault, *self.proxy.ask(self.command, self.path, body, headers))

    def _pass_back(self, fault: Fault | None, status: int, content: bytes, kind: str) -> None:
        half = content[: len(content) // 2]
        if fault is Fault.NO_ANSWER:
            self.close_connection = True
        elif fault is Fault.HALF_BODY:
            self.close_connection = True
            self._answer(status, half, kind, length=len(content))
        else:
            self._answer(status, half if fault is Fault.HALF_JSON else content, kind)

    def _answer(self, status: int, content: bytes, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was asked is in `FaultyProxy.requests`."""
