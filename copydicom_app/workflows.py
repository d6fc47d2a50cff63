"""What the parts do together: changes into a sink. Knows ports, not Splunk.

`ids -> replicate` needs no workflow of its own: see `copydicom_app.replication.replicate.Replicator`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable, Optional, Protocol

from copydicom_app.dose.report import IMAGE_MODALITIES
from copydicom_app.indexing.changes import Feed, begin
from copydicom_app.indexing.checkpoint import Checkpoint, Position
from copydicom_app.indexing.growing import QUIET_SECONDS, Growing
from copydicom_app.indexing.image_doses import ImageDoses
from copydicom_app.indexing.outage import Outage
from copydicom_app.indexing.reading import from_database, reader
from copydicom_app.indexing.sent import Sent
from copydicom_app.indexing.summaries import Summaries
from copydicom_app.indexing.walking import REPORTS, InstanceWalk, LevelReader, LevelWalk
from copydicom_app.models import Event, Level
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import stoppable
from copydicom_app.shaping import Shaping
from copydicom_app.tags_event import Origin


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
    `quiet_seconds` is how long a series or study must not have grown to be indexed; None takes
    `growing.QUIET_SECONDS`.
    """

    start: str = "beginning"
    level: Level = Level.INSTANCE
    depth: Sequence[str] = ("all",)
    long: Sequence[str] = ()
    workers: int = 3
    quiet_seconds: Optional[float] = None


@dataclass(frozen=True)
class Progress:
    """How far one batch took the input, or a word on the server; `notice` is for an admin to know.

    `since` and `as_of` are number and date (the server's clock) of the newest change that is indexed,
    `failed` the instances that the server fails to give, `open` the series or studies that wait to be quiet.
    """

    instances: int = 0
    events: int = 0
    notice: str = ""
    since: int = 0
    as_of: str = ""
    walking: bool = False
    failed: int = 0
    open: int = 0


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
    sent = Sent(checkpoint.path.with_suffix(".sent"))

    shaping = Shaping(orthanc, plan.level, origin, clock)

    def run(position: Optional[Position]) -> Iterator[Progress]:
        stoppable(orthanc.system, stop)
        outage.reached()
        if position is None:
            position = stoppable(lambda: begin(orthanc, plan.start), stop)
            checkpoint.save(position)
        feed = _feed(orthanc, plan, origin, position, shaping, sent, stop)
        for batch in feed.batches():
            written = [event for events in batch.items for event in events if image_doses.admit(event)]
            sent.announce()
            for event in written:
                sink.write(event)
            sink.flush()
            image_doses.save()
            sent.save()
            checkpoint.save(batch.position)
            yield Progress(
                instances=_instances(plan, batch.items, written),
                events=len(written),
                notice=batch.notice,
                since=batch.position.since,
                as_of=batch.position.as_of,
                walking=batch.position.walking,
                failed=len(batch.position.deferred),
                open=len(batch.position.open),
            )

    return outage.survive(lambda: run(checkpoint.load()))


def _instances(plan: Plan, items: Sequence[object], written: Sequence[Event]) -> int:
    """How many instances a batch stands for: of series and studies, those that they hold."""
    if plan.level is Level.INSTANCE:
        return len(items)
    return sum(event.fields.get("instances", 0) for event in written)


def _feed(
    orthanc: Orthanc,
    plan: Plan,
    origin: Origin,
    position: Position,
    shaping: Shaping,
    sent: Sent,
    stop: threading.Event,
) -> Feed[list[Event]]:
    """The feed of a level. At the higher ones only reports, or what else may tell a dose, are read singly."""
    reads = reader(orthanc, plan.depth, plan.long, plan.workers)
    if plan.level is Level.INSTANCE:
        walk = InstanceWalk(orthanc, reads)
        return Feed(orthanc, position, walk, reads, shaping.instance, workers=plan.workers, stop=stop)
    modalities = {*REPORTS, *(IMAGE_MODALITIES if origin.dose_from_images else ())}
    summaries = Summaries(orthanc, plan.level, from_database(orthanc, plan.depth))
    quiet = QUIET_SECONDS[plan.level] if plan.quiet_seconds is None else plan.quiet_seconds
    return Feed(
        orthanc,
        position,
        LevelWalk(orthanc, plan.level, modalities, reads),
        LevelReader(orthanc, plan.level, modalities, reads),
        shaping.instance,
        growing=Growing(orthanc, summaries, sent, shaping.summary, quiet),
        workers=plan.workers,
        stop=stop,
    )
