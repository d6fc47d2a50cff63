"""The ledger of the stand-alone commands: an SQLite file, for destinations that give ids of their own.

A de-identifier on ingestion stores what it gets under other ids, so the destination cannot tell what it was
sent.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from copydicom_app.errors import ConfigurationError, RetriableError
from copydicom_app.models import Server

_PART = 500  # ids of one question: SQLite takes 999 parameters at least


class FileLedger:
    """See Ledger. One file a destination, in `folder`, which is made when it is missing."""

    def __init__(self, folder: Path, dest: Server) -> None:
        self.path = folder / f"sent-{hashlib.sha256(dest.base_url.encode()).hexdigest()[:16]}.sqlite"
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
            self._file.execute("CREATE TABLE IF NOT EXISTS sent (id TEXT PRIMARY KEY, given TEXT NOT NULL)")
            self._file.commit()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"the ledger {self.path} cannot be used ({error}); name another folder with --state"
            ) from error

    def given(self, ids: Sequence[str]) -> dict[str, str]:
        """See Ledger."""
        found: dict[str, str] = {}
        with self._lock:
            for start in range(0, len(ids), _PART):
                part = ids[start : start + _PART]
                marks = ",".join("?" * len(part))
                query = f"SELECT id, given FROM sent WHERE id IN ({marks})"  # noqa: S608 (question marks)
                found.update(self._file.execute(query, list(part)).fetchall())
        return found

    def note(self, given: Mapping[str, str]) -> None:
        """See Ledger."""
        try:
            with self._lock, self._file:
                self._file.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?)", list(given.items()))
        except sqlite3.Error as error:
            raise RetriableError(f"the ledger {self.path} cannot be written ({error})") from error

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
