"""A proxy in front of a server that breaks what it is told to break: for tests of survival.

    with FaultyProxy(orthanc.url) as proxy:
        proxy.break_next(Fault.HALF_BODY, path="/series/", times=2)
        ...  # talk to proxy.url; proxy.broken says how often each fault was dealt

The login passes through. One connection a request, so that a fault never spoils the request behind it.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


class Fault(Enum):
    """What becomes of a request."""

    REFUSED = "the connection is closed without an answer"
    FAILED = "500, as Orthanc says it"
    BUSY = "503, as a proxy says it"
    NOT_OURS = "404, as a proxy says it"
    HALF_BODY = "the connection breaks in the middle of the body"
    HALF_JSON = "the body is cut off and its length says so"
    SILENT = "no answer, as long as the proxy lives"


@dataclass
class _Order:
    fault: Fault
    path: str
    times: int


class FaultyProxy:
    """Passes requests on to `target` (``http://host:port``) but for those that are ordered to break."""

    def __init__(self, target: str) -> None:
        self.broken: Counter[Fault] = Counter()
        self.requests: list[str] = []
        self._target = urlsplit(target).netloc
        self._orders: list[_Order] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def break_next(self, fault: Fault, *, path: str = "", times: int = 1) -> None:
        """The next `times` requests whose path holds `path` meet this fault."""
        with self._lock:
            self._orders.append(_Order(fault, path, times))

    def heal(self) -> None:
        """Forget what is still ordered."""
        with self._lock:
            self._orders.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    # --- for the handler ---

    def fault_for(self, path: str) -> Fault | None:
        with self._lock:
            self.requests.append(path)
            for order in self._orders:
                if order.times > 0 and order.path in path:
                    order.times -= 1
                    self.broken[order.fault] += 1
                    return order.fault
        return None

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection(self._target, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Content-Type", "application/json")
        finally:
            connection.close()

    def stay_silent(self) -> None:
        while not self._closing.is_set():
            time.sleep(0.02)


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultyProxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.fault_for(self.path)
        if fault in (Fault.REFUSED, Fault.SILENT):
            if fault is Fault.SILENT:
                self.proxy.stay_silent()
            return
        if fault is Fault.FAILED:
            self._answer(500, b'{"HttpStatus": 500, "OrthancError": "Bad file format", "OrthancStatus": 15}')
        elif fault is Fault.BUSY:
            self._answer(503, b"<html>Service Unavailable</html>", "text/html")
        elif fault is Fault.NOT_OURS:
            self._answer(404, b"<html>Not Found</html>", "text/html")
        else:
            self._pass_on(body, fault)

    def _pass_on(self, body: bytes, fault: Fault | None) -> None:
        headers = {"Authorization": self.headers.get("Authorization", "")}
        try:
            status, data, kind = self.proxy.ask(self.command, self.path, body, headers)
        except OSError:
            return  # the server is away: so are we
        half = data[: len(data) // 2]
        if fault is Fault.HALF_BODY:
            self._answer(status, half, kind, length=len(data))
        else:
            self._answer(status, half if fault is Fault.HALF_JSON else data, kind)

    def _answer(
        self, status: int, data: bytes, kind: str = "application/json", length: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was asked is in `FaultyProxy.requests`."""
