"""What an admin does besides confs: users, saved searches and their dispatch, a restart.

Source: Splunk REST API Reference, "Access endpoints" (`authentication/users`), "Search endpoints"
(`saved/searches`, `saved/searches/{name}/dispatch`: `trigger_actions`), "System endpoints"
(`server/control/restart`). A saved search is kept in the app's local savedsearches.conf, whoever saves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testbench.splunkd import atom
from testbench.splunkd.home import Home
from testbench.splunkd.jobs import JobStore
from testbench.splunkd.request import NotStoodIn, Refused, Request
from testbench.splunkd.saved_searches import SavedSearch
from testbench.splunkd.users import Sessions, User, capabilities_of

_TRUE = ("1", "true")
# What REST calls otherwise than savedsearches.conf.
_ALERT_TYPES = {"always": "always", "number of events": "number of events"}


class Admin:
    """`run_saved` runs a saved search with its alert actions, as the scheduler would, for a user by name."""

    def __init__(self, home: Home, sessions: Sessions, jobs: JobStore) -> None:
        self._home, self._sessions, self._jobs = home, sessions, jobs
        self.run_saved: Callable[[str, str], Any] | None = None
        self.restarts = 0

    def answers(self, request: Request) -> bool:
        """Whether the path is one of these."""
        return request.parts[:2] in (("authentication", "users"), ("saved", "searches")) or (
            request.parts == ("server", "control", "restart")
        )

    def __call__(self, request: Request) -> atom.Response:
        match (request.method, request.parts):
            case ("POST", ("server", "control", "restart")):
                request.require("restart_splunkd", "admin_all_objects")
                self.restarts += 1
                return atom.message(200, "Restarting splunkd.", "INFO", request.as_json)
            case ("POST", ("authentication", "users")):
                return self._add_user(request)
            case ("POST", ("authentication", "users", name)):
                return self._change_user(request, name)
            case ("POST", ("saved", "searches")):
                return self._save(request)
            case ("DELETE", ("saved", "searches", name)):
                if not self._home.confs.remove("savedsearches", name):
                    raise Refused(404, f"Could not find object id={name}")
                return atom.message(200, f"Removed {name}.", "INFO", request.as_json)
            case ("POST", ("saved", "searches", name, "dispatch")):
                return self._dispatch(request, name)
            case _:
                raise NotStoodIn(f"{request.method} {request.path}")

    def _add_user(self, request: Request) -> atom.Response:
        request.require("edit_user", "admin_all_objects")
        name = request.need("name")
        if name in self._sessions.users:
            raise Refused(400, f"In handler 'users': User with name={name} already exists")
        roles = tuple(request.every("roles"))
        if not roles:
            raise Refused(400, "At least one role is required.")
        self._put_user(name, roles)
        self._sessions.set_password(name, request.need("password"))
        return atom.with_status(self._user(request, name), 201)

    def _change_user(self, request: Request, name: str) -> atom.Response:
        request.require("edit_user", "admin_all_objects")
        if name not in self._sessions.users:
            raise Refused(404, f"Could not find object id={name}")
        if request.every("roles"):
            self._put_user(name, tuple(request.every("roles")))
        if request.fields.get("password"):
            self._sessions.set_password(name, request.need("password"))
        return self._user(request, name)

    def _put_user(self, name: str, roles: tuple[str, ...]) -> None:
        try:
            found = capabilities_of(roles, self._home.confs.read("authorize"))
        except KeyError as error:
            raise Refused(400, f"In handler 'users': {error.args[0]}") from error
        self._sessions.add(User(name, roles, found))

    def _user(self, request: Request, name: str) -> atom.Response:
        entry = atom.Entry(name, "authentication/users", {"roles": list(self._sessions.users[name].roles)})
        return atom.feed("authentication/users", [entry], 1, 0, 1, request.as_json)

    def _save(self, request: Request) -> atom.Response:
        name, keys = request.need("name"), request.arguments()
        request.need("search")
        if name in self._home.confs.read("savedsearches"):
            raise Refused(409, f"Unable to create saved search with name '{name}'. It already exists.")
        kind = keys.pop("alert_type", "always")
        if kind not in _ALERT_TYPES:
            raise NotStoodIn(f"POST {request.path} with alert_type={kind}", 400)
        keys["counttype"] = _ALERT_TYPES[kind]
        self._home.confs.update("savedsearches", name, keys)
        entry = atom.Entry(name, "saved/searches", dict(keys), request.user.name, self._home.app)
        return atom.with_status(atom.feed(request.path, [entry], 1, 0, 1, request.as_json), 201)

    def _dispatch(self, request: Request, name: str) -> atom.Response:
        keys = self._home.confs.read("savedsearches").get(name)
        if keys is None:
            raise Refused(404, f"Could not find object id={name}")
        unknown = sorted(set(request.arguments()) - {"trigger_actions"})
        if unknown:
            raise NotStoodIn(f"POST {request.path} with {unknown}", 400)
        if request.fields.get("trigger_actions", "0").lower() in _TRUE and self.run_saved is not None:
            self.run_saved(name, request.user.name)
        saved = SavedSearch(name, keys)
        bounds = {f"{key}_time": str(value) for key, value in saved.time_range.items()}
        text = saved.search if saved.search.lstrip().startswith("|") else f"search {saved.search}"
        job = self._jobs.create(text, request.user, self._home.app, bounds)
        return atom.json_response(201, {"sid": job.sid})
