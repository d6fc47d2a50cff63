"""What the parts do together: changes into a sink. Knows ports, not Splunk.

`ids -> replicate` needs no workflow of its own: see `copydicom_app.replication.replicate.Replicator`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Callable, Optional, Protocol

from copydicom_app.errors import NotFoundError
from copydicom_app.events import events_of
from copydicom_app.indexing.changes import Feed, begin
from copydicom_app.indexing.checkpoint import Checkpoint, Position
from copydicom_app.indexing.image_doses import ImageDoses
from copydicom_app.indexing.outage import Outage
from copydicom_app.indexing.reading import reader
from copydicom_app.models import Event, Found
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import stoppable
from copydicom_app.simplify import Origin, parents_by_hash


class Sink(Protocol):
    """Where events go."""

    def write(self, event: Event) -> None:
        """Take one event; it may be held back until `flush`."""

    def flush(self) -> None:
        """Return when every event written is out of our hands."""


@dataclass(frozen=True)
class Plan:
    """What an input is asked to do: where to start, what to read, how many requests at once.

    `depth` is ``("all",)``, ``("main",)`` or keywords; `long` the keywords wanted whatever their length.
    """

    start: str = "beginning"
    depth: Sequence[str] = ("all",)
    long: Sequence[str] = ()
    workers: int = 3


@dataclass(frozen=True)
class Progress:
    """How far one batch took the input, or a word on the server; `notice` is for an admin to know.

    `since` and `as_of` are number and date (the server's clock) of the newest change that is indexed,
    `failed` the instances that the server fails to give.
    """

    instances: int = 0
    events: int = 0
    notice: str = ""
    since: int = 0
    as_of: str = ""
    walking: bool = False
    failed: int = 0


def index(
    orthanc: Orthanc,
    plan: Plan,
    origin: Origin,
    sink: Sink,
    checkpoint: Checkpoint,
    *,
    outage: Outage,
    stop: threading.Event,
    clock: Callable[[], float] = time.time,
) -> Iterator[Progress]:
    """Index all there is, a batch at a time, from the checkpoint on.

    The checkpoint moves after the flush, so whatever dies in between is read again: at least once. When
    the server goes away this waits for it (see `Outage`) and goes on from the checkpoint. Raises what
    `Feed.batches` raises.
    """

    image_doses = ImageDoses(orthanc, checkpoint.path.with_suffix(".image_doses"))

    def shape(found: Found) -> list[Event]:
        return list(_events(orthanc, found, origin, clock()))

    def run(position: Optional[Position]) -> Iterator[Progress]:
        stoppable(orthanc.system, stop)
        outage.reached()
        if position is None:
            position = stoppable(lambda: begin(orthanc, plan.start), stop)
            checkpoint.save(position)
        reads = reader(orthanc, plan.depth, plan.long, sizes=False)
        feed = Feed(orthanc, position, reads, shape, workers=plan.workers, stop=stop)
        for batch in feed.batches():
            written = [event for events in batch.items for event in events if image_doses.admit(event)]
            for event in written:
                sink.write(event)
            sink.flush()
            image_doses.save()
            checkpoint.save(batch.position)
            yield Progress(
                instances=len(batch.items),
                events=len(written),
                notice=batch.notice,
                since=batch.position.since,
                as_of=batch.position.as_of,
                walking=batch.position.walking,
                failed=len(batch.position.deferred),
            )

    return outage.survive(lambda: run(checkpoint.load()))


def _events(orthanc: Orthanc, found: Found, origin: Origin, now: float) -> Iterator[Event]:
    """The events of one instance. Runs in a worker: what it returns waits there, so it is of bounded size."""
    try:
        parents = found.parents or parents_by_hash(found.id, found.tags) or orthanc.parents(found.id)
    except NotFoundError:
        return  # deleted since its tags were read
    # From here on nothing knows the patient but as far as `phi` allows.
    tags = origin.privacy.tags(found.tags)
    parents = replace(parents, patient=origin.privacy.patient(parents.patient))
    yield from events_of(found.id, tags, parents, origin, now)
