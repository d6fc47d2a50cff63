"""A dashboard in Dashboard Studio's format: a JSON definition in a view's XML (`version="2"`).

Source: Splunk, "Dashboard Studio: What is a dashboard definition?", and the schema of @splunk/dashboard-definition.
A flat grid is the layout that all versions since 9.0 read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

WIDTH = 1200  # of the grid, in its own units
TIME = {"earliest": "$time.earliest$", "latest": "$time.latest$"}


@dataclass(frozen=True)
class Panel:
    """One visualization: `kind` is the type behind `splunk.`, `source` the name of its search."""

    kind: str
    title: str = ""
    source: str = ""
    description: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    drilldowns: Sequence[dict[str, Any]] = ()
    weight: float = 1.0  # its share of the row's width

    def definition(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": f"splunk.{self.kind}", "options": self.options}
        if self.title:
            found["title"] = self.title
        if self.description:
            found["description"] = self.description
        if self.source:
            found["dataSources"] = {"primary": self.source}
        if self.context:
            found["context"] = self.context
        if self.drilldowns:
            found["eventHandlers"] = list(self.drilldowns)
        return found


class View:
    """Collects searches, inputs and rows of panels; `xml()` is the file."""

    def __init__(self, name: str, label: str, description: str) -> None:
        self.name, self.label, self.description = name, label, description
        self._sources: dict[str, dict[str, Any]] = {}
        self._panels: dict[str, dict[str, Any]] = {}
        self._inputs: dict[str, dict[str, Any]] = {}
        self._structure: list[dict[str, Any]] = []
        self._height = 0

    def base(self, name: str, spl: str, **time: str) -> str:
        """A search of its own over the view's time range, or over `earliest` and `latest`; returns its key."""
        options: dict[str, Any] = {"query": _tidy(spl)}
        if time:
            options["queryParameters"] = time
        return self._add_source(name, {"type": "ds.search", "options": options})

    def chain(self, name: str, base: str, spl: str) -> str:
        """What is made of a base search's rows, without searching again."""
        if base not in self._sources:
            raise KeyError(f"{self.name}: {name} extends {base}, which is not there")
        return self._add_source(name, {"type": "ds.chain", "options": {"extend": base, "query": _tidy(spl)}})

    def add_input(self, token: str, definition: dict[str, Any]) -> None:
        """One more input above the panels."""
        self._inputs[f"input_{token}"] = definition

    def row(self, height: int, *panels: Panel) -> None:
        """The next row, as high as that, its panels side by side by their weights."""
        total, left = sum(panel.weight for panel in panels), 0
        for place, panel in enumerate(panels, start=1):
            if panel.source and panel.source not in self._sources:
                raise KeyError(f"{self.name}: {panel.title!r} shows {panel.source}, which is not there")
            name = f"viz_{len(self._panels) + 1:02d}"
            self._panels[name] = panel.definition()
            right = WIDTH if place == len(panels) else left + round(WIDTH * panel.weight / total)
            position = {"x": left, "y": self._height, "w": right - left, "h": height}
            self._structure.append({"item": name, "type": "block", "position": position})
            left = right
        self._height += height

    def definition(self) -> dict[str, Any]:
        return {
            "title": self.label,
            "description": self.description,
            "inputs": self._inputs,
            "defaults": {"dataSources": {"ds.search": {"options": {"queryParameters": TIME}}}},
            "dataSources": self._sources,
            "visualizations": self._panels,
            "layout": {
                "type": "grid",
                "globalInputs": list(self._inputs),
                "options": {"width": WIDTH},
                "structure": self._structure,
            },
        }

    def xml(self) -> str:
        body = json.dumps(self.definition(), indent=2, ensure_ascii=False)
        if "]]>" in body:
            raise ValueError(f"{self.name}: the definition would end its CDATA section")
        return (
            f'<dashboard version="2">\n  <label>{escape(self.label)}</label>\n'
            f"  <description>{escape(self.description)}</description>\n"
            f"  <definition><![CDATA[\n{body}\n  ]]></definition>\n</dashboard>\n"
        )

    def _add_source(self, name: str, definition: dict[str, Any]) -> str:
        key = re.sub(r"\W+", "_", f"ds_{name}").lower()
        if key in self._sources:
            raise KeyError(f"{self.name}: two searches are named {name}")
        self._sources[key] = {**definition, "name": name}
        return key


def _tidy(spl: str) -> str:
    return "\n".join(line.strip() for line in spl.splitlines() if line.strip())
