"""The inputs that the views share: the time range, and menus of what the view's own events hold.

A menu's choices are made of the view's base search, so choosing costs no further search, and a filter is a
chain on it. `*` stands for all; every field that is filtered on is always there (see `dose_labels`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.studio import View

QUARTER = "-90d@d,now"  # dose is audited by the quarter
MONTH = "-30d@d,now"


@dataclass(frozen=True)
class Menu:
    """A menu over the values of a field; its token has the same name as the field or a shorter one."""

    token: str
    title: str
    field: str


SITE = Menu("site", "Site", "site")
STATION = Menu("station", "Station", "station_name")
MODALITY = Menu("modality", "Modality", "modality")
PROTOCOL = Menu("protocol", "Protocol", "standard_protocol")
PROCEDURE = Menu("procedure", "Procedure", "standard_procedure")
AGE = Menu("age_band", "Age band", "age_band")


def add_time(view: View, default: str = QUARTER) -> None:
    """The time range of all searches of the view."""
    view.add_input(
        "time",
        {
            "type": "input.timerange",
            "title": "Time range",
            "options": {"token": "time", "defaultValue": default},
        },
    )


def add_menus(view: View, base: str, menus: Sequence[Menu], name: str = "shown") -> str:
    """One menu each, filled from `base`; returns the chain that holds the chosen rows."""
    for menu in menus:
        # A menu shows 100 choices: the most frequent, in the order of the alphabet.
        choices = view.chain(
            f"choices of {menu.token}",
            base,
            f"| stats count AS n BY {menu.field} | sort 100 - n | sort 0 {menu.field} | table {menu.field}",
        )
        view.add_input(menu.token, _dropdown(menu, choices))
    terms = " ".join(f"{menu.field}=${menu.token}|s$" for menu in menus)
    return view.chain(name, base, f"| search {terms}")


def add_choice(view: View, token: str, title: str, choices: Mapping[str, str]) -> None:
    """A menu of fixed choices, label and value; the first is the default."""
    items = [{"label": label, "value": value} for label, value in choices.items()]
    options = {"token": token, "items": items, "defaultValue": items[0]["value"]}
    view.add_input(token, {"type": "input.dropdown", "title": title, "options": options})


def add_text(view: View, token: str, title: str, default: str = "") -> None:
    """A line to type in."""
    options = {"token": token} | ({"defaultValue": default} if default else {})
    view.add_input(token, {"type": "input.text", "title": title, "options": options})


def _dropdown(menu: Menu, source: str) -> dict[str, Any]:
    return {
        "type": "input.dropdown",
        "title": menu.title,
        "dataSources": {"primary": source},
        "options": {
            "token": menu.token,
            "defaultValue": "*",
            "items": "> frame(label, value) | prepend(all) | objects()",
        },
        "context": {
            "all": [["All"], ["*"]],
            "label": f'> primary | seriesByName("{menu.field}") | renameSeries("label")',
            "value": f'> primary | seriesByName("{menu.field}") | renameSeries("value")',
        },
    }
