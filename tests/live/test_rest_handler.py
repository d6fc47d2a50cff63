"""The REST handler: copies for people who may not read a password, and tests of connections."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testbench.faulty_proxy import Asked, Fault, FaultyProxy
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import Instance, make_instances
from testbench.splunkd import CommandResult, Options, Splunkd, pythons

COUNT = 30
LARGE = 210_000  # bytes: each goes alone, since smaller ones travel together
TRANSFER, TEST = "copydicom/transfer", "copydicom/test"


@pytest.fixture(scope="module")
def pacs() -> Iterator[tuple[OrthancServer, list[Instance]]]:
    with OrthancServer("pacs") as server:
        instances = list(make_instances(COUNT, size=LARGE, series_of=10))
        server.upload_all(each.data for each in instances)
        yield server, instances


@pytest.fixture
def research() -> Iterator[OrthancServer]:
    with OrthancServer("research") as server:
        yield server


@pytest.fixture
def python() -> Path:
    """The oldest Python that Splunk bundles; a test that asks for another one says so."""
    return min(pythons().items(), key=lambda found: [int(part) for part in found[0].split(".")])[1]


@pytest.fixture
def splunkd(
    python: Path,
    package: Path,
    pacs: tuple[OrthancServer, list[Instance]],
    research: OrthancServer,
) -> Iterator[Splunkd]:
    """With an operator, who may copy and read no password, and an admin of the app, who may not copy."""
    with Splunkd(package, python=python) as made:
        add(made, "pacs", pacs[0])
        add(made, "research", research)
        made.add_user("ann", ("user", "copydicom_operator"))
        made.add_user("ada", ("user", "copydicom_admin"))
        made.add_user("eve", ("user",))
        assert not made.sessions.users["ann"].can("list_storage_passwords")
        yield made
        made.assert_no_violations()
        assert made.rest_scripts.stderr == []


def add(splunkd: Splunkd, name: str, server: OrthancServer, url: str = "", **keys: Any) -> None:
    splunkd.add_server(
        name, base_url=url or server.url, username=server.username, password=server.password, **keys
    )


def rows(instances: list[Instance], **more: str) -> list[dict[str, Any]]:
    return [
        {"ID": each.orthanc_id, "orthanc_server": "pacs", "n": str(n), **more}
        for n, each in enumerate(instances)
    ]


def run(splunkd: Splunkd, text: str, given: list[dict[str, Any]], **options: Any) -> CommandResult:
    return splunkd.run_command(
        "copydicom", text, given, Options(**{"app": "search", "user": "ann", **options})
    )


def statuses(result: CommandResult) -> Counter[str]:
    return Counter(str(row["copydicom_status"]) for row in result.rows)


def audited(splunkd: Splunkd) -> list[dict[str, Any]]:
    splunkd.monitors.poll()
    return [json.loads(event.raw) for event in splunkd.indexed.get("dicom_audit", [])]


def asked(splunkd: Splunkd) -> int:
    return sum(path.endswith(TRANSFER) for _, path, _ in splunkd.rest.log)


def batch(instances: list[Instance], *args: str, **more: Any) -> dict[str, Any]:
    refs = [[each.orthanc_id, "instance", "", ""] for each in instances]
    return {"args": list(args), "source": "pacs", "references": refs, **more}


@pytest.mark.parametrize("python", pythons().values(), ids=pythons().keys())
def test_an_operator_copies_without_the_right_to_see_a_password(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    result = run(splunkd, "dest=research", rows(pacs[1]), chunk_rows=(7, 9))
    assert result.error is None
    assert [row["n"] for row in result.rows] == [str(n) for n in range(COUNT)]
    assert statuses(result) == {"copied": COUNT}
    assert sum(int(str(row["copydicom_bytes"])) for row in result.rows) == sum(len(i.data) for i in pacs[1])
    assert len(research.get("/instances")) == COUNT
    assert asked(splunkd) > 2
    (event,) = audited(splunkd)  # one study, one search, several requests
    assert (event["user"], event["sid"], event["copied"]) == ("ann", result.sid, COUNT)
    again = run(splunkd, "dest=research", [*rows(pacs[1]), *rows(pacs[1][:3])])
    assert statuses(again) == {"present": COUNT + 3}
    assert again.rows[-1]["copydicom_message"] == "repeats an earlier row"


def test_who_may_read_passwords_copies_without_the_handler(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]]
) -> None:
    assert statuses(run(splunkd, "dest=research", rows(pacs[1]), user="admin")) == {"copied": COUNT}
    assert asked(splunkd) == 0


def test_studies_anonymized_copies_and_dry_runs_go_through_the_handler_too(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    study = pacs[0].get("/studies")[0]
    given = [{"ID": study, "orthanc_server": "pacs", "level": "study"}]
    planned = run(splunkd, "dest=research dryrun=true", given)
    assert (planned.rows[0]["copydicom_status"], audited(splunkd)) == ("planned", [])
    secret = {
        "name": "anonymize",
        "realm": "copydicom_app_keys",
        "password": "a long and random key, for good",
    }
    splunkd.request("POST", "storage/passwords", secret)
    first = run(splunkd, "dest=research anonymize=basic", given)
    assert first.rows[0]["copydicom_copied"] == str(COUNT)
    again = run(splunkd, "dest=research anonymize=basic", given)
    assert again.rows[0]["copydicom_present"] == str(COUNT)
    assert {each.orthanc_id for each in pacs[1]}.isdisjoint(research.get("/instances"))


def test_max_instances_holds_over_all_requests_of_a_search(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    add(splunkd, "careful", research, max_instances=12)
    result = run(splunkd, "dest=careful", rows(pacs[1]), chunk_rows=(10,))
    assert statuses(result) == {"copied": 12, "failed": COUNT - 12}
    assert len(research.get("/instances")) == 12


def test_a_cancelled_search_stops_the_handler_and_its_trail_tells_what_is_there(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    with FaultyProxy(research.url) as proxy:
        add(splunkd, "slow", research, proxy.url, max_connections=1)
        proxy.slow_seconds = 1.0
        slow_uploads(proxy)
        begun = time.monotonic()
        run(splunkd, "dest=slow", rows(pacs[1]), terminate_after=6.0)
        assert time.monotonic() - begun < 25
    events = audited(splunkd)
    assert {event["result"] for event in events} == {"cancelled"}
    assert sum(event["copied"] for event in events) == len(research.get("/instances")) < COUNT


def test_a_search_that_was_killed_leaves_a_trail(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    """What its requests came to is kept, and written by the next that comes once nobody can be at it."""
    folder = splunkd.home.root / "var" / "run" / "copydicom_app"
    folder.mkdir(parents=True)
    begun = folder / f"{'ab' * 16}.json"
    begun.write_text('{"taken": 0, "constant": {}, "counts": {}}')
    body = batch(pacs[1][:5], "dest=research", search="ab" * 16, sid="killed")
    status, _ = splunkd.request("POST", TRANSFER, user="ann", document=body)
    assert (status, audited(splunkd)) == (200, [])
    os.utime(begun, (time.time() - 3 * 3600,) * 2)
    splunkd.request("POST", TRANSFER, user="ann", document=batch(pacs[1][5:6], "dest=research"))
    killed, other = sorted(audited(splunkd), key=lambda event: -event["copied"])
    assert (killed["sid"], killed["copied"], killed["result"]) == ("killed", 5, "cancelled")
    assert (other["copied"], list(folder.iterdir())) == (1, [])


def test_a_search_that_copies_by_itself_and_is_killed_leaves_a_trail(
    package: Path, python: Path, pacs: tuple[OrthancServer, list[Instance]]
) -> None:
    """An admin's: what it noted of itself is written by the next search, once it cannot be there any more.

    On 1.12, which tells its limits: where a destination may recycle, rows wait until it was asked again.
    """
    binary, reason = second_orthanc()
    if binary is None:
        pytest.skip(reason)
    with (
        OrthancServer("research", binary=binary) as research,
        Splunkd(package, python=python) as splunkd,
        FaultyProxy(research.url) as proxy,
    ):
        add(splunkd, "pacs", pacs[0])
        add(splunkd, "research", research)
        add(splunkd, "slow", research, proxy.url, max_connections=1)
        proxy.slow_seconds = 0.5
        slow_uploads(proxy)
        searches: list[CommandResult] = []
        given = rows(pacs[1])
        search = threading.Thread(
            target=lambda: searches.append(run(splunkd, "dest=slow", given, user="admin"))
        )
        search.start()
        folder = splunkd.home.root / "var" / "run" / "copydicom_app"
        wait_for(lambda: any('"copied"' in path.read_text() for path in folder.glob("*.json")))
        for pid in processes_of(splunkd, "copydicom.py"):
            os.kill(pid, signal.SIGKILL)
        search.join()
        assert audited(splunkd) == []
        (left,) = folder.glob("*.json")
        os.utime(left, (time.time() - 3 * 3600,) * 2)
        assert statuses(run(splunkd, "dest=research", given[-1:], user="admin")).total() == 1
        killed, other = sorted(audited(splunkd), key=lambda event: event["dest"], reverse=True)
        assert (killed["dest"], killed["result"], killed["user"]) == ("slow", "cancelled", "admin")
        assert 0 < killed["copied"] <= len(research.get("/instances"))
        assert (other["dest"], other["copied"] + other["present"]) == ("research", 1)
        assert list(folder.iterdir()) == []


def wait_for(there: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def processes_of(splunkd: Splunkd, script: str) -> list[int]:
    """The processes that this stand-in has started for a script of its app."""
    wanted = str(splunkd.home.app_dir / "bin" / script)
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:  # it has ended
            continue
        if wanted in arguments:
            found.append(int(path.parent.name))
    return found


def test_a_direct_request_is_bounded_and_in_the_trail(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]]
) -> None:
    status, answer = splunkd.request(
        "POST", TRANSFER, user="ann", document=batch(pacs[1][:2], "dest=research", sid="mine")
    )
    assert (status, [row["status"] for row in answer["outcomes"]]) == (200, ["copied", "copied"])
    (event,) = audited(splunkd)
    assert (event["user"], event["sid"], event["copied"]) == ("ann", "mine", 2)
    many = {"args": ["dest=research"], "source": "pacs", "references": [["x", "instance"]] * 5_001}
    status, answer = splunkd.request("POST", TRANSFER, user="ann", document=many)
    assert (status, "5000 references at most" in answer["error"]) == (400, True)


@pytest.mark.parametrize(
    ("user", "args", "status", "words"),
    [
        ("eve", ["dest=research"], 403, "requires capability: run_copydicom"),
        ("ada", ["dest=research"], 403, "requires capability: run_copydicom"),
        ("ann", ["dest=closed"], 403, "may not send to server 'closed'"),
        ("ann", ["dest=http://evil.example"], 400, "no name of a server"),
        ("ann", ["dest=../../system"], 400, "no name of a server"),
        ("ann", ["dest=research", "logging_configuration=/etc/passwd"], 400, "not an option"),
        ("ann", ["dest=research", "anonymize=../passwords"], 400, "no name of a profile"),
    ],
)
def test_what_is_not_allowed_is_refused_and_audited(
    splunkd: Splunkd,
    pacs: tuple[OrthancServer, list[Instance]],
    research: OrthancServer,
    user: str,
    args: list[str],
    status: int,
    words: str,
) -> None:
    add(splunkd, "closed", research, roles="trialists")
    answered, answer = splunkd.request("POST", TRANSFER, user=user, document=batch(pacs[1], *args))
    assert answered == status
    assert words in json.dumps(answer)
    assert research.get("/instances") == []
    if user == "ann":  # the others splunkd turns away itself, in its own audit
        (event,) = audited(splunkd)
        assert (event["user"], event["result"], event["dest"]) == ("ann", "refused", args[0][5:])
        assert words in event["reason"]


@pytest.mark.parametrize(
    ("user", "text", "words"),
    [
        ("ned", "dest=research", "lack the capability run_copydicom"),
        ("ann", "dest=closed", "may not send to server 'closed'"),
        ("ann", "dest=http://evil.example", "no name of a server"),
        ("ann", "dest=research logging_configuration=/tmp/evil.conf", "not an option"),
    ],
)
def test_what_the_command_refuses_is_in_the_trail(
    splunkd: Splunkd,
    pacs: tuple[OrthancServer, list[Instance]],
    research: OrthancServer,
    user: str,
    text: str,
    words: str,
) -> None:
    splunkd.add_user("ned", ("copydicom_operator",), ("search", "list_storage_passwords"))
    add(splunkd, "closed", research, roles="trialists")
    result = run(splunkd, text, rows(pacs[1]), user=user)
    (event,) = audited(splunkd)
    assert words in str(result.error)
    assert words in event["reason"]
    assert (event["user"], event["sid"], event["result"]) == (user, result.sid, "refused")
    assert research.get("/instances") == []
    assert asked(splunkd) == 0


def test_what_the_handler_refuses_a_search_is_in_the_trail_once(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    add(splunkd, "trial", research, requires_anonymized=True)
    result = run(splunkd, "dest=trial source=pacs", rows(pacs[1]))
    assert "takes anonymized copies only" in str(result.error)
    assert [event["result"] for event in audited(splunkd)] == ["refused"]


def test_a_preview_leaves_nothing_behind(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    run(splunkd, "dest=research", rows(pacs[1]), preview=True)
    run(splunkd, "dest=research", rows(pacs[1][:2]))
    assert len(research.get("/instances")) == 2
    assert list((splunkd.home.root / "var" / "run" / "copydicom_app").iterdir()) == []


def test_a_reference_that_would_leave_its_folder_fails_alone(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]]
) -> None:
    given = [*rows(pacs[1][:1]), {"ID": "../../system", "orthanc_server": "pacs"}]
    result = run(splunkd, "dest=research", given)
    assert [row["copydicom_status"] for row in result.rows] == ["copied", "failed"]
    assert sum(event["failed"] for event in audited(splunkd)) == 1


def test_another_person_cannot_add_to_a_search(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]]
) -> None:
    splunkd.add_user("bob", ("user", "copydicom_operator"))
    folder = splunkd.home.root / "var" / "run" / "copydicom_app"
    folder.mkdir(parents=True)
    (folder / f"{'cd' * 16}.json").write_text('{"taken": 0, "constant": {}, "counts": {}}')
    body = batch(pacs[1][:1], "dest=research", search="cd" * 16)
    assert splunkd.request("POST", TRANSFER, user="ann", document=body)[0] == 200
    status, answer = splunkd.request("POST", TRANSFER, user="bob", document=body)
    assert (status, "somebody else" in answer["error"]) == (400, True)
    for search in ("ef" * 16, "../../../etc/passwd"):
        status, answer = splunkd.request("POST", TRANSFER, user="ann", document={**body, "search": search})
        assert (status, "has begun" in answer["error"]) == (400, True)


def probe(splunkd: Splunkd, **fields: Any) -> tuple[int, dict[str, Any]]:
    return splunkd.request("POST", TEST, user="ada", document=fields)


def test_a_connection_test_tells_what_a_server_is_and_what_is_wrong(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    status, found = probe(splunkd, name="pacs")
    assert (status, found["ok"], found["instances"], found["studies"]) == (200, True, COUNT, 1)
    assert found["version"] == pacs[0].get("/system")["Version"]
    assert 0 < found["latency_ms"] < 5_000
    assert 0 < found["lookup_ms"] < 5_000
    assert probe(splunkd, name="research")[1]["lookup_ms"] is None  # it is empty
    url, user = pacs[0].url, pacs[0].username
    problem = probe(splunkd, base_url=url, username=user, password="wrong")[1]
    assert (problem["ok"], problem["problem"]) == (False, "login")
    assert probe(splunkd, base_url="http://127.0.0.1:9")[1]["problem"] == "unreachable"
    elsewhere = probe(splunkd, base_url=splunkd.rest.uri)[1]  # it asks for a login, as no Orthanc does
    assert (elsewhere["problem"], "base_url may lead to something else" in elsewhere["message"]) == (
        "login",
        True,
    )
    assert "something else" not in problem["message"]
    login = {"username": user, "password": pacs[0].password}
    assert probe(splunkd, base_url=f"{url}/instances", **login)[1]["problem"] == "not_orthanc"
    assert probe(splunkd, base_url=url.replace("http:", "https:"))[1]["problem"] in ("tls", "unreachable")
    assert probe(splunkd, base_url="ftp://x")[1]["problem"] == "settings"
    assert splunkd.request("POST", TEST, user="ann", document={"name": "pacs"})[0] == 403


def test_an_edited_address_does_not_carry_the_password_away(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    login = {"username": pacs[0].username, "verify_tls": "true"}
    status, answer = probe(splunkd, name="pacs", base_url=research.url, **login)
    assert (status, "enter the password again" in answer["error"]) == (400, True)
    for changed in ({"username": "other"}, {"verify_tls": False}, {"ca_bundle": "/tmp/evil.pem"}):
        status, answer = probe(splunkd, name="pacs", base_url=pacs[0].url, **{**login, **changed})
        assert (status, "enter the password again" in answer["error"]) == (400, True)
    assert probe(splunkd, name="pacs", base_url=pacs[0].url, **login)[1]["ok"] is True


def slow_uploads(proxy: FaultyProxy) -> None:
    def slow(seen: Asked) -> Fault | None:
        return Fault.SLOW if (seen.method, seen.path) == ("POST", "/instances") else None

    proxy.on(slow)
