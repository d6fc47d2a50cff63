"""Copy instances from one Orthanc to another: never twice, never over something, each with its outcome.

    references -> resolve (which instances?) -> presence (which are there already?) -> a Sender, several
    parts at once -> where it may recycle: presence again -> one Outcome a reference, in their order

An Orthanc id is a hash of the DICOM identifiers, so an instance has the same id at both ends, and the
destination itself is the record of what was copied. Memory holds a few windows of instances and the ids
of the last that were met, never the whole cohort.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sized
from dataclasses import replace
from itertools import chain
from typing import Optional

from copydicom_app.errors import ConfigurationError, CopydicomError, NotFoundError
from copydicom_app.gauge import Gauge
from copydicom_app.health import PATIENCE, Guard
from copydicom_app.models import Outcome, Reference, Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError, ordered
from copydicom_app.recent import Recent
from copydicom_app.replication import check
from copydicom_app.replication.anonymize import AnonymizingSender, Profile
from copydicom_app.replication.budget import Budget
from copydicom_app.replication.ledger import Ledger, MemoryLedger
from copydicom_app.replication.peer import PeerSender
from copydicom_app.replication.presence import Presence
from copydicom_app.replication.rekey import Keys
from copydicom_app.replication.resolve import Item, resolve
from copydicom_app.replication.room import Room
from copydicom_app.replication.steps import WINDOW, Step, folded, repeated, windows
from copydicom_app.replication.studies import Studies
from copydicom_app.replication.transfer import CANCELLED, Result, Sender, StreamSender

ASKED_AGAIN = 10_000  # instances that are held back until a recycling destination was asked again
REMEMBERED = 100_000  # instances met lately, at least: one that comes again is not sent again
GRACE = 8.0  # seconds that a cancelled copy gives to what is in flight


class Replicator:
    """Copies from `source` to `dest` for as long as one search lasts.

    `studies` counts what became of the instances of each study (Orthanc id, or an empty text for those
    whose study nobody told): counts by status, and `bytes`. Without `by_study` nobody wants to know, and no
    server is asked for it.
    """

    def __init__(
        self,
        source: Orthanc,
        dest: Orthanc,
        *,
        dry_run: bool = False,
        verify: bool = False,
        jobs: Optional[int] = None,
        budget: Optional[Budget] = None,
        method: str = "stream",
        anonymize: Optional[tuple[Profile, Keys]] = None,
        ledger: Optional[Ledger] = None,
        stop: Optional[threading.Event] = None,
        patience: float = PATIENCE,
        grace: float = GRACE,
        gauge: Optional[Gauge] = None,
        by_study: bool = True,
    ) -> None:
        self._stop = stop or threading.Event()
        self._gauge = gauge or Gauge()
        self._by_study = by_study
        self._grace = grace
        self._source = Guard(source, self._stop, patience)
        self._dest = Guard(dest, self._stop, patience)
        self._sender: Sender
        if anonymize:
            self._sender = AnonymizingSender(self._source, self._dest, self._stop, *anonymize)
        elif method == "peer":
            self._sender = PeerSender(self._source, self._dest)
        else:
            self._sender = StreamSender(self._source, self._dest, self._stop)
        self._anonymizes = bool(anonymize)
        # Where ids change, only a ledger knows what was sent.
        self._ledger = (ledger or MemoryLedger()) if anonymize or dest.server.rewrites else None
        self._presence = Presence(dest)
        # An instance has the same study at both ends, and the destination has those that are there.
        self._study_of = Studies(self._dest if self._ledger is None else self._source)
        self._room = Room(self._source, self._dest)
        self._dry_run = dry_run
        self._verify = verify
        bearable = min(source.server.max_connections, dest.server.max_connections)
        self._jobs = min(jobs, bearable) if jobs else bearable
        self._budget = budget or Budget()
        self._mean = 100_000.0  # bytes of an instance, as far as seen
        self._met: Recent[str, Status] = Recent(REMEMBERED)
        self.notices: dict[str, str] = {}  # what an admin should know, once each
        self.studies: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def check(self) -> None:
        """Raise what makes every copy impossible: a server away, a login refused, one server twice."""
        source, dest = self._source.orthanc, self._dest.orthanc
        source.system()
        self._room.learn(dest.system())
        if source.server.base_url.rstrip("/") == dest.server.base_url.rstrip("/"):
            raise ConfigurationError(
                f"source {source.server.name!r} and destination {dest.server.name!r} are the "
                "same Orthanc; name another destination"
            )
        if dest.server.requires_anonymized and not (self._anonymizes or source.server.deidentified):
            raise ConfigurationError(
                f"server {dest.server.name!r} takes anonymized copies only; add anonymize=<profile>, or copy "
                "from a server whose setting deidentified = true says that it holds nothing else"
            )
        if dest.server.rewrites and isinstance(self._sender, PeerSender):
            raise ConfigurationError(
                f"server {dest.server.name!r} gives other ids (rewrites = true), so method=peer cannot tell "
                "what arrived; use method=stream"
            )
        self._sender.check()

    def outcomes(self, refs: Iterable[Reference]) -> Iterator[Outcome]:
        """One Outcome a reference, in their order.

        Raises nothing for a single reference: what goes wrong is its outcome. Raises StoppedError once
        `stop` is set and what is in flight has come to its end; outcomes yielded before are true.
        """
        if isinstance(refs, Sized):
            self._presence.expected += len(refs)
        looked_at = ordered(self._window, windows(refs), 2, self._stop)
        settled = ordered(self._settle, self._parts(looked_at), self._jobs, self._stop, self._grace)
        yield from self._folded(self._asked_again(step for part in settled for step in part))

    def forget(self) -> None:
        """Begin as if nothing was met before: for an engine that lives for days, while both ends change."""
        self._met = Recent(REMEMBERED)
        self._presence.forget()

    # What there is to do

    def _window(self, refs: list[Reference]) -> list[Step]:
        """The instances of some references; those that the destination has are settled."""
        steps = [step for ref in refs for step in self._steps(ref)]
        asked = {step.item.id: step.item.series for step in steps if step.result is None}
        try:
            held = self._held(asked)
            forecast = self._forecast([step.item for step in steps if step.item.id not in held])
        except CopydicomError as error:
            failed = Result(Status.FAILED, message=str(error))
            return [step if step.result else replace(step, result=failed) for step in steps]
        for step in steps:
            if step.result is None and step.item.id in held:
                step.result = Result(Status.PRESENT, study=step.item.study)
            elif step.result is None:
                step.result = forecast.get(step.item.id)
        return steps

    def _held(self, series_of: dict[str, str]) -> set[str]:
        """Those of the instances (instance -> its series) that the destination has, under whatever id."""
        if self._ledger is None:
            return self._dest(lambda _: self._presence.held(series_of))
        given = self._ledger.given(list(series_of))
        there = self._dest(lambda _: self._presence.held(dict.fromkeys(given.values(), "")))
        return {id for id, id_there in given.items() if id_there in there}

    def _steps(self, ref: Reference) -> list[Step]:
        try:
            items = self._source(lambda source: resolve(ref, source)).items
            result = None if items else Result(Status.PRESENT, message="it holds no instances")
        except NotFoundError:
            result = Result(Status.MISSING, message=f"server {self._source.name!r} does not have it")
        except CopydicomError as error:
            result = Result(Status.FAILED, message=str(error))
        if result is not None:
            return [Step(ref, Item("", study=ref.study), result, last=True)]
        steps = [Step(ref, item) for item in items]
        steps[-1].last = True
        return steps

    def _forecast(self, items: list[Item]) -> dict[str, Result]:
        """In a dry run what would become of the absent ones; else nothing."""
        if not self._dry_run or not items:
            return {}
        sizes = {item.id: item.size for item in items if item.size is not None}
        unknown = [item.id for item in items if item.id and item.id not in sizes]
        if unknown:
            held = self._source(lambda source: source.held(unknown))
            sizes.update((id, one.size or 0) for id, one in held.items())
        missing = Result(Status.MISSING, message=f"server {self._source.name!r} does not have it")
        return {
            item.id: Result(Status.PLANNED, sizes[item.id] or 0, study=item.study)
            if item.id in sizes
            else missing._replace(study=item.study)
            for item in items
        }

    # The work, in parts

    def _parts(self, windows: Iterator[list[Step]]) -> Iterator[list[Step]]:
        """Steps in their order, cut so that each part is work for one request or one large file.

        Towards the end the parts get smaller, so that no worker is left with the last big one.
        """
        waiting: deque[Step] = deque()
        left = 0  # instances among them and in `part` that are work
        part: list[Step] = []
        work = 0
        for window in chain(windows, ([],)):
            self._admit(window)
            waiting += window
            left += sum(map(self._is_work, window))
            # what would make smaller parts waits for the next window, if there is one
            enough = 2 * self._jobs * self._sender.together if window else 0
            while waiting and (left >= enough or len(waiting) > WINDOW):
                part.append(waiting.popleft())
                work += self._is_work(part[-1])
                if work >= self._fitting(left) or len(part) >= WINDOW:
                    yield part
                    left -= work
                    part, work = [], 0
        if part:
            yield part

    def _admit(self, window: list[Step]) -> None:
        for step in window:
            self._remember(step)
        self._refuse_excess([step for step in window if not step.result and not step.repeats])

    def _remember(self, step: Step) -> None:
        id = step.item.id
        step.repeats = id in self._met
        if id and not step.repeats:
            self._met[id] = Status.FAILED  # until it is known

    def _is_work(self, step: Step) -> bool:
        if step.repeats:
            return False
        return step.result is None or (self._verify and step.result.status is Status.PRESENT)

    def _fitting(self, left: int) -> int:
        """How many instances a part should have; of small ones some even at the very end."""
        fill = self._sender.aim / self._mean
        least = max(1, min(5, int(fill / 10)))
        return max(least, min(self._sender.together, int(fill), left // (2 * self._jobs)))

    def _refuse_excess(self, steps: list[Step]) -> None:
        """Settle what must not be sent: more than `max_instances`, or more than the destination keeps."""
        if not steps or self._dry_run:
            return
        allowed = self._budget.take(len(steps))
        message = (
            f"server {self._dest.name!r} takes at most {self._budget.most} instances a search "
            f"({self._budget.setting}); narrow the search, or run it again for the rest"
        )
        for step in steps[allowed:]:
            step.result = Result(Status.FAILED, message=message, study=step.item.study)
        steps = steps[:allowed]
        refusal = self._room.refusal([step.item for step in steps])
        for step in steps if refusal else ():
            step.result = Result(Status.FAILED, message=refusal, study=step.item.study)

    def _settle(self, part: list[Step]) -> list[Step]:
        todo = [step for step in part if step.result is None and not step.repeats]
        if self._stop.is_set():
            results = [Result(Status.FAILED, message=CANCELLED) for _ in todo]
        else:
            results = self._sender.send([step.item for step in todo]) if todo else []
        for step, result in zip(todo, results):
            step.result = result
            if result.bytes:
                self._mean += (result.bytes - self._mean) / 4
        self._note_down(todo)
        for step in part if self._verify else ():
            if step.result and not step.repeats and step.result.status in (Status.PRESENT, Status.COPIED):
                step.result = check.compared(step.item, step.result, self._source, self._dest)
        self._gauge.add(len(part))
        return part

    def _note_down(self, steps: list[Step]) -> None:
        arrived = (Status.COPIED, Status.PRESENT)
        given = {
            step.item.id: step.result.given or step.item.id
            for step in steps
            if step.result and step.result.status in arrived
        }
        if self._ledger is None or not given:
            return
        try:
            self._ledger.note(given)
        except CopydicomError as error:
            message = f"it was sent, but that could not be noted, so it may be sent again: {error}"
            for step in steps:
                if step.result and step.item.id in given:
                    step.result = step.result._replace(message=message)

    # What became of it

    def _asked_again(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Where what was stored may be dropped again, hold the rows back until the destination was asked."""
        if not (self._room.may_recycle or self._sender.must_ask_again) or self._dry_run:
            yield from steps
            return
        held_back: list[Step] = []
        try:
            for step in steps:
                held_back.append(step)
                if len(held_back) >= ASKED_AGAIN:
                    yield from self._confirmed(held_back)
                    held_back = []
        except StoppedError:
            yield from self._confirmed(held_back)
            raise
        yield from self._confirmed(held_back)

    def _confirmed(self, steps: list[Step]) -> list[Step]:
        there = (Status.COPIED, Status.PRESENT)
        said = {
            step.item.id: step.item.series
            for step in steps
            if step.item.id and step.result and step.result.status in there
        }
        if not any(step.result and step.result.status is Status.COPIED for step in steps):
            return steps
        name = self._dest.name
        try:
            self._presence.forget()
            held = self._held(said)
            message = self._sender.if_absent or (
                f"server {name!r} took it and has dropped it since: it recycles what is old when it is full"
            )
        except CopydicomError as error:
            held, message = set(), f"it was sent, but server {name!r} could not be asked again: {error}"
        for step in steps:
            if step.item.id in said and step.item.id not in held:
                step.result = Result(Status.FAILED, message=message, study=step.item.study)
        return steps

    def _folded(self, steps: Iterator[Step]) -> Iterator[Outcome]:
        results: list[Result] = []
        for step in steps:
            result = step.result or Result(Status.FAILED, message=CANCELLED)
            if step.repeats:
                earlier = self._met.get(step.item.id, Status.PRESENT)
                result = repeated(earlier, step.item.study, self._source.name)
            elif step.item.id in self._met:
                self._met[step.item.id] = result.status
            if self._by_study:
                self.studies[self._study(step.item, result)].update(
                    {result.status.value: 1, "bytes": result.bytes}
                )
            if result.given and result.status is Status.FAILED:
                self.notices.setdefault(result.message.split(" (")[0], result.message)
            results.append(result)
            if step.last:
                yield folded(step.ref, results)
                results = []

    def _study(self, item: Item, result: Result) -> str:
        """The study that the audit trail names; asked for only where the instance is known to be there."""
        told = result.study or item.study
        if told or self._dry_run or result.status not in (Status.COPIED, Status.PRESENT, Status.CONFLICT):
            return told
        return self._study_of.of(item) if item.id else ""
