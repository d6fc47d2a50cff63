"""Run a whole search: macros, the events that its first command names, then command after command."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from testbench.splunkd.spl.commands import COMMANDS, search
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import expand_macros, split_pipeline, tokens
from testbench.splunkd.spl.values import Row

# name of a command of the app, its text, its rows -> rows
External = Callable[[str, str, list[Row]], list[Row]]


@dataclass(frozen=True)
class Pipeline:
    """`events` gives all rows of all indexes, newest first, with their fields; `macros` is macros.conf.

    `external` runs the app's own commands, those named in `external_names`. A search that names no index
    looks into `default_indexes`, as a user's role has it.
    """

    events: Callable[[], Iterable[Row]]
    macros: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    external: External | None = None
    external_names: frozenset[str] = frozenset()
    default_indexes: tuple[str, ...] = ("main",)

    def run(self, text: str) -> list[Row]:
        """The rows of a search. Raises UnknownSpl before anything runs, when a command is not known."""
        commands = split_pipeline(expand_macros(text, self.macros))
        for one in commands:
            if one.name not in COMMANDS and one.name not in self.external_names:
                raise UnknownSpl(f"the command {one.name}")
        if not commands or commands[0].name != "search":
            raise UnknownSpl("a search that does not begin with events")
        rows = search(list(self._scope(commands[0].text)), commands[0].text)
        for one in commands[1:]:
            if one.name in COMMANDS:
                rows = COMMANDS[one.name](rows, one.text)
            elif self.external is not None:
                rows = self.external(one.name, one.text, rows)
        return rows

    def _scope(self, text: str) -> Iterable[Row]:
        found = tokens(text)
        named = any(
            one.is_word("index") and (two.text in ("=", "!=") or two.is_word("in"))
            for one, two in itertools.pairwise(found)
        )
        internal = re.search(r"index\s*=\s*\"?_", text) is not None
        for row in self.events():
            index = str(row.get("index", ""))
            if (named or index in self.default_indexes) and (internal or not index.startswith("_")):
                yield row
