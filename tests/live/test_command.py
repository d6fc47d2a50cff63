"""The packaged search command between real Orthanc servers, on every Python and both versions of Orthanc."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance, hospital, make_instances
from testbench.splunkd import CommandResult, Options, Splunkd

SplunkOn = Callable[..., Splunkd]
Row = dict[str, Any]
NOWHERE = "-".join(["00000000"] * 5)


def upload(server: OrthancServer, instances: Iterable[Instance]) -> list[str]:
    return [server.upload(instance.data)["ID"] for instance in instances]


def run(splunk: Splunkd, text: str, rows: list[Row], **options: Any) -> CommandResult:
    return splunk.run_command("copydicom", text, rows, Options(app="copydicom_app", **options))


def statuses(result: CommandResult) -> list[str]:
    return [str(row["copydicom_status"]) for row in result.rows]


def row_of(id: str, **fields: Any) -> Row:
    return {"ID": id, "orthanc_server": "pacs", **fields}


def test_what_a_search_found_is_copied_byte_for_byte_and_never_twice(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    stored = upload(pacs, hospital())
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


def test_a_dry_run_says_what_would_be_copied_and_copies_nothing(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    instances = list(make_instances(3))
    ids = upload(pacs, instances)
    upload(research, instances[:1])
    rows = [row_of(id) for id in [*ids, NOWHERE]]
    result = run(splunk_on(pacs=pacs, research=research), "dest=research dryrun=true", rows)
    assert statuses(result) == ["present", "planned", "planned", "missing"]
    assert [row["copydicom_bytes"] for row in result.rows[1:3]] == [
        str(len(each.data)) for each in instances[1:]
    ]
    assert research.get("/instances") == ids[:1]


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
        "copied",
        "missing",
    ]
    messages = [str(row["copydicom_message"]) for row in result.rows]
    for message, words in zip(
        messages,
        [
            "not an Orthanc id",
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


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("dest=nowhere", "server 'nowhere' is not in copydicom_servers.conf"),
        ("source=pacs", "dest"),
        ("dest=wrong", "refused the login"),
        ("dest=dead", "cannot be reached"),
        ("dest=research source=wrong", "refused the login"),
        ("dest=pacs", "are the same Orthanc"),
        ("dest={braces}", "is no name of a server"),
        ("dest=../x", "is no name of a server"),
        ("dest=research nonsense=1", "Unrecognized option: nonsense=1"),
        ("dest=research logging_configuration=/tmp/evil.conf", "Illegal value: logging_configuration"),
        ("dest=research record=true", "Illegal value: record"),
    ],
)
def test_when_nothing_can_work_the_search_has_one_clear_error(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn, text: str, error: str
) -> None:
    ids = upload(pacs, make_instances(2))
    splunk = splunk_on(pacs=pacs, research=research)
    splunk.add_server("wrong", base_url=research.url, username=research.username, password="guess")
    splunk.add_server("dead", base_url="http://127.0.0.1:9")
    result = run(splunk, text, [row_of(id) for id in ids])
    assert result.error is not None
    assert error in result.error
    assert len([text for level, text in result.messages if level in ("ERROR", "FATAL")]) == 1
    assert research.get("/instances") == []


def test_nothing_is_copied_in_a_preview(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    ids = upload(pacs, make_instances(2))
    result = run(
        splunk_on(pacs=pacs, research=research), "dest=research", [row_of(id) for id in ids], preview=True
    )
    assert [row["ID"] for row in result.rows] == ids
    assert research.get("/instances") == []


def test_a_real_time_search_is_refused(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    (id,) = upload(pacs, make_instances(1))
    result = run(splunk_on(pacs=pacs, research=research), "dest=research", [row_of(id)], realtime=True)
    assert result.error is not None
    assert research.get("/instances") == []


def test_who_lacks_the_capability_or_the_destinations_role_is_refused(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    (id,) = upload(pacs, make_instances(1))
    splunk = splunk_on(pacs=pacs, research=research)
    splunk.add_server("closed", base_url=research.url, roles="trial_7")
    reads = ("list_storage_passwords",)
    splunk.add_user("lacking", ("copydicom_operator",), reads)
    splunk.add_user("operator", ("copydicom_operator",), ("run_copydicom", *reads))
    lacking = run(splunk, "dest=research", [row_of(id)], user="lacking")
    closed = run(splunk, "dest=closed", [row_of(id)], user="operator")
    assert "capability run_copydicom" in str(lacking.error)
    assert "may not send to server 'closed'" in str(closed.error)
    assert research.get("/instances") == []
    assert statuses(run(splunk, "dest=research", [row_of(id)], user="operator")) == ["copied"]


def test_a_search_may_not_copy_more_than_the_destination_takes_at_once(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    ids = upload(pacs, make_instances(3))
    splunk = splunk_on(pacs=pacs, research=research)
    splunk.add_server(
        "small",
        base_url=research.url,
        username=research.username,
        password=research.password,
        max_instances=2,
    )
    result = run(splunk, "dest=small", [row_of(id) for id in ids])
    assert "names 3 instances" in str(result.error)
    assert research.get("/instances") == []


def test_a_destination_that_filters_or_overwrites_nothing_is_reported_as_it_answers(
    pacs: OrthancServer, orthanc_binary: list[str] | None, splunk_on: SplunkOn, tmp_path: Any
) -> None:
    (id,) = upload(pacs, make_instances(1))
    script = tmp_path / "filter.lua"
    script.write_text("function ReceivedInstanceFilter(dicom, origin) return false end\n")
    with OrthancServer("strict", binary=orthanc_binary, config={"LuaScripts": [str(script)]}) as strict:
        result = run(splunk_on(pacs=pacs, strict=strict), "dest=strict", [row_of(id)])
        assert statuses(result) == ["failed"]
        assert "a filter of server 'strict' refused it" in str(result.rows[0]["copydicom_message"])
        assert strict.get("/instances") == []


def test_a_cancelled_search_ends_soon_and_says_what_it_did_not_copy(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    ids = upload(pacs, make_instances(300, size=512_000))
    splunk = splunk_on(pacs=pacs, research=research)
    result = run(splunk, "dest=research jobs=1", [row_of(id) for id in ids], terminate_after=1.0)
    there = set(research.get("/instances"))
    assert len(there) < len(ids), "the cancel came too late to mean anything"
    said = {str(row["ID"]) for row in result.rows if row["copydicom_status"] == "copied"}
    assert said <= there


def test_the_job_inspector_gets_one_closing_line(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    instances = list(make_instances(5))
    ids = upload(pacs, instances)
    upload(research, instances[:2])
    result = run(splunk_on(pacs=pacs, research=research), "dest=research", [row_of(id) for id in ids])
    assert [text.rpartition(" in ")[0] for level, text in result.messages if level == "INFO"] == [
        "5 instances: 3 copied, 2 present"
    ]
