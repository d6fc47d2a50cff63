"""What was sent where ids change: destinations that rewrite, and copies anonymized on the way.

Elsewhere the destination itself is the record, since an Orthanc id is the same at both ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Ledger(Protocol):
    """Remembers under which id a destination has what was sent from here. Safe for several threads."""

    def given(self, ids: Sequence[str]) -> dict[str, str]:
        """Id at the source -> id at the destination, for those that were sent."""

    def note(self, given: Mapping[str, str]) -> None:
        """Remember more of them."""


class MemoryLedger:
    """A ledger for as long as the program runs."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def given(self, ids: Sequence[str]) -> dict[str, str]:
        """See Ledger."""
        return {id: self._given[id] for id in ids if id in self._given}

    def note(self, given: Mapping[str, str]) -> None:
        """See Ledger."""
        self._given.update(given)
