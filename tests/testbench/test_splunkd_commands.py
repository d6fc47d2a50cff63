"""The stand-in runs search commands by protocol version 2 and sees each way of breaking it."""

from __future__ import annotations

import pytest

from testbench.splunkd import Options, Splunkd
from testbench.splunkd.chunks import Row, decode_multi, decode_rows, encode_rows

ROWS: list[Row] = [
    {"ID": "1", "name": 'Müller, "A"\nB'},
    {"ID": "2", "name": "x", "tags": ["a$b", "c"]},
    {"ID": "3", "name": "z"},
]


def run(splunk: Splunkd, text: str, **options: object):  # type: ignore[no-untyped-def]
    chosen = Options(**{"app": "copydicom_app", "timeout": 20, **options})  # type: ignore[arg-type]
    return splunk.run_command("raw", text, ROWS, chosen)


@pytest.mark.parametrize("chunk_rows", [(50000,), (1,), (2, 1)])
@pytest.mark.parametrize("last_chunk_empty", [True, False])
def test_a_command_on_splunklib_returns_every_row_and_value_with_its_own_field(
    splunk: Splunkd, chunk_rows: tuple[int, ...], last_chunk_empty: bool
) -> None:
    options = Options("copydicom_app", chunk_rows=chunk_rows, last_chunk_empty=last_chunk_empty)
    result = splunk.run_command("sdk", 'dest="the archive"', ROWS, options)
    assert result.rows == [{**row, "status": "sent to the archive"} for row in ROWS]
    assert result.configuration["type"] == "stateful"
    assert len(splunk.indexed["dicom_audit"]) == 3
    assert splunk.indexed["dicom_audit"][0].time == 1709287200
    splunk.assert_no_violations()


def test_the_command_on_splunklib_runs_under_each_python(splunk_python: Splunkd) -> None:
    result = splunk_python.run_command("sdk", "dest=x", ROWS, Options("copydicom_app"))
    assert [row["status"] for row in result.rows] == ["sent to x"] * 3
    splunk_python.assert_no_violations()


def test_wrong_arguments_fail_the_search_without_a_violation(splunk: Splunkd) -> None:
    result = splunk.run_command("sdk", "colour=red", ROWS, Options("copydicom_app"))
    assert result.error == "Unrecognized option: colour=red"
    assert (result.rows, result.exit_code) == ([], 1)
    splunk.assert_no_violations()


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("print", "stray output where a chunk should begin: b'loading"),
        ("epilogue", "stray output where a chunk should begin: b'done"),
        ("type", "has the type 'unheard-of'"),
        ("getinfo_body", "the reply to getinfo has a body"),
        ("bad_json", "the metadata is no JSON"),
        ("short", "ended without a reply to execute"),
        ("no_reply", "ended without a reply to execute"),
        ("twice", "that nobody asked for"),
        ("early", "says finished=True, asked was False"),
        ("never_finished", "says finished=False, asked was True"),
        ("drop_row", "3 rows went in and 2 came out"),
        ("swap", "row 0: ID was '1' and is '3'"),
        ("drop_field", "fields dropped: ['name']"),
        ("flatten", "row 1: tags was ['a$b', 'c'] and is 'a$b\\nc'"),
        ("ragged", "cells, the header 6"),
        ("index_dropped", "_chunked_idx is gone"),
        ("exit_code", "exit code 3 without an ERROR message"),
    ],
)
def test_a_broken_rule_of_the_protocol_is_reported(splunk: Splunkd, mode: str, said: str) -> None:
    run(splunk, f"mode={mode}")
    assert said in "\n".join(splunk.violations.texts())


@pytest.mark.parametrize(
    ("mode", "error"), [("refuse", "no such server"), ("error_exit", "the disk is full"), ("good", None)]
)
def test_a_command_may_fail_with_an_error_message(splunk: Splunkd, mode: str, error: str | None) -> None:
    result = run(splunk, f"mode={mode}")
    assert result.error == error
    splunk.assert_no_violations()


def test_fields_that_are_held_back_come_home_by_their_row_number(splunk: Splunkd) -> None:
    assert run(splunk, "mode=held_back").rows == ROWS
    splunk.assert_no_violations()


def test_the_command_is_told_what_splunkd_tells_it_and_nothing_of_our_environment(
    splunk: Splunkd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    options = {"preview": True, "will_restart": True, "realtime": True}
    level, told = run(splunk, 'mode=tell id="Study ID"', **options).messages[0]
    assert level == "INFO"
    assert told.startswith("['mode=tell', 'id=\"Study ID\"'] ['mode=tell', 'id=Study ID'] admin rt_")
    assert "True True ['info.csv'] / " in told
    assert "SPLUNK_HOME" in told
    assert "PYTHONPATH" not in told


def test_a_cancelled_search_ends_the_command_in_the_middle(splunk: Splunkd) -> None:
    result = run(splunk, "mode=slow", terminate_after=0.3)
    assert result.terminated
    assert result.exit_code == -15
    assert result.seconds < 15
    splunk.assert_no_violations()


def test_a_role_without_access_does_not_know_the_command(splunk: Splunkd) -> None:
    splunk.add_user("ann", roles=("user",), capabilities=("search",))
    assert splunk.run_command("secret", "", ROWS, Options("x", user="ann")).error is not None
    assert splunk.run_command("secret", "", ROWS, Options("x", user="admin")).rows == ROWS


def test_rows_survive_their_encoding() -> None:
    fields = ["ID", "name", "tags"]
    assert decode_rows(encode_rows(ROWS, fields)) == (fields, ROWS)


def test_values_in_dollar_signs_are_parted_at_the_right_semicolons() -> None:
    assert decode_multi("$a$$;$$b$;$$;$c$") == ["a$;$b", "", "c"]
