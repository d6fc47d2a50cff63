"""`storage/passwords`: secrets by realm and user name.

Source: Splunk REST API Reference, "storage/passwords". An object is called `realm:username:`, a colon
inside a part is written `\\:`. Saved through `nobody/<app>` it belongs to the app (sharing `app`), saved
through `<user>/<app>` to that user; it is seen in that app's namespace only, unless the app exports
`passwords` to the system.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, replace

from testbench.splunkd import atom
from testbench.splunkd.meta import Meta
from testbench.splunkd.request import NotStoodIn, Refused, Request

PATH = "storage/passwords"
LIST = ("list_storage_passwords", "admin_all_objects")
EDIT = ("edit_storage_passwords", "admin_all_objects")


@dataclass(frozen=True)
class Password:
    realm: str
    username: str
    secret: str
    owner: str
    app: str

    @property
    def title(self) -> str:
        realm, name = (part.replace(":", "\\:") for part in (self.realm, self.username))
        return f"{realm}:{name}:"

    def entry(self) -> atom.Entry:
        content = {
            "clear_password": self.secret,
            "encr_password": "$7$" + base64.b64encode(self.secret.encode()).decode()[::-1],
            "password": "********",
            "realm": self.realm or None,
            "username": self.username,
        }
        sharing = "app" if self.owner == "nobody" else "user"
        return atom.Entry(self.title, PATH, content, self.owner, self.app, sharing)


class Passwords:
    """All saved passwords and the endpoint that serves them."""

    def __init__(self, metas: dict[str, Meta]) -> None:
        self._metas = metas
        self._saved: list[Password] = []
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> atom.Response:
        """`GET|POST storage/passwords`, `GET|POST|DELETE storage/passwords/<realm:name:>`."""
        name = request.parts[2] if len(request.parts) == 3 else None
        with self._lock:
            match (request.method, name):
                case ("GET", None):
                    return self._list(request)
                case ("POST", None):
                    return self._create(request)
                case ("GET", str()):
                    request.require(*LIST)
                    return self._one(request, self._find(request, name))
                case ("POST", str()):
                    return self._update(request, name)
                case ("DELETE", str()):
                    request.require(*EDIT)
                    self._saved.remove(self._find(request, name))
                    return self._page(request, self._visible(request))
                case _:
                    raise NotStoodIn(f"{request.method} {request.path}")

    def _list(self, request: Request) -> atom.Response:
        request.require(*LIST)
        return self._page(request, self._visible(request))

    def _create(self, request: Request) -> atom.Response:
        request.require(*EDIT)
        if "-" in (request.owner, request.app):
            raise Refused(400, "Cannot create an object in a wildcard namespace")
        meta = self._metas.get(request.app)
        if meta is not None and not meta.writable("passwords", "", list(request.user.roles)):
            request.require("admin_all_objects")
        realm, name, secret = request.fields.get("realm", ""), request.need("name"), request.need("password")
        new = Password(realm, name, secret, request.owner, request.app)
        place = (new.title, new.owner, new.app)
        if any((old.title, old.owner, old.app) == place for old in self._saved):
            raise Refused(409, f"Conflict: An object with name={new.title} already exists")
        self._saved.append(new)
        return atom.with_status(self._one(request, new), 201)

    def _update(self, request: Request, name: str) -> atom.Response:
        request.require(*EDIT)
        old = self._find(request, name)
        new = replace(old, secret=request.need("password"))
        self._saved[self._saved.index(old)] = new
        return self._one(request, new)

    def _find(self, request: Request, name: str) -> Password:
        """By `realm:name:`; a name without the last colon is taken too, as splunkd does."""
        names = {name, name + ":", f":{name}:"}
        for password in self._visible(request):
            if password.title in names:
                return password
        raise Refused(404, f"Could not find object id={name}")

    def _visible(self, request: Request) -> list[Password]:
        return [password for password in self._saved if self._sees(request, password)]

    def _sees(self, request: Request, password: Password) -> bool:
        in_app = request.app in ("-", password.app)
        found = self._metas.get(password.app)
        if found is not None and not found.readable("passwords", password.title, list(request.user.roles)):
            return False
        owners = {"nobody", request.user.name if request.owner == "-" else request.owner}
        if in_app and password.owner in owners:
            return True
        meta = self._metas.get(password.app)
        return password.owner == "nobody" and meta is not None and meta.exported("passwords", password.title)

    def _one(self, request: Request, password: Password) -> atom.Response:
        return atom.feed(PATH, [password.entry()], 1, 0, 1, request.as_json)

    def _page(self, request: Request, passwords: list[Password]) -> atom.Response:
        offset, count = request.page(len(passwords))
        entries = [password.entry() for password in passwords[offset : offset + count]]
        return atom.feed(PATH, entries, len(passwords), offset, count, request.as_json)
