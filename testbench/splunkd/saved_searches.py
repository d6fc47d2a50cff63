"""Saved searches and the alerts that they trigger.

Source: `savedsearches.conf.spec` (`counttype`, `relation`, `quantity`, `alert_condition`,
`alert.digest_mode`, `alert.suppress.*`, `dispatch.*`); Splunk Alerting Manual, "Throttle alerts" and "Use
tokens in email notifications". Nothing is sent: a run returns what would be, and keeps what is throttled from
then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from testbench.splunkd import cron
from testbench.splunkd.conf import Conf, Stanza
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.relative_time import SECONDS, UNITS
from testbench.splunkd.spl.values import Row, all_values, as_number

if TYPE_CHECKING:
    from testbench.splunkd.alert_action import AlertResult
    from testbench.splunkd.searches import SearchResult

_KNOWN = re.compile(
    r"search|description|disabled|is_visible|enableSched|realtime_schedule|cron_schedule|schedule_window"
    r"|allow_skew|counttype|relation|quantity|alert_condition|alert\.(digest_mode|severity|track|expires"
    r"|suppress(\.fields|\.period)?)|actions|action\.\w+(\.\w+)*|dispatch\.(earliest_time|latest_time|index_earliest"
    r"|index_latest|ttl)|display\.[\w.]+|request\.ui_dispatch_\w+"
)
_TRUE = ("1", "true", "t", "yes")
_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "greater than": lambda count, limit: count > limit,
    "less than": lambda count, limit: count < limit,
    "equal to": lambda count, limit: count == limit,
    "not equal to": lambda count, limit: count != limit,
}
_TOKEN = re.compile(r"\$(\w[\w.{}-]*)\$")


@dataclass(frozen=True)
class SavedSearch:
    """One stanza of savedsearches.conf."""

    name: str
    keys: Stanza

    @property
    def search(self) -> str:
        return self.keys.get("search", "")

    @property
    def disabled(self) -> bool:
        return self._true("disabled")

    @property
    def time_range(self) -> dict[str, Any]:
        """The arguments of a search for its time range."""
        names = {
            "earliest": "dispatch.earliest_time",
            "latest": "dispatch.latest_time",
            "index_earliest": "dispatch.index_earliest",
            "index_latest": "dispatch.index_latest",
        }
        return {argument: self.keys[key] for argument, key in names.items() if key in self.keys}

    @property
    def each_result(self) -> bool:
        """Whether every result is an alert of its own, or all are one."""
        return not self._true("alert.digest_mode", "1")

    @property
    def suppression(self) -> tuple[float, list[str]] | None:
        """For how many seconds an alert is not repeated, and for the same values of which fields."""
        if not self._true("alert.suppress"):
            return None
        match = re.fullmatch(r"(\d+)([a-z]+)", self.keys.get("alert.suppress.period", ""))
        if match is None or UNITS.get(match[2]) not in SECONDS:
            raise UnknownSpl(
                f"[{self.name}] alert.suppress.period = {self.keys.get('alert.suppress.period')}"
            )
        names = [part for part in re.split(r"[,\s]+", self.keys.get("alert.suppress.fields", "")) if part]
        if bool(names) != self.each_result:
            raise UnknownSpl(f"[{self.name}] alert.suppress.fields and alert.digest_mode = 0 go together")
        return int(match[1]) * SECONDS[UNITS[match[2]]], names

    def triggers(self, result: SearchResult, chained: Callable[[str], SearchResult]) -> bool:
        """Whether the condition of the alert holds; `chained` runs a search over the results."""
        if "alert_condition" in self.keys:
            return bool(chained(self.keys["alert_condition"]).rows)
        kind = self.keys.get("counttype", "always")
        if kind == "always":
            return True
        counts = {
            "number of events": len(result.rows),
            "number of hosts": len({one for row in result.rows for one in all_values(row, "host")}),
            "number of sources": len({one for row in result.rows for one in all_values(row, "source")}),
        }
        relation, limit = self.keys.get("relation", ""), as_number(self.keys.get("quantity"))
        if kind not in counts or relation not in _RELATIONS or limit is None:
            raise UnknownSpl(f"[{self.name}] counttype = {kind}, relation = {relation}, quantity")
        return _RELATIONS[relation](counts[kind], limit)

    def run_times(self, start: float, end: float) -> Iterator[float]:
        """When the scheduler would run it, from `start` on and before `end`; never without `enableSched`."""
        if self._true("enableSched"):
            yield from cron.times(self.keys.get("cron_schedule", ""), start, end)

    def subject(self, row: Row, count: int) -> str:
        """`action.email.subject` with its tokens filled in from the result."""
        return _TOKEN.sub(
            lambda match: self._token(match[1], row, count), self.keys.get("action.email.subject", "")
        )

    def _token(self, name: str, row: Row, count: int) -> str:
        if name.startswith("result."):
            return " ".join(all_values(row, name.removeprefix("result.")))
        known = {
            "name": self.name,
            "job.resultCount": str(count),
            "description": self.keys.get("description", ""),
        }
        if name not in known:
            raise UnknownSpl(f"[{self.name}] the token ${name}$")
        return known[name]

    def _true(self, key: str, default: str = "0") -> bool:
        return self.keys.get(key, default).lower() in _TRUE


@dataclass(frozen=True)
class Alert:
    """What would be sent: of one result, or of all (`row` is then the first)."""

    name: str
    time: float
    subject: str
    row: Row
    rows: list[Row]


@dataclass
class SavedRun:
    """One run: its results, the alerts that it triggers, and how many it does not repeat.

    `actions` is what the app's own alert actions came to, one a triggered alert.
    """

    name: str
    time: float
    result: SearchResult
    alerts: list[Alert] = field(default_factory=list)
    suppressed: int = 0
    actions: list[AlertResult] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """All that the search found."""
        return self.result.rows

    @property
    def triggered(self) -> list[Row]:
        """The results that alerts are about."""
        return [alert.row for alert in self.alerts]

    @property
    def subjects(self) -> list[str]:
        return [alert.subject for alert in self.alerts]


def read(conf: Conf) -> dict[str, SavedSearch]:
    """The saved searches by name. Raises UnknownSpl for a key whose meaning is not known here."""
    found = {}
    for name, keys in conf.items():
        if name == "default":
            continue
        unknown = sorted(key for key in keys if not _KNOWN.fullmatch(key))
        if unknown or "search" not in keys:
            raise UnknownSpl(f"savedsearches.conf: [{name}] {unknown or 'without search'}")
        found[name] = SavedSearch(name, keys)
    return found


class Throttle:
    """Until when which alert is not repeated."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, ...], float] = {}

    def lets(self, key: tuple[str, ...], now: float, seconds: float) -> bool:
        """Whether the alert goes out now; if so it is quiet for `seconds`."""
        if now < self._until.get(key, -1.0):
            return False
        self._until[key] = now + seconds
        return True


def alerts_of(saved: SavedSearch, run: SavedRun, throttle: Throttle) -> SavedRun:
    """Fill a run whose condition holds with its alerts."""
    rows = run.result.rows
    groups = [[row] for row in rows] if saved.each_result else [rows]
    suppression = saved.suppression
    if suppression and rows:
        _check_fields(saved, suppression[1], rows)
    for group in groups:
        head: Row = group[0] if group else {}
        if suppression:
            seconds, names = suppression
            key = (saved.name, *("\n".join(all_values(head, name)) for name in names))
            if not throttle.lets(key, run.time, seconds):
                run.suppressed += 1
                continue
        run.alerts.append(Alert(saved.name, run.time, saved.subject(head, len(rows)), head, group))
    return run


def _check_fields(saved: SavedSearch, names: list[str], rows: list[Row]) -> None:
    absent = [name for name in names if not any(all_values(row, name) for row in rows)]
    if absent:
        raise UnknownSpl(f"[{saved.name}] alert.suppress.fields: no result has {absent}")


def by_name(searches: Mapping[str, SavedSearch], name: str) -> SavedSearch:
    if name not in searches:
        raise LookupError(f"savedsearches.conf has no [{name}]; it has {sorted(searches)}")
    return searches[name]
