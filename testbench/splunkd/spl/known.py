"""What the evaluator knows, for a test that compares it with what is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from testbench.splunkd.spl.aggregates import AGGREGATES, BY_TIME, PERCENTILES
from testbench.splunkd.spl.commands import COMMANDS
from testbench.splunkd.spl.expressions import LAZY
from testbench.splunkd.spl.functions import FUNCTIONS


@dataclass(frozen=True)
class Known:
    """Commands with their options, functions of `eval`, functions of `stats` (`perc` is `perc95` too)."""

    commands: Mapping[str, frozenset[str]]
    functions: frozenset[str]
    statistics: frozenset[str]


def known() -> Known:
    return Known(
        {name: frozenset(spec.options) for name, spec in COMMANDS.items()},
        frozenset({*FUNCTIONS, *LAZY}),
        frozenset({*AGGREGATES, *BY_TIME, *PERCENTILES}),
    )
