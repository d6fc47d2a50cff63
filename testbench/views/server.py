"""Serves the views and pages at a local address, and splunkd's REST API below it as Splunk Web does.

    with ViewServer(splunk, read_views(ROOT / "default")) as server:
        print(server.uri)

Source: what `@splunk/splunk-utils` expects of Splunk Web: `window.$C`, and `/en-US/splunkd/__raw/services...`
for splunkd with the session of the person who looks. Addresses are Splunk's own, so that links in views work:
`/app/<app>/<view>?form.<token>=<value>` and `/app/<app>/search?q=<search>`. An app that is not configured
leads to the view that app.conf names as `setup_view`.
"""

from __future__ import annotations

import html
import json
import mimetypes
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, unquote, urlsplit

from testbench.splunkd import Splunkd
from testbench.views.definitions import ScriptView, View, read_script_views
from testbench.views.web import Web

BUNDLE = Path(__file__).resolve().parents[2] / "build" / "views"
LOCALE = "/en-US"
RAW = f"{LOCALE}/splunkd/__raw"
SEARCH = "search"
RISKY = (
    "collect",
    "delete",
    "outputcsv",
    "outputlookup",
    "runshellscript",
    "script",
    "sendalert",
    "sendemail",
)
UTC_ZONE = "### SERIALIZED TIMEZONE FORMAT 1.0;Y0 NW 55 54 43;$"


class ViewServer:
    """Answers on a free port of the loopback until it is closed. Whoever looks is `user`."""

    def __init__(self, splunk: Splunkd, views: Sequence[View], user: str = "admin") -> None:
        if not (BUNDLE / "page.js").is_file():
            raise RuntimeError("the page is not built; run: make build/views/ready")
        self.splunk, self.user = splunk, user
        self.views = {view.name: view for view in views}
        self.pages = {page.name: page for page in read_script_views(splunk.home.app_dir / "default")}
        self._keys = {user: splunk.session_key(user)}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"views": self}))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.uri = f"http://127.0.0.1:{self.port}"
        self.web = Web(self.port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def app(self) -> str:
        return self.splunk.home.app

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """The response to one request: splunkd's own below `/splunkd/__raw`, else a page or a file."""
        if target.startswith(RAW):
            return self._passed_on(method, target.removeprefix(RAW), headers, body)
        url = urlsplit(target.removeprefix(LOCALE))
        parts = [unquote(part) for part in url.path.split("/") if part]
        query = parse_qs(url.query, keep_blank_values=True)
        match parts:
            case [] | ["app", _]:
                return 302, f"{LOCALE}/app/{self.app}/{self.first}", b""
            case ["static", "app", self.app, *names]:
                return _file(self.splunk.home.app_dir / "appserver" / "static", "/".join(names))
            case ["static", name]:
                return _file(BUNDLE, name)
            case ["app", _, name] if name in self.pages:
                if not target.startswith(LOCALE):
                    return 302, LOCALE + target, b""
                dark = query.get("theme", ["light"])[0] == "dark"
                return self._script_page(self.pages[name], "dark" if dark else "light")
            case ["app", _, name] if name in self.views or name == SEARCH:
                if not target.startswith(LOCALE):
                    return 302, LOCALE + target, b""
                return self._page(self.shown(name, query))
            case _:
                return 404, "text/plain; charset=utf-8", f"there is no {url.path}\n".encode()

    @property
    def first(self) -> str:
        """Where Splunk leads who opens the app."""
        setup = self.splunk.home.confs.read("app").get("ui", {}).get("setup_view", "")
        if setup and not self.splunk.rest.access.configured:
            return setup
        return next(iter(self.views), SEARCH)

    def sign_in(self, user: str) -> None:
        """From now on somebody else looks."""
        self.user = user
        self._keys.setdefault(user, self.splunk.session_key(user))

    def _passed_on(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """What splunkd answers, when Splunk Web asks it at all."""
        refusal = self.web.refusal(method, target, headers, self.splunk.home.confs.read("web"))
        if refusal == "form key":
            text = {"messages": [{"type": "ERROR", "text": "CSRF validation failed."}]}
            return 401, "application/json; charset=utf-8", json.dumps(text).encode()
        if refusal is not None:
            self.splunk.violations.add(f"{method} {urlsplit(target).path} is exposed to no browser")
            return 404, "text/plain; charset=utf-8", b"Not Found\n"
        headers = {**headers, "authorization": f"Splunk {self._keys[self.user]}"}
        given = self.splunk.rest.answer(method, target, headers, body)
        return given.status, given.content_type, given.body

    def shown(self, name: str, query: Mapping[str, list[str]]) -> dict[str, Any]:
        """What the page shows: a view, or a search when there is none of that name.

        The tokens (`form.<token>=`) are not in it: Splunk's code reads them from the address itself.
        """
        view = self.views.get(name)
        theme = query.get("theme", [view.theme if view else "light"])[0]
        return {
            "app": self.app,
            "user": self.user,
            "name": name,
            "label": view.label if view else "Search",
            "theme": "dark" if theme == "dark" else "light",
            "definition": view.definition if view else None,
            "query": query.get("q", [""])[0],
            "earliest": query.get("earliest", [""])[0],
            "latest": query.get("latest", [""])[0],
            "risky": risky_commands(self.splunk),
            "views": [{"name": one.name, "label": one.label} for one in self.views.values()],
        }

    def _splunk_web(self) -> str:
        """What Splunk Web tells its pages of itself."""
        return _script(
            {
                "SPLUNKD_PATH": RAW,
                "USERNAME": self.user,
                "LOCALE": LOCALE.strip("/"),
                "MRSPARKLE_ROOT_PATH": "",
                "MRSPARKLE_PORT_NUMBER": self.port,
                "SERVER_ZONEINFO": UTC_ZONE,
            }
        )

    def _script_page(self, page: ScriptView, theme: str) -> Answer:
        """A dashboard in Simple XML: its panels, then its script, beside a `define` as require.js has one."""
        label = html.escape(page.label)
        colours = {"light": ("#f2f4f5", "#3c444d"), "dark": ("#171d21", "#fff")}[theme]
        text = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{label}</title>'
            "<link rel='icon' href='data:,'><style>body { margin: 0; padding: 0 20px; font: 14px sans-serif; "
            f"background: {colours[0]}; color: {colours[1]} }}</style></head>"
            f"<body><main><h1>{label}</h1>{page.markup}</main><script>window.$C = {self._splunk_web()};"
            "window.define = () => { throw new Error('Mismatched anonymous define()'); };"
            "window.define.amd = {};</script>"
            f'<script src="{LOCALE}/static/app/{self.app}/{page.script}"></script></body></html>'
        )
        return 200, "text/html; charset=utf-8", text.encode()

    def _page(self, shown: dict[str, Any]) -> Answer:
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(shown["label"])}'
            '</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/static/page.css">'
            '<style>body { margin: 0 }</style></head><body><div id="root"></div>'
            f"<script>window.$C = {self._splunk_web()}; window.copydicomView = {_script(shown)};</script>"
            '<script src="/static/page.js"></script></body></html>'
        )
        return 200, "text/html; charset=utf-8", page.encode()


# Status, type of the content (of a redirection: where to), body.
Answer = tuple[int, str, bytes]


def risky_commands(splunk: Splunkd) -> list[str]:
    """Splunk's own risky commands, as far as an app of this kind could use them, and the app's."""
    own = splunk.home.confs.read("commands").items()
    return [*RISKY, *(name for name, keys in own if keys.get("is_risky", "").lower() in ("1", "true"))]


def _file(folder: Path, name: str) -> Answer:
    path = (folder / name).resolve()
    if not path.is_file() or not path.is_relative_to(folder.resolve()):
        return 404, "text/plain; charset=utf-8", b"no such file\n"
    return 200, mimetypes.guess_type(name)[0] or "application/octet-stream", path.read_bytes()


def _script(value: Any) -> str:
    """JSON that may stand inside of a script element."""
    return json.dumps(value).replace("<", "\\u003c")


class _Handler(BaseHTTPRequestHandler):
    views: ClassVar[ViewServer]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: a second one waits 40 ms for the first to be acknowledged

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, kind, content = self.views.answer(self.command, self.path, headers, body)
        self.send_response(status)
        self.send_header("Location" if status == 302 else "Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        if self.path.startswith("/static/"):
            self.send_header("Cache-Control", "max-age=3600")
        if kind.startswith("text/html"):
            self.send_header("Set-Cookie", f"{self.views.web.cookie}={self.views.web.form_key}; Path=/")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what splunkd did not know is in its violations."""
