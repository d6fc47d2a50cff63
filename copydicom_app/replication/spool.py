"""References of a search, kept in a temporary file until they are copied.

A search whose rows are taken as slowly as instances are copied would be cut off by Splunk, and one that
breaks off must not be acted upon; in memory ten million ids would take gigabytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Optional

from copydicom_app.models import Level, Reference


class Spool:
    """Takes all of them at once. `instances`: how many these are; None when there are others among them."""

    def __init__(self, refs: Iterable[Reference]) -> None:
        self._file: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115 (closed by __exit__)
            "w+", encoding="utf-8", newline="\n"
        )
        self._count = 0
        self.instances: Optional[int] = None
        try:
            self._fill(refs)
        except BaseException:
            self._file.close()
            raise

    def _fill(self, refs: Iterable[Reference]) -> None:
        only_instances = True
        for ref in refs:
            line = "\t".join((ref.level.value, ref.series, ref.study, ref.id.replace("\n", " ")))
            self._file.write(f"{line}\n")
            self._count += 1
            only_instances = only_instances and ref.level is Level.INSTANCE
        self.instances = self._count if only_instances else None

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Reference]:
        self._file.seek(0)
        for line in self._file:
            level, series, study, id = line.rstrip("\n").split("\t", 3)
            yield Reference(id, Level(level), series, study)
