"""Copy what arrives at a source for as long as it takes: its change log, followed (``replicate --watch``).

The change log is followed by `indexing.changes.Feed`, which recognises an emptied log and a replaced
database and then walks again over what there is; here that costs nothing but questions, since the
destination is asked what it has.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Callable, Optional

from copydicom_app.errors import CopydicomError, RetriableError
from copydicom_app.indexing.changes import Feed
from copydicom_app.indexing.checkpoint import Position
from copydicom_app.indexing.reading import Part, Read
from copydicom_app.indexing.walking import InstanceWalk
from copydicom_app.models import Found, Outcome, Parents, Reference, Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.patience import FOREVER, Patience
from copydicom_app.replication.cancelled import begun
from copydicom_app.replication.replicate import Replicator

INTERVAL = 2.0  # seconds between two looks at the change log
# Seconds for which the engine waits for a server by itself, and then takes it for lost without another look.
FOLLOWERS_PATIENCE = 2.0


class Follower:
    """Follows one source from a Position on, until `stop` is set; then what is in flight is finished."""

    def __init__(
        self,
        source: Orthanc,
        dest: Orthanc,
        engine: Replicator,
        stop: threading.Event,
        tell: Callable[[str], None],
        interval: float = INTERVAL,
    ) -> None:
        self._source, self._dest, self._engine = source, dest, engine
        self._stop, self._tell, self._interval = stop, tell, interval
        self._patience = Patience(stop, tell, FOREVER)

    def outcomes(self, position: Position) -> Iterator[Outcome]:
        """One for each instance that arrives; none for what was deleted before it could be copied.

        Raises FatalError when a person must act; a server that is away is waited for.
        """
        try:
            while not self._stop.is_set():
                try:
                    walk = InstanceWalk(self._source, _Ids())
                    feed = Feed(self._source, position, walk, _Ids(), _reference, stop=self._stop)
                    for batch in feed.batches():
                        self._patience.well()
                        if batch.notice:
                            self._tell(batch.notice)
                        yield from self.copied(batch.items)
                        position = batch.position
                except RetriableError as error:
                    self._patience.after(error)
                self._stop.wait(self._interval)
        except StoppedError:
            return

    def copied(self, refs: Sequence[Reference]) -> Iterator[Outcome]:
        """What became of them; what failed because a server is away is tried again when it is back."""
        left = {ref.id: ref for ref in refs}
        tried = False
        while left:
            failed: list[Outcome] = []
            self._engine.forget()  # what failed is tried again, and what came again may have changed
            try:
                for outcome in begun(self._engine.outcomes(list(left.values()))):
                    if outcome.status is Status.FAILED:
                        failed.append(outcome)
                    elif outcome.status is not Status.MISSING:
                        yield outcome
            except StoppedError:
                yield from failed
                raise
            trouble = self._trouble() if failed else None
            left = {outcome.ref: left[outcome.ref] for outcome in failed}
            if isinstance(trouble, RetriableError):
                self._patience.after(trouble)
                tried = False
            elif trouble is None and left and not tried:
                # The server may be back, and the engine may not have looked again.
                tried = True
                if self._stop.wait(FOLLOWERS_PATIENCE + 0.5):
                    raise StoppedError
            else:
                yield from failed
                if trouble is not None:
                    raise trouble
                return

    def _trouble(self) -> Optional[CopydicomError]:
        for server in (self._source, self._dest):
            try:
                server.system()
            except CopydicomError as error:
                return error
        return None


class _Ids:
    """A Reader that reads nothing: the ids are enough."""

    def whole(self, series: str) -> None:
        return None

    def parts(self, series: str, ids: Sequence[str], todo: Sequence[str]) -> Sequence[Part]:
        return [Part(series, todo)] if todo else []

    def part(self, part: Part) -> Read:
        return Read([Found(id, {}, Parents(part.series, "", "")) for id in part.ids])

    def arrivals(self, ids: Collection[str]) -> Read:
        return Read([Found(id, {}) for id in ids])


def _reference(found: Found) -> Reference:
    return Reference(found.id, series=found.parents.series if found.parents else "")
