"""The alert action: a scheduled search copies what it found; the scheduler's log tells what became of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbench.faulty_proxy import Asked, Fault, FaultyProxy
from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance, make_instances
from testbench.splunkd import AlertResult, Splunkd, Trigger, pythons

COUNT = 30
LARGE = 210_000  # bytes: each goes alone, since smaller ones travel together
NAME = "copydicom_replicate"


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
    python: Path, package: Path, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> Iterator[Splunkd]:
    with Splunkd(package, python=python) as made:
        add(made, "pacs", pacs[0])
        add(made, "research", research)
        made.add_user("ann", ("user", "copydicom_operator"))
        yield made
        made.assert_no_violations()


def add(splunkd: Splunkd, name: str, server: OrthancServer, url: str = "", **keys: Any) -> None:
    splunkd.add_server(
        name, base_url=url or server.url, username=server.username, password=server.password, **keys
    )


def rows(instances: list[Instance]) -> list[dict[str, Any]]:
    return [{"ID": each.orthanc_id, "orthanc_server": "pacs", "level": "instance"} for each in instances]


def run(splunkd: Splunkd, given: list[dict[str, Any]], owner: str = "ann", **params: Any) -> AlertResult:
    how = {key: params.pop(key) for key in ("maxtime", "terminate_after") if key in params}
    texts = {"dest": "research", **{key: str(value) for key, value in params.items()}}
    return splunkd.run_alert_action(NAME, given, Trigger(texts, owner, **how))


def audited(splunkd: Splunkd) -> list[dict[str, Any]]:
    return [json.loads(event.raw) for event in splunkd.indexed.get("dicom_audit", [])]


@pytest.mark.parametrize("python", pythons().values(), ids=pythons().keys())
@pytest.mark.parametrize("owner", ["ann", "admin"])
def test_what_the_search_found_is_copied_audited_and_told(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer, owner: str
) -> None:
    result = run(splunkd, rows(pacs[1]), owner)
    assert (result.exit_code, len(research.get("/instances"))) == (0, COUNT)
    (line,) = result.log
    assert line.startswith("INFO ")
    assert f"{COUNT} instances: {COUNT} copied" in line
    (event,) = audited(splunkd)
    assert (event["user"], event["sid"], event["copied"]) == (owner, result.sid, COUNT)


def test_a_saved_search_copies_what_arrived_since_its_last_run(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    splunkd.run_input("orthanc://pacs", server="pacs")
    saved = {
        "search": "index=dicom _index_earliest=-1h | dedup ID | table ID orthanc_server level",
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        f"action.{NAME}": "1",
        f"action.{NAME}.param.dest": "research",
    }
    splunkd.home.confs.update("savedsearches", "Hourly copies", saved)
    first = splunkd.run_saved_search("Hourly copies", user="ann")
    assert [action.exit_code for action in first.actions] == [0]
    assert len(research.get("/instances")) == COUNT
    assert splunkd.run_saved_search("Hourly copies", user="ann", now=splunkd.advance(7200)).actions == []


def test_a_dry_run_sends_nothing_and_a_limit_leaves_the_rest(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    planned = run(splunkd, rows(pacs[1]), dryrun="true", level="instance", source="pacs")
    assert (planned.exit_code, research.get("/instances")) == (0, [])
    assert f"{COUNT} planned" in planned.log[0]
    limited = run(splunkd, rows(pacs[1]), limit=12)
    assert (limited.exit_code, len(research.get("/instances"))) == (1, 12)
    assert limited.log[0].startswith("ERROR ")
    assert "at most 12 instances a search (limit)" in limited.log[0]


def test_runs_that_overlap_do_no_harm(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    results: list[AlertResult] = []
    threads = [threading.Thread(target=lambda: results.append(run(splunkd, rows(pacs[1])))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.exit_code for result in results] == [0, 0]
    assert sorted(research.get("/instances")) == sorted(each.orthanc_id for each in pacs[1])


def test_at_the_limit_of_rows_it_fails_visibly_and_copies_nothing(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    many = (rows(pacs[1]) * 400)[:10_500]
    result = run(splunkd, many)
    assert (result.exit_code, research.get("/instances")) == (1, [])
    assert "10000 rows or more" in result.log[0]
    assert "| copydicom dest=research" in result.log[0]
    assert audited(splunkd)[0]["result"] == "refused"


def test_a_search_of_nobody_is_refused_unless_the_destination_allows_it(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    result = run(splunkd, rows(pacs[1]), owner="nobody")
    assert (result.exit_code, research.get("/instances")) == (1, [])
    assert "belongs to nobody" in result.log[0]
    assert audited(splunkd)[0]["result"] == "refused"
    add(splunkd, "open", research, allow_ownerless=True, roles="trialists")
    assert run(splunkd, rows(pacs[1]), owner="nobody", dest="open").exit_code == 0
    assert len(research.get("/instances")) == COUNT


def test_in_time_it_stops_and_says_how_far_it_came(
    splunkd: Splunkd, pacs: tuple[OrthancServer, list[Instance]], research: OrthancServer
) -> None:
    """Each upload takes a second, one after the other: thirty are too many for ten seconds."""
    splunkd.home.confs.update("alert_actions", NAME, {"maxtime": "10s"})
    with FaultyProxy(research.url) as proxy:
        add(splunkd, "slow", research, proxy.url, max_connections=1)
        proxy.slow_seconds = 1.0

        def slow(asked: Asked) -> Fault | None:
            return Fault.SLOW if (asked.method, asked.path) == ("POST", "/instances") else None

        proxy.on(slow)
        result = run(splunkd, rows(pacs[1]), dest="slow")
    there = len(research.get("/instances"))
    assert (result.exit_code, result.timed_out) == (1, False)
    assert f"(maxtime = 10 s): {there} of {COUNT} rows are done; the rest was not sent" in result.log[0]
    assert sum(event["copied"] for event in audited(splunkd)) == there


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"dest": ""}, "dest= is missing"),
        ({"dest": "closed"}, "may not send to server 'closed'"),
        ({"dest": "../x"}, "no name of a server"),
        ({"limit": "many"}, "limit must be a whole number"),
        ({"level": "organ"}, "level="),
    ],
)
def test_what_cannot_be_done_is_one_line_in_the_log(
    splunkd: Splunkd,
    pacs: tuple[OrthancServer, list[Instance]],
    research: OrthancServer,
    params: dict[str, str],
    words: str,
) -> None:
    add(splunkd, "closed", research, roles="trialists")
    result = run(splunkd, rows(pacs[1]), **params)
    (line,) = result.log
    assert (result.exit_code, line.startswith("ERROR ")) == (1, True)
    assert words in line
