"""How many instances one search may copy."""

from __future__ import annotations


class Budget:
    """How many instances one search may still copy, from all its sources; `most` 0 is no limit.

    `taken` are those it has copied before, `setting` is what sets the limit.
    """

    def __init__(self, most: int = 0, taken: int = 0, setting: str = "max_instances") -> None:
        self.most = most
        self.taken = taken
        self.setting = setting

    @classmethod
    def narrower(cls, max_instances: int, limit: int, taken: int = 0) -> Budget:
        """The destination's `max_instances` or the search's own `limit`, whichever is less; 0 is none."""
        if limit and (not max_instances or limit < max_instances):
            return cls(limit, taken, "limit")
        return cls(max_instances, taken)

    def take(self, wanted: int) -> int:
        """How many of so many are allowed; they count as taken."""
        allowed = min(wanted, max(0, self.most - self.taken)) if self.most else wanted
        self.taken += allowed
        return allowed
