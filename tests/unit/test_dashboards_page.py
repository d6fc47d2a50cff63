"""docs/dashboards.md names what there is: panels, lookups, macros, alerts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dashboards.md").read_text("utf-8")


def stanzas(name: str) -> list[str]:
    return re.findall(r"^\[([^\]]+)\]$", (ROOT / "default" / f"{name}.conf").read_text("utf-8"), re.M)


def test_every_alert_is_on_the_page_and_every_one_on_the_page_is_there() -> None:
    shipped = [name for name in stanzas("savedsearches") if "alert:" in name]
    assert sorted(shipped) == sorted(re.findall(r"^\| ((?:Dose|Feed) alert: [^|]+?) \|", PAGE, re.M))


def test_lookups_and_macros_on_the_page_are_there() -> None:
    known = {name.partition("(")[0] for name in (*stanzas("macros"), *stanzas("transforms"))}
    named = set(re.findall(r"`((?:dose|feed|fluoro)_[a-z_]+)(?:\(|`)", PAGE)) - {"dose_from_images"}
    assert len(named) > 15
    assert named <= known


def test_every_lookup_has_its_file_and_its_columns_are_those_that_macros_ask_for() -> None:
    transforms = (ROOT / "default" / "transforms.conf").read_text("utf-8")
    macros = (ROOT / "default" / "macros.conf").read_text("utf-8")
    for name in re.findall(r"^filename = (\w+)\.csv$", transforms, re.M):
        columns = (ROOT / "lookups" / f"{name}.csv").read_text("utf-8").splitlines()[0].split(",")
        uses = re.findall(rf"lookup {name} (.+?) OUTPUT (.+?)(?: \\| \||\n)", macros)
        assert uses, name
        for use in uses:
            asked = re.sub(r" AS \w+", "", " ".join(use)).split()
            assert set(asked) <= set(columns), (name, asked)


def test_every_panel_on_the_page_is_in_a_view() -> None:
    views = sorted((ROOT / "default" / "data" / "ui" / "views").glob("*.xml"))
    if not views:
        pytest.skip("there are no views yet")
    shipped = "\n".join(path.read_text("utf-8") for path in views)
    titles = set(re.findall(r'"([^"]+)"', PAGE[PAGE.index("## Coming from") :]))
    assert len(titles) > 20
    assert [title for title in sorted(titles) if f'"title": "{title}"' not in shipped] == []
