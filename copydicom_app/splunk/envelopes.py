"""An event as the HTTP Event Collector takes it, and a sink that writes such lines to a file.

Splunk Getting Data In, "Format events for HTTP Event Collector": ``{"time": 1580465472.000, "host": ...,
"source": ..., "index": ..., "sourcetype": ..., "event": {...}}``. The time is a plain decimal number: HEC
refuses one in scientific notation. ASCII, since the JSON of events is.
"""

from __future__ import annotations

from typing import BinaryIO

from copydicom_app.models import Event, as_json


class Envelopes:
    """Makes envelopes with the same index, source and host."""

    def __init__(self, index: str, source: str, host: str) -> None:
        self._constant = (
            f',"host":{as_json(host)},"source":{as_json(source)},"index":{as_json(index)},"sourcetype":'
        )

    def text(self, event: Event) -> str:
        """One event, in one line."""
        return f'{{"time":{event.time:.3f}{self._constant}"{event.sourcetype}","event":{event.json}}}'


class LineSink:
    """A line of JSON an event; see `indexing.completing.ConfirmingSink`. What is flushed is confirmed."""

    def __init__(self, out: BinaryIO, envelopes: Envelopes) -> None:
        self._out, self._envelopes = out, envelopes
        self.written = self.confirmed = self.bytes = 0

    def write(self, event: Event) -> None:
        """Write one event."""
        self._out.write(self._envelopes.text(event).encode("ascii") + b"\n")
        self.bytes += len(event.json)
        self.written += 1
        if self.written - self.confirmed >= 100:
            self.flush()

    def flush(self) -> None:
        """Hand on all that is written."""
        self._out.flush()
        self.confirmed = self.written
