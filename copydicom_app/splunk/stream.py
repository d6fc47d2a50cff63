"""Splunk's XML event stream (modular input, streaming mode ``xml``), written by hand.

The SDK's writer builds an element tree and flushes for every event, which costs two to five times as
much. What is written is the same: ``<stream><event unbroken="1">...<done/></event>...</stream>``.
"""

from __future__ import annotations

from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from copydicom_app.models import Event


class StreamSink:
    """Writes events to Splunk's pipe. `close` ends the stream; without events nothing is written at all."""

    def __init__(self, out: BinaryIO, *, stanza: str, index: str, host: str) -> None:
        self._out = out
        self._head = f'<event stanza={quoteattr(stanza)} unbroken="1"><time>'
        self._constant = f"<source>{escape(stanza)}</source><host>{escape(host)}</host>" + (
            f"<index>{escape(index)}</index>" if index else ""
        )
        self._open = False
        self.bytes = 0

    def write(self, event: Event) -> None:
        """Write one event. Its JSON is ASCII, so no character of a tag can break the XML."""
        if not self._open:
            self._out.write(b"<stream>")
            self._open = True
        data = event.json
        self.bytes += len(data)
        self._out.write(
            f"{self._head}{event.time:.3f}</time>{self._constant}<sourcetype>{event.sourcetype}</sourcetype>"
            f"<data>{escape(data)}</data><done/></event>\n".encode("ascii", "xmlcharrefreplace")
        )

    def flush(self) -> None:
        """Hand everything written to Splunk's pipe."""
        self._out.flush()

    def close(self) -> None:
        """End the stream."""
        if self._open:
            self._out.write(b"</stream>")
            self._open = False
        self._out.flush()
