"""What a series or study holds: its counts, its size, and the tags that its images share.

All of it is asked when it has fallen quiet, not added up from what arrived: so it is right after whatever
broke in between, repeats say the same, and an open series costs a line of memory however large it is.

    /series/{id}/shared-tags        as much as reading the instances (1 to 6 ms each): Orthanc opens each
                                    file, but a few kilobytes come, not megabytes
    /series/{id}/statistics         0.03 to 0.05 ms an instance: the database
    /series/{id}/instances?expand   0.1 to 0.3 ms: main tags, the database (1.12 is searched instead)

Both versions know all three. So ``tags = all`` asks for shared tags, and what the database can tell is
compared here. A study's are what its series share, so no single request grows with the study. They are
those of its images: reports, presentation states and key objects come from other machines, and one of them
would leave a CT study without its scanner. Where there is no image they count themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Optional

from copydicom_app.holdings import Tags
from copydicom_app.indexing.reading import merged
from copydicom_app.indexing.walking import modality
from copydicom_app.models import Level, Parents, Summary
from copydicom_app.orthanc import Orthanc

DOCUMENTS = frozenset({"SR", "PR", "KO", "DOC"})  # modalities of what describes images


class Summaries:
    """Reads summaries of one level. `requested` as `reading.from_database` tells: None opens each file."""

    def __init__(self, orthanc: Orthanc, level: Level, requested: Optional[Sequence[str]]) -> None:
        self._orthanc = orthanc
        self._level = level
        self._requested = requested

    def last_update(self, id: str) -> str:
        """When it last grew, by the server's clock; empty when that is not told. NotFoundError if gone."""
        above = self._orthanc.series(id) if self._level is Level.SERIES else self._orthanc.study(id)
        return str(above.get("LastUpdate", ""))

    def read(self, id: str) -> Summary:
        """All of it. Raises NotFoundError when it, or a series of it, is gone."""
        if self._level is Level.SERIES:
            study = self._orthanc.study_of_series(id)
            all_series = [self._orthanc.series(id, study["ID"])]
            last_update = all_series[0].get("LastUpdate", "")
        else:
            study = self._orthanc.study(id)
            all_series = self._orthanc.series_of_study(id)
            last_update = study.get("LastUpdate", "")
        images = [each for each in all_series if modality(each) not in DOCUMENTS] or all_series
        tags: list[Tags] = []
        size = 0
        for each in all_series:
            of_series, bytes_ = self._of_series(each, study, wanted=each in images)
            size += bytes_
            if of_series is not None:
                tags.append(of_series)
        shared: Tags = reduce(_common, tags) if tags else {}
        return Summary(
            id=id,
            level=self._level,
            tags=shared,
            parents=Parents("", study["ID"], study["ParentPatient"]),
            instances=sum(len(each["Instances"]) for each in all_series),
            series=len(all_series),
            bytes=size,
            modalities=tuple(sorted({modality(each) for each in all_series} - {""})),
            last_update=str(last_update),
        )

    def _of_series(self, series: Tags, study: Tags, *, wanted: bool) -> tuple[Optional[Tags], int]:
        """The tags that its instances share, where they are wanted, and its size in bytes."""
        size = self._orthanc.size_of_series(series["ID"])
        if not wanted:
            return None, size
        if self._requested is None:
            return self._orthanc.shared_tags(series["ID"]), size
        rows = self._orthanc.instances_of_series(series["ID"], series["Instances"], self._requested)
        above = {**study["PatientMainDicomTags"], **study["MainDicomTags"], **series["MainDicomTags"]}
        return _shared(merged(above, row) for row in rows), size


def _shared(each: Iterable[Tags]) -> Optional[Tags]:
    """What all have with the same value; None of none."""
    rows = iter(each)
    first = next(rows, None)
    return None if first is None else reduce(_common, rows, first)


def _common(some: Tags, other: Tags) -> Tags:
    return {key: value for key, value in some.items() if other.get(key) == value}
