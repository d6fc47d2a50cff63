"""The settings of a server are the same list everywhere: spec, endpoint and set-up page."""

import re
from pathlib import Path

from copydicom_app.splunk.server_edit import KEYS

ROOT = Path(__file__).resolve().parents[2]


def spec_keys(name: str) -> set[str]:
    text = (ROOT / "README" / f"{name}.conf.spec").read_text("utf-8")
    return set(re.findall(r"^(\w+) = ", text, re.M))


def test_the_endpoint_knows_what_the_spec_describes() -> None:
    assert set(KEYS) == spec_keys("copydicom_servers")


def test_the_set_up_page_has_a_field_for_every_setting_of_servers_and_inputs() -> None:
    pages = ROOT / "pages" / "src" / "setup"
    settings = (pages / "settings.js").read_text("utf-8")
    fields = set(
        re.findall(r'\bname="(\w+)"', "".join(path.read_text("utf-8") for path in pages.glob("*.jsx")))
    )
    for key in spec_keys("copydicom_servers") | spec_keys("inputs"):
        assert f"'{key}'" in settings or f"{key}:" in settings, key
        assert key in fields, key
