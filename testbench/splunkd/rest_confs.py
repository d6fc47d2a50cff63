"""`properties` and `configs/conf-<name>`: the conf files of an app.

Source: Splunk REST API Reference, "Configuration endpoints". What is written goes to the app's `local/`;
a stanza of `default/` can be changed, not deleted. From another app's namespace only what the app
exports is seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from testbench.splunkd import atom
from testbench.splunkd.conf import DEFAULT, AppConfs, Stanza
from testbench.splunkd.meta import Meta
from testbench.splunkd.request import NotStoodIn, Refused, Request

BUILT_IN = ("search", "system", "launcher")
_PREFIX = "conf-"


class Confs:
    """The endpoints over the conf files of the installed apps; other apps exist and are empty."""

    def __init__(self, confs: dict[str, AppConfs], metas: dict[str, Meta]) -> None:
        self._confs, self._metas = confs, metas
        self.restart_required: set[str] = set()

    def properties(self, request: Request) -> atom.Response:
        """`GET properties[/<conf>]`, `POST properties` with `__conf`."""
        match (request.method, request.parts[1:]):
            case ("GET", ()):
                names = sorted({name for app in self._apps(request) for name in self._confs[app].names()})
                return self._page(
                    request, [atom.Entry(name, "properties", {}, app=request.app) for name in names]
                )
            case ("GET", (name,)):
                if not any(name in confs.names() for confs in self._confs.values()):
                    raise Refused(404, f"{name} does not exist")
                path = f"properties/{name}"
                stanzas = [
                    atom.Entry(stanza, path, {}, app=app) for app, stanza, _ in self._stanzas(request, name)
                ]
                return self._page(request, stanzas)
            case ("POST", ()):
                request.require("admin_all_objects")
                name, confs = request.need("__conf"), self._writable(request)
                exists = name in confs.names()
                confs.touch(name)
                return atom.message(
                    303 if exists else 201, f"Successfully created {name}.", "INFO", request.as_json
                )
            case _:
                raise NotStoodIn(f"{request.method} {request.path}")

    def configs(self, request: Request) -> atom.Response:
        """`GET|POST configs/conf-<name>`, `GET|POST|DELETE configs/conf-<name>/<stanza>`."""
        if len(request.parts) not in (2, 3) or not request.parts[1].startswith(_PREFIX):
            raise NotStoodIn(f"{request.method} {request.path}")
        conf = request.parts[1].removeprefix(_PREFIX)
        stanza = request.parts[2] if len(request.parts) == 3 else None
        match (request.method, stanza):
            case ("GET", None):
                entries = [self._entry(conf, *found) for found in self._stanzas(request, conf)]
                return self._page(request, entries)
            case ("GET", str()):
                return self._one(request, conf, stanza)
            case ("POST", None):
                return self._create(request, conf)
            case ("POST", str()):
                self._find(request, conf, stanza)
                self._update(request, conf, stanza)
                return self._one(request, conf, stanza)
            case ("DELETE", str()):
                return self._delete(request, conf, stanza)
            case _:
                raise NotStoodIn(f"{request.method} {request.path}")

    def _create(self, request: Request, conf: str) -> atom.Response:
        stanza = request.need("name")
        self._check_writable(request, conf, stanza)
        if any(stanza == name for _, name, _ in self._stanzas(request, conf)):
            raise Refused(409, f"An object with name={stanza} already exists")
        self._update(request, conf, stanza)
        return atom.with_status(self._one(request, conf, stanza), 201)

    def _update(self, request: Request, conf: str, stanza: str) -> None:
        self._check_writable(request, conf, stanza)
        confs = self._writable(request)
        confs.update(conf, stanza, request.arguments())
        triggers = confs.read("app").get("triggers", {})
        if f"reload.{conf}" not in triggers:
            self.restart_required.add(conf)

    def _delete(self, request: Request, conf: str, stanza: str) -> atom.Response:
        self._find(request, conf, stanza)
        self._check_writable(request, conf, stanza)
        if not self._writable(request).remove(conf, stanza):
            raise Refused(403, f"Cannot remove the object {stanza}: it is in the app's default folder")
        return self._page(request, [self._entry(conf, *found) for found in self._stanzas(request, conf)])

    def _apps(self, request: Request) -> list[str]:
        return [app for app in self._confs if request.app in ("-", app)]

    def _stanzas(self, request: Request, conf: str) -> Iterator[tuple[str, str, Stanza]]:
        """App, name and keys of each stanza that the caller sees; `[default]` itself is not one."""
        for app, confs in self._confs.items():
            own = request.app in ("-", app)
            for name, keys in confs.read(conf).items():
                readable = self._metas[app].readable(conf, name, list(request.user.roles))
                if name != DEFAULT and readable and (own or self._metas[app].exported(conf, name)):
                    yield app, name, keys

    def _find(self, request: Request, conf: str, stanza: str) -> tuple[str, str, Stanza]:
        for found in self._stanzas(request, conf):
            if found[1] == stanza:
                return found
        raise Refused(404, f"Could not find object id={stanza}")

    def _writable(self, request: Request) -> AppConfs:
        if request.app in self._confs and request.owner == "nobody":
            return self._confs[request.app]
        raise NotStoodIn(
            f"writing a conf in the namespace {request.owner}/{request.app}: the stand-in only knows "
            f"nobody/<an installed app>",
            400,
        )

    def _check_writable(self, request: Request, conf: str, stanza: str) -> None:
        """403 unless the app's metadata lets one of the caller's roles write it."""
        meta = self._metas.get(request.app)
        if meta is None or not meta.writable(conf, stanza, list(request.user.roles)):
            request.require("admin_all_objects")

    @staticmethod
    def _entry(conf: str, app: str, stanza: str, keys: Stanza) -> atom.Entry:
        content = {"disabled": False, **keys, "eai:appName": app, "eai:userName": "nobody"}
        return atom.Entry(stanza, f"configs/conf-{conf}", content, app=app)

    def _one(self, request: Request, conf: str, stanza: str) -> atom.Response:
        entry = self._entry(conf, *self._find(request, conf, stanza))
        return atom.feed(f"conf-{conf}", [entry], 1, 0, 1, request.as_json)

    @staticmethod
    def _page(request: Request, entries: list[atom.Entry]) -> atom.Response:
        offset, count = request.page(len(entries))
        return atom.feed(
            request.path, entries[offset : offset + count], len(entries), offset, count, request.as_json
        )
