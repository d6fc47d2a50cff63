"""The stand-in for splunkd as a whole: one object that installs, configures, runs and searches.

    with Splunkd(package, python="/usr/bin/python3.9") as splunk:
        splunk.add_server("pacs", base_url="http://127.0.0.1:8042", username="splunk", password="...")
        run = splunk.run_input("orthanc://pacs", server="pacs")
        result = splunk.search("index=dicom | table ID | copydicom dest=research dryrun=true")
        splunk.assert_no_violations()

It is a stand-in: it speaks the documented byte protocols and REST shapes, and proves nothing about a live
Splunk. What it does not know it refuses and reports (`violations`).
"""

from __future__ import annotations

import json
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from testbench.splunkd import modular_input
from testbench.splunkd.alert_action import (
    OWNERLESS,
    AlertResult,
    Trigger,
    custom_actions,
    parameters,
    run_alert_action,
)
from testbench.splunkd.event_stream import StreamEvent
from testbench.splunkd.hec import HecServer
from testbench.splunkd.home import Home
from testbench.splunkd.index import IndexedEvent, Indexes
from testbench.splunkd.jobs import Outcome
from testbench.splunkd.modular_input import InputRun, Validation
from testbench.splunkd.monitor import Monitors
from testbench.splunkd.process import Instance
from testbench.splunkd.rest import RestServer
from testbench.splunkd.rest_inputs import Inputs
from testbench.splunkd.rest_scripts import RestScripts
from testbench.splunkd.saved_searches import SavedRun, SavedSearch
from testbench.splunkd.scheme import Scheme
from testbench.splunkd.search_command import CommandResult, CommandRun, Options
from testbench.splunkd.searches import Searches, SearchResult
from testbench.splunkd.spl.extraction import Limits
from testbench.splunkd.spl.syntax import arguments
from testbench.splunkd.spl.values import Row
from testbench.splunkd.users import ADMIN, SYSTEM, Sessions, User, capabilities_of
from testbench.splunkd.violations import Violations


class Splunkd:
    """A scratch Splunk with one app. Use it as a context manager: it ends what it has started."""

    def __init__(
        self,
        package: Path | str,
        python: Path | str | None = None,
        *,
        root: Path | None = None,
        app: str = "copydicom_app",
        https: bool = False,
        version: str = "10.0.0",
        limits: Limits | None = None,
    ) -> None:
        """Install `package` (a `.spl`) under `root`, a new temporary folder when none is given.

        `limits` stands for limits.conf, which only the admin may change.
        """
        self._scratch = tempfile.TemporaryDirectory(prefix="splunkd-") if root is None else None
        self.python = Path(python or sys.executable)
        self.violations = Violations()
        self.home = Home(root or Path(str(self._scratch and self._scratch.name)), Path(package), app)
        self.sessions = Sessions()
        self.rest_scripts = RestScripts(
            self.home, self.python, self.sessions, self.violations.child("restmap")
        )
        self.rest = RestServer(
            self.home,
            self.sessions,
            self.violations.child("rest"),
            self._run_job,
            https=https,
            version=version,
            scripts=self.rest_scripts,
            inputs=Inputs(self.home, self.scheme, self.validate),
        )
        self.rest.admin.run_saved = lambda name, user: self.run_saved_search(name, user=user)
        self._ahead = 0.0
        self.indexes = Indexes(self.home, self.violations.child("index"), limits)
        self.indexes.clock = lambda: self.now
        self.searches = Searches(self.home, self.indexes, self.rest.kvstore, self.run_command)
        self.monitors = Monitors(self.home, self.indexes, Instance.host)
        self._runs: list[InputRun] = []
        self._hec: HecServer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill what still runs, stop answering, remove the scratch folder."""
        for run in self._runs:
            if run.running:
                run.kill()
        self.rest.close()
        self.rest_scripts.close()
        if self._hec is not None:
            self._hec.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    @property
    def hec(self) -> HecServer:
        """The HTTP Event Collector, which is there from the first question on."""
        if self._hec is None:
            self._hec = HecServer(self.indexes, self.violations.child("hec"))
        return self._hec

    # -- what a person or the setup page does -------------------------------------------------------

    def add_user(
        self, name: str, roles: tuple[str, ...], capabilities: tuple[str, ...] | None = None
    ) -> User:
        """A user; without `capabilities` he has those that authorize.conf gives to his roles."""
        if capabilities is None:
            capabilities = capabilities_of(roles, self.home.confs.read("authorize"))
        user = User(name, roles, capabilities)
        self.sessions.add(user)
        return user

    def add_server(
        self, name: str, *, base_url: str, username: str = "", password: str = "", **keys: Any
    ) -> None:
        """A stanza of copydicom_servers.conf and its password, or their change, through the REST API."""
        values = {"base_url": base_url, "username": username, **{k: _conf_text(v) for k, v in keys.items()}}
        values = {key: value for key, value in values.items() if value}
        self._put("configs/conf-copydicom_servers", name, name, values)
        if password:
            secret = {"realm": self.home.app, "password": password}
            self._put("storage/passwords", name, f"{self.home.app}:{name}:", secret, fixed=("realm",))

    def request(
        self,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        user: str = ADMIN.name,
        document: Any = None,
    ) -> tuple[int, Any]:
        """Ask the REST API in the app's namespace, as JSON: the status and the document.

        What is posted is a form of `fields`, or `document` as JSON.
        """
        url = f"{self.rest.uri}/servicesNS/nobody/{self.home.app}/{path}"
        form = urlencode({**(fields or {}), "output_mode": "json"})
        body = form.encode() if method == "POST" else None
        target = url if method == "POST" else f"{url}?{form}"
        headers = {"Authorization": f"Splunk {self.sessions.key(user)}"}
        if document is not None:
            target, body = f"{url}?output_mode=json", json.dumps(document).encode()
            headers["Content-Type"] = "application/json"
        asked = urllib.request.Request(target, body, headers, method=method)
        context = ssl._create_unverified_context() if self.rest.uri.startswith("https") else None
        try:
            with urllib.request.urlopen(asked, timeout=30, context=context) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def _put(
        self, path: str, name: str, title: str, values: dict[str, str], fixed: tuple[str, ...] = ()
    ) -> None:
        status, answer = self.request("POST", path, {"name": name, **values})
        if status == 409:
            changed = {key: value for key, value in values.items() if key not in fixed}
            status, answer = self.request("POST", f"{path}/{quote(title, safe='')}", changed)
        if status not in (200, 201):
            raise RuntimeError(f"splunkd refused {path}/{name}: {status} {answer}")

    # -- modular inputs -----------------------------------------------------------------------------

    def scheme(self, name: str) -> Scheme | None:
        """Ask the input for its scheme, as splunkd does at its start."""
        return modular_input.read_scheme(self._instance(SYSTEM.name), name, self._reported(name))

    def validate(self, stanza: str, parameters: dict[str, str]) -> Validation:
        """Ask the input whether it would take these parameters."""
        return modular_input.validate(self._instance(SYSTEM.name), stanza, parameters, self._reported(stanza))

    def start_input(self, stanza: str, **parameters: Any) -> InputRun:
        """Start a run of the stanza; `parameters` go over those of inputs.conf. Its events are indexed."""
        given = {key: _conf_text(value) for key, value in parameters.items()}
        merged = modular_input.stanza_parameters(self.home, stanza, given)

        def receive(event: StreamEvent) -> None:
            self._index(stanza, merged, event)

        run = InputRun(self._instance(SYSTEM.name), stanza, merged, self._reported(stanza), receive)
        self._runs.append(run)
        return run

    def run_input(self, stanza: str, timeout: float = 300, **parameters: Any) -> InputRun:
        """A run of the stanza until it ends of itself."""
        run = self.start_input(stanza, **parameters).wait(timeout)
        self.monitors.poll()
        return run

    def _index(self, stanza: str, parameters: dict[str, str], event: StreamEvent) -> None:
        """Give an event what it left out, as splunkd does from the input's stanza."""
        scheme = stanza.partition("://")[0]
        self.indexes.add(
            event.data,
            event.time,
            event.index or parameters["index"],
            event.host or parameters["host"],
            event.source or event.stanza or stanza,
            event.sourcetype or parameters.get("sourcetype", scheme),
        )

    # -- searches -----------------------------------------------------------------------------------

    def search(self, text: str, user: str = ADMIN.name, **asked: Any) -> SearchResult:
        """Run a search over all that is indexed; see `Searches.run` for its time range and options."""
        return self.searches.run(text, user, **asked)

    # -- saved searches and their alerts --------------------------------------------------------------

    def saved_searches(self) -> dict[str, SavedSearch]:
        """Those of savedsearches.conf by name, disabled ones too."""
        return self.searches.saved()

    def run_saved_search(self, name: str, *, now: float | None = None, user: str = ADMIN.name) -> SavedRun:
        """Run it as the scheduler would, disabled or not, with the app's own alert actions; what is left to
        send is returned.
        """
        run = self.searches.run_saved(name, now=now, user=user)
        keys = self.searches.saved()[name].keys
        for action in custom_actions(self.home, keys):
            trigger = Trigger(parameters(keys, action), user, self.home.app, name)
            run.actions += [self.run_alert_action(action, alert.rows, trigger) for alert in run.alerts]
        return run

    # -- time and events for tests --------------------------------------------------------------------

    @property
    def now(self) -> float:
        """The stand-in's clock: the machine's, and what `advance` has added."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> float:
        """Set the clock ahead, for what is indexed and searched from now on; the new time."""
        self._ahead += seconds
        return self.now

    def index_event(
        self,
        event: str | dict[str, Any],
        *,
        sourcetype: str,
        at: float | None = None,
        arrived: float | None = None,
        index: str = "dicom",
        source: str = "orthanc://test",
        host: str = "localhost",
    ) -> None:
        """Index one event, a dict as JSON, of the time `at`, as if it had `arrived` then; both default to
        now.
        """
        raw = event if isinstance(event, str) else json.dumps(event)
        self.indexes.add(raw, at, index, host, source, sourcetype, arrived)

    def _run_job(self, text: str, user: User, bounds: Mapping[str, str], base: Outcome | None) -> Outcome:
        """A search that came through the REST API, or one over the rows of another."""
        result = self.search(
            text,
            user.name,
            earliest=bounds.get("earliest_time"),
            latest=bounds.get("latest_time"),
            index_earliest=bounds.get("index_earliest"),
            index_latest=bounds.get("index_latest"),
            base=base and SearchResult(base.rows, fields=base.fields),
        )
        return Outcome(result.rows, result.messages, result.error, result.fields)

    def run_command(self, name: str, text: str, rows: list[Row], options: Options) -> CommandResult:
        """Run one command of the app over rows; then index what it has written to monitored files."""
        user = self.sessions.users[options.user]
        if not self.home.meta.readable("commands", name, list(user.roles)):
            return CommandResult(error=f"Unknown search command '{name}'.")
        args, raw_args = arguments(text)
        reported = self._reported(name)
        result = CommandRun(self._instance(user.name), name, args, raw_args, options, reported).run(rows)
        self.monitors.poll()
        return result

    # -- alert actions ------------------------------------------------------------------------------

    def run_alert_action(self, action: str, rows: list[Row], trigger: Trigger) -> AlertResult:
        """Run an alert action of the app over the rows of a saved search; then index its audit trail."""
        owner = SYSTEM.name if trigger.owner == OWNERLESS else trigger.owner
        user = self.sessions.users[owner]
        if not self.home.meta.readable("alert_actions", action, list(user.roles)):
            raise PermissionError(f"{owner} may not use the alert action {action}")
        result = run_alert_action(self._instance(owner), action, rows, trigger, self._reported(action))
        self.monitors.poll()
        return result

    # -- what came of it ----------------------------------------------------------------------------

    @property
    def indexed(self) -> dict[str, list[IndexedEvent]]:
        """All events by index, in the order in which they were indexed."""
        return self.indexes.as_dict()

    def session_key(self, user: str = ADMIN.name) -> str:
        return self.sessions.key(user)

    def assert_no_violations(self) -> None:
        """AssertionError that names all that was seen."""
        found = [str(violation) for violation in self.violations]
        assert not found, "the app broke Splunk's rules:\n" + "\n".join(found)

    def _instance(self, user: str) -> Instance:
        return Instance(self.home, self.python, self.rest.uri, self.sessions.key(user))

    def _reported(self, where: str) -> Violations:
        return self.violations.child(where)


def _conf_text(value: Any) -> str:
    """A Python value as it stands in a conf file."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
