"""Rounds: every contender once in each, in turns, so that a noisy machine troubles all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """What one contender did in one round.

    `count` things in `seconds` of wall time; the CPU seconds that it and the server spent on them, and its
    peak resident memory in MB, where they were measured.
    """

    count: int
    seconds: float
    client_cpu: float | None = None
    server_cpu: float | None = None
    peak_mb: float | None = None

    @property
    def rate(self) -> float:
        """Things a second."""
        return self.count / self.seconds


def in_turns(
    contenders: Mapping[str, Callable[[], Sample]],
    rounds: int,
    say: Callable[[str], None],
    *,
    budget: float = float("inf"),
) -> dict[str, list[Sample]]:
    """Up to `rounds` samples of each, every round beginning with another one, so that none is always first.
    No round is begun that would probably end beyond `budget` seconds, but for the first."""
    names = list(contenders)
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    began = time.monotonic()
    for number in range(1, rounds + 1):
        spent = time.monotonic() - began
        if number > 1 and spent + spent / (number - 1) > budget:
            say(f"{number - 1} of {rounds} rounds: another would go beyond {budget:.0f} s")
            break
        first = (number - 1) * len(names) // rounds
        for name in names[first:] + names[:first]:
            sample = contenders[name]()
            samples[name].append(sample)
            say(f"round {number}/{rounds}  {name}: {sample.count:,} in {sample.seconds:.2f} s")
    return samples


def median(values: Sequence[float | None]) -> float | None:
    """The median of what was measured; None when nothing was."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the least value that `share` of all do not exceed.

    >>> percentile([5, 1, 4, 2, 3], 0.95)
    5
    >>> percentile([5, 1, 4, 2, 3], 0.5)
    3
    """
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * round(share * 1000) // 1000) - 1)]
