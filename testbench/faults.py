"""An HTTP proxy before a server that fails on demand.

    with FaultyProxy(server.url) as proxy:
        proxy.on(lambda request: request.path.endswith("/file") and Fault.STATUS_500)
        ... talk to proxy.url

Each rule is asked for each request, in order; the first that answers a Fault has it. `requests` lists what
was asked, `most_at_once` how many were under way together.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit


class Fault(Enum):
    """What happens instead of an honest answer."""

    STATUS_500 = "500, not forwarded"
    STATUS_507 = "507, not forwarded"
    HALF_A_BODY = "forwarded; the answer ends in its middle"
    NO_ANSWER = "forwarded; the connection ends before the answer"
    REFUSED = "the connection ends, not forwarded"
    SLOW = "forwarded after `slow_seconds`"


@dataclass(frozen=True)
class Asked:
    """One request, and how many of the same method and path came before it."""

    method: str
    path: str
    before: int


Rule = Callable[[Asked], "Fault | bool | None"]


class FaultyProxy:
    """Listens on a port of its own until `close()`."""

    def __init__(self, target: str, slow_seconds: float = 0.5) -> None:
        self.slow_seconds = slow_seconds
        self.requests: list[Asked] = []
        self.most_at_once = 0
        self._target = urlsplit(target)
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], int] = {}
        self._now = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def on(self, rule: Rule) -> None:
        """Add a rule."""
        self._rules.append(rule)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _enter(self, method: str, path: str) -> Fault | None:
        with self._lock:
            before = self._seen.get((method, path), 0)
            self._seen[method, path] = before + 1
            asked = Asked(method, path, before)
            self.requests.append(asked)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        return next((fault for rule in self._rules if isinstance(fault := rule(asked), Fault)), None)

    def _leave(self) -> None:
        with self._lock:
            self._now -= 1

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[Any], bytes]:
        connection = http.client.HTTPConnection(self._target.hostname or "", self._target.port, timeout=60)
        try:
            headers = {k: v for k, v in handler.headers.items() if k.lower() not in ("host", "connection")}
            connection.request(handler.command, handler.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy._enter(self.command, self.path)
                try:
                    proxy._answer(self, fault, body)
                except OSError:
                    self.close_connection = True
                finally:
                    proxy._leave()

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler, fault: Fault | None, body: bytes) -> None:
        if fault in (Fault.STATUS_500, Fault.STATUS_507):
            status, headers, content = 500 if fault is Fault.STATUS_500 else 507, [], b"{}"
        elif fault is Fault.REFUSED:
            handler.close_connection = True
            return
        else:
            if fault is Fault.SLOW:
                time.sleep(self.slow_seconds)
            status, headers, content = self._forward(handler, body)
        if fault is Fault.NO_ANSWER:
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in headers:
            if name.lower() in ("content-type", "content-encoding"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if fault is Fault.HALF_A_BODY:
            content = content[: len(content) // 2]
            handler.close_connection = True
        handler.wfile.write(content)
