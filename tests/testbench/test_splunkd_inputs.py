"""The stand-in runs modular inputs and sees each way of breaking their protocol."""

from __future__ import annotations

import time

import pytest

from testbench.splunkd import Splunkd


def test_an_input_on_splunklib_runs_from_scheme_to_checkpoint_without_a_violation(
    splunk_python: Splunkd,
) -> None:
    splunk = splunk_python
    splunk.add_server("pacs", base_url="http://127.0.0.1:1", username="u", password="p")
    scheme = splunk.scheme("sdk_input")
    assert scheme is not None
    assert [argument.name for argument in scheme.arguments] == ["server"]
    assert splunk.validate("sdk_input://x", {"server": "pacs"}).ok
    run = splunk.run_input("sdk_input://x", server="pacs")
    again = splunk.run_input("sdk_input://x", server="pacs")
    assert [event.time for event in run.events] == [1700000000.25, 1700000001.25]
    assert again.events == []
    assert (run.exit_code, run.log) == (0, ["INFO sent=2"])
    event = splunk.indexed["dicom"][0]
    assert (event.host, event.source, event.sourcetype) == ("pacs", "sdk_input://x", "dicom:instance")
    assert '"base_url": "http://127.0.0.1:1"' in event.raw
    splunk.assert_no_violations()


def test_a_refused_validation_gives_its_message(splunk: Splunkd) -> None:
    answer = splunk.validate("sdk_input://x", {"server": "nowhere"})
    assert (answer.ok, answer.message) == (False, "server 'nowhere' of x is not known")
    splunk.assert_no_violations()


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("stray_before", "stray output before <stream>"),
        ("stray_between", "stray output between events: 'hello'"),
        ("stray_after", "stray output after </stream>"),
        ("unclosed", "</stream> is missing"),
        ("no_data", "an event without data"),
        ("bad_time", "<time> is not a number of seconds: 'yesterday'"),
        ("control", "a control character that XML forbids, b'\\x01'"),
        ("bad_xml", "invalid XML"),
        ("unknown_child", "<colour> in <event>"),
        ("unknown_index", "'nowhere', which does not exist"),
        ("too_long", "has 10001 bytes, TRUNCATE cuts it at 10000"),
        ("two_lines", "splunkd would break it up"),
        ("log_without_level", "does not begin with a level: 'something happened'"),
        ("exit_code", "exit code 3 and said no ERROR"),
    ],
)
def test_a_broken_rule_of_the_stream_is_reported(splunk: Splunkd, mode: str, said: str) -> None:
    splunk.run_input("raw_input://x", mode=mode)
    assert len(splunk.violations) == 1, splunk.violations.texts()
    assert said in splunk.violations.texts()[0]
    with pytest.raises(AssertionError, match="broke Splunk's rules"):
        splunk.assert_no_violations()


@pytest.mark.parametrize(("mode", "count"), [("good", 2), ("nothing", 0), ("fails", 2)])
def test_an_input_may_find_nothing_and_may_fail_with_an_error_line(
    splunk: Splunkd, mode: str, count: int
) -> None:
    run = splunk.run_input("raw_input://x", mode=mode)
    assert len(run.events) == count
    assert run.exit_code == (3 if mode == "fails" else 0)
    splunk.assert_no_violations()


def test_pieces_up_to_done_are_one_event(splunk: Splunkd) -> None:
    run = splunk.run_input("raw_input://x", mode="fragments")
    assert [event.data for event in run.events] == ["one", "first second", "two"]
    splunk.assert_no_violations()


def test_sigterm_lets_an_input_close_its_stream(splunk: Splunkd) -> None:
    run = splunk.start_input("raw_input://x", mode="stop_cleanly")
    run.wait_for(1)
    assert run.running
    assert run.terminate().exit_code == 0
    assert [event.data for event in run.events] == ["one", "two"]
    splunk.assert_no_violations()


def test_an_input_that_dies_of_sigterm_has_not_closed_its_stream(splunk: Splunkd) -> None:
    run = splunk.start_input("raw_input://x", mode="wait")
    run.wait_for(1)
    run.terminate()
    assert "</stream> is missing" in run.violations.texts()[0]


def test_sigkill_keeps_what_was_received_and_when(splunk: Splunkd) -> None:
    begun = time.time()
    run = splunk.start_input("raw_input://x", mode="wait")
    run.wait_for(1)
    run.kill()
    assert [event.data for event in run.events] == ["one"]
    assert begun <= run.started <= run.events[0].received <= time.time()
    assert run.exit_code == -9
    splunk.assert_no_violations()


@pytest.mark.parametrize(
    ("mode", "said"),
    [("silent_refusal", "without a message"), ("wrong_but_zero", "exit code 0 and yet said")],
)
def test_a_broken_rule_of_validation_is_reported(splunk: Splunkd, mode: str, said: str) -> None:
    assert not splunk.validate("raw_input://x", {"mode": mode}).ok
    assert said in splunk.violations.texts()[0]


def test_an_argument_that_the_spec_file_does_not_name_is_reported(splunk: Splunkd) -> None:
    spec = splunk.home.app_dir / "README" / "inputs.conf.spec"
    spec.write_text("[raw_input://<name>]\ncolour = <string>\n")
    splunk.scheme("raw_input")
    assert splunk.violations.texts() == [
        "README/inputs.conf.spec does not name 'mode' under [raw_input://...]"
    ]
