"""The copies of one search: checked, done here or by the REST handler, told, and in the audit trail.

Who may read the stored passwords copies in the search's own process. For everybody else the REST handler does
it, so that an operator needs no right to see a password.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Union

from splunklib import client

from copydicom_app.errors import CopydicomError
from copydicom_app.models import Outcome, Reference, Status
from copydicom_app.parallel import StoppedError
from copydicom_app.replication.budget import Budget
from copydicom_app.replication.replicate import Replicator
from copydicom_app.splunk.audit import Audit, write_refusal
from copydicom_app.splunk.config import (
    OWNERLESS,
    PasswordUnavailableError,
    Person,
    current_person,
    server_named,
)
from copydicom_app.splunk.engines import Engines, LocalCopies
from copydicom_app.splunk.options import Options
from copydicom_app.splunk.remote import HandlerError, RemoteCopies, RemoteEngine
from copydicom_app.splunk.rows import merged, read_rows
from copydicom_app.splunk.transfer_request import TransferRequest

CANCELLED = "the search was cancelled before this was copied"
Engine = Union[Replicator, RemoteEngine]


@dataclass(frozen=True)
class Search:
    """The search that asks: its id, its app, and whom Splunk runs it for. `limit`: instances at most.

    `name` is that of a saved search.
    """

    sid: str
    app: str
    user: str
    limit: int = 0
    name: str = ""


class Place(Protocol):
    """Where the copying is done."""

    def reach_dest(self) -> None:
        """Raise what makes every copy impossible."""

    def engine(self, source: str) -> Engine:
        """Raise what makes every copy from this source impossible."""

    def progressed(self) -> None:
        """An outcome more is there."""

    def cancel(self) -> None:
        """Come to an end soon."""

    def finish(self, cancelled: bool) -> None:
        """Write the trail."""


class Copies:
    """Checks who copies what where, then copies. Raises what can be refused before a row is seen.

    `messages` are what the person should be told, as (level, text); the caller takes them out.
    """

    def __init__(
        self,
        service: client.Service,
        args: list[str],
        search: Search,
        stop: threading.Event,
        *,
        preview: bool = False,
    ) -> None:
        self.messages: list[tuple[str, str]] = []
        self._stop = stop
        self._found: dict[str, Union[Engine, CopydicomError]] = {}
        self._noticed: set[str] = set()
        person = current_person(service)
        person.check_may_copy()
        self.options = Options.of(args)
        dest = server_named(service, self.options.dest, with_password=False)
        person.check_may_send_to(dest)
        if self.options.source:
            server_named(service, self.options.source, with_password=False)
        if search.user in OWNERLESS:
            Person("", person.roles, person.capabilities).check_may_send_to(dest)
        self._place = self._chosen(service, args, search, person, dest.max_instances, preview)

    def _chosen(
        self,
        service: client.Service,
        args: list[str],
        search: Search,
        person: Person,
        max_instances: int,
        preview: bool,
    ) -> Place:
        if person.reads_passwords:
            try:
                budget = Budget.narrower(max_instances, search.limit)
                engines = Engines(service, self.options, budget, self._stop)
                if self.options.source:
                    server_named(service, self.options.source)
                return LocalCopies(engines, None if preview else self._audit(search, person))
            except PasswordUnavailableError:
                pass  # it may be kept from this person and not from the handler
        request = TransferRequest(tuple(args), sid=search.sid, app=search.app, limit=search.limit)
        return RemoteCopies(service, request, self._stop)

    def _audit(self, search: Search, person: Person) -> Union[Audit, None]:
        if self.options.dryrun:
            return None
        return Audit(**audited(self.options, person.name, search.sid, search.app))

    def cancel(self) -> None:
        """Stop soon: what is in flight comes to its end."""
        self._stop.set()
        self._place.cancel()

    def of_rows(self, body: bytes) -> list[Outcome]:
        """One Outcome a row of a CSV; raises what makes every copy of the search impossible."""
        wanted, settled = read_rows(body, self.options)
        for source, items in wanted.items():
            for (row, _), outcome in zip(items, self._copied(source, [ref for _, ref in items])):
                settled[row].append(outcome)
            engine = self._found[source]
            if not isinstance(engine, CopydicomError):
                new = engine.notices.keys() - self._noticed
                self.messages += [("WARN", engine.notices[key]) for key in sorted(new)]
                self._noticed |= new
        return [merged(outcomes) for outcomes in settled]

    def finish(self) -> None:
        """Write the trail."""
        self._place.finish(self._stop.is_set())

    def _copied(self, source: str, refs: list[Reference]) -> Iterator[Outcome]:
        engine = self._engine(source)
        if isinstance(engine, CopydicomError):
            yield from (Outcome.of_instance(ref.id, Status.FAILED, message=str(engine)) for ref in refs)
            return
        done = 0
        try:
            for outcome in engine.outcomes(refs):
                self._place.progressed()
                yield outcome
                done += 1
        except StoppedError:
            for ref in refs[done:]:
                yield Outcome.of_instance(ref.id, Status.FAILED, message=CANCELLED)

    def _engine(self, source: str) -> Union[Engine, CopydicomError]:
        """The engine for a source, or why there is none; raises when no source could do."""
        if not self._found:
            self._place.reach_dest()
        if source not in self._found:
            try:
                self._found[source] = self._place.engine(source)
            except CopydicomError as error:
                if self.options.source:
                    raise
                self.messages.append(("WARN", str(error)))
                self._found[source] = error
        return self._found[source]


def audited(options: Options, user: str, sid: str, app: str) -> dict[str, str]:
    """What stands in every event of a search's trail."""
    return {
        "user": user,
        "sid": sid,
        "app": app,
        "dest": options.dest,
        "method": options.method,
        "profile": options.anonymize,
    }


def refused(search: Search, args: list[str], error: CopydicomError) -> None:
    """The trail of a copy that was refused as a whole: who wanted what, and why not."""
    if isinstance(error, HandlerError):
        return
    given = dict(arg.partition("=")[::2] for arg in args)
    write_refusal(
        str(error),
        user=search.user,
        sid=search.sid,
        app=search.app,
        dest=given.get("dest", ""),
        method=given.get("method", "stream"),
        profile=given.get("anonymize", ""),
    )
