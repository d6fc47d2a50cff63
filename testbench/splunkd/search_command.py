"""Run a search command of the installed app by search command protocol version 2 (`chunked = true`).

Source: `commands.conf.spec`; `splunklib.searchcommands` for the frames (`chunks.py`). splunkd sends
`getinfo`, then `execute` with rows; each request has exactly one reply, the last one `finished`.
"""

from __future__ import annotations

import itertools
import queue
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from testbench.splunkd.chunks import (
    Frame,
    FrameReader,
    ProtocolError,
    Row,
    decode_rows,
    encode,
    encode_rows,
    field_names,
)
from testbench.splunkd.process import Instance, Script
from testbench.splunkd.violations import Violations

TYPES = ("streaming", "stateful", "events", "reporting")
IN_ORDER = ("streaming", "stateful")
INDEX = "_chunked_idx"
MAX_ROWS = 50_000
_ERRORS = ("ERROR", "FATAL")
_COUNTER = itertools.count(1)


@dataclass(frozen=True)
class Options:
    """How splunkd starts the command and cuts its input.

    `chunk_rows` are the rows of the chunks, the last number for all further ones. `last_chunk_empty` sends
    the final request with a header only, as splunkd mostly does. `terminate_after` is in seconds from the
    first row on: SIGTERM, as when the user cancels. `keeps_rows` is what `copydicom` promises: as many rows
    as came, in their order, with all fields as they came.
    """

    app: str
    user: str = "admin"
    search: str = ""
    chunk_rows: Sequence[int] = (MAX_ROWS,)
    last_chunk_empty: bool = True
    preview: bool = False
    will_restart: bool = False
    realtime: bool = False
    terminate_after: float | None = None
    keeps_rows: bool = True
    timeout: float = 300
    splunk_version: str = "10.0.0"


@dataclass
class CommandResult:
    """What came back: rows, messages as (level, text), `error` when the search failed, search.log's lines."""

    rows: list[Row] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    error: str | None = None
    configuration: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    stderr: list[str] = field(default_factory=list)
    terminated: bool = False
    sid: str = ""
    seconds: float = 0.0


class _Gone(Exception):
    """The command ended, or broke the protocol, before it replied."""


class CommandRun:
    """One run of one command over all rows; `run()` does it and returns the result."""

    def __init__(
        self,
        splunkd: Instance,
        command: str,
        args: Sequence[str],
        raw_args: Sequence[str],
        options: Options,
        violations: Violations,
    ) -> None:
        self._splunkd, self._command, self._options, self._violations = splunkd, command, options, violations
        self._args, self._raw_args = list(args), list(raw_args)
        self._replies: queue.Queue[Frame | None] = queue.Queue()
        self._reader = FrameReader(self._replies.put)
        self._deadline = time.monotonic() + options.timeout
        self._excused: list[str] = []
        prefix = "rt_" if options.realtime else ""
        self.result = CommandResult(sid=f"{prefix}{int(time.time())}.{next(_COUNTER)}")

    def run(self, rows: Sequence[Row]) -> CommandResult:
        """Give the command all rows. Raises LookupError for a command that commands.conf does not have."""
        started = time.monotonic()
        self._script = Script(self._splunkd.home, self._splunkd.python, self._filename())
        self._script.read_to(self._feed)
        timer: threading.Timer | None = None
        try:
            if self._getinfo():
                if self._options.terminate_after is not None:
                    timer = threading.Timer(self._options.terminate_after, self._terminate)
                    timer.start()
                self._execute(rows)
        except _Gone as gone:
            if self._script.signalled is None and self.result.error is None:
                self._violations.add(str(gone))
                self.result.error = str(gone)
        finally:
            if timer is not None:
                timer.cancel()
            self._end()
        self.result.seconds = time.monotonic() - started
        return self.result

    def _filename(self) -> str:
        stanza = self._splunkd.home.confs.read("commands").get(self._command)
        if stanza is None:
            raise LookupError(f"commands.conf has no [{self._command}]")
        if stanza.get("chunked", "false").lower() not in ("true", "1"):
            self._violations.add(f"commands.conf: [{self._command}] is not chunked = true")
        return stanza.get("filename", f"{self._command}.py")

    def _getinfo(self) -> bool:
        """Whether the search goes on after the first reply."""
        options = self._options
        metadata = {
            "action": "getinfo",
            "preview": options.preview,
            "streaming_command_will_restart": options.will_restart,
            "searchinfo": self._searchinfo(),
        }
        reply = self._ask(Frame(metadata))
        self.result.configuration = reply.metadata
        if reply.metadata.get("type") not in TYPES:
            self._violations.add(
                f"the reply to getinfo has the type {reply.metadata.get('type')!r}, none of {TYPES}"
            )
        if reply.body:
            self._violations.add(f"the reply to getinfo has a body: {reply.body[:80]!r}")
        errors = self._note(reply)
        self.result.error = errors[0] if errors else None
        return not errors and reply.metadata.get("finished") is not True

    def _searchinfo(self) -> dict[str, Any]:
        options, result = self._options, self.result
        return {
            "args": self._args,
            "raw_args": self._raw_args,
            "dispatch_dir": str(self._dispatch_dir()),
            "sid": result.sid,
            "app": options.app,
            "owner": options.user,
            "username": options.user,
            "session_key": self._splunkd.session_key,
            "splunkd_uri": self._splunkd.uri,
            "splunk_version": options.splunk_version,
            "search": quote(options.search or f"| {self._command}"),
            "command": self._command,
            "maxresultrows": MAX_ROWS,
            "earliest_time": "0",
            "latest_time": "0",
        }

    def _dispatch_dir(self) -> Path:
        folder = self._splunkd.home.dispatch / self.result.sid
        folder.mkdir(parents=True, exist_ok=True)
        realtime = "rt" if self._options.realtime else ""
        info: Row = {
            "_sid": self.result.sid,
            "_search": self._options.search,
            "_ppc.app": self._options.app,
            "_ppc.user": self._options.user,
            "_search_StartTime": f"{time.time():.6f}",
            "rt_earliest": realtime,
            "rt_latest": realtime,
        }
        (folder / "info.csv").write_text(encode_rows([info], list(info)), "utf-8")
        return folder

    def _execute(self, rows: Sequence[Row]) -> None:
        required = self.result.configuration.get("required_fields")
        fields = field_names(rows)
        sent = fields if not required else [name for name in fields if name in required]
        chunks = self._cut(rows)
        for number, chunk in enumerate(chunks):
            finished = number == len(chunks) - 1
            body = self._body(chunk, sent, bool(required))
            reply = self._ask(Frame({"action": "execute", "finished": finished}, body))
            errors = self._note(reply)
            self._take(reply, chunk, sent, bool(required), excused=bool(errors))
            if errors and reply.metadata.get("finished") is True and not finished:
                self.result.error = errors[-1]
                return
            if (reply.metadata.get("finished") is True) != finished:
                said = reply.metadata.get("finished")
                self._violations.add(
                    f"reply {number + 1} of {len(chunks)} says finished={said}, asked was {finished}"
                )
                if not finished:
                    return

    def _cut(self, rows: Sequence[Row]) -> list[Sequence[Row]]:
        sizes = list(self._options.chunk_rows)
        chunks: list[Sequence[Row]] = []
        start = 0
        while start < len(rows):
            size = sizes[min(len(chunks), len(sizes) - 1)]
            chunks.append(rows[start : start + size])
            start += size
        if self._options.last_chunk_empty or not chunks:
            chunks.append([])
        return chunks

    @staticmethod
    def _body(chunk: Sequence[Row], fields: list[str], held_back: bool) -> str:
        if not held_back:
            return encode_rows(chunk, fields)
        numbered: list[Row] = [{**row, INDEX: str(number)} for number, row in enumerate(chunk)]
        return encode_rows(numbered, [*fields, INDEX])

    def _take(
        self, reply: Frame, chunk: Sequence[Row], sent: list[str], held_back: bool, excused: bool
    ) -> None:
        """Read the rows; one that went in and did not come out is excused when the exit code says so."""
        try:
            header, rows = decode_rows(reply.body)
        except ProtocolError as error:
            self._violations.add(f"the rows of a reply cannot be read: {error}")
            return
        if held_back:
            rows = self._rejoin(rows, chunk)
        in_order = self.result.configuration.get("type") in IN_ORDER
        if in_order and self._options.keeps_rows:
            wrong = self._compare(header, rows, chunk, sent)
            if excused:
                self._excused += wrong
            else:
                for what in wrong:
                    self._violations.add(what)
        self.result.rows += rows

    def _rejoin(self, rows: list[Row], chunk: Sequence[Row]) -> list[Row]:
        """splunkd puts back the fields that it held back, by the row's number."""
        joined: list[Row] = []
        for row in rows:
            index = row.pop(INDEX, None)
            if index is None:
                self._violations.add(f"{INDEX} is gone, and with it the fields that were held back")
            joined.append({**chunk[int(str(index))], **row} if index is not None else row)
        return joined

    @staticmethod
    def _compare(header: list[str], rows: list[Row], chunk: Sequence[Row], sent: list[str]) -> list[str]:
        """What of the input is missing or changed in the output."""
        if len(rows) != len(chunk):
            return [f"{len(chunk)} rows went in and {len(rows)} came out"]
        dropped = [name for name in sent if name not in header and any(row.get(name) for row in chunk)]
        wrong = [f"fields dropped: {dropped}"] if dropped else []
        for number, (before, after) in enumerate(zip(chunk, rows, strict=True)):
            for name, value in before.items():
                if name not in dropped and _plain(value) != _plain(after.get(name, "")):
                    return [*wrong, f"row {number}: {name} was {value!r} and is {after.get(name)!r}"]
        return wrong

    def _note(self, reply: Frame) -> list[str]:
        """Keep the messages; the texts of those that are errors."""
        messages = self._messages(reply)
        self.result.messages += messages
        errors = [text for level, text in messages if level in _ERRORS]
        return [str(reply.metadata["error"]), *errors] if "error" in reply.metadata else errors

    def _messages(self, reply: Frame) -> list[tuple[str, str]]:
        found = (reply.metadata.get("inspector") or {}).get("messages", [])
        for item in found:
            if len(item) != 2 or item[0] not in ("DEBUG", "INFO", "WARN", *_ERRORS):
                self._violations.add(f"inspector.messages holds {item!r}, not [level, text]")
        return [(str(item[0]), str(item[1])) for item in found if len(item) == 2]

    def _ask(self, request: Frame) -> Frame:
        """Write from a thread, since a command may reply before it has read all."""
        if any(frame is not None for frame in list(self._replies.queue)):
            self._violations.add("a reply came that nobody asked for")
            self._replies.get()
        writer = threading.Thread(target=self._script.write, args=(encode(request),), daemon=True)
        writer.start()
        action = request.metadata["action"]
        try:
            reply = self._replies.get(timeout=max(0.1, self._deadline - time.monotonic()))
        except queue.Empty:
            raise _Gone(f"no reply to {action} within {self._options.timeout:g} s") from None
        if reply is None:
            raise _Gone(f"the command ended without a reply to {action}")
        return reply

    def _terminate(self) -> None:
        self.result.terminated = True
        self._script.signal(signal.SIGTERM)

    def _end(self) -> None:
        self._script.close_stdin()
        result, terminated = self.result, self._script.signalled is not None
        code = self._script.wait(max(5.0, self._deadline - time.monotonic()))
        result.exit_code, result.stderr = code, self._script.stderr
        (self._splunkd.home.dispatch / result.sid / "search.log").write_text(
            "\n".join(result.stderr), "utf-8"
        )
        extra = [frame for frame in list(self._replies.queue) if frame is not None]
        if extra and not terminated:
            self._violations.add(f"{len(extra)} replies that nobody asked for, the first {extra[0].metadata}")
        if self._reader.rest and not terminated:
            self._violations.add(f"the output ends within a chunk: {self._reader.rest[:80]!r}")
        if code is None:
            self._violations.add("the command did not end after its input had ended")
        elif code == 0:
            for what in self._excused:
                self._violations.add(what)
        elif (
            not terminated
            and self.result.error is None
            and any(level in _ERRORS for level, _ in result.messages)
        ):
            result.error = [text for level, text in result.messages if level in _ERRORS][-1]
        elif not terminated and not any(level in _ERRORS for level, _ in result.messages):
            self._violations.add(f"exit code {code} without an ERROR message; stderr: {result.stderr[-3:]}")

    def _feed(self, data: bytes) -> None:
        try:
            if data:
                self._reader.feed(data)
                return
        except ProtocolError as error:
            self._violations.add(str(error))
        self._replies.put(None)


def _plain(value: str | list[str]) -> str | list[str]:
    """One value is the same alone and in a list."""
    if isinstance(value, list) and len(value) < 2:
        return "".join(value)
    return value
