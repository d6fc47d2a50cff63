"""The indexes: events as they were stored, and as a search sees them with their fields.

Source: `props.conf.spec`, `indexes.conf.spec`; what a search makes of an event is in `search_time`.
"""

from __future__ import annotations

import functools
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from testbench.splunkd.conf import Conf, Stanza
from testbench.splunkd.home import Home
from testbench.splunkd.search_time import SearchTime, automatic_lookups, event_types
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.extraction import Limits
from testbench.splunkd.spl.lookups import Lookups
from testbench.splunkd.spl.values import Row, number_text
from testbench.splunkd.violations import Violations

SERVER = "splunk-stand-in"
BUILT_IN = ("main", "_internal", "_audit")
DEFAULT_TRUNCATE = 10_000
_ANY_SOURCETYPE = "(?::){0}"
_SOURCE = "source::"
_HOST = "host::"


@dataclass(frozen=True)
class IndexedEvent:
    """An event in an index; times are seconds since 1970."""

    raw: str
    time: float
    index_time: float
    index: str
    host: str
    source: str
    sourcetype: str

    @functools.cached_property
    def internal_fields(self) -> Row:
        """The fields that every event has."""
        return {
            "_time": f"{math.floor(self.time * 1000 + 1e-4) / 1000:.3f}".removesuffix(".000"),
            "_indextime": number_text(float(int(self.index_time))),
            "_raw": self.raw,
            "host": self.host,
            "source": self.source,
            "sourcetype": self.sourcetype,
            "index": self.index,
            "linecount": str(self.raw.count("\n") + 1),
            "splunk_server": SERVER,
        }


def props_for(props: Conf, sourcetype: str, source: str, host: str = "") -> Stanza:
    """The keys for an event: of `[(?::){0}dicom:*]`, its sourcetype, `[host::...]` and `[source::...]`, the
    later wins.
    """
    merged = dict(props.get("default", {}))
    by_source: Stanza = {}
    by_host: Stanza = {}
    for stanza, keys in props.items():
        if stanza.startswith(("rule::", "delayedrule::")):
            raise UnknownSpl(f"props.conf: the stanza [{stanza}]")
        if stanza.startswith(_HOST) and _source_pattern(stanza.removeprefix(_HOST)).fullmatch(host):
            by_host |= keys
        if stanza.startswith(_SOURCE) and _source_pattern(stanza.removeprefix(_SOURCE)).fullmatch(source):
            by_source |= keys
        if stanza.startswith(_ANY_SOURCETYPE):
            pattern = (
                re.escape(stanza.removeprefix(_ANY_SOURCETYPE)).replace(r"\.\.\.", ".*").replace(r"\*", ".*")
            )
            if re.fullmatch(pattern, sourcetype):
                merged |= keys
    return {**merged, **props.get(sourcetype, {}), **by_host, **by_source}


def _source_pattern(pattern: str) -> re.Pattern[str]:
    """`...` is any text, `*` any but a path separator, a dot itself; the rest is a regular expression."""
    parts = re.split(r"(\.\.\.|\*|\.)", pattern)
    known = {"...": ".*", "*": r"[^/\\]*", ".": r"\."}
    return re.compile("".join(known.get(part, part) for part in parts))


class Indexes:
    """All events by index, in the order in which they were indexed; safe for threads."""

    def __init__(self, home: Home, violations: Violations, limits: Limits | None = None) -> None:
        self._home, self._violations, self._limits = home, violations, limits or Limits()
        self.lookups: Lookups | None = None
        self.clock: Callable[[], float] = time.time
        self._confs: dict[str, Conf] = {}
        self._made: dict[int, Row] = {}
        self._events: dict[str, list[IndexedEvent]] = {}
        self._lock = threading.Lock()

    def names(self) -> set[str]:
        """The indexes that exist: Splunk's own and those of the app's indexes.conf."""
        return {*BUILT_IN, *(name for name in self._home.confs.read("indexes") if name != "default")}

    def add(
        self,
        raw: str,
        at: float | None,
        index: str,
        host: str,
        source: str,
        sourcetype: str,
        arrived: float | None = None,
    ) -> None:
        """Index an event, now or when it `arrived`; what is over TRUNCATE is cut, and an unknown index loses
        it, as in Splunk.
        """
        index = "main" if index == "default" else index
        if index not in self.names():
            self._violations.add(f"an event for the index {index!r}, which does not exist: Splunk drops it")
            return
        props = props_for(self._home.confs.read("props"), sourcetype, source, host)
        limit = int(props.get("TRUNCATE", DEFAULT_TRUNCATE))
        size = len(raw.encode())
        if limit and size > limit:
            self._violations.add(f"an event of {sourcetype} has {size} bytes, TRUNCATE cuts it at {limit}")
            raw = raw.encode()[:limit].decode("utf-8", "ignore")
        now = self.clock() if arrived is None else arrived
        event = IndexedEvent(raw, now if at is None else at, now, index, host, source, sourcetype)
        with self._lock:
            self._events.setdefault(index, []).append(event)

    def lose(self, index: str, gone: Callable[[IndexedEvent], bool]) -> list[IndexedEvent]:
        """Take events out of an index, as a full queue or a bucket that broke would; those taken out."""
        with self._lock:
            events = self._events.get(index, [])
            lost = [event for event in events if gone(event)]
            taken = {id(event) for event in lost}
            self._events[index] = [event for event in events if id(event) not in taken]
            self._made = {}
        return lost

    def __getitem__(self, index: str) -> list[IndexedEvent]:
        with self._lock:
            return list(self._events.get(index, []))

    def as_dict(self) -> dict[str, list[IndexedEvent]]:
        with self._lock:
            return {name: list(events) for name, events in self._events.items()}

    def rows(self, accept: Callable[[Row], bool] | None = None) -> Iterator[Row]:
        """The events with their fields, newest first by `_time`, as a search returns them.

        `accept` decides on the fields that every event has, before the others are made. A row is made once
        and kept until a conf file changes: whoever changes a row makes a new one.
        """
        confs = {name: self._home.confs.read(name) for name in ("props", "transforms", "eventtypes", "tags")}
        with self._lock:
            if confs != self._confs:
                self._confs, self._made = confs, {}
        made, kinds = self._made, {}
        typed = event_types(confs["eventtypes"], confs["tags"])
        events = [event for found in self.as_dict().values() for event in reversed(found)]
        for event in sorted(events, key=lambda event: -event.time):
            internal = event.internal_fields
            if accept is not None and not accept(internal):
                continue
            kind = (event.sourcetype, event.source, event.host)
            if kind not in kinds:
                fields = SearchTime(props_for(confs["props"], *kind), confs["transforms"], self._limits)
                kinds[kind] = fields, self._automatic_lookups(fields)
            fields, looked_up = kinds[kind]
            row = made.get(id(event))
            if row is None:
                row = made[id(event)] = fields.fields(internal)
            for step in (looked_up, typed):
                row = {**row, **step(row)} if step is not None else row
            yield row

    def _automatic_lookups(self, fields: SearchTime) -> Callable[[Row], Row] | None:
        if not fields.lookups:
            return None
        if self.lookups is None:
            raise UnknownSpl("props.conf: LOOKUP-, and there are no lookups here")
        return automatic_lookups(fields.lookups, self.lookups)
