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
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, BinaryIO, Optional, Union

from copydicom_app.errors import ConfigurationError, CopydicomError, FatalError
from copydicom_app.models import Level, Outcome, Reference, Server, Status, Tally, is_orthanc_id
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.replication.anonymize import Profile
from copydicom_app.replication.rekey import Keys
from copydicom_app.replication.replicate import Budget, Replicator
from copydicom_app.splunk.audit import Audit
from copydicom_app.splunk.chunked import Frame, ProtocolError, extended, picked, read_frame, write_frame
from copydicom_app.splunk.config import connect, current_person, server_named
from copydicom_app.splunk.kvstore import KvLedger
from copydicom_app.splunk.logs import Log
from copydicom_app.splunk.options import Options, parse_level
from copydicom_app.splunk.profiles import profile_named

_EngineOrError = Union[Replicator, CopydicomError]

FIELDS = ("status", "copied", "present", "missing", "failed", "bytes", "message")
CANCELLED = "the search was cancelled before this was copied"


class Command:
    """One run of the command, from Splunk's `getinfo` to the last chunk; `cancel` may come at any time."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._in, self._out = stdin, stdout
        self._stop = threading.Event()
        self._busy = False
        self._log = Log("command", stderr=False)
        self._tally = Tally()
        self._messages: list[tuple[str, str]] = []
        self._engines: dict[str, _EngineOrError] = {}
        self._noticed: set[str] = set()
        self._audit: Optional[Audit] = None
        self._dest: Optional[Orthanc] = None
        self._anonymize: Optional[tuple[Profile, Keys]] = None

    def run(self) -> int:
        """Answer all that Splunk asks; the exit code."""
        getinfo = read_frame(self._in)
        if getinfo is None:
            return 0
        try:
            self._prepare(getinfo.metadata)
        except CopydicomError as error:
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
        if not self._busy:  # nothing to finish, only a pipe that may never speak again
            self._finish()
            os._exit(0)

    # Before the first row

    def _prepare(self, metadata: dict[str, Any]) -> None:
        """Everything that can be refused before a row is seen: who asks, what, from where, to where."""
        info = metadata.get("searchinfo") or {}
        self._sid = str(info.get("sid") or "")
        self._preview = bool(metadata.get("preview"))
        self._options = Options.of(info.get("args") or [])
        if self._sid.startswith("rt_"):
            raise ConfigurationError(
                "copydicom does not run in a real-time search; schedule the search instead"
            )
        if metadata.get("streaming_command_will_restart"):
            raise ConfigurationError(
                "copydicom cannot stand where Splunk may run it twice; put it at the end of the search"
            )
        self._service = connect(str(info.get("splunkd_uri")), str(info.get("session_key")))
        self._dest_server = server_named(self._service, self._options.dest)
        person = current_person(self._service)
        person.check_may_send_to(self._dest_server)
        if self._options.anonymize:
            self._anonymize = profile_named(self._service, self._options.anonymize)
        if self._options.source:
            self._source_named(self._options.source)
        self._budget = Budget(self._dest_server.max_instances)
        if not (self._options.dryrun or self._preview):
            self._audit = Audit(
                user=person.name,
                sid=self._sid,
                app=str(info.get("app") or ""),
                dest=self._options.dest,
                method=self._options.method,
                profile=self._options.anonymize,
            )

    def _source_named(self, name: str) -> Server:
        return server_named(self._service, name)

    # A chunk of rows

    def _answered(self, body: bytes) -> bytes:
        """The rows with their outcomes."""
        wanted, settled = self._read(body)
        for source, items in wanted.items():
            for (row, _), outcome in zip(items, self._copy(source, [ref for _, ref in items])):
                settled[row].append(outcome)
            engine = self._engines[source]
            if isinstance(engine, Replicator):
                new = engine.notices.keys() - self._noticed
                self._messages += [("WARN", engine.notices[key]) for key in sorted(new)]
                self._noticed |= new
        rows = []
        for outcomes in settled:
            merged = _merged(outcomes)
            self._tally.add(merged)
            rows.append([merged.status.value, *(getattr(merged, name) for name in FIELDS[1:])])
        return extended(body, [f"copydicom_{name}" for name in FIELDS], rows) if rows or body else body

    def _read(self, body: bytes) -> tuple[dict[str, list[tuple[int, Reference]]], list[list[Outcome]]]:
        """What the rows name, by source; and a place for the outcomes of each row, filled for bad ones."""
        wanted: defaultdict[str, list[tuple[int, Reference]]] = defaultdict(list)
        settled: list[list[Outcome]] = []
        fields = [self._options.id, "orthanc_server", "level", "ParentSeries", "ParentStudy"]
        for number, (ids, servers, levels, series, study) in enumerate(picked(body, fields)):
            settled.append([])
            try:
                source, level = self._meant(ids, servers, levels)
            except ConfigurationError as error:
                settled[-1].append(Outcome.of_instance("", Status.FAILED, message=str(error)))
                continue
            parents = sys.intern(_only(series)), sys.intern(_only(study))
            for id in ids:
                wanted[source].append((number, Reference(id, level, *parents)))
        return wanted, settled

    def _meant(self, ids: list[str], servers: list[str], levels: list[str]) -> tuple[str, Level]:
        """The source and the level of a row; raises ConfigurationError with what it lacks."""
        source = self._options.source or "".join(servers[:1])
        if not source:
            raise ConfigurationError(
                "the row names no source; add source=<server> or keep the field orthanc_server"
            )
        if not ids:
            raise ConfigurationError(f"the row has no value in the field {self._options.id}")
        level = self._options.level or parse_level("".join(levels[:1]), "the row's field level")
        return source, level or Level.INSTANCE

    def _copy(self, source: str, refs: list[Reference]) -> Iterator[Outcome]:
        engine = self._engine(source)
        if isinstance(engine, CopydicomError):
            yield from (Outcome.of_instance(ref.id, Status.FAILED, message=str(engine)) for ref in refs)
            return
        done = 0
        try:
            for outcome in engine.outcomes(refs):
                yield outcome
                done += 1
        except StoppedError:
            for ref in refs[done:]:
                yield Outcome.of_instance(ref.id, Status.FAILED, message=CANCELLED)

    def _engine(self, source: str) -> _EngineOrError:
        """The engine for a source, or why there is none.

        Raises what makes every copy of the search impossible: the destination, or the only source.
        """
        if self._dest is None:
            dest = Orthanc(self._dest_server, self._stop)
            dest.system()
            self._dest = dest
        if source not in self._engines:
            try:
                engine = self._new_engine(source, self._dest)
                engine.check()
                self._engines[source] = engine
            except CopydicomError as error:
                if self._options.source:
                    raise
                self._messages.append(("WARN", str(error)))
                self._engines[source] = error
        return self._engines[source]

    def _new_engine(self, source: str, dest: Orthanc) -> Replicator:
        return Replicator(
            Orthanc(self._source_named(source), self._stop),
            dest,
            dry_run=self._options.dryrun,
            verify=self._options.verify,
            method=self._options.method,
            anonymize=self._anonymize,
            ledger=KvLedger(self._service, dest.server.name, self._options.anonymize),
            jobs=self._options.jobs,
            budget=self._budget,
            stop=self._stop,
        )

    # The end

    def _finish(self) -> None:
        """The audit trail, and one line for the job inspector and the log: what became of all rows."""
        cancelled = self._stop.is_set()
        if self._audit is not None:
            for source, engine in self._engines.items():
                if isinstance(engine, Replicator):
                    self._audit.write(source, engine.studies, cancelled)
            self._audit.close()
            self._audit = None
        rate = self._tally.rate()
        said = f"{self._tally}{f' ({rate})' if rate else ''}"
        if cancelled:
            self._messages.append(("WARN", f"cancelled; what was in flight was finished: {said}"))
        else:
            self._messages.append(("INFO", said))
        fields = self._tally.as_fields()
        self._log.info(
            "cancelled" if cancelled else "finished",
            dest=self._options.dest,
            dryrun=self._options.dryrun,
            sid=self._sid,
            **fields,
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


def _only(values: list[str]) -> str:
    """The one value of a field, when it is one and an Orthanc id."""
    return values[0] if len(values) == 1 and is_orthanc_id(values[0]) else ""


def _merged(outcomes: list[Outcome]) -> Outcome:
    """Several outcomes as one: the worst status with its message, the counts added up."""
    if len(outcomes) == 1:
        return outcomes[0]
    worst = max(outcomes, key=lambda outcome: outcome.status.severity)
    sums = {status.value: sum(outcome.count(status) for outcome in outcomes) for status in Status}
    return Outcome(
        worst.ref,
        worst.status,
        bytes=sum(outcome.bytes for outcome in outcomes),
        message=worst.message,
        **sums,
    )


def main() -> None:
    """Splunk's entry point."""
    command = Command(sys.stdin.buffer, sys.stdout.buffer)
    signal.signal(signal.SIGTERM, lambda *_: command.cancel())
    try:
        code = command.run()
    except (ProtocolError, ValueError):
        sys.stderr.write("ERROR this is started by Splunk's search, not by hand\n")
        code = 1
    sys.stdout.flush()
    os._exit(code)  # a request that still waits for Orthanc would hold up the end of the search
