"""The commands, one module for each kind. `COMMANDS` is the registry.

Source: Splunk Search Reference, the page of each command. An option that is not named here raises.
"""

from testbench.splunkd.spl.commands import (
    charts,
    combining,
    evaluation,
    events,
    fields,
    filtering,
    lookups,
    multivalue,
    ordering,
    shaping,
    statistics,
)
from testbench.splunkd.spl.commands.registry import COMMANDS, CommandSpec

__all__ = [
    "COMMANDS",
    "CommandSpec",
    "charts",
    "combining",
    "evaluation",
    "events",
    "fields",
    "filtering",
    "lookups",
    "multivalue",
    "ordering",
    "shaping",
    "statistics",
]
