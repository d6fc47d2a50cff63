"""The search command ``| copydicom dest=<server>``: rows that name instances come back with their outcome.

The command has a side effect, so it runs on the search head only (`stateful`), never in preview or real time,
and sends nothing twice. A chunk of rows is answered when all of it is settled, rows in their order, every
field as it came.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any, BinaryIO, Optional

from copydicom_app.errors import ConfigurationError, CopydicomError, FatalError
from copydicom_app.models import Tally
from copydicom_app.signals import on_signal
from copydicom_app.splunk.chunked import Frame, ProtocolError, extended, read_frame, write_frame
from copydicom_app.splunk.config import connect
from copydicom_app.splunk.copies import Copies, Search, refused
from copydicom_app.splunk.logs import Log

FIELDS = ("status", "copied", "present", "missing", "failed", "bytes", "message")


class Command:
    """One run of the command, from Splunk's `getinfo` to the last chunk; `cancel` may come at any time."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._in, self._out = stdin, stdout
        self._stop = threading.Event()
        self._busy = False
        self._log = Log("command", stderr=False)
        self._tally = Tally()
        self._messages: list[tuple[str, str]] = []
        self._copies: Optional[Copies] = None

    def run(self) -> int:
        """Answer all that Splunk asks; the exit code."""
        getinfo = read_frame(self._in)
        if getinfo is None:
            return 0
        try:
            self._prepare(getinfo.metadata)
        except CopydicomError as error:
            refused(self._search, self._args, error)
            return self._fail(error, {"type": "stateful"})
        write_frame(self._out, Frame({"type": "stateful", **self._told()}))
        while (frame := read_frame(self._in)) is not None:
            finished = bool(frame.metadata.get("finished"))
            if self._preview or frame.metadata.get("preview"):
                write_frame(self._out, Frame({"finished": finished}, frame.body))
                continue
            self._busy = True
            try:
                body = self._answered(frame.body)
            except CopydicomError as error:
                if isinstance(error, ConfigurationError):
                    refused(self._search, self._args, error)
                self._finish()
                return self._fail(error, {})
            except Exception as error:
                self._log.unexpected(error)
                self._finish()
                return self._fail(
                    FatalError("an error of copydicom itself; see its log in index=_internal"), {}
                )
            if finished or self._stop.is_set():
                self._finish()
            write_frame(self._out, Frame({"finished": finished, **self._told()}, body))
            self._busy = False
            if self._stop.is_set():
                return 0
        return 0

    def cancel(self) -> None:
        """Stop soon: what is in flight comes to its end, and the trail is written."""
        self._stop.set()
        if self._copies is not None:
            self._copies.cancel()
        if not self._busy:  # nothing to finish, only a pipe that may never speak again
            self._finish()
            os._exit(0)

    def _prepare(self, metadata: dict[str, Any]) -> None:
        """Everything that can be refused before a row is seen: who asks, what, from where, to where."""
        info = metadata.get("searchinfo") or {}
        self._args = [str(arg) for arg in info.get("args") or []]
        self._search = Search(
            sid=str(info.get("sid") or ""),
            app=str(info.get("app") or ""),
            user=str(info.get("username") or ""),
        )
        self._preview = bool(metadata.get("preview"))
        if self._search.sid.startswith("rt_"):
            raise ConfigurationError(
                "copydicom does not run in a real-time search; schedule the search instead"
            )
        if metadata.get("streaming_command_will_restart"):
            raise ConfigurationError(
                "copydicom cannot stand where Splunk may run it twice; put it at the end of the search"
            )
        service = connect(str(info.get("splunkd_uri")), str(info.get("session_key")))
        self._copies = Copies(service, self._args, self._search, self._stop, preview=self._preview)

    def _answered(self, body: bytes) -> bytes:
        """The rows with their outcomes."""
        assert self._copies is not None  # no row comes before `_prepare`
        rows = []
        for outcome in self._copies.of_rows(body):
            self._tally.add(outcome)
            rows.append([outcome.status.value, *(getattr(outcome, name) for name in FIELDS[1:])])
        self._messages += self._copies.messages
        self._copies.messages = []
        return extended(body, [f"copydicom_{name}" for name in FIELDS], rows) if rows or body else body

    def _finish(self) -> None:
        """The audit trail, and one line for the job inspector and the log: what became of all rows."""
        cancelled = self._stop.is_set()
        copies, self._copies = self._copies, None
        if copies is None:
            return
        copies.finish()
        rate = self._tally.rate()
        said = f"{self._tally}{f' ({rate})' if rate else ''}"
        if cancelled:
            self._messages.append(("WARN", f"cancelled; what was in flight was finished: {said}"))
        else:
            self._messages.append(("INFO", said))
        self._log.info(
            "cancelled" if cancelled else "finished",
            dest=copies.options.dest,
            dryrun=copies.options.dryrun,
            sid=self._search.sid,
            **self._tally.as_fields(),
        )

    def _fail(self, error: CopydicomError, metadata: dict[str, Any]) -> int:
        """End the search with one clear error."""
        self._log.error(str(error))
        self._messages.append(("ERROR", str(error)))
        write_frame(self._out, Frame({**metadata, "finished": True, "error": str(error), **self._told()}))
        return 1

    def _told(self) -> dict[str, Any]:
        messages, self._messages = self._messages, []
        return {"inspector": {"messages": messages}} if messages else {}


def main() -> None:
    """Splunk's entry point."""
    command = Command(sys.stdin.buffer, sys.stdout.buffer)
    on_signal(signal.SIGTERM, command.cancel)
    try:
        code = command.run()
    except (ProtocolError, ValueError):
        sys.stderr.write("ERROR this is started by Splunk's search, not by hand\n")
        code = 1
    sys.stdout.flush()
    os._exit(code)  # a request that still waits for Orthanc would hold up the end of the search
