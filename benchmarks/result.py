"""What a benchmark found: rows, targets and notes, kept as JSON in build/benchmarks until they are printed.

    def run(options: Options, say: Say) -> Result

is all that a benchmark's module offers to `python -m benchmarks`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rounds import Sample, median

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "benchmarks"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the caller asks for. `quick`: tiny sizes and one round, to see that it runs; `big`: sizes that
    take many minutes more; `rounds`: another number of rounds than the benchmark's own."""

    quick: bool = False
    big: bool = False
    rounds: int | None = None

    def of(self, usual: Any, quick: Any) -> Any:
        """The one or the other."""
        return quick if self.quick else usual


@dataclass(frozen=True)
class Row:
    """One contender at one size on one Orthanc.

    `what`, `size` and `orthanc` (a version, empty where none takes part) say which rows are compared with
    each other. The `contender` begins with ``ours`` or ``floor`` or ``limit``, or names a peer. `value` is
    the median of `rounds` in `unit`, `least` and `most` the extremes. A row `beside` one of ours (what its
    name has beyond ``ours, ``) is compared with that one only.
    """

    what: str
    size: str
    orthanc: str
    contender: str
    value: float
    unit: str
    rounds: int = 1
    least: float | None = None
    most: float | None = None
    more_is_better: bool = True
    client_ms: float | None = None  # CPU of the contender for one thing
    server_ms: float | None = None  # CPU of Orthanc for one thing
    peak_mb: float | None = None
    beside: str = ""

    @property
    def ours(self) -> bool:
        return self.contender.startswith("ours")

    @property
    def group(self) -> tuple[str, str, str]:
        """Rows of one group are compared."""
        return self.what, self.size, self.orthanc

    @classmethod
    def of(
        cls,
        what: str,
        size: str,
        orthanc: str,
        contender: str,
        samples: Sequence[Sample],
        unit: str,
        beside: str = "",
    ) -> Row:
        """The row of a contender's rates."""
        rates = [sample.rate for sample in samples]
        return cls(
            what,
            size,
            orthanc,
            contender,
            median(rates) or 0.0,
            unit,
            len(rates),
            min(rates),
            max(rates),
            client_ms=median([_ms(sample.client_cpu, sample.count) for sample in samples]),
            server_ms=median([_ms(sample.server_cpu, sample.count) for sample in samples]),
            peak_mb=median([sample.peak_mb for sample in samples]),
            beside=beside,
        )


@dataclass(frozen=True)
class Target:
    """What should hold, and what was measured for it."""

    what: str
    measured: float
    bound: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{self.what}: {self.measured:.2f} (wanted {sign} {self.bound:g})"


@dataclass
class Result:
    """All that one benchmark found. `facts` say when and where: see `benchmarks.machine`."""

    benchmark: str
    title: str
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Replace what an earlier run found."""
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"{self.benchmark}.json.new"
        new.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        new.replace(folder / f"{self.benchmark}.json")

    @classmethod
    def load(cls, path: Path) -> Result:
        found = json.loads(path.read_text(encoding="utf-8"))
        found["rows"] = [Row(**row) for row in found["rows"]]
        found["targets"] = [Target(**target) for target in found["targets"]]
        return cls(**found)


def ratios(row: Row, rows: Iterable[Row]) -> dict[str, float]:
    """How many times as good each of ours of the same group is; by what its name has beyond ``ours``.

    Empty for ours itself and parts of it, and where nothing of ours was measured.
    """
    if row.ours or row.contender.startswith("of ours") or not row.value:
        return {}
    found = {}
    for other in rows:
        name = other.contender.removeprefix("ours").lstrip(", ")
        comparable = other.group == row.group and other.unit == row.unit and row.beside in ("", name)
        if other.ours and other.value and comparable:
            found[name] = other.value / row.value if row.more_is_better else row.value / other.value
    return found


def where(options: Options) -> Path:
    """The folder of the results; those of quick runs never mix with the others."""
    return KEPT / "quick" if options.quick else KEPT


class Clock:
    """Seconds since the benchmark began, and how busy the machine was then."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.load = os.getloadavg()[0]

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


def _ms(seconds: float | None, count: int) -> float | None:
    return None if seconds is None or not count else seconds / count * 1000
