"""The stand-in runs an app's own REST endpoints and alert actions, and sees what they do wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testbench.splunkd import AlertResult, Splunkd, Trigger


def post(splunk: Splunkd, path: str, document: Any, user: str = "admin") -> tuple[int, Any]:
    return splunk.request("POST", path, user=user, document=document)


def raw(splunk: Splunkd, mode: str) -> int:
    headers = {"authorization": f"Splunk {splunk.session_key()}"}
    return splunk.rest.answer("POST", "/services/toy/echo", headers, mode.encode()).status


def test_a_handler_gets_the_session_of_who_asks_and_that_of_splunkd(splunk_python: Splunkd) -> None:
    splunk = splunk_python
    splunk.add_user("ann", ("user", "operator"))
    status, seen = post(splunk, "toy/echo/more", {"a": 1}, "ann")
    assert (status, seen["session"]["user"], json.loads(seen["payload"])) == (200, "ann", {"a": 1})
    assert (seen["method"], seen["rest_path"], seen["ns"]["app"]) == (
        "POST",
        "/toy/echo/more",
        "copydicom_app",
    )
    system = splunk.sessions.user(seen["system_authtoken"])
    caller = splunk.sessions.user(seen["session"]["authtoken"])
    assert (system and system.name, caller and caller.name) == ("splunk-system-user", "ann")
    splunk.assert_no_violations()


def test_who_lacks_the_capability_does_not_reach_the_handler(splunk: Splunkd) -> None:
    splunk.add_user("eve", ("user",))
    status, answer = post(splunk, "toy/echo", {}, "eve")
    assert (status, "requires capability: run_copydicom" in answer["messages"][0]["text"]) == (403, True)
    status, _ = post(splunk, "toy/elsewhere", {})
    assert status == 404
    assert splunk.violations.texts() == ["asked for what the stand-in does not know: POST toy/elsewhere"]


@pytest.mark.parametrize("mode", ["print", "raise", "exit"])
def test_a_handler_that_does_not_answer_is_reported(splunk: Splunkd, mode: str) -> None:
    assert raw(splunk, mode) == 500
    assert "the handler ended or printed" in splunk.violations.texts()[0]
    assert raw(splunk, "fine") == 200  # by a new process


def act(splunk: Splunkd, mode: str, count: int = 2, **options: Any) -> AlertResult:
    rows = [{"ID": str(n)} for n in range(count)]
    return splunk.run_alert_action("raw_action", rows, Trigger({"mode": mode}, **options))


def test_an_alert_action_gets_payload_and_results_cut_off_at_maxresults(splunk: Splunkd) -> None:
    result = act(splunk, "fine", 12)
    arguments, rows, owner, configuration = json.loads(result.log[0].removeprefix("INFO "))
    assert (arguments, rows, owner, configuration) == (
        ["--execute"],
        10,
        "admin",
        {"mode": "fine", "more": "x"},
    )
    assert (result.exit_code, splunk.violations.texts()) == (0, [])


@pytest.mark.parametrize(("mode", "violation"), [("print", "it printed"), ("silent", "said no ERROR")])
def test_an_alert_action_that_breaks_a_rule_is_reported(splunk: Splunkd, mode: str, violation: str) -> None:
    act(splunk, mode)
    assert violation in splunk.violations.texts()[0]


def test_an_alert_action_is_ended_after_maxtime(splunk: Splunkd) -> None:
    assert act(splunk, "slow", maxtime=2.0).timed_out
