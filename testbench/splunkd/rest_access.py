"""`authorization/roles`, `data/indexes` and `apps/local/<app>`: who may search what, and the app itself.

Source: Splunk REST API Reference, "Access endpoints", "Introspection endpoints" and "Application
endpoints"; `authorize.conf.spec`: what a role may search is its own `srchIndexesAllowed` and that of those
it imports, less `srchIndexesDisallowed`; `app.conf.spec`: `[install] is_configured`.
"""

from __future__ import annotations

from typing import Any

from testbench.splunkd import atom
from testbench.splunkd.conf import Stanza
from testbench.splunkd.home import Home
from testbench.splunkd.index import BUILT_IN
from testbench.splunkd.request import NotStoodIn, Refused, Request
from testbench.splunkd.users import BUILT_IN_ROLES

# Splunk's own, from its authorize.conf: `user` searches all but what begins with an underscore.
_OWN: dict[str, Stanza] = {
    "user": {"srchIndexesAllowed": "*", "srchIndexesDefault": "main"},
    "power": {"importRoles": "user", "srchIndexesAllowed": "*", "srchIndexesDefault": "main"},
    "admin": {"importRoles": "power;user", "srchIndexesAllowed": "*;_*", "srchIndexesDefault": "main"},
}
assert _OWN.keys() == BUILT_IN_ROLES.keys()


class Access:
    """The endpoints over authorize.conf, indexes.conf and app.conf of one installed app."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def roles(self, request: Request) -> atom.Response:
        """`GET authorization/roles`."""
        if request.method != "GET" or len(request.parts) != 2:
            raise NotStoodIn(f"{request.method} {request.path}")
        request.require("list_all_roles", "edit_roles", "admin_all_objects")
        stanzas = self._roles()
        return self._page(request, [self._role(name, stanzas) for name in sorted(stanzas)])

    def indexes(self, request: Request) -> atom.Response:
        """`GET data/indexes`."""
        if request.method != "GET" or len(request.parts) != 2:
            raise NotStoodIn(f"{request.method} {request.path}")
        own = [name for name in self._home.confs.read("indexes") if name != "default"]
        return self._page(
            request,
            [
                atom.Entry(name, "data/indexes", {"disabled": False, "isInternal": name.startswith("_")})
                for name in sorted({*BUILT_IN, *own})
            ],
        )

    def app(self, request: Request) -> atom.Response:
        """`GET|POST apps/local/<app>`; of what may be posted only `configured` is known here."""
        if request.parts[2:] != (self._home.app,):
            raise NotStoodIn(f"{request.method} {request.path}")
        if request.method == "POST":
            given = request.arguments()
            if set(given) != {"configured"}:
                raise NotStoodIn(f"POST {request.path} with {sorted(given)}", 400)
            if given["configured"] not in ("true", "false", "1", "0"):
                raise Refused(400, "Invalid value for configured.")
            if not self._home.meta.writable("app", "install", list(request.user.roles)):
                request.require("admin_all_objects")
            self._home.confs.update("app", "install", {"is_configured": given["configured"]})
        elif request.method != "GET":
            raise NotStoodIn(f"{request.method} {request.path}")
        read = self._home.confs.read("app")
        content = {
            "configured": self.configured,
            "label": read.get("ui", {}).get("label", ""),
            "version": read.get("launcher", {}).get("version", ""),
            "visible": True,
        }
        entry = atom.Entry(self._home.app, "apps/local", content)
        return atom.feed(request.path, [entry], 1, 0, 1, request.as_json)

    @property
    def configured(self) -> bool:
        """Whether a person has finished the setup page."""
        said = self._home.confs.read("app").get("install", {}).get("is_configured", "false")
        return said.lower() in ("1", "true")

    def _roles(self) -> dict[str, Stanza]:
        found = {name: dict(keys) for name, keys in _OWN.items()}
        for stanza, keys in self._home.confs.read("authorize").items():
            if stanza.startswith("role_"):
                found.setdefault(stanza.removeprefix("role_"), {}).update(keys)
        return found

    @staticmethod
    def _role(name: str, stanzas: dict[str, Stanza]) -> atom.Entry:
        keys, inherited = stanzas[name], _imported(name, stanzas)
        allowed = [index for role in inherited for index in _listed(stanzas[role], "srchIndexesAllowed")]
        content: dict[str, Any] = {
            "capabilities": sorted(key for key, value in keys.items() if value == "enabled"),
            "imported_roles": inherited,
            "imported_srchIndexesAllowed": sorted(set(allowed)),
            "srchIndexesAllowed": _listed(keys, "srchIndexesAllowed"),
            "srchIndexesDefault": _listed(keys, "srchIndexesDefault"),
            "srchIndexesDisallowed": _listed(keys, "srchIndexesDisallowed"),
        }
        return atom.Entry(name, "authorization/roles", content)

    @staticmethod
    def _page(request: Request, entries: list[atom.Entry]) -> atom.Response:
        offset, count = request.page(len(entries))
        page = entries[offset : offset + count]
        return atom.feed(request.path, page, len(entries), offset, count, request.as_json)


def _imported(name: str, stanzas: dict[str, Stanza]) -> list[str]:
    """The roles that a role imports, those that these import too."""
    found: list[str] = []
    left = _listed(stanzas[name], "importRoles")
    while left:
        role = left.pop(0)
        if role in stanzas and role not in found and role != name:
            found.append(role)
            left += _listed(stanzas[role], "importRoles")
    return found


def _listed(keys: Stanza, key: str) -> list[str]:
    return [one.strip() for one in keys.get(key, "").split(";") if one.strip()]
