"""`COMMANDS`: what the evaluator knows. A command reads its text first, before any row is there, and gives
the step that is run on the rows; so that what is not known raises although nothing was found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testbench.splunkd.spl.context import Context, Step

Reader = Callable[[str, Context], Step]


@dataclass(frozen=True)
class CommandSpec:
    """`options` are the `name=value` that it takes, with their defaults.

    `generating`: it stands at the beginning. `keeps_columns`: only rows go or change their order.
    `nests`: a text in brackets is a pipeline of its own and not put in as text.
    """

    name: str
    read: Reader
    options: Mapping[str, str]
    generating: bool = False
    keeps_columns: bool = False
    nests: bool = False


COMMANDS: dict[str, CommandSpec] = {}


def command(
    name: str,
    options: Mapping[str, str] | None = None,
    *,
    generating: bool = False,
    keeps_columns: bool = False,
    nests: bool = False,
) -> Callable[[Reader], Reader]:
    def register(read: Reader) -> Reader:
        COMMANDS[name] = CommandSpec(name, read, options or {}, generating, keeps_columns, nests)
        return read

    return register
