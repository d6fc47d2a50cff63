"""The searches of a view without a browser: for what does not hang on how a panel is drawn.

panels(view, splunk.search, {"station": "CTER"})  ->  {"Studies": [{"studies": "4"}], ...}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from testbench.splunkd.chunks import Row
from testbench.splunkd.searches import SearchResult
from testbench.views.definitions import View

Search = Callable[..., SearchResult]
_TOKEN = re.compile(r"\$([A-Za-z_][\w.]*)(\|s)?\$")


class SearchFailed(RuntimeError):
    """A search of a view ended with an error."""


def panels(view: View, search: Search, tokens: Mapping[str, str]) -> dict[str, list[Row]]:
    """By title the rows of each panel; `tokens` stand in the place of what the inputs would give at first."""
    running = _Running(view, search, tokens)
    found = {}
    for name, panel in view.definition["visualizations"].items():
        if "primary" in panel.get("dataSources", {}):
            found[panel.get("title", name)] = running.result(panel["dataSources"]["primary"]).rows
    return found


def says_nothing(rows: list[Row]) -> bool:
    """No row, or none with a value."""
    return not any(value for row in rows for value in row.values())


class _Running:
    def __init__(self, view: View, search: Search, tokens: Mapping[str, str]) -> None:
        self._view, self._search = view, search
        self._sources: dict[str, Any] = view.definition["dataSources"]
        self._results: dict[str, SearchResult] = {}
        self._tokens: dict[str, str] = {}
        for one in view.definition["inputs"].values():
            self._first(one)
        self._tokens |= tokens

    def _first(self, one: dict[str, Any]) -> None:
        options = one["options"]
        default = str(options.get("defaultValue", ""))
        if one["type"] == "input.timerange":
            earliest, _, latest = default.partition(",")
            self._tokens |= {f"{options['token']}.earliest": earliest, f"{options['token']}.latest": latest}
        else:
            self._tokens[options["token"]] = default

    def result(self, name: str) -> SearchResult:
        """Of a source, run once; a chain goes on from the rows of another."""
        if name not in self._results:
            options = self._sources[name]["options"]
            base = self.result(options["extend"]) if "extend" in options else None
            defaults = self._view.definition["defaults"]["dataSources"]["ds.search"]["options"]
            span = options.get("queryParameters", defaults["queryParameters"])
            found = self._search(
                self._filled(options["query"]),
                earliest=self._filled(span["earliest"]),
                latest=self._filled(span["latest"]),
                base=base,
            )
            if found.error is not None:
                raise SearchFailed(f"{self._view.name}: {name}: {found.error}")
            self._results[name] = found
        return self._results[name]

    def _filled(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            given = self._tokens[match[1]]
            return '"' + given.replace("\\", "\\\\").replace('"', '\\"') + '"' if match[2] else given

        return _TOKEN.sub(value, text)
