"""What the documents say of the code is so: messages, files, capabilities and keys that they name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Splunk's own, and ours.
CAPABILITIES = {"list_storage_passwords", "edit_storage_passwords", "list_inputs"}


def messages() -> Iterator[str]:
    """Every text in the app's code, with `…` for what is filled in."""
    for path in (ROOT / "copydicom_app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
                yield "".join(parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def quoted() -> list[str]:
    """What stands in the first column of the tables headed *it says*, in backticks."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    found = []
    for table in re.findall(r"^\| it says .*\n\| ---.*\n((?:\|.*\n)+)", text, re.MULTILINE):
        found += re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    return found


def test_a_message_that_troubleshooting_quotes_is_one_that_the_app_says() -> None:
    known = list(messages())
    assert len(quoted()) > 20
    for text in quoted():
        assert any(text in message for message in known), f"nothing in the app says: {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:tests|testbench|packaging|benchmarks|copydicom_app|default|metadata|lookups)/[\w./-]+)`", text
    )
    # What is local an admin writes.
    missing = [name for name in named if not (ROOT / name).exists() and "local" not in name]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([\w-]+)\)", text):
        other = (page.parent / target) if target else page
        heads = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
        assert anchor in slugs, f"{page.name} links to {target}#{anchor}"


def test_capabilities_and_keys_of_servers_that_a_page_names_exist() -> None:
    declared = set(re.findall(r"capability::(\w+)", (ROOT / "default" / "authorize.conf").read_text()))
    keys = set(
        re.findall(r"^(\w+) = ", (ROOT / "README" / "copydicom_servers.conf.spec").read_text(), re.MULTILINE)
    )
    for name in ("security.md", "copydicom.md", "troubleshooting.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        for capability in re.findall(r"`((?:run|edit|list)_\w+)`", text):
            assert capability in declared | CAPABILITIES, f"{name}: {capability}"
    said = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for key in (
        "roles",
        "allow_ownerless",
        "max_instances",
        "requires_anonymized",
        "verify_tls",
        "ca_bundle",
    ):
        assert f"`{key}" in said
        assert key in keys


def test_the_readme_counts_the_alerts_that_there_are() -> None:
    stanzas = re.findall(r"^\[(.+)\]$", (ROOT / "default" / "savedsearches.conf").read_text(), re.MULTILINE)
    assert len([name for name in stanzas if "alert:" in name]) == 7
    assert "Seven alerts and a report" in (ROOT / "README.md").read_text(encoding="utf-8")
