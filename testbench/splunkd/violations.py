"""What the app did that Splunk does not allow, or that the stand-in does not know.

Collected instead of raised, because most of it is seen in a thread or after a process has ended;
a test ends with `Splunkd.assert_no_violations()`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """`where` names the part that saw it (`rest`, `orthanc://pacs`, `copydicom`), `what` says what it saw."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Violations:
    """A list that several threads may append to, with one `where` for all that is added through it."""

    def __init__(self, where: str = "splunkd", parent: Violations | None = None) -> None:
        self._where = where
        self._parent = parent
        self._items: list[Violation] = []
        self._lock = threading.Lock()

    def add(self, what: str) -> None:
        self._append(Violation(self._where, what))

    def _append(self, violation: Violation) -> None:
        with self._lock:
            self._items.append(violation)
        if self._parent is not None:
            self._parent._append(violation)

    def child(self, where: str) -> Violations:
        """A list of its own, whose items are in this one too."""
        return Violations(where, self)

    def __iter__(self) -> Iterator[Violation]:
        with self._lock:
            return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def texts(self) -> list[str]:
        return [violation.what for violation in self]
