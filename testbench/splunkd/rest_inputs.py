"""`data/inputs/<scheme>`: the stanzas of a modular input, added, changed, switched and removed.

Source: Splunk REST API Reference, "data/inputs/{mod_input_name}"; `authorize.conf.spec` (`list_inputs`);
dev.splunk.com, "Set up external validation": the input itself is asked before its stanza is written. A
scheme whose app declares `[capability::edit_modinput_<scheme>]` may be edited by who has that capability,
as public apps with such inputs tell their users; else by an admin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from testbench.splunkd import atom
from testbench.splunkd.conf import Stanza
from testbench.splunkd.home import Home
from testbench.splunkd.modular_input import Validation
from testbench.splunkd.request import NotStoodIn, Refused, Request
from testbench.splunkd.scheme import Scheme

OWN = ("disabled", "host", "index", "interval", "source", "sourcetype")
_SWITCHES = {"enable": "0", "disable": "1"}
Parameters = Mapping[str, str]


class Inputs:
    """The endpoints over the app's inputs.conf. `scheme` and `validate` run the input's own program."""

    def __init__(
        self,
        home: Home,
        scheme: Callable[[str], Scheme | None],
        validate: Callable[[str, dict[str, str]], Validation],
    ) -> None:
        self._home, self._validate = home, validate
        self._scheme = scheme
        self._arguments: dict[str, frozenset[str]] = {}

    def __call__(self, request: Request) -> atom.Response:
        """`GET|POST data/inputs/<scheme>`, `GET|POST|DELETE .../<name>`, `POST .../<name>/enable|disable`."""
        scheme, rest = request.parts[2], request.parts[3:]
        if not (self._home.app_dir / "bin" / f"{scheme}.py").is_file():
            raise NotStoodIn(f"{request.method} {request.path}")
        if request.app not in ("-", self._home.app) or request.owner not in ("-", "nobody"):
            raise NotStoodIn(f"inputs in the namespace {request.owner}/{request.app}")
        match (request.method, rest):
            case ("GET", ()):
                request.require("list_inputs", "admin_all_objects")
                return self._page(request, scheme, list(self._stanzas(scheme)))
            case ("GET", (name,)):
                request.require("list_inputs", "admin_all_objects")
                return self._one(request, scheme, self._known(scheme, name))
            case ("POST", ()):
                return self._create(request, scheme, request.need("name"))
            case ("POST", (name,)):
                self._write(request, scheme, self._known(scheme, name))
                return self._one(request, scheme, name)
            case ("POST", (name, switch)) if switch in _SWITCHES:
                self._may_edit(request, scheme)
                self._update(scheme, self._known(scheme, name), {"disabled": _SWITCHES[switch]})
                return self._one(request, scheme, name)
            case ("DELETE", (name,)):
                self._may_edit(request, scheme)
                if not self._home.confs.remove("inputs", f"{scheme}://{self._known(scheme, name)}"):
                    raise Refused(403, f"Cannot remove the input {name}: it is in the app's default folder")
                return self._page(request, scheme, list(self._stanzas(scheme)))
            case _:
                raise NotStoodIn(f"{request.method} {request.path}")

    def _create(self, request: Request, scheme: str, name: str) -> atom.Response:
        if name in self._stanzas(scheme):
            raise Refused(409, f"An object with name={name} already exists")
        self._write(request, scheme, name)
        return atom.with_status(self._one(request, scheme, name), 201)

    def _write(self, request: Request, scheme: str, name: str) -> None:
        self._may_edit(request, scheme)
        given = request.arguments()
        unknown = sorted(set(given) - self._known_arguments(scheme))
        if unknown:
            raise Refused(400, f'Argument "{unknown[0]}" is not supported by this handler.')
        index = given.get("index")
        if index and index not in {"default", "main", *self._home.confs.read("indexes")}:
            raise Refused(400, f"Parameter index: '{index}' is not an index.")
        merged = {**self._stanzas(scheme).get(name, self._defaults(scheme)), **given}
        valid = self._validate(f"{scheme}://{name}", merged)
        if not valid.ok:
            raise Refused(400, f"Argument validation for scheme={scheme}:  {valid.message}")
        self._update(scheme, name, given)

    def _update(self, scheme: str, name: str, keys: Stanza) -> None:
        self._home.confs.update("inputs", f"{scheme}://{name}", keys)

    def _may_edit(self, request: Request, scheme: str) -> None:
        own = f"edit_modinput_{scheme}"
        declared = f"capability::{own}" in self._home.confs.read("authorize")
        request.require(*([own] if declared else []), "admin_all_objects")

    def _known_arguments(self, scheme: str) -> frozenset[str]:
        if scheme not in self._arguments:
            read = self._scheme(scheme)
            self._arguments[scheme] = frozenset(one.name for one in read.arguments) if read else frozenset()
        return self._arguments[scheme] | set(OWN)

    def _defaults(self, scheme: str) -> Stanza:
        return dict(self._home.confs.read("inputs").get(scheme, {}))

    def _stanzas(self, scheme: str) -> dict[str, Stanza]:
        """By name the keys of each input, with what `[<scheme>]` gives them."""
        found = self._home.confs.read("inputs")
        return {
            stanza.partition("://")[2]: {**self._defaults(scheme), **keys}
            for stanza, keys in found.items()
            if stanza.startswith(f"{scheme}://")
        }

    def _known(self, scheme: str, name: str) -> str:
        if name not in self._stanzas(scheme):
            raise Refused(404, f"Could not find object id={name}")
        return name

    def _entry(self, scheme: str, name: str) -> atom.Entry:
        keys = self._stanzas(scheme)[name]
        disabled = keys.get("disabled", "0").lower() in ("1", "true")
        content = {**keys, "disabled": disabled, "eai:appName": self._home.app, "eai:userName": "nobody"}
        return atom.Entry(name, f"data/inputs/{scheme}", content, app=self._home.app)

    def _one(self, request: Request, scheme: str, name: str) -> atom.Response:
        return atom.feed(request.path, [self._entry(scheme, name)], 1, 0, 1, request.as_json)

    def _page(self, request: Request, scheme: str, names: list[str]) -> atom.Response:
        offset, count = request.page(len(names))
        entries = [self._entry(scheme, name) for name in names[offset : offset + count]]
        return atom.feed(request.path, entries, len(names), offset, count, request.as_json)
