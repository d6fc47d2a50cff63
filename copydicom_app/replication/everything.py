"""All that a source holds, or what it received since a moment, as references for a Replicator.

The ids are listed at once and gone through in their order: a deletion meanwhile shifts nothing, and what
arrives meanwhile is for a `Follower`. A million series are listed in some 100 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from typing import Callable, Optional, TypeVar

from copydicom_app.errors import NotFoundError
from copydicom_app.models import Level, Reference
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import stoppable

_Out = TypeVar("_Out")


class Everything:
    """What a source holds, as references at one level. `since` is a moment with its zone.

    What grew since then is told by the source's own LastUpdate; of instances, by when it received them.
    """

    def __init__(
        self, source: Orthanc, level: Level, since: Optional[datetime], stop: threading.Event
    ) -> None:
        self._source, self._level, self._stop = source, level, stop
        self._since = since and since.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%S")

    def count(self) -> Optional[int]:
        """How many instances that is; None when only going through them would tell."""
        return None if self._since else int(self._ask(self._source.statistics)["CountInstances"])

    def references(self) -> Iterator[Reference]:
        """Each of them once."""
        return self._grown(self._since) if self._since else self._all()

    def _ask(self, question: Callable[[], _Out]) -> _Out:
        return stoppable(question, self._stop)

    def _all(self) -> Iterator[Reference]:
        listed = Level.SERIES if self._level is Level.INSTANCE else self._level
        for id in sorted(self._ask(partial(self._source.ids, listed))):
            if self._level is not Level.INSTANCE:
                yield Reference(id, self._level)
                continue
            for instance in sorted(self._ask(partial(self._source.ids_of, Level.SERIES, id))):
                yield Reference(instance, series=id)

    def _grown(self, since: str) -> Iterator[Reference]:
        patients: set[str] = set()
        for id in sorted(self._ask(self._source.study_ids)):
            try:
                study = self._ask(partial(self._source.study, id))
                if str(study.get("LastUpdate", since)) < since:
                    continue
                if self._level is Level.STUDY:
                    yield Reference(id, Level.STUDY)
                elif self._level is Level.PATIENT:
                    if study["ParentPatient"] not in patients:
                        patients.add(study["ParentPatient"])
                        yield Reference(study["ParentPatient"], Level.PATIENT)
                else:
                    yield from self._grown_series(id, since)
            except NotFoundError:
                continue  # deleted since

    def _grown_series(self, study: str, since: str) -> Iterator[Reference]:
        for series in self._ask(partial(self._source.series_of_study, study)):
            if str(series.get("LastUpdate", since)) < since:
                continue
            if self._level is Level.SERIES:
                yield Reference(series["ID"], Level.SERIES, study=study)
                continue
            for instance in sorted(series["Instances"]):
                if (self._ask(partial(self._source.received, instance)) or since) >= since:
                    yield Reference(instance, series=series["ID"], study=study)
