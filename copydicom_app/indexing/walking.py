"""What the walk over all that a server holds goes through: series and their instances, or a whole level.

At the levels series and study nothing is asked of an instance unless it is indexed by itself: a dose report,
known by its series' modality SR, or with `dose_from_images` an image that may tell a dose. One request a
series or study tells when it last grew; what is complete is then indexed at once, however long the walk.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from copydicom_app.errors import NotFoundError
from copydicom_app.holdings import Tags
from copydicom_app.indexing.checkpoint import Open, Position
from copydicom_app.indexing.reading import Part, Read, SeriesReader
from copydicom_app.models import Level
from copydicom_app.orthanc import Orthanc

REPORTS = frozenset({"SR"})
_END = "~"  # behind every Orthanc id: all of a series or study is done


@dataclass(frozen=True)
class Stretch:
    """A part of the walk: `parts` to read, and the Position's `series` and `instance` once that is done."""

    series: str
    instance: str
    parts: Sequence[Part] = ()
    grown: Sequence[Open] = ()


class Walk(Protocol):
    """A way over all that a server holds, in the order of Orthanc ids."""

    def names(self) -> list[str]:
        """The ids of all that it goes through."""

    def stretches(self, name: str, begun: Position) -> list[Stretch]:
        """What is to do for one of them behind the point where `begun` stands; nothing when it is gone."""


class InstanceWalk:
    """Every instance, series by series, as the reader asks for them."""

    def __init__(self, orthanc: Orthanc, reader: SeriesReader) -> None:
        self._orthanc = orthanc
        self._reader = reader

    def names(self) -> list[str]:
        return self._orthanc.series_ids()

    def stretches(self, name: str, begun: Position) -> list[Stretch]:
        fresh = name > begun.series and not begun.received
        try:
            whole = self._reader.whole(name) if fresh else None
            if whole:
                return [Stretch(name, _END, [whole])]
            answer = self._orthanc.series(name)
        except NotFoundError:
            return []
        if _is_older(answer, begun.received):
            return []
        ids = sorted(answer["Instances"])
        todo = [id for id in ids if (name, id) > (begun.series, begun.instance)]
        if begun.received:
            todo = [id for id in todo if (self._orthanc.received(id) or begun.received) >= begun.received]
        return [Stretch(name, part.ids[-1], [part]) for part in self._reader.parts(name, ids, todo)]


class LevelWalk:
    """Every series or study; of their instances those whose series has one of these modalities."""

    def __init__(
        self, orthanc: Orthanc, level: Level, modalities: Collection[str], instances: SeriesReader
    ) -> None:
        self._orthanc = orthanc
        self._level = level
        self._modalities = modalities
        self._instances = instances

    def names(self) -> list[str]:
        return self._orthanc.series_ids() if self._level is Level.SERIES else self._orthanc.study_ids()

    def stretches(self, name: str, begun: Position) -> list[Stretch]:
        if (name, _END) <= (begun.series, begun.instance):
            return []
        try:
            if self._level is Level.SERIES:
                above = self._orthanc.series(name)
                all_series = [above]
            else:
                above = self._orthanc.study(name)
                all_series = self._orthanc.series_of_study(name)
        except NotFoundError:
            return []
        if _is_older(above, begun.received):
            return []
        reads: list[Part] = []
        for series in all_series:
            if modality(series) not in self._modalities or _is_older(series, begun.received):
                continue
            ids = todo = sorted(series["Instances"])
            if begun.received:
                todo = [id for id in ids if (self._orthanc.received(id) or begun.received) >= begun.received]
            reads += self._instances.parts(series["ID"], ids, todo)
        # Only one stretch: its instances and itself are indexed together, and then none of them again.
        return [
            Stretch(name, _END, reads, [Open(name, above.get("LastUpdate", ""), whole=not begun.received)])
        ]


class LevelReader:
    """Which series or studies grew by what arrived; of the instances those that are indexed one by one."""

    def __init__(
        self, orthanc: Orthanc, level: Level, modalities: Collection[str], instances: SeriesReader
    ) -> None:
        self._orthanc = orthanc
        self._level = level
        self._modalities = modalities
        self._instances = instances

    def part(self, part: Part) -> Read:
        return self._instances.part(part)

    def arrivals(self, ids: Collection[str]) -> Read:
        done = Read()
        left = dict.fromkeys(ids)
        while left:
            first = next(iter(left))
            del left[first]
            try:
                series = self._orthanc.series(self._orthanc.instance(first)["ParentSeries"])
            except NotFoundError:
                continue  # deleted since
            among = [first, *(id for id in series["Instances"] if id in left)]
            for id in among[1:]:
                del left[id]
            name = series["ID"] if self._level is Level.SERIES else series["ParentStudy"]
            done.grown.append(Open(name, series.get("LastUpdate", ""), arrived=len(among)))
            if modality(series) in self._modalities:
                for part in self._instances.parts(series["ID"], sorted(series["Instances"]), sorted(among)):
                    read = self.part(part)
                    done.found += [found for found in read.found if found.id in among]
                    done.failed += read.failed
        return done


def modality(series: Tags) -> str:
    """The modality of a series as Orthanc answers it; empty when it has none."""
    return str(series["MainDicomTags"].get("Modality", ""))


def _is_older(answer: Tags, received: str) -> bool:
    """Whether nothing was received since; what does not tell is looked into."""
    return bool(received) and str(answer.get("LastUpdate", received)) < received
