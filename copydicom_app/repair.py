"""The backfill as it runs: a stretch of days at a time, remembered, so that an input goes on in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta
from typing import Callable, Optional

from copydicom_app.errors import CheckpointError
from copydicom_app.indexing.backfill import Backfill, Days, Index, Missing, Wanted, left_of
from copydicom_app.indexing.checkpoint import Checkpoint
from copydicom_app.indexing.image_doses import ImageDoses
from copydicom_app.indexing.reading import from_database, reader
from copydicom_app.indexing.sent import Sent
from copydicom_app.indexing.summaries import Summaries
from copydicom_app.indexing.walking import REPORTS
from copydicom_app.models import Event, Level
from copydicom_app.orthanc import Orthanc
from copydicom_app.shaping import Shaping
from copydicom_app.tags_event import Origin
from copydicom_app.workflows import Plan, Sink

SEARCHABLE_SECONDS = 60.0  # what was written before that can be found by a search
STRETCH_SECONDS = 30.0  # then the input looks for what is new


@dataclass(frozen=True)
class Filled:
    """What a portion brought: see `Missing`."""

    days: int = 0
    studies: int = 0
    missing: int = 0
    events: int = 0
    young: int = 0
    failed: int = 0

    def __add__(self, other: Filled) -> Filled:
        return Filled(*(mine + its for mine, its in zip(astuple(self), astuple(other))))


class Memory:
    """The file that says how far a backfill came: ``{"days": "20250101-20251231", "done": "20250214"}``."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._path = checkpoint.path.with_suffix(".backfill")
        self._checkpoint = checkpoint.path

    def left(self, days: Days) -> Optional[Days]:
        """The days that are still to do. What cannot be read is begun anew: that only compares again."""
        try:
            saved = json.loads(self._path.read_text(encoding="ascii"))
            done = datetime.strptime(saved["done"], "%Y%m%d").date() if saved["done"] else None
            return left_of(days, done if saved["days"] == str(days) else None)
        except (OSError, ValueError, KeyError, TypeError):
            return days

    def save(self, days: Days, done: Optional[date]) -> None:
        """All days up to `done` are compared."""
        fresh = self._path.with_suffix(".new_backfill")
        text = json.dumps({"days": str(days), "done": f"{done:%Y%m%d}" if done else ""})
        try:
            fresh.write_text(text, encoding="ascii")
            fresh.replace(self._path)
        except OSError as error:
            raise CheckpointError(f"{self._path} cannot be written ({error.strerror})") from error

    def forget(self) -> None:
        """No backfill is asked for: the next one may be of the same days."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise CheckpointError(f"{self._path} cannot be removed ({error.strerror})") from error

    def wrote_at(self) -> float:
        """When this input last noted that it had written something (seconds since 1970); 0: never."""
        times = [path.stat().st_mtime for path in (self._path, self._checkpoint) if path.exists()]
        return max(times, default=0.0)


class Noting:
    """A sink that remembers which studies it got events of."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._studies: set[str] = set()

    def __contains__(self, study: str) -> bool:
        return study in self._studies

    def write(self, event: Event) -> None:
        """Pass it on."""
        own = event.fields["ID"] if event.fields.get("level") == Level.STUDY.value else None
        self._studies.add(str(own or event.fields["ParentStudy"]))
        self._sink.write(event)

    def flush(self) -> None:
        """Pass it on."""
        self._sink.flush()


def backfill(
    orthanc: Orthanc,
    plan: Plan,
    origin: Origin,
    index: Index,
    sink: Sink,
    checkpoint: Checkpoint,
    days: Days,
    written: Callable[[str], bool],
    *,
    stop: threading.Event,
    clock: Callable[[], float] = time.time,
    seconds: float = STRETCH_SECONDS,
) -> Iterator[Filled]:
    """Bring what `index` lacks of `days`, from where the last stretch ended, for about `seconds`.

    A day is done as a whole or again: its end is remembered after the flush. `written` tells of a study
    whether this run wrote events of it before: a search may not find them yet. Raises what the index or
    Orthanc raise; then the next run goes on.
    """
    memory = Memory(checkpoint)
    left = memory.left(days)
    if left is None:
        return
    shaping = Shaping(orthanc, plan.level, origin, clock)
    sent = Sent(checkpoint.path.with_suffix(".sent"))
    image_doses = ImageDoses(orthanc, checkpoint.path.with_suffix(".image_doses"))
    comparison = Backfill(
        orthanc,
        index,
        reader(orthanc, plan.depth, plan.long, plan.workers),
        Summaries(orthanc, plan.level, from_database(orthanc, plan.depth)),
        Wanted(plan.level, origin.dose, REPORTS, shaping.instance, shaping.summary),
        written=written,
        revision=lambda id: (sent.of(id) or (0, ""))[0],
        workers=plan.workers,
        stop=stop,
    )
    end = time.monotonic() + seconds
    done = None if left.first == days.first else left.first - timedelta(days=1)
    for portion in comparison.run(left):
        events = [event for event in portion.events if image_doses.admit(event)]
        for noted in portion.noted:
            sent.note(*noted)
        sent.announce()
        for event in events:
            sink.write(event)
        sink.flush()
        image_doses.save()
        sent.save()
        done = portion.done or done
        if events or portion.done:
            memory.save(days, done)  # also for its time: see `wrote_at`
        yield _filled(portion, len(events))
        if portion.done and time.monotonic() >= end:
            return


def _filled(portion: Missing, events: int) -> Filled:
    return Filled(
        days=int(portion.done is not None),
        studies=portion.studies,
        missing=portion.objects,
        events=events,
        young=portion.young,
        failed=portion.failed,
    )
