"""What splunkd's persistent REST handler answers: ``copydicom/transfer``, ``.../test`` and ``.../server``.

Splunk's protocol: `handle` gets the request as JSON (`session` of the person who asks, `system_authtoken` of
splunkd itself, `payload`), and answers a status and a payload. Passwords are read as splunkd, after what the
person may do was checked as that person. An answer never holds one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Optional

from copydicom_app.errors import ConfigurationError, CopydicomError, RetriableError
from copydicom_app.models import Level, Outcome, Reference, Status
from copydicom_app.parallel import StoppedError
from copydicom_app.replication.budget import Budget
from copydicom_app.replication.replicate import Replicator
from copydicom_app.splunk import server_edit
from copydicom_app.splunk.audit import Audit
from copydicom_app.splunk.config import NotAllowedError, Person, connect, current_person, server_named
from copydicom_app.splunk.connection import report, tested_server
from copydicom_app.splunk.copies import Search, audited, refused
from copydicom_app.splunk.engines import Engines
from copydicom_app.splunk.logs import Log
from copydicom_app.splunk.trail import Trail, close_stale
from copydicom_app.splunk.transfer_request import (
    BEGIN_SECONDS,
    LAST_SECONDS,
    TransferRequest,
    outcome_as_json,
)

Reply = dict[str, Any]
_GRACE = 120.0  # seconds for what is in flight at a stop: this process lives on, so it must be waited for
_POLL_SECONDS = 0.3  # how soon a cancelled search is noticed
_LARGEST_PART = 500  # references that are begun together
_TOO_LONG = (
    f"not all of it was copied within {LAST_SECONDS / 60:.0f} minutes; run the search again for the rest"
)
_QUICK, _SLOW = 1.0, 5.0  # seconds of a part: below it the next one is larger, above it smaller


class Handler:
    """Answers requests, one at a time; lives as long as the process."""

    def __init__(self, answer: Callable[[Mapping[str, Any], Log], Mapping[str, Any]], name: str) -> None:
        self._answer = answer
        self._log = Log("rest", stderr=False, endpoint=name)

    def handle(self, in_string: str) -> Reply:
        """The reply to one request."""
        try:
            request = json.loads(in_string)
            if request.get("method") != "POST":
                return _reply(405, {"error": "only POST is answered here"})
            return _reply(200, self._answer(request, self._log))
        except NotAllowedError as error:
            self._log.warning(str(error))
            return _reply(403, {"error": str(error)})
        except RetriableError as error:
            self._log.warning(str(error))
            return _reply(503, {"error": str(error), "retry": True})
        except CopydicomError as error:
            self._log.warning(str(error))
            return _reply(400, {"error": str(error)})
        except Exception as error:
            self._log.unexpected(error)
            return _reply(500, {"error": "an error of copydicom itself; see its log in index=_internal"})


def transfer(request: Mapping[str, Any], log: Log) -> Mapping[str, Any]:
    """``POST copydicom/transfer``: copy a batch; see `TransferRequest` for what it may hold."""
    person = _person(request)
    search = Search(sid=str(_session(request).get("search_id") or ""), app="", user=person.name)
    args: list[str] = []
    try:
        person.check_may_copy()
        wanted = TransferRequest.decode(str(request.get("payload") or ""))
        args = list(wanted.args)
        search = Search(search.sid or wanted.sid, wanted.app, person.name, wanted.limit)
        batch = _Batch(request, wanted, person, search)
    except ConfigurationError as error:
        refused(search, args, error)
        raise
    close_stale()
    try:
        outcomes, notices = batch.copy()
    except ConfigurationError as error:
        refused(search, args, error)
        raise
    if wanted.references:
        log.info("copied a batch", dest=wanted.options.dest, user=person.name, sid=search.sid, **batch.counts)
    return {"outcomes": [outcome_as_json(outcome) for outcome in outcomes], "notices": notices}


class _Batch:
    """One request: allowed, with everything it needs, or an error."""

    def __init__(
        self, request: Mapping[str, Any], wanted: TransferRequest, person: Person, search: Search
    ) -> None:
        self._wanted, self._options = wanted, wanted.options
        self._stop = threading.Event()
        self._trail = Trail.opened(wanted.search) if wanted.search else None
        system = connect(_address(request), str(request.get("system_authtoken") or ""))
        dest = server_named(system, self._options.dest, with_password=False)
        person.check_may_send_to(dest)
        self._constant = audited(self._options, person.name, search.sid, search.app)
        if self._trail is not None:
            self._trail.of(self._constant)
        taken = self._trail.taken if self._trail is not None else 0
        self._budget = Budget.narrower(dest.max_instances, wanted.limit, taken)
        self._engines = Engines(system, self._options, self._budget, self._stop, _GRACE)
        self.counts: dict[str, int] = {}

    def copy(self) -> tuple[list[Outcome], dict[str, str]]:
        """The outcomes of the first references, as many as there was time for; what an admin should know."""
        if not self._wanted.source:
            self._engines.reach_dest()
            return [], {}
        engine = self._engines.engine(self._wanted.source)
        if not self._wanted.references:
            return [], {}
        audit = None if self._options.dryrun else Audit(**self._constant)
        outcomes: list[Outcome] = []
        try:
            with self._watched():
                for part in _parts(self._wanted.references):
                    for outcome in engine.outcomes(part):
                        outcomes.append(outcome)  # one by one: a stop leaves those that are true
        except StoppedError:
            if not outcomes and not (self._trail is not None and self._trail.stopped):
                first = self._wanted.references[0].id
                outcomes.append(Outcome.of_instance(first, Status.FAILED, message=_TOO_LONG))
        finally:
            self._write(engine, audit)
        self.counts = {"references": len(outcomes), "bytes": sum(outcome.bytes for outcome in outcomes)}
        return outcomes, engine.notices

    def _write(self, engine: Replicator, audit: Optional[Audit]) -> None:
        """The trail: of this request, or of the search that it is a part of."""
        studies = {} if audit is None else engine.studies
        if self._trail is not None:
            self._trail.add(self._wanted.source, studies, self._budget.taken)
            if self._trail.stopped:
                self._trail.close(cancelled=True)
        elif audit is not None:
            audit.write(self._wanted.source, studies, cancelled=False)
        if audit is not None:
            audit.close()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Stop the engine when the search was cancelled, or when this takes too long."""
        done = threading.Event()
        end = time.monotonic() + LAST_SECONDS

        def watch() -> None:
            while not done.wait(_POLL_SECONDS):
                if time.monotonic() > end or (self._trail is not None and self._trail.stopped):
                    self._stop.set()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _parts(references: Sequence[Reference]) -> Iterator[Sequence[Reference]]:
    """References in their order, as many at once as some seconds do for; none after `BEGIN_SECONDS`."""
    begun = time.monotonic()
    at, size = 0, 50 if references[0].level is Level.INSTANCE else 1
    while at < len(references) and time.monotonic() - begun < BEGIN_SECONDS:
        before = time.monotonic()
        yield references[at : at + size]
        at += size
        took = time.monotonic() - before
        size = min(2 * size, _LARGEST_PART) if took < _QUICK else max(1, size // 2) if took > _SLOW else size


def test(request: Mapping[str, Any], log: Log) -> Mapping[str, Any]:
    """``POST copydicom/test``: whether a server answers, saved or not yet; see `connection.tested_server`."""
    person = _person(request)
    try:
        person.check_may_configure()
        system = connect(_address(request), str(request.get("system_authtoken") or ""))
        server = tested_server(system, _fields(request))
    except NotAllowedError as error:
        refused(Search("", "", person.name), [], error)
        raise
    found = report(server)
    log.info("tested a connection", server=server.name, user=person.name, ok=found["ok"])
    return found


def server(request: Mapping[str, Any], log: Log) -> Mapping[str, Any]:
    """``POST copydicom/server``: save a server or, with ``action=remove``, remove it; see `server_edit`."""
    person = _person(request)
    try:
        person.check_may_configure()
    except NotAllowedError as error:
        refused(Search("", "", person.name), [], error)
        raise
    fields = _fields(request)
    action = fields.pop("action", "save")
    if action not in ("save", "remove"):
        raise ConfigurationError(f"action must be save or remove, not {action[:100]!r}")
    system = connect(_address(request), str(request.get("system_authtoken") or ""))
    done = (server_edit.save if action == "save" else server_edit.remove)(system, fields)
    log.info(f"{action}d a server", server=fields.get("name", ""), user=person.name)
    return done


def _fields(request: Mapping[str, Any]) -> dict[str, str]:
    """What was posted: a JSON object, or a form."""
    payload = str(request.get("payload") or "")
    if payload.lstrip().startswith("{"):
        try:
            said = json.loads(payload)
        except ValueError as error:
            raise ConfigurationError("the body is no JSON") from error
        return {str(key): _text(value) for key, value in said.items() if value is not None}
    return {str(pair[0]): str(pair[1]) for pair in request.get("form") or ()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _person(request: Mapping[str, Any]) -> Person:
    return current_person(connect(_address(request), str(_session(request).get("authtoken") or "")))


def _session(request: Mapping[str, Any]) -> Mapping[str, Any]:
    session = request.get("session")
    return session if isinstance(session, dict) else {}


def _address(request: Mapping[str, Any]) -> str:
    server = request.get("server")
    return str(server.get("rest_uri", "")) if isinstance(server, dict) else ""


def _reply(status: int, payload: Mapping[str, Any]) -> Reply:
    return {
        "status": status,
        "payload": json.dumps(payload),
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
    }
