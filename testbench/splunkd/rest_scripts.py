"""The app's own REST endpoints: `[script:...]` of restmap.conf with `scripttype = persist`.

Source: `restmap.conf.spec` ("script", "capability", "passSystemAuth", "passPayload", "passSession") and what
public examples of such handlers are documented to get and may answer. splunkd keeps the handler's process and
starts another while that is busy; so does this.
"""

from __future__ import annotations

import json
import queue
import re
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from testbench.splunkd import atom
from testbench.splunkd.conf import Stanza
from testbench.splunkd.home import Home
from testbench.splunkd.process import environment
from testbench.splunkd.request import NotStoodIn, Refused, Request
from testbench.splunkd.users import SYSTEM, Sessions, User
from testbench.splunkd.violations import Violations

PERSIST = Path(__file__).parent / "persist"
_PREFIX = "script:"
_KNOWN = {
    *("match", "script", "scripttype", "handler", "requireAuthentication", "output_modes", "passPayload"),
    *("passSession", "passSystemAuth", "python.version", "python.required", "capability"),
    *(f"capability.{method}" for method in ("get", "post", "put", "delete")),
}


@dataclass(frozen=True)
class _Endpoint:
    name: str
    keys: Stanza

    def says(self, key: str, default: str = "false") -> bool:
        return self.keys.get(key, default).lower() in ("true", "1")


class RestScripts:
    """The endpoints of one installed app. `python` is the interpreter that splunkd would take."""

    def __init__(self, home: Home, python: Path, sessions: Sessions, violations: Violations) -> None:
        self._home, self._python, self._sessions, self._violations = home, python, sessions, violations
        self._idle: dict[str, queue.SimpleQueue[_Process]] = {}
        self._all: list[_Process] = []
        self._lock = threading.Lock()
        self.uri = ""

    def answers(self, request: Request) -> bool:
        """Whether restmap.conf has an endpoint for this path."""
        return self._endpoint(request) is not None

    def __call__(self, request: Request) -> atom.Response:
        """Check what restmap.conf says, ask a process, check its reply."""
        endpoint = self._endpoint(request)
        if endpoint is None:
            raise NotStoodIn(f"{request.method} {request.path}")
        _check_capability(endpoint, request)
        process = self._taken(endpoint)
        reply = process.ask(self._document(endpoint, request))
        if reply is None:
            self._violations.add(f"{endpoint.name}: the handler ended or printed: {process.said[-3:]}")
            process.close()
            raise Refused(500, "the script did not answer")
        self._idle[endpoint.name].put(process)
        return self._response(endpoint, reply)

    @property
    def stderr(self) -> list[str]:
        """What all processes wrote to stderr."""
        return [line for process in self._all for line in process.said]

    def close(self) -> None:
        """End all processes."""
        for process in self._all:
            process.close()

    def _endpoint(self, request: Request) -> _Endpoint | None:
        for stanza, keys in self._home.confs.read("restmap").items():
            path = keys.get("match", "").strip("/")
            if stanza.startswith(_PREFIX) and path and f"{request.path}/".startswith(f"{path}/"):
                endpoint = _Endpoint(stanza, keys)
                self._check(endpoint)
                return endpoint
        return None

    def _check(self, endpoint: _Endpoint) -> None:
        keys = endpoint.keys
        for key in keys.keys() - _KNOWN:
            self._violations.add(f"[{endpoint.name}] has {key}, which the stand-in does not know")
        if keys.get("scripttype") != "persist":
            raise NotStoodIn(f"[{endpoint.name}] is not scripttype = persist")
        if not endpoint.says("requireAuthentication", "true"):
            raise NotStoodIn(f"[{endpoint.name}] answers without a login")

    def _taken(self, endpoint: _Endpoint) -> _Process:
        with self._lock:
            idle = self._idle.setdefault(endpoint.name, queue.SimpleQueue())
        try:
            return idle.get_nowait()
        except queue.Empty:
            process = _Process(self._home, self._python, endpoint.keys["handler"])
            with self._lock:
                self._all.append(process)
            return process

    def _document(self, endpoint: _Endpoint, request: Request) -> dict[str, Any]:
        document: dict[str, Any] = {
            "output_mode": request.fields.get("output_mode", "xml"),
            "output_mode_explicit": "output_mode" in request.fields,
            "server": {
                "rest_uri": self.uri,
                "hostname": "splunk-stand-in",
                "servername": "splunk-stand-in",
                "guid": "0",
            },
            "restmap": {"name": endpoint.name, "conf": dict(endpoint.keys)},
            "query": [],
            "connection": {"src_ip": "127.0.0.1", "ssl": self.uri.startswith("https"), "listening_port": 0},
            "rest_path": f"/{request.path}",
            "method": request.method,
        }
        if request.app != "-":
            document["ns"] = {"app": request.app, "user": request.owner}
        if endpoint.says("passSession", "true"):
            key = self._sessions.key(request.user.name)
            document["session"] = {"user": request.user.name, "authtoken": key}
        if endpoint.says("passSystemAuth"):
            document["system_authtoken"] = self._sessions.key(SYSTEM.name)
        if request.method in ("POST", "PUT"):
            text = request.body.decode("utf-8")
            document["form"] = [list(pair) for pair in parse_qsl(text, keep_blank_values=True)]
            if endpoint.says("passPayload") and text:
                document["payload"] = text
        return document

    def _response(self, endpoint: _Endpoint, reply: dict[str, Any]) -> atom.Response:
        unknown = reply.keys() - {"status", "payload", "headers"}
        if unknown or not isinstance(reply.get("payload", ""), (str, dict, list)):
            self._violations.add(f"{endpoint.name}: the reply has {sorted(unknown)} or a payload of no kind")
        payload, headers = reply.get("payload", ""), dict(reply.get("headers", {}))
        body = payload if isinstance(payload, str) else json.dumps(payload)
        kind = headers.pop("Content-Type", "application/json")
        return atom.Response(int(reply.get("status", 200)), body.encode(), kind, headers)


class _Process:
    """One process of a handler; `said` is its stderr."""

    def __init__(self, home: Home, python: Path, handler: str) -> None:
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [str(python), str(PERSIST / "runner.py"), str(home.app_dir / "bin"), handler],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={**environment(home), "PYTHONPATH": str(PERSIST)},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()

    def ask(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """Its reply; None when it ended, or wrote something else than a reply."""
        stdin, stdout = self._pipe(self._process.stdin), self._pipe(self._process.stdout)
        data = json.dumps(document).encode()
        try:
            stdin.write(b"%d\n" % len(data) + data)
            stdin.flush()
            reply = json.loads(stdout.read(int(stdout.readline())))
        except (OSError, ValueError):
            return None
        return reply if isinstance(reply, dict) else None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(10)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was written to it nobody will read
                    continue

    def _read_stderr(self) -> None:
        for line in self._pipe(self._process.stderr):
            self.said.append(line.decode("utf-8", "backslashreplace").rstrip())

    @staticmethod
    def _pipe(pipe: Any) -> BinaryIO:
        assert pipe is not None
        return pipe


def _check_capability(endpoint: _Endpoint, request: Request) -> None:
    """403 as splunkd answers before the handler is asked."""
    method = request.method.lower()
    wanted = endpoint.keys.get(f"capability.{method}", endpoint.keys.get("capability", ""))
    if wanted and not _holds(wanted, request.user):
        raise Refused(
            403, f"You do not have permission to perform this operation (requires capability: {wanted})."
        )


def _holds(expression: str, user: User) -> bool:
    """One capability, or several joined by `or` and by `and`, without parentheses."""
    if "(" in expression:
        raise NotStoodIn(f"the capability expression {expression!r}")
    return any(
        all(user.can(name.strip()) for name in re.split(r"\s+and\s+", part))
        for part in re.split(r"\s+or\s+", expression)
    )
