"""What the parts do together: changes into a sink. Knows ports, not Splunk.

`ids -> replicate` needs no workflow of its own: see `copydicom_app.replicate.Replicator`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable, Protocol

from copydicom_app.changes import Feed
from copydicom_app.checkpoint import Checkpoint
from copydicom_app.errors import NotFoundError
from copydicom_app.events import events_of
from copydicom_app.models import Event
from copydicom_app.orthanc import Orthanc, Tags
from copydicom_app.simplify import Origin, parents_by_hash


class Sink(Protocol):
    """Where events go."""

    def write(self, event: Event) -> None:
        """Take one event; it may be held back until `flush`."""

    def flush(self) -> None:
        """Return when every event written is out of our hands."""


@dataclass(frozen=True)
class Progress:
    """How far one batch took the input; `notice` is something that an admin should know."""

    instances: int
    events: int
    notice: str = ""


def index(
    orthanc: Orthanc,
    feed: Feed,
    origin: Origin,
    sink: Sink,
    checkpoint: Checkpoint,
    clock: Callable[[], float] = time.time,
) -> Iterator[Progress]:
    """Index all that the feed holds, a batch at a time.

    The checkpoint moves after the flush, so whatever dies in between is read again: at least once.
    """
    for batch in feed.batches():
        events = 0
        for id, tags in batch.instances:
            for event in _events(orthanc, id, tags, origin, clock()):
                sink.write(event)
                events += 1
        sink.flush()
        checkpoint.save(batch.position)
        yield Progress(len(batch.instances), events, batch.notice)


def _events(orthanc: Orthanc, id: str, tags: Tags, origin: Origin, now: float) -> Iterator[Event]:
    try:
        parents = parents_by_hash(id, tags) or orthanc.parents(id)
    except NotFoundError:
        return  # deleted since its tags were read
    yield from events_of(id, tags, parents, origin, now)
