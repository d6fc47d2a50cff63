"""Run an alert action of the installed app as splunkd does when a saved search triggers.

Source: dev.splunk.com, "Create a custom alert action script"; `alert_actions.conf.spec`. The script is
started with `--execute` and reads a JSON payload; the results lie in the dispatch folder as gzipped CSV, cut
off at `maxresults`. A search that belongs to nobody runs as splunk-system-user. After `maxtime` the script
is ended.
"""

from __future__ import annotations

import gzip
import itertools
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import Any

from testbench.splunkd.chunks import Row, encode_rows, field_names
from testbench.splunkd.home import Home
from testbench.splunkd.modular_input import check_log
from testbench.splunkd.process import Instance, Script
from testbench.splunkd.violations import Violations

OWNERLESS = "nobody"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COUNTER = itertools.count(1)


@dataclass
class AlertResult:
    """`log` is what splunkd writes down of its stderr; `timed_out` when splunkd had to end it."""

    exit_code: int | None = None
    log: list[str] = field(default_factory=list)
    sid: str = ""
    timed_out: bool = False


@dataclass(frozen=True)
class Trigger:
    """The saved search that triggered. `params` are its `action.<name>.param.*`."""

    params: Mapping[str, str]
    owner: str = "admin"
    app: str = "search"
    search_name: str = "Nightly copies"
    maxtime: float | None = None
    terminate_after: float | None = None


def custom_actions(home: Home, saved: Mapping[str, str]) -> list[str]:
    """The alert actions of the app that a saved search has switched on."""
    on = ("1", "true")
    return [
        name for name in home.confs.read("alert_actions") if saved.get(f"action.{name}", "").lower() in on
    ]


def parameters(saved: Mapping[str, str], action: str) -> dict[str, str]:
    """What a saved search sets for an action: its `action.<name>.param.*`."""
    prefix = f"action.{action}.param."
    return {key.removeprefix(prefix): text for key, text in saved.items() if key.startswith(prefix)}


def run_alert_action(
    splunkd: Instance, action: str, rows: Sequence[Row], trigger: Trigger, violations: Violations
) -> AlertResult:
    """Run it to its end. Raises LookupError for an action that alert_actions.conf does not have."""
    stanza = splunkd.home.confs.read("alert_actions").get(action)
    if stanza is None:
        raise LookupError(f"alert_actions.conf has no [{action}]")
    if stanza.get("is_custom") != "1" or stanza.get("payload_format") != "json":
        violations.add(f"[{action}] is not is_custom = 1 with payload_format = json")
    sid = f"scheduler__{trigger.owner}__{int(time.time())}_{next(_COUNTER)}"
    document = _payload(splunkd, action, stanza, rows, trigger, sid)
    printed: list[bytes] = []
    script = Script(splunkd.home, splunkd.python, f"{action}.py", "--execute")
    script.read_to(printed.append)
    script.write(dumps(document).encode(), close=True)
    result = AlertResult(sid=sid)
    limit = trigger.maxtime or _seconds(stanza.get("maxtime", "5m"))
    if trigger.terminate_after is not None:
        time.sleep(trigger.terminate_after)
        script.signal(signal.SIGTERM)
    result.exit_code = script.wait(limit)
    result.timed_out = result.exit_code is None
    result.log = script.stderr
    if any(printed):
        violations.add(f"it printed {b''.join(printed)[:80]!r}, which nobody reads")
    if result.exit_code and not any(line.startswith(("ERROR", "FATAL")) for line in result.log):
        violations.add(f"it ended with exit code {result.exit_code} and said no ERROR on stderr")
    check_log(result.log, violations)
    return result


def _payload(
    splunkd: Instance, action: str, stanza: Mapping[str, str], rows: Sequence[Row], trigger: Trigger, sid: str
) -> dict[str, Any]:
    most = int(stanza.get("maxresults", "10000"))
    folder = splunkd.home.dispatch / sid
    folder.mkdir(parents=True)
    results = folder / "results.csv.gz"
    kept = list(rows[:most])
    results.write_bytes(gzip.compress(encode_rows(kept, field_names(kept)).encode()))
    params = {key.removeprefix("param."): text for key, text in stanza.items() if key.startswith("param.")}
    unknown = trigger.params.keys() - params.keys()
    if unknown:
        raise LookupError(f"[{action}] has no param.{min(unknown)}")
    return {
        "app": trigger.app,
        "owner": trigger.owner,
        "result_id": "0",
        "results_file": str(results),
        "results_link": f"http://splunk-stand-in:8000/app/search/@go?sid={sid}",
        "search_uri": f"/servicesNS/{trigger.owner}/{trigger.app}/saved/searches/x",
        "server_host": splunkd.host,
        "server_uri": splunkd.uri,
        "session_key": splunkd.session_key,
        "sid": sid,
        "search_name": trigger.search_name,
        "configuration": {**params, **trigger.params},
        "result": dict(kept[0]) if kept else {},
    }


def _seconds(text: str) -> float:
    return float(text[:-1]) * _UNITS[text[-1]] if text[-1] in _UNITS else float(text)
