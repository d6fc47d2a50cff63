"""The views of an app: Dashboard Studio definitions in the order of its navigation, Simple XML with a script.

Source: Splunk, "Dashboard Studio", the source of a dashboard: `<dashboard version="2">` with `label` and the
definition as JSON in CDATA; "Build navigation for a Splunk app" for `nav/default.xml`; "Simple XML Reference"
for `script`, which is loaded from the app's `appserver/static`, and for `<html>` panels.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VIEWS = Path("data") / "ui" / "views"
NAVIGATION = Path("data") / "ui" / "nav" / "default.xml"


class NoDefinition(ValueError):
    """The file is no Dashboard Studio view."""


@dataclass(frozen=True)
class View:
    """`definition` is the JSON document; `theme` what the file asks for, `light` unless it says otherwise."""

    name: str
    label: str
    theme: str
    definition: dict[str, Any]


@dataclass(frozen=True)
class ScriptView:
    """`markup` is what its panels hold, `script` the file below `appserver/static`."""

    name: str
    label: str
    script: str
    markup: str


def read_script_views(default: Path) -> list[ScriptView]:
    """The views in Simple XML with a script. Raises NoDefinition for one that has more than HTML panels."""
    found = []
    for path in sorted((default / VIEWS).glob("*.xml")):
        root = ElementTree.parse(path).getroot()
        if root.tag != "dashboard" or root.get("version") == "2":
            continue
        panels = root.findall("row/panel/*")
        script = root.get("script", "")
        if not script or any(panel.tag != "html" for panel in panels):
            raise NoDefinition(f"{path.name} is no Studio view, and not HTML with a script either")
        markup = "".join(
            ElementTree.tostring(child, "unicode", "html") for panel in panels for child in panel
        )
        label = (root.findtext("label") or "").strip()
        found.append(ScriptView(path.stem, label or path.stem, script, markup))
    return found


def read_view(path: Path) -> View:
    """A view from its file. Raises NoDefinition, which names the file and what is wrong with it."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise NoDefinition(f"{path.name} is no XML: {error}") from error
    if root.tag != "dashboard" or root.get("version") != "2":
        raise NoDefinition(f'{path.name} does not begin with <dashboard version="2">')
    try:
        definition = json.loads(root.findtext("definition") or "")
    except ValueError as error:
        raise NoDefinition(f"{path.name}: the definition is no JSON: {error}") from error
    label = (root.findtext("label") or "").strip()
    return View(path.stem, label or path.stem, root.get("theme", "light"), definition)


def navigation(default: Path) -> list[str]:
    """The names of the views in nav/default.xml, in its order; those of a collection one after the other."""
    path = default / NAVIGATION
    if not path.is_file():
        return []
    return [name for one in ElementTree.parse(path).getroot().iter("view") if (name := one.get("name"))]


def read_views(default: Path) -> list[View]:
    """All views of the app's `default` folder: those of the navigation in its order, then the others."""
    found = {path.stem: path for path in sorted((default / VIEWS).glob("*.xml"))}
    order = [name for name in navigation(default) if name in found]
    studio = [found[name] for name in [*order, *(name for name in found if name not in order)]]
    return [read_view(path) for path in studio if 'version="2"' in path.read_text(encoding="utf-8")[:2000]]
