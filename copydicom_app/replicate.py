"""Copy instances from one Orthanc to another: never twice, never over something, each with its outcome.

What is there already is asked in batches, what is not is copied several at a time; the outcomes come in
the order of the references. An Orthanc id is a hash of the DICOM identifiers, so an instance has the
same id at both ends, and the destination itself is the record of what was copied.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Optional

from copydicom_app.errors import ConfigurationError, CopydicomError, FatalError, NotFoundError, RetriableError
from copydicom_app.models import Held, Outcome, Status, is_orthanc_id
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import ordered

BATCH = 200  # references that one question to the destination settles


@dataclass(frozen=True)
class _Step:
    """One reference on its way: settled already, or still to be copied. `repeats` an earlier one."""

    ref: str
    outcome: Optional[Outcome] = None
    repeats: bool = False


class Replicator:
    """Copies from `source` to `dest` for as long as one search lasts.

    It remembers what it met, so that a reference that comes again is not sent again.
    """

    def __init__(
        self,
        source: Orthanc,
        dest: Orthanc,
        *,
        dry_run: bool = False,
        jobs: Optional[int] = None,
        stop: Optional[threading.Event] = None,
    ) -> None:
        self._source = source
        self._dest = dest
        self._dry_run = dry_run
        self._jobs = jobs or dest.server.max_connections
        self._stop = stop or threading.Event()
        self._met: dict[str, Status] = {}
        self._broken: Optional[CopydicomError] = None  # why nothing more can be copied

    def check(self) -> None:
        """Raise what makes every copy impossible: a server away, a login refused, one server twice."""
        if self._source.server.base_url.rstrip("/") == self._dest.server.base_url.rstrip("/"):
            raise ConfigurationError(
                f"source {self._source.server.name!r} and destination {self._dest.server.name!r} are the "
                "same Orthanc; name another destination"
            )
        self._source.system()
        self._dest.system()

    def outcomes(self, refs: Iterable[str]) -> Iterator[Outcome]:
        """One Outcome a reference (an Orthanc id of an instance), in their order.

        Raises nothing for a single reference: what goes wrong is its outcome. Raises StoppedError once
        `stop` is set; outcomes yielded before are true.
        """
        planned = ordered(self._plan, self._batches(refs), 2, self._stop)
        steps = (step for batch in planned for step in batch)
        for outcome in ordered(self._take, steps, self._jobs, self._stop):
            if isinstance(outcome, Outcome):
                self._met[outcome.ref] = outcome.status
                yield outcome
            else:
                yield Outcome(outcome.ref, self._met[outcome.ref], message="repeats an earlier row")

    def _batches(self, refs: Iterable[str]) -> Iterator[list[_Step]]:
        todo = iter(refs)
        asked: set[str] = set(self._met)
        while batch := list(islice(todo, BATCH)):
            steps = []
            for ref in batch:
                if not is_orthanc_id(ref):
                    message = "not an Orthanc id; the field named by id= must hold one"
                    steps.append(_Step(ref, Outcome.of_instance(ref, Status.FAILED, message=message)))
                else:
                    steps.append(_Step(ref, repeats=ref in asked))
                    asked.add(ref)
            yield steps

    def _plan(self, batch: list[_Step]) -> list[_Step]:
        """Settle what can be settled without copying: present; in a dry run also planned and missing."""
        open_refs = [step.ref for step in batch if step.outcome is None and not step.repeats]
        settled: dict[str, Outcome] = {}
        try:
            for ref in self._ask(self._dest, open_refs):
                settled[ref] = Outcome.of_instance(ref, Status.PRESENT)
            if self._dry_run:
                absent = [ref for ref in open_refs if ref not in settled]
                held = self._ask(self._source, absent)
                settled.update((ref, self._forecast(ref, held.get(ref))) for ref in absent)
        except CopydicomError as error:
            for ref in open_refs:
                settled.setdefault(ref, Outcome.of_instance(ref, Status.FAILED, message=str(error)))
        return [_Step(step.ref, step.outcome or settled.get(step.ref), step.repeats) for step in batch]

    def _ask(self, server: Orthanc, refs: list[str]) -> dict[str, Held]:
        self._stop_if_broken()
        try:
            return server.held(refs) if refs else {}
        except CopydicomError as error:
            self._note(server, error)
            raise

    def _forecast(self, ref: str, held: Optional[Held]) -> Outcome:
        if held is None:
            return self._missing(ref)
        return Outcome.of_instance(ref, Status.PLANNED, size=held.size or 0)

    def _take(self, step: _Step) -> Outcome | _Step:
        if step.repeats:
            return step
        return step.outcome or self._copy(step.ref)

    def _copy(self, ref: str) -> Outcome:
        try:
            self._stop_if_broken()
            try:
                dicom = self._source.file(ref)
            except NotFoundError:
                return self._missing(ref)
            except CopydicomError as error:
                self._note(self._source, error)
                raise
            try:
                return self._judged(ref, len(dicom), *self._dest.store(dicom))
            except CopydicomError as error:
                self._note(self._dest, error)
                raise
        except CopydicomError as error:
            return Outcome.of_instance(ref, Status.FAILED, message=str(error))

    def _judged(self, ref: str, size: int, answer: str, id: str) -> Outcome:
        """What an answer to an upload means: only Success with the id that was expected is a copy."""
        name = self._dest.server.name
        if answer == "Success" and id == ref:
            return Outcome.of_instance(ref, Status.COPIED, size)
        if answer == "AlreadyStored" and id == ref:
            return Outcome.of_instance(ref, Status.PRESENT)
        if answer == "FilteredOut":
            message = f"a filter of server {name!r} refused it"
        elif id and id != ref:
            message = f"server {name!r} stored it under another id ({id}): it rewrites what it receives"
        else:
            message = f"server {name!r} answered {answer or 'nothing'!r}"
        return Outcome.of_instance(ref, Status.FAILED, message=message)

    def _missing(self, ref: str) -> Outcome:
        message = f"server {self._source.server.name!r} does not have it"
        return Outcome.of_instance(ref, Status.MISSING, message=message)

    def _note(self, server: Orthanc, error: CopydicomError) -> None:
        """Remember an error that concerns every row: the server refuses us, or is gone for good."""
        if isinstance(error, RetriableError):
            try:
                server.system()
            except CopydicomError as gone:
                self._broken = gone
        elif isinstance(error, FatalError):
            self._broken = error

    def _stop_if_broken(self) -> None:
        if self._broken is not None:
            raise self._broken
