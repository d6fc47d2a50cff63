"""From what Orthanc gave to events, under one input's rules: its level, and what `phi` allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Callable

from copydicom_app.errors import NotFoundError
from copydicom_app.events import events_of, one_by_one
from copydicom_app.models import Event, Found, Level, Summary
from copydicom_app.orthanc import Orthanc
from copydicom_app.tags_event import Origin, parents_by_hash, summary_event


class Shaping:
    """Makes events. Called in workers: what it returns waits there, so it is of bounded size."""

    def __init__(self, orthanc: Orthanc, level: Level, origin: Origin, clock: Callable[[], float]) -> None:
        self._orthanc = orthanc
        self._level = level
        self._origin = origin
        self._clock = clock

    def instance(self, found: Found) -> list[Event]:
        """The events of one instance; at the higher levels those that come one by one there too."""
        events = self._events(found)
        return list(events if self._level is Level.INSTANCE else one_by_one(events, found.tags))

    def summary(self, summary: Summary, revision: int) -> list[Event]:
        """The event of a series or study."""
        privacy = self._origin.privacy
        parents = replace(summary.parents, patient=privacy.patient(summary.parents.patient))
        shown = replace(summary, tags=privacy.tags(summary.tags), parents=parents)
        return [summary_event(shown, revision, self._origin, self._clock())]

    def _events(self, found: Found) -> Iterator[Event]:
        origin = self._origin
        try:
            parents = found.parents or parents_by_hash(found.id, found.tags)
            parents = parents or self._orthanc.parents(found.id)
        except NotFoundError:
            return  # deleted since its tags were read
        # From here on nothing knows the patient but as far as `phi` allows.
        tags = origin.privacy.tags(found.tags)
        patient = origin.privacy.patient(parents.patient)
        if patient != parents.patient:
            parents = replace(parents, patient=patient)
        yield from events_of(found.id, tags, parents, origin, self._clock())
