"""Doses from image headers: one for each irradiation, and none where a dose report tells it better.

Every image of an irradiation carries its dose, so an acquisition of 300 slices would count 300 times.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from hashlib import blake2b
from pathlib import Path

from copydicom_app.dose.report import is_dose_report
from copydicom_app.errors import CheckpointError, NotFoundError
from copydicom_app.models import Event
from copydicom_app.orthanc import Orthanc

REMEMBERED = 5_000  # irradiations; those of one study arrive within minutes


class ImageDoses:
    """Remembers which irradiations were indexed from images, between runs in the file `path`.

    A report that arrives after the images still gives its events; where both name the irradiation event's
    UID they share the `event_key`, and the later one counts.
    """

    def __init__(self, orthanc: Orthanc, path: Path) -> None:
        self._orthanc = orthanc
        self._path = path
        self._seen = OrderedDict.fromkeys(_loaded(path))
        self._reported: set[str] = set()
        self._changed = False

    def admit(self, event: Event) -> bool:
        """Whether to index an event; only one that was made from an image's header can be refused."""
        if event.fields.get("dose_source") != "image":
            return True
        name = blake2b(str(event.fields["event_key"]).encode(), digest_size=8).hexdigest()
        if name in self._seen or self._has_report(str(event.fields["ParentStudy"])):
            return False
        self._seen[name] = None
        self._changed = True
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def save(self) -> None:
        """Remember what was admitted. Called before the checkpoint moves, so a loss repeats, never omits."""
        if not self._changed:
            return
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(list(self._seen)), encoding="ascii")
            fresh.replace(self._path)
        except OSError as error:
            raise CheckpointError(f"{self._path} cannot be written ({error.strerror})") from error
        self._changed = False

    def _has_report(self, study: str) -> bool:
        """Whether Orthanc holds a dose report of the study by now; asked again until there is one."""
        if study in self._reported:
            return True
        try:
            series = self._orthanc.series_of_study(study)
        except NotFoundError:
            return False  # deleted since
        for each in series:
            if each.get("MainDicomTags", {}).get("Modality") == "SR" and self._holds_report(each["ID"]):
                self._reported.add(study)
                return True
        return False

    def _holds_report(self, series: str) -> bool:
        return any(is_dose_report(tags) for tags in self._orthanc.series_tags(series).values())


def _loaded(path: Path) -> list[str]:
    """What the last run remembered; a file that cannot be read only costs a repeat."""
    try:
        names = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
