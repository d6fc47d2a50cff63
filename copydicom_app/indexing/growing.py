"""Series and studies that grow: open while they do, indexed once they are quiet, again when they grow more.

What makes one quiet is a time of our own since it last grew, told by the server's clock. Orthanc's Stable
changes say something like it, but a restart turns what is unstable stable without a change. The open ones
are part of the Position, so none is forgotten however a run ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Callable, Generic, Optional, TypeVar

from copydicom_app.errors import NotFoundError, RetriableError, SkippableError
from copydicom_app.indexing.checkpoint import Open
from copydicom_app.indexing.sent import Sent
from copydicom_app.indexing.summaries import Summaries
from copydicom_app.models import Level, Summary
from copydicom_app.orthanc import Orthanc
from copydicom_app.times import orthanc_moment

# A series comes in one go. A study has pauses while its next series is acquired, and each pause that is
# longer than this costs a revision.
QUIET_SECONDS = {Level.SERIES: 60.0, Level.STUDY: 300.0}
_OLD_SECONDS = 86_400.0

_Shaped = TypeVar("_Shaped")


@dataclass(frozen=True)
class Settled(Generic[_Shaped]):
    """What became of an open one: its `item` to index, `still` open, or neither, since nothing is new.

    `failed`: the server has it and fails to give it; then it is still open.
    """

    id: str
    item: Optional[_Shaped] = None
    revision: int = 0
    last_update: str = ""
    still: Optional[Open] = None
    failed: bool = False
    memorable: bool = True


class Growing(Generic[_Shaped]):
    """Looks after the open series or studies of one run. `settle` is called from several threads."""

    def __init__(
        self,
        orthanc: Orthanc,
        summaries: Summaries,
        sent: Sent,
        shape: Callable[[Summary, int], _Shaped],
        quiet_seconds: float,
    ) -> None:
        self._orthanc = orthanc
        self._summaries = summaries
        self._sent = sent
        self._shape = shape
        self._quiet_seconds = quiet_seconds

    def quiet(self, open: Iterable[Open], now: str) -> list[Open]:
        """Those of which we know no growth within the quiet time before `now`, a date of the server's."""
        return [one for one in open if lies_back(one.last_update, now, self._quiet_seconds)]

    def settle(self, one: Open, now: str) -> Settled[_Shaped]:
        """Look at one that may be quiet; index it when it is, and is not as it was indexed before."""
        try:
            last_update = self._summaries.last_update(one.id) or one.last_update
        except NotFoundError:
            return Settled(one.id)  # deleted since
        still = replace(one, last_update=last_update)
        if not lies_back(last_update, now, self._quiet_seconds):
            return Settled(one.id, still=still)
        before = self._sent.of(one.id)
        if before is not None and before[1] == last_update:
            return Settled(one.id)
        try:
            summary = replace(self._summaries.read(one.id), last_update=last_update)
        except NotFoundError:
            return Settled(one.id, still=still)  # it, or a part of it, was deleted: the next look will tell
        except (RetriableError, SkippableError):
            self._orthanc.system()  # raises when it is the server that fails, not this one
            return Settled(one.id, still=still, failed=True)
        revision = _revision(one, summary, before)
        # An archive's old series would drive out what may come again; they are new to the log when they grow.
        old = one.whole and not one.arrived and lies_back(last_update, now, _OLD_SECONDS)
        return Settled(one.id, self._shape(summary, revision), revision, last_update, memorable=not old)

    def note(self, settled: Settled[_Shaped]) -> None:
        """It is on its way to the index."""
        if settled.memorable:
            self._sent.note(settled.id, settled.revision, settled.last_update)


def lies_back(then: str, now: str, seconds: float) -> bool:
    """Whether so many seconds lie between two dates of the server's; what is no date is long ago."""
    earlier, later = orthanc_moment(then), orthanc_moment(now)
    return earlier is None or later is None or earlier + timedelta(seconds=seconds) <= later


def merged(open: Iterable[Open], more: Iterable[Open]) -> tuple[Open, ...]:
    """The open ones with those that grew since, each once."""
    by_id = {one.id: one for one in open}
    for one in more:
        known = by_id.get(one.id)
        if known is not None:
            one = Open(
                one.id,
                max(known.last_update, one.last_update),
                known.arrived + one.arrived,
                known.whole or one.whole,
            )
        by_id[one.id] = one
    return tuple(by_id.values())


def _revision(one: Open, summary: Summary, before: Optional[tuple[int, str]]) -> int:
    """One more than before; where that is forgotten, instances that did not arrive now tell of a first."""
    if before is not None:
        return before[0] + 1
    return 1 if one.whole or summary.instances <= one.arrived else 2
