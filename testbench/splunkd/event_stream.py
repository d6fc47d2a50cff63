"""The XML stream that a modular input writes, read as it comes.

Source: dev.splunk.com, "Modular inputs: XML streaming": `<stream>` holds `<event stanza unbroken>` with
`<time>`, `<source>`, `<sourcetype>`, `<index>`, `<host>`, `<data>` and, at an event's end, `<done/>`.
With `unbroken="1"` the pieces up to `<done/>` are one event; without it splunkd breaks the data into
events by its own rules, which the stand-in does not do and reports.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from xml.parsers import expat

from testbench.splunkd.violations import Violations

_CHILDREN = {"time", "source", "sourcetype", "index", "host", "data", "done"}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class StreamEvent:
    """One event as the input wrote it; None is what it left to splunkd; `received` when `</event>` came."""

    stanza: str | None
    time: float | None
    source: str | None
    sourcetype: str | None
    index: str | None
    host: str | None
    data: str
    received: float


class EventStream:
    """Feed it bytes; it hands out events and reports what is wrong with the stream."""

    def __init__(self, violations: Violations, receive: Callable[[StreamEvent], None]) -> None:
        self._violations, self._receive = violations, receive
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._path: list[str] = []
        self._fields: dict[str, str] = {}
        self._attributes: dict[str, str] = {}
        self._pending: StreamEvent | None = None
        self._bytes = 0
        self._tail = b""
        self.broken = False
        self.closed = False

    @property
    def empty(self) -> bool:
        """Nothing but white space was written, which is right for an input that found nothing."""
        return self._bytes == 0

    def feed(self, data: bytes) -> None:
        if not self._bytes:
            data = data.lstrip()
        self._bytes += len(data)
        if self.broken or not data:
            return
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            self.broken = True
            self._violations.add(self._explain(error, data))
        self._tail = (self._tail + data)[-200:]

    def finish(self, must_be_closed: bool = True) -> None:
        """The input has ended; a stream that was begun must have been closed."""
        if self._pending is not None:
            self._violations.add("the last event has no <done/>")
        if must_be_closed and not self.empty and not self.closed and not self.broken:
            self._violations.add(f"</stream> is missing; the output ends with {self._tail[-60:]!r}")

    def _explain(self, error: expat.ExpatError, data: bytes) -> str:
        near = (self._tail + data)[-160:]
        if self.closed:
            return f"stray output after </stream>: {near[-80:]!r}"
        if not self._path and not self.closed:
            return f"stray output before <stream>: {data[:80]!r}"
        control = _CONTROL.search(data)
        if control:
            return f"a control character that XML forbids, {control.group()!r}, in the stream"
        return f"invalid XML ({error}) near {near!r}"

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._path)
        self._path.append(name)
        if depth == 0 and name != "stream":
            self._violations.add(f"the stream begins with <{name}>, not with <stream>")
        elif depth == 1:
            if name != "event":
                self._violations.add(f"<{name}> in <stream>, where only <event> may be")
            self._fields, self._attributes = {}, attributes
        elif depth == 2:
            if name not in _CHILDREN:
                self._violations.add(f"<{name}> in <event>, which Splunk does not know")
            if name in self._fields:
                self._violations.add(f"<{name}> twice in one <event>")
            self._fields[name] = ""
        elif depth > 2:
            self._violations.add(f"<{name}> inside <{self._path[2]}>; data must be escaped")

    def _text(self, text: str) -> None:
        if len(self._path) > 2:
            self._fields[self._path[2]] += text
        elif text.strip():
            self._violations.add(f"stray output between events: {text.strip()[:80]!r}")

    def _end(self, name: str) -> None:
        self._path.pop()
        if not self._path:
            self.closed = True
        elif len(self._path) == 1 and name == "event":
            self._event()

    def _event(self) -> None:
        data = self._fields.get("data", "")
        if not data:
            self._violations.add("an event without data")
            return
        unbroken = self._attributes.get("unbroken", "0") == "1"
        if not unbroken and "\n" in data.rstrip("\n"):
            self._violations.add('an event of several lines without unbroken="1": splunkd would break it up')
        fields = {name: self._fields.get(name) or None for name in ("source", "sourcetype", "index", "host")}
        piece = StreamEvent(
            self._attributes.get("stanza"), self._time(), **fields, data=data, received=time.time()
        )
        if self._pending is not None:
            piece = replace(self._pending, data=self._pending.data + data, received=piece.received)
        self._pending = piece if unbroken and "done" not in self._fields else None
        if self._pending is None:
            self._receive(piece)

    def _time(self) -> float | None:
        text = self._fields.get("time")
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._violations.add(f"<time> is not a number of seconds: {text!r}")
            return None
        return value
