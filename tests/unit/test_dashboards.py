"""The committed dashboards are what the builder gives, and the navigation leads to each of them."""

import importlib.util
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAV = ROOT / "default" / "data" / "ui" / "nav" / "default.xml"
SPLUNKS_OWN = {"search"}
BY_HAND = {"setup", "ticket"}  # the pages of pages/
WITH_A_STUDY = {"ticket"}  # only a link from a study leads there


@pytest.fixture(scope="module")
def files() -> dict[Path, str]:
    spec = importlib.util.spec_from_file_location("write_views", ROOT / "packaging" / "write_views.py")
    assert spec
    assert spec.loader
    builder = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(builder)
        return dict(builder.files())
    finally:
        sys.path[:] = before


def test_the_committed_views_are_what_the_builder_gives(files: dict[Path, str]) -> None:
    folder = ROOT / "default" / "data" / "ui" / "views"
    assert sorted(path for path in folder.glob("*.xml") if path.stem not in BY_HAND) == sorted(files)
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, "run python packaging/write_views.py"


def test_the_navigation_has_every_view_and_no_other() -> None:
    listed = [view.attrib["name"] for view in ElementTree.parse(NAV).iter("view")]
    there = {path.stem for path in (ROOT / "default" / "data" / "ui" / "views").glob("*.xml")}
    assert sorted(listed) == sorted((there | SPLUNKS_OWN) - WITH_A_STUDY)


def test_no_panel_runs_a_risky_command(files: dict[Path, str]) -> None:
    """Splunk stops a dashboard that would run one: copying starts in Search, where a person looks first."""
    risky = (
        "copydicom",
        "collect",
        "delete",
        "map",
        "outputcsv",
        "outputlookup",
        "run",
        "script",
        "sendemail",
    )
    for path, text in files.items():
        definition = json.loads(text.partition("<![CDATA[")[2].partition("]]>")[0])
        for source in definition["dataSources"].values():
            commands = {part.split()[0] for part in source["options"]["query"].split("|") if part.split()}
            assert not commands & set(risky), path.name
