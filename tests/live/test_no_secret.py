"""A full run, and then a search for every secret in all that came out of it."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import make_instances
from testbench.splunkd import Options, Splunkd, Trigger, pythons
from testbench.splunkd.atom import Response

WRONG = "a-wrong-password-9QxZ"
KEY = "the-key-of-anonymized-copies-7BvN"


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every argument list and environment of a process, as text."""
    seen: list[str] = []
    real = subprocess.Popen.__init__

    def noted(self: Any, args: Any, *rest: Any, **more: Any) -> None:
        seen.append(f"{args} {more.get('env')}")
        real(self, args, *rest, **more)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    return seen


def listen(splunkd: Splunkd) -> list[str]:
    """What the REST API answers to any request, but for that of the stored passwords itself."""
    heard: list[str] = []
    real = splunkd.rest.answer

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        response = real(method, target, headers, body)
        heard.append(target)
        if "storage/passwords" not in target:
            heard.append(response.body.decode())
        return response

    splunkd.rest.answer = answer  # type: ignore[method-assign]
    return heard


def test_no_secret_is_in_a_log_an_argument_an_error_an_event_or_an_answer(
    package: Path, processes: list[str]
) -> None:
    with OrthancServer("pacs") as pacs, OrthancServer("research") as research:
        instances = list(make_instances(6, size=3_000, series_of=3))
        pacs.upload_all(each.data for each in instances)
        processes.clear()  # the servers' own start is not ours
        with Splunkd(package, python=next(iter(pythons().values()))) as splunkd:
            said = [processes, listen(splunkd)]
            for name, server in (("pacs", pacs), ("research", research)):
                splunkd.add_server(
                    name, base_url=server.url, username=server.username, password=server.password
                )
            splunkd.add_server("wrong", base_url=pacs.url, username=pacs.username, password=WRONG)
            splunkd.add_server("dead", base_url="http://127.0.0.1:9", username="user", password=WRONG)
            key = {"name": "anonymize", "realm": "copydicom_app_keys", "password": KEY}
            splunkd.request("POST", "storage/passwords", key)
            splunkd.add_user("ann", ("user", "copydicom_operator"))
            splunkd.add_user("ada", ("user", "copydicom_admin"))
            said.append(full_run(splunkd, [each.orthanc_id for each in instances], pacs))
            said.append(splunkd.rest_scripts.stderr)
            secrets = secrets_of(splunkd, pacs, research)
            files = [path for path in splunkd.home.root.rglob("*") if path.is_file()]
            logs = [path for path in files if "/var/" in str(path)]
            assert {"audit", "copydicom_app_rest", "copydicom_app_alert_action", "copydicom_app_input"} <= {
                path.name.split("-")[0]
                .removesuffix("_pacs.log")
                .removesuffix(".log")
                .replace("_transfer", "")
                for path in logs
            }
            said.append([path.read_bytes().decode("latin-1") for path in files])
            said.append([event.raw for events in splunkd.indexed.values() for event in events])
            everything = [text for texts in said for text in texts]
            for known in (instances[0].orthanc_id, str(research.url), "--execute", "copydicom/test"):
                assert any(known in text for text in everything), "not everything is looked at"
            for secret in secrets:
                found = [text[:200] for text in everything if secret in text]
                assert found == [], f"{len(found)} places hold a secret"
            sessions = [key for key in splunkd.sessions._keys if key]
            written = "\n".join(path.read_bytes().decode("latin-1") for path in logs)
            assert not [key for key in sessions if key in written]


def full_run(splunkd: Splunkd, ids: list[str], pacs: OrthancServer) -> list[str]:
    """Input, command here and through the handler, alert action, connection tests: their words."""
    said: list[str] = []
    rows = [{"ID": id, "orthanc_server": "pacs"} for id in ids]
    for stanza, params in (("pacs", {"phi": "hash"}), ("wrong", {}), ("dead", {})):
        checked = splunkd.validate(f"orthanc://{stanza}", {"server": stanza})
        run = splunkd.run_input(f"orthanc://{stanza}", server=stanza, **params) if stanza != "dead" else None
        said += [checked.message, *(run.log if run else [])]
    for user in ("ann", "admin"):
        for text in ("dest=research", "dest=research anonymize=basic", "dest=wrong", "dest=x"):
            result = splunkd.run_command("copydicom", text, list(rows), Options(app="search", user=user))
            said += [*result.stderr, str(result.error), json.dumps(result.messages), json.dumps(result.rows)]
        for dest in ("research", "wrong"):
            done = splunkd.run_alert_action("copydicom_replicate", list(rows), Trigger({"dest": dest}, user))
            said += done.log
    tests: tuple[dict[str, str], ...] = (
        {"name": "pacs"},
        {"name": "wrong"},
        {"name": "dead"},
        {"name": "new", "base_url": pacs.url, "username": pacs.username, "password": WRONG},
        {"name": "pacs", "base_url": "http://127.0.0.1:9", "username": pacs.username},
    )
    for fields in tests:
        said.append(json.dumps(splunkd.request("POST", "copydicom/test", user="ada", document=fields)))
    saves: tuple[dict[str, str], ...] = (
        {"name": "wrong", "password": WRONG},
        {"name": "wrong", "max_connections": "none", "password": WRONG},
        {"name": "wrong", "base_url": f"http://user:{WRONG}@127.0.0.1:9", "password": WRONG},
        {"name": "wrong", WRONG: "x"},
    )
    for fields in saves:
        said.append(json.dumps(splunkd.request("POST", "copydicom/server", user="ada", document=fields)))
    return said


def secrets_of(splunkd: Splunkd, *servers: OrthancServer) -> set[str]:
    """Each password as it is, as it stands in a URL, and in an Authorization header."""
    _, listed = splunkd.request("GET", "storage/passwords", {"count": "0"})
    stored = [entry["content"]["clear_password"] for entry in listed["entry"]]
    assert {KEY, WRONG, *(server.password for server in servers)} <= set(stored)
    assert len(stored) == 6  # with the key of pseudonyms, which the input made
    logins = [f"{server.username}:{server.password}" for server in servers]
    return {
        *stored,
        *(quote(text, safe="") for text in stored),
        *(b64encode(text.encode()).decode() for text in [*stored, *logins]),
    }
