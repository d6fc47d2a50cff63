"""``| copydicom`` as Splunk starts it: the packaged command by its byte protocol, between real Orthancs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbench.faulty_proxy import Asked, Fault, FaultyProxy
from testbench.orthanc import OrthancServer
from testbench.peak_memory import peak_mb, report_peak
from testbench.sample_data import Instance, make_instances
from testbench.splunkd import CommandResult, Options, Splunkd, pythons

ROOT = Path(__file__).resolve().parents[2]
COUNT = 30


@pytest.fixture(scope="module")
def package() -> Path:
    subprocess.run([sys.executable, ROOT / "packaging" / "build.py"], check=True, stdout=subprocess.PIPE)
    return next((ROOT / "dist").glob("copydicom_app-*[0-9].spl"))


@pytest.fixture(scope="module")
def pacs() -> Iterator[tuple[OrthancServer, list[Instance]]]:
    with OrthancServer("pacs") as server:
        instances = list(make_instances(COUNT, size=3_000, series_of=10))
        server.upload_all(each.data for each in instances)
        yield server, instances


@pytest.fixture
def research() -> Iterator[OrthancServer]:
    with OrthancServer("research") as server:
        yield server


@pytest.fixture(params=sorted(pythons()))
def splunkd(
    request: pytest.FixtureRequest,
    package: Path,
    pacs: tuple[OrthancServer, list[Instance]],
    research: OrthancServer,
) -> Iterator[Splunkd]:
    with Splunkd(package, python=pythons()[request.param]) as made:
        add(made, "pacs", pacs[0])
        add(made, "research", research)
        yield made
        made.assert_no_violations()


def add(splunkd: Splunkd, name: str, server: OrthancServer, url: str = "", **keys: Any) -> None:
    splunkd.add_server(
        name, base_url=url or server.url, username=server.username, password=server.password, **keys
    )


def rows(instances: list[Instance], **more: str) -> list[dict[str, Any]]:
    return [
        {"ID": each.orthanc_id, "orthanc_server": "pacs", "Modality": "CT", "n": str(n), **more}
        for n, each in enumerate(instances)
    ]


def run(splunkd: Splunkd, text: str, given: list[dict[str, Any]], **options: Any) -> CommandResult:
    return splunkd.run_command("copydicom", text, given, Options(app="search", **options))


def statuses(result: CommandResult) -> Counter[str]:
    return Counter(str(row["copydicom_status"]) for row in result.rows)


def audited(splunkd: Splunkd) -> list[dict[str, Any]]:
    return [json.loads(event.raw) for event in splunkd.indexed.get("dicom_audit", [])]


def test_every_row_comes_back_in_its_place_with_its_outcome(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    result = run(splunkd, "dest=research", rows(pacs[1]), chunk_rows=(1, 7, 0, 9))
    assert result.error is None
    assert [row["n"] for row in result.rows] == [str(n) for n in range(COUNT)]
    assert statuses(result) == {"copied": COUNT}
    assert sum(int(str(row["copydicom_bytes"])) for row in result.rows) == sum(len(i.data) for i in pacs[1])
    assert len(research.get("/instances")) == COUNT
    assert any(
        text.startswith(f"{COUNT} instances: {COUNT} copied, 0 present, 0 failed in ")
        for _, text in result.messages
    )
    assert statuses(run(splunkd, "dest=research", rows(pacs[1]))) == {"present": COUNT}


def test_the_audit_trail_has_one_event_a_study_and_search(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]]
) -> None:
    result = run(splunkd, "dest=research", rows(pacs[1]))
    (event,) = audited(splunkd)  # thirty instances of one study
    assert event["study"] == pacs[0].get("/studies")[0]
    assert (event["user"], event["sid"], event["source"], event["dest"]) == (
        "admin",
        result.sid,
        "pacs",
        "research",
    )
    assert (event["copied"], event["present"], event["failed"], event["result"]) == (COUNT, 0, 0, "copied")
    assert event["bytes"] == sum(len(each.data) for each in pacs[1])
    name = pacs[0].get("/patients", expand="true")[0]["MainDicomTags"]["PatientName"]
    assert name not in json.dumps(event)


def test_a_dry_run_sends_nothing_and_leaves_no_trail(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    result = run(splunkd, "dest=research dryrun=true", rows(pacs[1]))
    assert statuses(result) == {"planned": COUNT}
    assert research.get("/instances") == []
    assert audited(splunkd) == []


def test_a_preview_passes_rows_on_untouched(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    given = rows(pacs[1][:3])
    result = run(splunkd, "dest=research", given, preview=True)
    assert result.rows == given
    assert research.get("/instances") == []


def test_one_row_may_name_a_study_another_many_instances(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]]
) -> None:
    study = pacs[0].get("/studies")[0]
    given: list[dict[str, Any]] = [
        {"ID": [each.orthanc_id for each in pacs[1][:4]], "orthanc_server": "pacs", "level": "instance"},
        {"ID": study, "orthanc_server": "pacs", "level": "study"},
        {"ID": study, "orthanc_server": "pacs", "level": "examination"},
        {"ID": "", "orthanc_server": "pacs", "level": ""},
        {"ID": study, "orthanc_server": "", "level": "study"},
    ]
    result = run(splunkd, "dest=research", given)
    found = [(row["copydicom_status"], row["copydicom_copied"]) for row in result.rows]
    assert found == [("copied", "4"), ("copied", str(COUNT - 4)), *[("failed", "0")] * 3]
    assert result.rows[1]["copydicom_present"] == "4"
    for row, word in zip(result.rows[2:], ("level", "field ID", "source=")):
        assert word in str(row["copydicom_message"])


def test_a_destination_is_for_its_roles_and_the_command_for_its_capability(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    splunkd.add_user("eve", ("copydicom_operator",), ("search", "list_storage_passwords"))
    splunkd.add_user("ann", ("copydicom_operator",), ("search", "list_storage_passwords", "run_copydicom"))
    add(splunkd, "closed", research, roles="trialists")
    assert "capability run_copydicom" in str(run(splunkd, "dest=research", rows(pacs[1]), user="eve").error)
    assert "may not send" in str(run(splunkd, "dest=closed", rows(pacs[1]), user="ann").error)
    assert statuses(run(splunkd, "dest=research", rows(pacs[1]), user="ann")) == {"copied": COUNT}


def test_max_instances_stops_a_slip_over_all_chunks(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    add(splunkd, "careful", research, max_instances=12)
    result = run(splunkd, "dest=careful", rows(pacs[1]), chunk_rows=(10,))
    assert statuses(result) == {"copied": 12, "failed": COUNT - 12}
    assert len(research.get("/instances")) == 12


def test_a_destination_that_is_down_is_said_once(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    research.kill()
    result = run(splunkd, "dest=research", rows(pacs[1]))
    errors = [text for level, text in result.messages if level == "ERROR"]
    assert len(errors) == 1
    assert "'research'" in errors[0]
    assert "cannot be reached" in errors[0]


def test_a_cancelled_search_ends_soon_and_its_trail_tells_what_is_there(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    """Each upload takes a second, one after the other, so the signal comes before most of them."""
    with FaultyProxy(research.url) as proxy:
        add(splunkd, "slow", research, proxy.url, max_connections=1)
        proxy.slow_seconds = 1.0

        def slow(asked: Asked) -> Fault | None:
            return Fault.SLOW if (asked.method, asked.path) == ("POST", "/instances") else None

        proxy.on(slow)
        many = rows(list(make_instances(COUNT, size=3_000, series_of=10)))
        run(splunkd, "dest=slow", many, terminate_after=1.5)
    there = len(research.get("/instances"))
    events = audited(splunkd)
    assert {event["result"] for event in events} == {"cancelled"}
    assert sum(event["copied"] for event in events) == there < COUNT


def save_key(splunkd: Splunkd) -> None:
    secret = {
        "name": "anonymize",
        "realm": "copydicom_app_keys",
        "password": "a long and random key, for good",
    }
    status, _ = splunkd.request("POST", "storage/passwords", secret)
    assert status == 201


def test_anonymized_copies_are_remembered_from_search_to_search(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    save_key(splunkd)
    add(splunkd, "trial", research, requires_anonymized=True)
    refused = run(splunkd, "dest=trial source=pacs", rows(pacs[1]))
    assert "takes anonymized copies only" in str(refused.error)
    assert statuses(run(splunkd, "dest=trial anonymize=basic", rows(pacs[1]))) == {"copied": COUNT}
    changes = research.get("/changes")["Last"]
    assert statuses(run(splunkd, "dest=trial anonymize=basic", rows(pacs[1]))) == {"present": COUNT}
    assert research.get("/changes")["Last"] == changes
    assert {each.orthanc_id for each in pacs[1]}.isdisjoint(research.get("/instances"))
    _, documents = splunkd.request("GET", "storage/collections/data/copydicom_sent")
    assert {document["id"] for document in documents} == {each.orthanc_id for each in pacs[1]}
    assert {document["given"] for document in documents} == set(research.get("/instances"))
    assert audited(splunkd)[-1]["profile"] == "basic"
    # the rows did not tell it; it is the original's, never the copy's
    copies = [event for event in audited(splunkd) if event["result"] != "refused"]
    assert [event["study"] for event in copies] == 2 * pacs[0].get("/studies")


def test_a_chunk_of_many_rows_takes_little_memory_and_time(package: Path, research: OrthancServer) -> None:
    """50,000 rows of twenty fields, all of them there already."""
    with Splunkd(package, python=next(iter(pythons().values()))) as splunkd, OrthancServer("empty") as empty:
        add(splunkd, "research", research)
        add(splunkd, "pacs", empty)
        fields = {f"field{n}": "some text of a usual length" for n in range(17)}
        given = [
            {"ID": f"{n:08x}-00000000-00000000-00000000-00000000", "orthanc_server": "pacs", **fields}
            for n in range(50_000)
        ]
        report_peak(splunkd.home.app_dir / "bin" / "copydicom.py")
        result = run(splunkd, "dest=research dryrun=true", given)
        assert statuses(result) == {"missing": 50_000}
        assert peak_mb(result.stderr) < 200
