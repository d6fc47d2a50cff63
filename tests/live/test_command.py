"""The packaged search command between real Orthanc servers, on every Python and both versions of Orthanc."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance, hospital, make_instances
from testbench.splunkd import CommandResult, Options, Splunkd

SplunkOn = Callable[..., Splunkd]
Row = dict[str, Any]
NOWHERE = "-".join(["00000000"] * 5)


def upload(server: OrthancServer, instances: Iterable[Instance]) -> list[str]:
    return server.upload_all(instance.data for instance in instances)


def run(splunk: Splunkd, text: str, rows: list[Row], **options: Any) -> CommandResult:
    return splunk.run_command("copydicom", text, rows, Options(app="copydicom_app", **options))


def statuses(result: CommandResult) -> list[str]:
    return [str(row["copydicom_status"]) for row in result.rows]


def row_of(id: str, **fields: Any) -> Row:
    return {"ID": id, "orthanc_server": "pacs", **fields}


def test_what_a_search_found_is_copied_byte_for_byte_and_never_twice(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    of_each_kind = {(each.modality, each.series_description): each for each in hospital()}
    stored = upload(pacs, of_each_kind.values())
    splunk = splunk_on(pacs=pacs, research=research)
    splunk.run_input("orthanc://pacs", server="pacs")
    cohort = "index=dicom | dedup ID | copydicom dest=research"
    assert {row["copydicom_status"] for row in splunk.search(cohort).rows} == {"copied"}
    assert sorted(research.get("/instances")) == sorted(stored)
    for id in stored:
        path = f"/instances/{id}/file"
        assert pacs.content(path) == research.content(path)
    before = research.get("/changes?since=0&limit=1&last")["Last"]
    assert {row["copydicom_status"] for row in splunk.search(cohort).rows} == {"present"}
    assert research.get("/changes?since=0&limit=1&last")["Last"] == before


def test_rows_keep_their_order_their_number_and_all_their_fields(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    stored = upload(pacs, make_instances(120))
    rows = [
        row_of(id, n=str(n), note='a "quoted", text\nin two lines', tags=["$5", "a;b", f"v{n}"], empty="")
        for n, id in enumerate(stored)
    ]
    result = run(splunk_on(pacs=pacs, research=research), "dest=research", rows, chunk_rows=(1, 50, 7))
    assert result.error is None
    assert [row["n"] for row in result.rows] == [row["n"] for row in rows]
    assert [row["tags"] for row in result.rows] == [row["tags"] for row in rows]
    assert {row["note"] for row in result.rows} == {rows[0]["note"]}
    assert set(statuses(result)) == {"copied"}


def test_each_row_says_what_became_of_it_and_a_bad_one_stops_no_other(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    (good,) = upload(pacs, make_instances(1))
    rows = [
        row_of("../../system"),
        row_of(NOWHERE),
        row_of(""),
        {"ID": good},
        row_of(good, orthanc_server="nowhere"),
        row_of(good),
        row_of(good),
        row_of([good, NOWHERE]),  # type: ignore[arg-type]
    ]
    result = run(splunk_on(pacs=pacs, research=research), "dest=research", rows)
    assert statuses(result) == [
        "failed",
        "missing",
        "failed",
        "failed",
        "failed",
        "copied",
        "present",
        "missing",
    ]
    messages = [str(row.get("copydicom_message", "")) for row in result.rows]
    for message, words in zip(
        messages,
        [
            "neither an Orthanc id nor a DICOM UID",
            "does not have it",
            "no value in the field ID",
            "names no source; add source=",
            "'nowhere' is not in copydicom_servers.conf",
            "",
            "repeats an earlier row",
            "does not have it",
        ],
        strict=True,
    ):
        assert words in message
    assert sum(int(row["copydicom_copied"]) for row in result.rows) == 1
    assert research.get("/instances") == [good]


def test_the_id_may_stand_in_another_field_and_the_source_in_the_search(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    ids = upload(pacs, make_instances(2))
    rows = [{"which": ids, "orthanc_server": "elsewhere"}]
    result = run(splunk_on(pacs=pacs, research=research), "dest=research source=pacs id=which", rows)
    assert statuses(result) == ["copied"]
    assert result.rows[0]["copydicom_copied"] == "2"


@pytest.fixture(scope="module")
def untouched(
    package: Path, python: Path, orthanc_binary: list[str] | None
) -> Iterator[tuple[Splunkd, OrthancServer]]:
    """A Splunk and a destination that only searches share of which none may reach it."""
    with (
        OrthancServer("pacs", binary=orthanc_binary) as pacs,
        OrthancServer("research", binary=orthanc_binary) as research,
        Splunkd(package, python=python) as splunk,
    ):
        upload(pacs, make_instances(2))
        for name, server in (("pacs", pacs), ("research", research)):
            splunk.add_server(name, base_url=server.url, username=server.username, password=server.password)
        splunk.add_server("wrong", base_url=research.url, username=research.username, password="guess")
        splunk.add_server("unlocked", base_url=pacs.url, username=pacs.username, password="guess")
        splunk.add_server("dead", base_url="http://127.0.0.1:9")
        yield splunk, research


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "dest= is missing"),
        ("dest=nowhere", "server 'nowhere' is not in copydicom_servers.conf"),
        ("dest=wrong", "refused the login"),
        ("dest=dead", "cannot be reached"),
        ("dest=research source=unlocked", "refused the login"),
        ("dest=pacs source=pacs", "are the same Orthanc"),
        ("dest={braces}", "is no name of a server"),
        ("dest=../x", "is no name of a server"),
        ("dest=http://example.org", "is no name of a server"),
        ("dest=research jobs=0", "jobs="),
        ("dest=research level=organ", "level="),
        ("dest=research method=pigeon", "stream or peer"),
        ("dest=research method=peer anonymize=basic", "anonymize="),
        ("dest=research source=pacs method=peer", "add 'research' to OrthancPeers"),
        ("dest=research anonymize=nowhere", "'nowhere' is not in copydicom_profiles.conf"),
        ("dest=research anonymize=basic", "no key"),
        ("dest=research nonsense=1", "'nonsense' is not an option of copydicom"),
        ("dest=research logging_configuration=/tmp/evil.conf", "'logging_configuration' is not an option"),
        ("dest=research record=true", "'record' is not an option"),
    ],
)
def test_when_nothing_can_work_the_search_has_one_clear_error(
    untouched: tuple[Splunkd, OrthancServer], text: str, error: str
) -> None:
    splunk, research = untouched
    rows = [row_of(instance.orthanc_id) for instance in make_instances(2)]
    result = run(splunk, text, rows)
    assert result.error is not None
    assert error in result.error
    assert result.exit_code == 1
    assert len([text for level, text in result.messages if level in ("ERROR", "FATAL")]) == 1
    assert research.get("/instances") == []
    splunk.assert_no_violations()


@pytest.mark.parametrize(
    ("kind", "words"), [({"realtime": True}, "real-time"), ({"will_restart": True}, "run it twice")]
)
def test_real_time_and_restarting_searches_are_refused(
    untouched: tuple[Splunkd, OrthancServer], kind: dict[str, bool], words: str
) -> None:
    splunk, research = untouched
    rows = [row_of(instance.orthanc_id) for instance in make_instances(2)]
    assert words in str(run(splunk, "dest=research", rows, **kind).error)
    assert research.get("/instances") == []
    splunk.assert_no_violations()
