"""splunkd's REST API, as far as the app and splunklib ask for it, on a free port of the loopback.

It is a stand-in. What it knows is in `_route`; anything else is answered with 404 in Splunk's message
format and recorded as a violation, so that no test passes on an endpoint that nobody has thought about.
Source: Splunk REST API Reference, and what `splunklib.client` and `splunklib.binding` send.
"""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from testbench.splunkd import atom
from testbench.splunkd.home import Home
from testbench.splunkd.jobs import JobStore, Run
from testbench.splunkd.request import NotStoodIn, Refused, Request, parse
from testbench.splunkd.rest_access import Access
from testbench.splunkd.rest_admin import Admin
from testbench.splunkd.rest_confs import Confs
from testbench.splunkd.rest_inputs import Inputs
from testbench.splunkd.rest_jobs import Jobs
from testbench.splunkd.rest_kvstore import KVStore
from testbench.splunkd.rest_passwords import Passwords
from testbench.splunkd.rest_scripts import RestScripts
from testbench.splunkd.rest_session import basic_user, login
from testbench.splunkd.users import NOBODY, Sessions, User
from testbench.splunkd.violations import Violations

SERVER_NAME = "splunk-stand-in"


class RestServer:
    """Answers until it is closed. `log` keeps method, path and status of each request, never a body."""

    def __init__(
        self,
        home: Home,
        sessions: Sessions,
        violations: Violations,
        run: Run,
        *,
        https: bool = False,
        version: str = "10.0.0",
        scripts: RestScripts | None = None,
        inputs: Inputs | None = None,
    ) -> None:
        self.home = home
        apps, metas = {home.app: home.confs}, {home.app: home.meta}
        self.sessions, self.violations, self.version = sessions, violations, version
        self.passwords, self.confs = Passwords(metas), Confs(apps, metas)
        self.kvstore, self.access = KVStore(apps, metas), Access(home)
        self.job_store = JobStore(run, violations.add)
        self.jobs = Jobs(self.job_store, violations.add)
        self.admin = Admin(home, sessions, self.job_store)
        self.log: list[tuple[str, str, int]] = []
        self._scripts, self._inputs = scripts, inputs
        handler = type("Handler", (_Handler,), {"rest": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if https:
            self._server.socket = _tls(home.root).wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.uri = f"{'https' if https else 'http'}://127.0.0.1:{self.port}"
        if scripts is not None:
            scripts.uri = self.uri
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.job_store.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> atom.Response:
        """The response to one request; never raises, since the caller is another process."""
        as_json = any("output_mode=json" in text for text in (target, body.decode("utf-8", "replace")))
        as_json = as_json or "storage/collections/data" in target
        try:
            if target.partition("?")[0] == "/services/auth/login":
                return login(
                    parse(method, target, body, headers.get("content-type", ""), NOBODY), self.sessions
                )
            user = self._authenticate(headers.get("authorization", ""))
            request = parse(method, target, body, headers.get("content-type", ""), user)
            return self._route(request)(request)
        except Refused as refusal:
            return atom.message(refusal.status, refusal.text, refusal.level, as_json)
        except NotStoodIn as unknown:
            self.violations.add(f"asked for what the stand-in does not know: {unknown}")
            return atom.message(unknown.status, "Not Found", "ERROR", as_json)
        except Exception as error:
            self.violations.add(f"{method} {target.partition('?')[0]} made the stand-in fail: {error!r}")
            return atom.message(500, f"the stand-in failed: {error!r}", "ERROR", as_json)

    def _authenticate(self, authorization: str) -> User:
        """By session key (`Splunk`), authentication token (`Bearer`) or name and password (`Basic`)."""
        scheme, _, key = authorization.partition(" ")
        user = self.sessions.user(key) if scheme in ("Splunk", "Bearer") else None
        if scheme == "Basic":
            user = basic_user(key, self.sessions)
        if user is None:
            raise Refused(401, "call not properly authenticated", "WARN")
        return user

    def _route(self, request: Request) -> Callable[[Request], atom.Response]:
        match request.parts:
            case ("server", "info"):
                return self._server_info
            case ("authentication", "current-context"):
                return self._current_context
            case ("search", "jobs", *_) | ("search", "v2", "jobs", *_):
                return self.jobs
            case ("data", "ui", "times"):
                return self._times
            case ("authorization", "roles", *_):
                return self.access.roles
            case ("data", "indexes", *_):
                return self.access.indexes
            case ("apps", "local", *_):
                return self.access.app
            case ("data", "inputs", _, *_) if self._inputs is not None:
                return self._inputs
            case ("storage", "passwords", *_):
                return self.passwords
            case ("properties", *_):
                return self.confs.properties
            case ("configs", _, *_):
                return self.confs.configs
            case ("storage", "collections", "config", *_):
                return self.kvstore.config
            case ("storage", "collections", "data", *_):
                return self.kvstore.data
            case _:
                if self._scripts is not None and self._scripts.answers(request):
                    return self._scripts
                if self.admin.answers(request):
                    return self.admin
                raise NotStoodIn(f"{request.method} {request.path}")

    def _server_info(self, request: Request) -> atom.Response:
        content = {
            "build": "0",
            "guid": "00000000-0000-0000-0000-000000000000",
            "isFree": False,
            "isTrial": False,
            "kvStoreStatus": "ready",
            "product_type": "enterprise",
            "serverName": SERVER_NAME,
            "server_roles": ["indexer", "search_head", "kv_store"],
            "version": self.version,
        }
        return self._single(request, atom.Entry("server-info", "server/info", content))

    def _current_context(self, request: Request) -> atom.Response:
        user = request.user
        content = {
            "capabilities": list(user.capabilities),
            "defaultApp": user.default_app,
            "email": "",
            "realname": user.name,
            "roles": list(user.roles),
            "tz": user.timezone,
            "username": user.name,
        }
        return self._single(request, atom.Entry("context", "authentication/current-context", content))

    def _times(self, request: Request) -> atom.Response:
        """The presets of the time picker; Splunk's own are not stood in, the app ships none."""
        if request.method != "GET":
            raise NotStoodIn(f"{request.method} {request.path}")
        found = [
            atom.Entry(name, "data/ui/times", {"disabled": False, **keys}, app=self.home.app)
            for name, keys in self.home.confs.read("times").items()
            if name != "default"
        ]
        return atom.feed(request.path, found, len(found), 0, 30, request.as_json)

    @staticmethod
    def _single(request: Request, entry: atom.Entry) -> atom.Response:
        if request.method != "GET":
            raise NotStoodIn(f"{request.method} {request.path}")
        return atom.feed(request.path, [entry], 1, 0, 30, request.as_json)


class _Handler(BaseHTTPRequestHandler):
    rest: ClassVar[RestServer]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: a second one waits 40 ms for the first to be acknowledged
    server_version = "Splunkd"
    sys_version = ""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.rest.answer(self.command, self.path, headers, body)
        self.rest.log.append((self.command, self.path.partition("?")[0], response.status))
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "Close")  # without it splunklib reads an empty body
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_DELETE = do_PUT = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are in `RestServer.log`."""


def _tls(folder: Path) -> ssl.SSLContext:
    """A self-signed certificate, as splunkd has one after installation. Needs the `openssl` command."""
    cert, key = folder / "server.pem", folder / "server.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=SplunkServerDefaultCert"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
