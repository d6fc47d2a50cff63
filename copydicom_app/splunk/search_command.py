"""The search command ``| copydicom dest=<server>``: rows that name instances come back with their outcome.

Splunk's search command protocol, version 2. The command has a side effect, so it runs on the search head
only (`stateful`), never in preview or real time, and sends nothing twice.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, Optional, Union

from splunklib.searchcommands import (
    Configuration,
    Option,
    StreamingCommand,
    validators,
)

from copydicom_app.errors import ConfigurationError, CopydicomError
from copydicom_app.models import Outcome, Reference, Status, Tally
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.replicate import Replicator
from copydicom_app.splunk.config import connect, current_person, server_named
from copydicom_app.splunk.logs import Log

Row = dict[str, Any]
_EngineOrError = Union[Replicator, CopydicomError]


class _Refused(validators.Validator):  # type: ignore[misc]
    """An option of the SDK that no search may set.

    `logging_configuration` evaluates the code of any file it is given; `record` writes what passes through.
    """

    def __call__(self, value: Optional[str]) -> None:
        if value is not None:
            raise ValueError("not an option of copydicom")

    def format(self, value: object) -> str:
        return ""


@Configuration(distributed=False)
class CopydicomCommand(StreamingCommand):  # type: ignore[misc]
    """Copies the instances that a search found to another Orthanc server.

    ##Syntax
    copydicom dest=<server> [source=<server>] [id=<field>] [dryrun=<bool>] [jobs=<int>]
    """

    dest = Option(doc="Where to copy to: a server of copydicom_servers.conf", require=True)
    source = Option(doc="Where to copy from; without it each row's orthanc_server says so")
    id = Option(
        doc="The field that holds Orthanc ids of instances", default="ID", validate=validators.Fieldname()
    )
    dryrun = Option(doc="Only say what would be copied", default=False, validate=validators.Boolean())
    jobs = Option(doc="Transfers at once", validate=validators.Integer(1, 64))

    logging_configuration = Option(validate=_Refused())
    record = Option(validate=_Refused())

    def __init__(self) -> None:
        super().__init__()
        self.stop = threading.Event()
        self.busy = False
        self._log = Log("command", stderr=False)
        self._tally = Tally()
        self._named = 0
        self._service: Any = None
        self._dest_server: Any = None
        self._dest_orthanc: Optional[Orthanc] = None
        self._engines: dict[str, _EngineOrError] = {}

    def prepare(self) -> None:
        """Everything that can be refused before a row is seen: who asks, from where, to where."""
        try:
            self._check_search()
            info = self.metadata.searchinfo
            self._service = connect(info.splunkd_uri, info.session_key)
            self._dest_server = server_named(self._service, self.dest)
            current_person(self._service).check_may_send_to(self._dest_server)
            if self.source:
                server_named(self._service, self.source)
        except CopydicomError as error:
            self.fail(str(error))

    def stream(self, records: Iterable[Row]) -> Iterator[Row]:
        """The rows of one chunk, in order, each with its outcome; untouched in a preview."""
        if getattr(self.metadata, "preview", False):
            yield from records
            return
        rows = list(records)
        self.busy = True
        try:
            outcomes = self._outcomes(rows)
        except CopydicomError as error:
            self.fail(str(error))
        finally:
            self.busy = False
        for row, outcome in zip(rows, outcomes):
            yield {**row, **_fields(outcome)}
        if getattr(self.metadata, "finished", False):
            self._sum_up()

    def fail(self, message: str) -> NoReturn:
        """End the search with one clear error."""
        self._log.error(message)
        self.write_error(message)
        sys.exit(1)

    def write_error(self, message: str, *args: object) -> None:
        """As the SDK's, but a brace in a message is a brace and not a place to fill in."""
        super().write_error("{}", message.format(*args) if args else message)

    def _check_search(self) -> None:
        if str(getattr(self.metadata.searchinfo, "sid", "")).startswith("rt_"):
            raise ConfigurationError(
                "copydicom does not run in a real-time search; schedule the search instead"
            )
        if getattr(self.metadata, "streaming_command_will_restart", False):
            raise ConfigurationError(
                "copydicom cannot stand where Splunk may run it twice; put it at the end of the search"
            )

    def _outcomes(self, rows: list[Row]) -> list[Outcome]:
        """One Outcome a row, in order. The rows of one source go through one engine."""
        self._check_number(rows)
        settled: list[list[Outcome]] = [[] for _ in rows]
        wanted: dict[str, list[tuple[int, str]]] = {}
        for n, row in enumerate(rows):
            refs = _values(row.get(self.id)) or [""]
            source = self.source or "".join(_values(row.get("orthanc_server"))[:1])
            if source and refs != [""]:
                wanted.setdefault(source, []).extend((n, ref) for ref in refs)
            elif source:
                settled[n].append(_failed("", f"the row has no value in the field {self.id}"))
            else:
                message = "the row names no source; add source=<server> or keep the field orthanc_server"
                settled[n].extend(_failed(ref, message) for ref in refs)
        for source, items in wanted.items():
            for (n, _), outcome in zip(items, self._copy(source, [ref for _, ref in items])):
                settled[n].append(outcome)
                self._tally.add(outcome)
        return [_merged(outcomes) for outcomes in settled]

    def _check_number(self, rows: list[Row]) -> None:
        """Stop a slip before it copies an archive: the destination says how much one search may send."""
        most = self._dest_server.max_instances
        self._named += sum(len(_values(row.get(self.id))) for row in rows)
        if most and self._named > most:
            raise ConfigurationError(
                f"the search names {self._named} instances, and server {self.dest!r} takes {most} of one search; "
                "narrow the search, or raise max_instances of the server"
            )

    def _copy(self, source: str, refs: list[str]) -> Iterator[Outcome]:
        engine = self._engine(source)
        if isinstance(engine, CopydicomError):
            yield from (_failed(ref, str(engine)) for ref in refs)
            return
        done = 0
        try:
            for outcome in engine.outcomes([Reference(ref) for ref in refs]):
                yield outcome
                done += 1
        except StoppedError:
            yield from (
                _failed(ref, "the search was cancelled before this was copied") for ref in refs[done:]
            )

    def _engine(self, source: str) -> _EngineOrError:
        """The engine for a source, or why there is none.

        Raises what makes every copy of the search impossible: the destination, or the only source.
        """
        if self._dest_orthanc is None:
            dest = Orthanc(self._dest_server, self.stop)
            dest.system()
            self._dest_orthanc = dest
        if source not in self._engines:
            try:
                self._engines[source] = self._new_engine(source, self._dest_orthanc)
            except CopydicomError as error:
                if self.source:
                    raise
                self.write_warning("{}", str(error))
                self._engines[source] = error
        return self._engines[source]

    def _new_engine(self, source: str, dest: Orthanc) -> Replicator:
        server = server_named(self._service, source)
        engine = Replicator(
            Orthanc(server, self.stop), dest, dry_run=self.dryrun, jobs=self.jobs, stop=self.stop
        )
        engine.check()
        return engine

    def _sum_up(self) -> None:
        """One line for the job inspector and the log: what became of all rows."""
        self.write_info("{}", str(self._tally))
        sid = str(getattr(self.metadata.searchinfo, "sid", ""))
        self._log.info("finished", dest=self.dest, dryrun=self.dryrun, sid=sid, **self._tally.as_fields())


def _values(field: Any) -> list[str]:
    """The values of a field, one or many, without the empty ones."""
    values = field if isinstance(field, list) else [field or ""]
    return [value.strip() for value in values if value.strip()]


def _failed(ref: str, message: str) -> Outcome:
    return Outcome.of_instance(ref, Status.FAILED, message=message)


def _merged(outcomes: list[Outcome]) -> Outcome:
    """Several outcomes as one: the worst status with its message, the counts added up."""
    worst = max(outcomes, key=lambda outcome: outcome.status.severity)
    return Outcome(
        ref=worst.ref,
        status=worst.status,
        copied=sum(outcome.copied for outcome in outcomes),
        present=sum(outcome.present for outcome in outcomes),
        missing=sum(outcome.missing for outcome in outcomes),
        failed=sum(outcome.failed for outcome in outcomes),
        bytes=sum(outcome.bytes for outcome in outcomes),
        message=worst.message,
    )


def _fields(outcome: Outcome) -> Row:
    """The fields of the contract; each on every row, since Splunk drops what a chunk's first row lacks."""
    return {
        "copydicom_status": outcome.status.value,
        "copydicom_copied": outcome.copied,
        "copydicom_present": outcome.present,
        "copydicom_missing": outcome.missing,
        "copydicom_failed": outcome.failed,
        "copydicom_bytes": outcome.bytes,
        "copydicom_message": outcome.message,
    }


def main() -> None:
    """Splunk's entry point."""
    command = CopydicomCommand()

    def cancel(*_: object) -> None:
        command.stop.set()
        if (
            not command.busy
        ):  # between chunks there is nothing to finish, only a pipe that may never speak again
            os._exit(0)

    signal.signal(signal.SIGTERM, cancel)
    command.process(sys.argv, sys.stdin, sys.stdout, allow_empty_input=True)
    sys.stdout.flush()
    if command.stop.is_set():
        os._exit(0)  # a request that still waits for Orthanc would hold up the end of the search
