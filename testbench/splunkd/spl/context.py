"""What a command can ask for while it runs: the clock, the time range, other searches, lookups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Row

if TYPE_CHECKING:
    from testbench.splunkd.spl.lookups import Lookups


class Rows(list[Row]):
    """Rows, and the order of their columns.

    Where a command fixes the columns (`fixed`), also those that no row has are columns.
    """

    def __init__(self, rows: Sequence[Row] = (), columns: Iterable[str] = (), fixed: bool = True) -> None:
        super().__init__(rows)
        self.columns = list(columns)
        self.fixed = fixed


Step = Callable[[Rows], list[Row]]


@dataclass
class TimeRange:
    """Seconds since 1970, from `earliest` on and before `latest`; None is open. The index times likewise."""

    earliest: float | None = None
    latest: float | None = None
    index_earliest: float | None = None
    index_latest: float | None = None


@dataclass
class Context:
    """`now` is the time of the search. `compile` turns the text of a subsearch into a step.

    `span` is the time range of the last events that were fetched; timechart shows all of it.
    """

    now: float
    compile: Callable[[str, bool], Step]
    lookup_tables: Lookups | None = None
    span: TimeRange | None = None

    @property
    def lookups(self) -> Lookups:
        if self.lookup_tables is None:
            raise UnknownSpl("there are no lookups here")
        return self.lookup_tables
