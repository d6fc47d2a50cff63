"""Copies through the REST handler, for a person who may not read the passwords.

The engine then runs in the handler's process; here are only the references, cut into bounded batches, and the
outcomes. A search keeps what it promises: one limit, one trail, nothing sent twice, an end when cancelled.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from copydicom_app.errors import ConfigurationError, CopydicomError, RetriableError
from copydicom_app.models import Level, Outcome, Reference, Status
from copydicom_app.parallel import StoppedError
from copydicom_app.recent import Recent
from copydicom_app.replication.replicate import REMEMBERED
from copydicom_app.splunk.config import PASSWORD_CAPABILITY
from copydicom_app.splunk.trail import Trail
from copydicom_app.splunk.transfer_request import (
    MOST_BYTES,
    MOST_REFERENCES,
    PATH,
    TransferRequest,
    outcome_of_json,
)

_BYTES_AROUND = 300  # of a reference's JSON besides its id, and more
_Key = tuple[Level, str]
_ARRIVED = (Status.COPIED, Status.PRESENT, Status.PLANNED)


@dataclass(frozen=True)
class _Answer:
    outcomes: list[Outcome]
    notices: dict[str, str]


class HandlerError(ConfigurationError):
    """What the handler refused; that is in the audit trail already."""


class RemoteCopies:
    """Asks the handler for one search. `request` says who and how; source and references are filled in."""

    def __init__(self, service: client.Service, request: TransferRequest, stop: threading.Event) -> None:
        self._service, self._stop, self._request = service, stop, request
        self._trail: Optional[Trail] = None  # from the first request on: a preview makes none

    def reach_dest(self) -> None:
        """Let the handler ask the destination; raises what makes every copy impossible."""
        self.ask("", ())

    def engine(self, source: str) -> RemoteEngine:
        """An engine that is known to work; raises what makes every copy from this source impossible."""
        self.ask(source, ())
        return RemoteEngine(self, source, self._stop)

    def ask(self, source: str, refs: Sequence[Reference]) -> _Answer:
        """One request. Raises the error that the handler tells, or that there is no handler."""
        if self._trail is None:
            self._trail = Trail.begin()
        search = self._trail.token
        request = replace(self._request, search=search, source=source, references=tuple(refs))
        try:
            response = self._service.post(
                PATH, headers=[("Content-Type", "application/json")], body=request.encode()
            )
            said: dict[str, Any] = json.loads(response.body.read())
        except HTTPError as error:
            raise _error_of(error) from error
        except (AuthenticationError, OSError, ValueError) as error:
            raise RetriableError("Splunk's REST API broke off while something was copied") from error
        return _Answer([outcome_of_json(row) for row in said["outcomes"]], said["notices"])

    def progressed(self) -> None:
        """Nothing: the handler notes it."""

    def cancel(self) -> None:
        """Let what is under way come to its end."""
        if self._trail is not None:
            self._trail.stop()

    def finish(self, cancelled: bool) -> None:
        """Write what became of every study."""
        if self._trail is not None:
            self._trail.close(cancelled)


class RemoteEngine:
    """An engine as the search sees it; `notices` are what an admin should know, once each."""

    def __init__(self, copies: RemoteCopies, source: str, stop: threading.Event) -> None:
        self._copies, self._source, self._stop = copies, source, stop
        self._met: Recent[_Key, Outcome] = Recent(REMEMBERED)
        self.notices: dict[str, str] = {}

    def outcomes(self, refs: Iterable[Reference]) -> Iterator[Outcome]:
        """One Outcome a reference, in their order; raises StoppedError as the engine itself does."""
        for batch in _batches(refs):
            new = {_key(ref): ref for ref in batch if _key(ref) not in self._met}
            answered, trouble = self._answered(list(new.values()))
            for ref in batch:
                key = _key(ref)
                if key in self._met:
                    yield _repeated(self._met[key])
                    continue
                if key in answered:
                    outcome = answered[key]
                elif trouble is not None:
                    outcome = Outcome.of_instance(ref.id, Status.FAILED, message=str(trouble))
                else:
                    raise StoppedError
                self._met[key] = outcome
                yield outcome

    def _answered(self, todo: list[Reference]) -> tuple[dict[_Key, Outcome], Optional[CopydicomError]]:
        """What became of references, asked in as many requests as it takes; and what broke it off."""
        answered: dict[_Key, Outcome] = {}
        while todo and not self._stop.is_set():
            try:
                answer = self._copies.ask(self._source, todo)
            except CopydicomError as error:
                return answered, error
            self.notices.update(answer.notices)
            answered.update((_key(ref), outcome) for ref, outcome in zip(todo, answer.outcomes))
            if not answer.outcomes and not self._stop.is_set():
                return answered, RetriableError("the app's REST handler did nothing; see its log")
            todo = todo[len(answer.outcomes) :]
        return answered, None


def _key(ref: Reference) -> _Key:
    return ref.level, ref.id


def _batches(refs: Iterable[Reference]) -> Iterator[list[Reference]]:
    """References in their order, as many as a request may hold."""
    batch: list[Reference] = []
    size = 0
    for ref in refs:
        bytes_of_it = len(json.dumps(ref.id)) + _BYTES_AROUND
        if batch and (len(batch) == MOST_REFERENCES or size + bytes_of_it > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(ref)
        size += bytes_of_it
    if batch:
        yield batch


def _repeated(earlier: Outcome) -> Outcome:
    """What came before is not copied again, and counts as there if the first one arrived."""
    count = sum(earlier.count(status) for status in Status)
    if earlier.status in _ARRIVED:
        return Outcome(earlier.ref, Status.PRESENT, message="repeats an earlier row", present=count)
    if earlier.status is Status.MISSING:
        return earlier
    return replace(earlier, bytes=0, copied=0, message="repeats an earlier row, whose message says why")


def _error_of(error: HTTPError) -> CopydicomError:
    """What the handler said, or that it is not there."""
    try:
        said = json.loads(error.body)
        kind = RetriableError if said.get("retry") else HandlerError
        return kind(str(said["error"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        if error.status == 404:
            return ConfigurationError(
                "the app's REST handler does not answer (HTTP 404); restart Splunk once after the "
                f"installation. Without it, copying needs the capability {PASSWORD_CAPABILITY}"
            )
        return RetriableError(f"the app's REST handler failed (HTTP {error.status}); see index=_internal")
