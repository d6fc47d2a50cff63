"""Servers saved through copydicom/server: what is written, what is refused, and where passwords go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbench.splunkd import Splunkd, pythons

SERVER = "copydicom/server"
PACS = {
    "name": "pacs",
    "base_url": "https://pacs.example:8042",
    "username": "splunk",
    "roles": "physics, research",
}
SECRET = "the first secret &<ü"


def started(package: Path) -> Iterator[Splunkd]:
    """On the oldest Python, with an admin of the app, who may see no stored password, and somebody else."""
    python = min(pythons().items(), key=lambda found: [int(part) for part in found[0].split(".")])[1]
    with Splunkd(package, python=python) as made:
        ada = made.add_user("ada", ("user", "copydicom_admin"))
        made.add_user("eve", ("user",))
        assert not ada.can("list_storage_passwords")
        yield made
        made.assert_no_violations()
        assert made.rest_scripts.stderr == []


@pytest.fixture
def splunkd(package: Path) -> Iterator[Splunkd]:
    yield from started(package)


@pytest.fixture(scope="module")
def untouched(package: Path) -> Iterator[Splunkd]:
    """For what is refused, and so leaves nothing behind."""
    yield from started(package)


def post(splunkd: Splunkd, user: str = "ada", **fields: Any) -> tuple[int, Any]:
    return splunkd.request("POST", SERVER, user=user, document=fields)


def passwords(splunkd: Splunkd) -> dict[str, str]:
    entries = splunkd.request("GET", "storage/passwords", {"count": "0"})[1]["entry"]
    assert {entry["content"]["realm"] for entry in entries} <= {"copydicom_app"}
    return {entry["content"]["username"]: entry["content"]["clear_password"] for entry in entries}


def stanzas(splunkd: Splunkd) -> dict[str, dict[str, str]]:
    return splunkd.home.confs.local("copydicom_servers")


def logged(splunkd: Splunkd) -> str:
    return "".join(path.read_text() for path in splunkd.home.log.glob("copydicom_app_rest*.log"))


def test_who_sees_no_password_adds_changes_and_removes_a_server_with_one(splunkd: Splunkd) -> None:
    assert post(splunkd, **PACS, new=True, password=SECRET) == (200, {"saved": "pacs"})
    assert stanzas(splunkd) == {"pacs": {key: PACS[key] for key in ("base_url", "username", "roles")}}
    assert passwords(splunkd) == {"pacs": SECRET}
    assert post(splunkd, name="pacs", max_connections="8", roles="") == (200, {"saved": "pacs"})
    assert stanzas(splunkd)["pacs"] == {
        "base_url": PACS["base_url"],
        "username": "splunk",
        "max_connections": "8",
        "roles": "",
    }
    assert post(splunkd, name="pacs", password="another")[0] == 200
    assert passwords(splunkd) == {"pacs": "another"}
    assert post(splunkd, name="pacs", username="")[0] == 200
    assert passwords(splunkd) == {}, "a password of nobody is kept"
    assert post(splunkd, name="pacs", action="remove") == (200, {"removed": "pacs"})
    assert stanzas(splunkd) == {}
    log = logged(splunkd)
    assert log.count('message="saved a server"') == 4
    assert log.count('message="removed a server" server=pacs user=ada') == 1
    assert SECRET not in log
    assert "another" not in log


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "https://elsewhere.example:8042"},
        {"username": "other"},
        {"verify_tls": False},
        {"ca_bundle": "/tmp/own.pem"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_would_carry_the_password_away_asks_for_it_again(
    splunkd: Splunkd, changed: dict[str, Any]
) -> None:
    post(splunkd, **PACS, new=True, password=SECRET)
    before = stanzas(splunkd)
    status, answer = post(splunkd, name="pacs", **changed)
    assert (status, "enter the password" in answer["error"]) == (400, True)
    assert stanzas(splunkd) == before
    assert passwords(splunkd) == {"pacs": SECRET}
    splunkd.rest.log.clear()
    assert post(splunkd, name="pacs", **changed, password="new")[0] == 200
    assert passwords(splunkd) == {"pacs": "new"}
    changes = [
        (method, "passwords" in path)
        for method, path, _ in splunkd.rest.log
        if method != "GET" and SERVER not in path
    ]
    # the old password is gone before the new address is there
    assert changes == [("DELETE", True), ("POST", False), ("POST", True)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "../pacs"},
        {"name": "default"},
        {"name": "two words"},
        {"name": "pacs]\n[evil"},
        {"base_url": ""},
        {"base_url": "ftp://pacs.example"},
        {"base_url": "https://user:secret@pacs.example"},
        {"base_url": "https://pacs.example\nroles = *"},
        {"base_url": "https://pacs.example?x=1"},
        {"peer": "ends with a backslash\\"},
        {"timezone": "Mars/Olympus"},
        {"max_connections": "-1"},
        {"verify_tls": "perhaps"},
        {"sharing": "global"},
        {"action": "wipe"},
        {"password": ""},
    ],
    ids=lambda wrong: "-".join(f"{key}={value!r}" for key, value in wrong.items()),
)
def test_what_would_make_a_wrong_conf_file_is_refused(untouched: Splunkd, wrong: dict[str, str]) -> None:
    status, answer = post(untouched, **{**PACS, "new": True, "password": SECRET, **wrong})
    assert status == 400
    assert answer["error"]
    assert SECRET not in answer["error"]
    assert (stanzas(untouched), passwords(untouched)) == ({}, {})


def test_a_server_that_is_there_is_not_added_and_one_that_is_not_is_not_changed(splunkd: Splunkd) -> None:
    post(splunkd, **PACS, new=True, password=SECRET)
    status, answer = post(splunkd, **{**PACS, "base_url": "https://evil.example"}, new=True, password="x")
    assert (status, answer["error"]) == (
        400,
        "there is a server 'pacs' already; take another name, or edit that one",
    )
    assert passwords(splunkd) == {"pacs": SECRET}
    for action in ("save", "remove"):
        status, answer = post(splunkd, name="gone", action=action)
        assert (status, "is not in copydicom_servers.conf" in answer["error"]) == (400, True)


def test_who_may_not_configure_changes_nothing(untouched: Splunkd) -> None:
    status, answer = post(untouched, user="eve", **PACS, new=True, password=SECRET)
    assert (status, "edit_copydicom" in answer["messages"][0]["text"]) == (403, True)
    assert (stanzas(untouched), passwords(untouched)) == ({}, {})
