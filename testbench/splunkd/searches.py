"""Searches over all that is indexed, by hand or saved, and what they give."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from testbench.splunkd import saved_searches
from testbench.splunkd.chunks import field_names
from testbench.splunkd.home import Home
from testbench.splunkd.index import Indexes
from testbench.splunkd.rest_kvstore import KVStore
from testbench.splunkd.saved_searches import SavedRun, SavedSearch, Throttle
from testbench.splunkd.search_command import CommandResult, Options
from testbench.splunkd.spl.commands.fields import columns_of
from testbench.splunkd.spl.context import Rows, TimeRange
from testbench.splunkd.spl.lookups import Lookups
from testbench.splunkd.spl.pipeline import External, Pipeline
from testbench.splunkd.spl.relative_time import parse_time
from testbench.splunkd.spl.values import Row

Moment = str | float | None
"""Seconds since 1970 or a time modifier; nothing, or an empty text, is open."""
# name of a command of the app, its text, its rows, how it is to be run
RunCommand = Callable[[str, str, list[Row], Options], CommandResult]


@dataclass
class SearchResult:
    """The rows of a search, the messages of its commands, and `error` when Splunk would call it failed.

    `fields` are the columns in their order, those that no row has too. `span` is the time range that was
    asked for.
    """

    rows: list[Row] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    error: str | None = None
    fields: list[str] = field(default_factory=list)
    span: TimeRange = field(default_factory=TimeRange)
    commands: list[CommandResult] = field(default_factory=list)


class _Failed(Exception):
    """A command ended the search; what it had returned is kept."""


class Searches:
    """Runs searches; keeps which alerts of saved searches are throttled."""

    def __init__(self, home: Home, indexes: Indexes, store: KVStore, run_command: RunCommand) -> None:
        self._home, self._indexes, self._run_command = home, indexes, run_command
        self.lookups = Lookups(home.confs, partial(store.documents, home.app))
        indexes.lookups = self.lookups
        self._throttle = Throttle()

    def run(
        self,
        text: str,
        user: str,
        *,
        earliest: Moment = None,
        latest: Moment = None,
        index_earliest: Moment = None,
        index_latest: Moment = None,
        now: float | None = None,
        base: SearchResult | None = None,
        **options: Any,
    ) -> SearchResult:
        """Run a search; `options` are those of `search_command.Options`.

        `earliest` and the like are the time range beside the search. `now` is the time of the search; None is
        the stand-in's clock. With `base` the text goes on from the rows of another search. The time zone is
        UTC. Raises UnknownSpl for SPL that the stand-in does not evaluate.
        """
        result = SearchResult()
        chosen = Options(**{"app": self._home.app, "user": user, "search": text, **options})

        def external(name: str, rest: str, rows: list[Row]) -> list[Row]:
            done = self._run_command(name, rest, rows, chosen)
            result.commands.append(done)
            result.messages += done.messages
            if done.error is not None:
                result.error, result.rows, result.fields = done.error, done.rows, field_names(done.rows)
                raise _Failed
            return done.rows

        at = self._indexes.clock() if now is None else now
        result.span = TimeRange(
            *(_moment(one, at) for one in (earliest, latest, index_earliest, index_latest))
        )
        before = None if base is None else Rows(base.rows, base.fields)
        with contextlib.suppress(_Failed):
            rows = self.pipeline(external).run(text, span=result.span, now=at, base=before)
            result.rows, result.fields = list(rows), columns_of(rows)
        return result

    def pipeline(self, external: External | None = None) -> Pipeline:
        """The evaluator over all that is indexed."""
        confs = self._home.confs
        return Pipeline(
            self._indexes.rows,
            confs.read("macros"),
            external,
            frozenset(name for name in confs.read("commands") if name != "default"),
            lookups=self.lookups,
            selected=self._indexes.rows,
        )

    def check(self, text: str) -> None:
        """Read a search without running it. Raises UnknownSpl for what the stand-in does not evaluate."""
        self.pipeline().check(text)

    def saved(self) -> dict[str, SavedSearch]:
        """Those of savedsearches.conf by name, disabled ones too."""
        return saved_searches.read(self._home.confs.read("savedsearches"))

    def run_saved(self, name: str, *, now: float | None, user: str) -> SavedRun:
        """Run it as the scheduler would at `now`, disabled or not, and return what it would send.

        What is throttled stays so for later runs. LookupError when there is no such saved search.
        """
        at = self._indexes.clock() if now is None else now
        saved = saved_searches.by_name(self.saved(), name)
        result = self.run(saved.search, user, now=at, **saved.time_range)
        run = SavedRun(name, at, result)
        if saved.triggers(result, lambda text: self.run(text, user, now=at, base=result)):
            saved_searches.alerts_of(saved, run, self._throttle)
        return run


def _moment(given: Moment, now: float) -> float | None:
    if given is None or given == "":
        return None
    return parse_time(given, now) if isinstance(given, str) else float(given)
