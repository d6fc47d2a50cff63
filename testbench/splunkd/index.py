"""The indexes: events as they were stored, and as a search sees them with their fields.

Source: `props.conf.spec`, `indexes.conf.spec`; "The sequence of search-time operations" in Splunk's
Knowledge Manager Manual: automatic extraction, then field aliases, then calculated fields.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from testbench.splunkd.conf import Conf, Stanza
from testbench.splunkd.home import Home
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import parse_expression, to_value
from testbench.splunkd.spl.extraction import Limits, extract_all
from testbench.splunkd.spl.values import Row, number_text
from testbench.splunkd.violations import Violations

BUILT_IN = ("main", "_internal", "_audit")
DEFAULT_TRUNCATE = 10_000
_ALIAS = re.compile(r'("[^"]+"|\S+)\s+as\s+("[^"]+"|\S+)', re.IGNORECASE)
_ANY_SOURCETYPE = "(?::){0}"
_SOURCE = "source::"
_REFUSED = ("EXTRACT-", "REPORT-", "LOOKUP-")


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

    def internal_fields(self) -> Row:
        return {
            "_time": f"{self.time:.3f}".removesuffix(".000"),
            "_indextime": number_text(float(int(self.index_time))),
            "_raw": self.raw,
            "host": self.host,
            "source": self.source,
            "sourcetype": self.sourcetype,
            "index": self.index,
        }


def props_for(props: Conf, sourcetype: str, source: str) -> Stanza:
    """The keys for an event: `[(?::){0}dicom:*]`, then its sourcetype's stanza, then `[source::...]`."""
    merged = dict(props.get("default", {}))
    by_source: Stanza = {}
    for stanza, keys in props.items():
        if stanza.startswith(("host::", "rule::", "delayedrule::")):
            raise UnknownSpl(f"props.conf: the stanza [{stanza}]")
        if stanza.startswith(_SOURCE) and _source_pattern(stanza.removeprefix(_SOURCE)).fullmatch(source):
            by_source |= keys
        if stanza.startswith(_ANY_SOURCETYPE):
            pattern = (
                re.escape(stanza.removeprefix(_ANY_SOURCETYPE)).replace(r"\.\.\.", ".*").replace(r"\*", ".*")
            )
            if re.fullmatch(pattern, sourcetype):
                merged |= keys
    return {**merged, **props.get(sourcetype, {}), **by_source}


def _source_pattern(pattern: str) -> re.Pattern[str]:
    """`...` is any text, `*` any but a path separator, a dot itself; the rest is a regular expression."""
    parts = re.split(r"(\.\.\.|\*|\.)", pattern)
    known = {"...": ".*", "*": r"[^/\\]*", ".": r"\."}
    return re.compile("".join(known.get(part, part) for part in parts))


class Indexes:
    """All events by index, in the order in which they were indexed; safe for threads."""

    def __init__(self, home: Home, violations: Violations, limits: Limits | None = None) -> None:
        self._home, self._violations, self._limits = home, violations, limits or Limits()
        self._events: dict[str, list[IndexedEvent]] = {}
        self._lock = threading.Lock()

    def names(self) -> set[str]:
        """The indexes that exist: Splunk's own and those of the app's indexes.conf."""
        return {*BUILT_IN, *(name for name in self._home.confs.read("indexes") if name != "default")}

    def add(self, raw: str, at: float | None, index: str, host: str, source: str, sourcetype: str) -> None:
        """Index an event now; what is over TRUNCATE is cut, and an unknown index loses it, as in Splunk."""
        index = "main" if index == "default" else index
        if index not in self.names():
            self._violations.add(f"an event for the index {index!r}, which does not exist: Splunk drops it")
            return
        props = props_for(self._home.confs.read("props"), sourcetype, source)
        limit = int(props.get("TRUNCATE", DEFAULT_TRUNCATE))
        size = len(raw.encode())
        if limit and size > limit:
            self._violations.add(f"an event of {sourcetype} has {size} bytes, TRUNCATE cuts it at {limit}")
            raw = raw.encode()[:limit].decode("utf-8", "ignore")
        now = time.time()
        event = IndexedEvent(raw, now if at is None else at, now, index, host, source, sourcetype)
        with self._lock:
            self._events.setdefault(index, []).append(event)

    def __getitem__(self, index: str) -> list[IndexedEvent]:
        with self._lock:
            return list(self._events.get(index, []))

    def as_dict(self) -> dict[str, list[IndexedEvent]]:
        with self._lock:
            return {name: list(events) for name, events in self._events.items()}

    def rows(self) -> Iterator[Row]:
        """All events with their fields, newest first by `_time`, as a search returns them."""
        props = self._home.confs.read("props")
        events = [event for found in self.as_dict().values() for event in reversed(found)]
        kinds = {(event.sourcetype, event.source) for event in events}
        settings = {kind: props_for(props, *kind) for kind in kinds}
        for event in sorted(events, key=lambda event: -event.time):
            yield self._fields(event, settings[event.sourcetype, event.source])

    def _fields(self, event: IndexedEvent, props: Stanza) -> Row:
        internal = event.internal_fields()
        mode = props.get("KV_MODE", "auto").lower()
        extracted: Row = {}
        if mode == "json":
            extracted = extract_all(event.raw, self._limits)
        elif mode not in ("none", "auto"):
            raise UnknownSpl(f"props.conf: KV_MODE = {mode}")
        row = {**extracted, **internal}
        refused = [key for key in props if key.startswith(_REFUSED)]
        if refused:
            raise UnknownSpl(f"props.conf: {refused}")
        for key, text in sorted(props.items()):
            if key.startswith("FIELDALIAS-"):
                row |= _aliases(text, row)
        return row | _calculated(props, row)


def _aliases(text: str, row: Row) -> Row:
    pairs = [(old.strip('"'), new.strip('"')) for old, new in _ALIAS.findall(text)]
    if not pairs:
        raise UnknownSpl(f"props.conf: the alias {text!r}")
    return {new: row[old] for old, new in pairs if old in row}


def _calculated(props: Stanza, row: Row) -> Row:
    """Each EVAL-<field> sees the row as it was before any of them."""
    results: Row = {}
    for key, text in props.items():
        if key.startswith("EVAL-"):
            value = to_value(parse_expression(text)(row))
            if value is not None:
                results[key.removeprefix("EVAL-")] = value
    return results
