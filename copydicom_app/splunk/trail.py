"""What one search has copied so far, kept in a file until the search ends.

The trail shall have one event a study and search, whoever copies. The REST handler is asked several times for
one search, by any of its processes, so each request adds to the file. A search that copies in its own process
notes now and then how far it is. The end of the search turns the file into the trail. Who can make such a
file runs as the user that runs Splunk: a person with a REST client cannot. What a search left behind that was
killed is written by whoever comes next.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from copydicom_app.errors import ConfigurationError
from copydicom_app.splunk.audit import Audit, splunk_home

STALE_SECONDS = 2 * 3600.0  # twice as long as one request may take, and more
_TOKEN = re.compile(r"[0-9a-f]{32}\Z")

Counts = dict[str, dict[str, dict[str, int]]]  # source -> study -> status or `bytes` -> how many


class Trail:
    """The file of one search. Not for two requests at once: the search asks one after the other."""

    def __init__(self, token: str) -> None:
        if not _TOKEN.match(token):
            raise ConfigurationError("the request names no search that has begun")
        self.token = token
        self._path = _folder() / f"{token}.json"
        self._stopped = self._path.with_suffix(".stop")
        self.taken = 0
        self._constant: dict[str, str] = {}
        self._counts: Counts = {}

    @classmethod
    def begin(cls) -> Trail:
        """A new one; raises ConfigurationError when it cannot be written."""
        trail = cls(secrets.token_hex(16))
        try:
            trail._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            trail._save()
        except OSError as error:
            raise ConfigurationError(
                f"the folder {trail._path.parent} cannot be written ({error.strerror or error}); "
                "let the user that runs Splunk write there"
            ) from error
        return trail

    @classmethod
    def opened(cls, token: str) -> Trail:
        """That of a search which has begun; raises ConfigurationError when it has not, or has ended."""
        trail = cls(token)
        try:
            stored = json.loads(trail._path.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigurationError("the request names no search that has begun") from error
        trail.taken, trail._constant, trail._counts = stored["taken"], stored["constant"], stored["counts"]
        return trail

    def of(self, constant: Mapping[str, str]) -> None:
        """Whose search it is, told by the first request; another's may not add to it."""
        if self._constant and self._constant != constant:
            raise ConfigurationError("the request names a search of somebody else")
        self._constant = dict(constant)

    def add(self, source: str, studies: Mapping[str, Mapping[str, int]], taken: int) -> None:
        """What one request came to; `taken` counts the instances of the search that `limit` is about."""
        for study, counts in studies.items():
            sums = self._counts.setdefault(source, {}).setdefault(study, {})
            for name, count in counts.items():
                sums[name] = sums.get(name, 0) + count
        self.taken = taken
        self._save()

    def note(self, counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
        """What the search came to until now, all in all: source -> study -> counts."""
        self._counts = {
            source: {study: dict(sums) for study, sums in studies.items()}
            for source, studies in counts.items()
        }
        self._save()

    def touch(self) -> None:
        """Tell that the search is still there."""
        with contextlib.suppress(OSError):
            os.utime(self._path)

    def stop(self) -> None:
        """Tell a request that is under way to come to its end."""
        self._stopped.touch()

    @property
    def stopped(self) -> bool:
        """Whether the search was cancelled."""
        return self._stopped.exists()

    def close(self, cancelled: bool) -> None:
        """Write the events, once, and forget the search."""
        taken = self._path.with_suffix(".closing")
        try:
            self._path.replace(taken)  # of two that close it one succeeds
            stored = json.loads(taken.read_bytes())
        except (OSError, ValueError):
            return
        if stored["counts"]:
            audit = Audit(**stored["constant"])
            for source, studies in stored["counts"].items():
                audit.write(source, studies, cancelled)
            audit.close()
        taken.unlink()
        self._stopped.unlink(missing_ok=True)

    def _save(self) -> None:
        fresh = self._path.with_suffix(f".{os.getpid()}")
        stored = {"taken": self.taken, "constant": self._constant, "counts": self._counts}
        fresh.write_text(json.dumps(stored), encoding="ascii")
        fresh.replace(self._path)


def close_stale() -> None:
    """Write the trail of searches that ended without a word."""
    for trail in _left_behind(time.time()):
        trail.close(cancelled=True)


def _left_behind(now: float) -> Iterator[Trail]:
    try:
        for path in list(_folder().glob("*.json")):
            if _TOKEN.match(path.stem) and now - path.stat().st_mtime > STALE_SECONDS:
                yield Trail(path.stem)
    except OSError:  # somebody else was faster
        return


def _folder() -> Path:
    return splunk_home() / "var" / "run" / "copydicom_app"
