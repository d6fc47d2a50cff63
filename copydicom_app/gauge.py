"""How far a run is, for whoever shows it while it runs."""

from __future__ import annotations

import threading
from typing import Optional


class Gauge:
    """Instances that are settled, and how many there are in all; None while that is not known."""

    def __init__(self) -> None:
        self.total: Optional[int] = None
        self.done = 0
        self._lock = threading.Lock()

    def add(self, instances: int) -> None:
        """So many more are settled. From any thread."""
        with self._lock:
            self.done += instances
