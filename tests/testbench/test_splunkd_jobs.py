"""Searches through the REST API: what splunklib, a browser's data sources and a plain HTTP client get.

The toy app's events are indexed by hand; the searches are those that the evaluator knows.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from splunklib import client, results

from testbench.splunkd import Splunkd

EVENTS = [("1", "CT"), ("2", "MR"), ("3", "CT")]
JOBS = "search/jobs"


@pytest.fixture
def indexed(splunk: Splunkd) -> Splunkd:
    """Three events, a minute apart, the last one the newest."""
    for at, (id, modality) in enumerate(EVENTS):
        raw = json.dumps({"ID": id, "Modality": modality})
        splunk.indexes.add(raw, 1_700_000_000.0 + 60 * at, "dicom", "h", "s", "dicom:instance")
    return splunk


def ask(
    splunk: Splunkd, method: str, path: str, authorization: str | None = None, **fields: Any
) -> tuple[int, str]:
    """What a plain HTTP client sees: the status and the text."""
    form = urllib.parse.urlencode(fields, doseq=True)
    url = f"{splunk.rest.uri}/services/{path}"
    target, body = (url, form.encode()) if method == "POST" else (f"{url}?{form}", None)
    asked = urllib.request.Request(target, body, method=method)
    asked.add_header("Authorization", authorization or f"Splunk {splunk.session_key()}")
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def job(splunk: Splunkd, search: str, **fields: Any) -> str:
    status, text = ask(
        splunk, "POST", JOBS, search=search, exec_mode="blocking", output_mode="json", **fields
    )
    assert status == 201, text
    return str(json.loads(text)["sid"])


def rows(splunk: Splunkd, sid: str, method: str = "GET", path: str = JOBS, **fields: Any) -> Any:
    status, text = ask(splunk, method, f"{path}/{sid}/results", **{"output_mode": "json", **fields})
    assert status == 200, text
    return json.loads(text)


def test_splunklib_runs_a_job_and_reads_its_rows(indexed: Splunkd) -> None:
    key = indexed.session_key()
    service = client.connect(
        scheme="http", host="127.0.0.1", port=indexed.rest.port, token=key, owner="admin", app="search"
    )
    made = service.jobs.create("search index=dicom | stats count by Modality", exec_mode="blocking")
    assert made.is_done()
    found = results.JSONResultsReader(made.results(output_mode="json"))
    assert [dict(row) for row in found] == [
        {"Modality": "CT", "count": "2"},
        {"Modality": "MR", "count": "1"},
    ]
    made.cancel()
    with pytest.raises(client.HTTPError, match="Unknown sid"):
        made.results(output_mode="json")
    indexed.assert_no_violations()


def test_splunklib_exports_and_runs_oneshot(indexed: Splunkd) -> None:
    service = client.connect(
        scheme="http", host="127.0.0.1", port=indexed.rest.port, token=indexed.session_key()
    )
    reader = results.JSONResultsReader(
        service.jobs.export("search index=dicom | table ID", output_mode="json")
    )
    assert [row["ID"] for row in reader] == ["3", "2", "1"]
    assert reader.is_preview is False
    once = service.jobs.oneshot("search index=dicom | table ID", output_mode="json", count=1)
    assert [row["ID"] for row in results.JSONResultsReader(once)] == ["3"]
    indexed.assert_no_violations()


def test_the_state_of_several_jobs_is_asked_for_at_once(indexed: Splunkd) -> None:
    sids = [job(indexed, "search index=dicom | table ID"), job(indexed, "search index=nothing")]
    job(indexed, "search index=main")
    status, text = ask(indexed, "GET", JOBS, id=sids, count=2, output_mode="json")
    entries = {entry["content"]["sid"]: entry for entry in json.loads(text)["entry"]}
    assert (status, set(entries)) == (200, set(sids))
    content = entries[sids[0]]["content"]
    assert (content["dispatchState"], content["isDone"], content["resultCount"]) == ("DONE", True, 3)
    assert entries[sids[0]]["name"] == "search index=dicom | table ID"
    assert entries[sids[1]]["content"]["resultCount"] == 0


def test_rows_come_by_page_as_objects_columns_rows_or_text(indexed: Splunkd) -> None:
    sid = job(indexed, "search index=dicom | table ID Modality")
    page = rows(indexed, sid, offset=1, count=1)
    assert (page["init_offset"], page["results"]) == (1, [{"ID": "2", "Modality": "MR"}])
    assert page["fields"] == [{"name": "ID"}, {"name": "Modality"}]
    columns = rows(indexed, sid, output_mode="json_cols", count=0)
    assert (columns["fields"], columns["columns"]) == (
        ["ID", "Modality"],
        [["3", "2", "1"], ["CT", "MR", "CT"]],
    )
    assert rows(indexed, sid, output_mode="json_rows")["rows"][0] == ["3", "CT"]
    _, text = ask(indexed, "GET", f"{JOBS}/{sid}/results", output_mode="csv")
    assert text == "ID,Modality\n3,CT\n2,MR\n1,CT\n"


def test_a_page_has_a_hundred_rows_unless_told_otherwise(indexed: Splunkd) -> None:
    for at in range(120):
        indexed.indexes.add(json.dumps({"ID": str(at)}), 1.0, "main", "h", "s", "dicom:instance")
    sid = job(indexed, "search index=main | table ID")
    assert len(rows(indexed, sid)["results"]) == 100
    assert len(rows(indexed, sid, count=0)["results"]) == 120


def test_time_leaves_as_a_date_and_several_values_as_a_list(indexed: Splunkd) -> None:
    raw = json.dumps({"ID": "4", "ModalitiesInStudy": ["CT", "SR"]})
    indexed.indexes.add(raw, 1_700_000_000.5, "main", "h", "s", "dicom:instance")
    sid = job(indexed, "search index=main | table _time ModalitiesInStudy{} none")
    assert rows(indexed, sid)["results"] == [
        {"_time": "2023-11-14T22:13:20.500+00:00", "ModalitiesInStudy{}": ["CT", "SR"]}
    ]
    columns = rows(indexed, sid, output_mode="json_cols", show_metadata="true")
    assert columns["fields"][0] == {"name": "_time"}
    assert columns["columns"][-1] in ([None], [["CT", "SR"]])


def test_a_post_process_search_works_on_the_rows_of_its_job(indexed: Splunkd) -> None:
    sid = job(indexed, "search index=dicom | table ID Modality")
    for search in ("| stats count by Modality", "stats count by Modality"):
        page = rows(indexed, sid, "POST", "search/v2/jobs", search=search)
        assert page["results"] == [{"Modality": "CT", "count": "2"}, {"Modality": "MR", "count": "1"}]
        assert page["post_process_count"] == 2
    filtered = rows(indexed, sid, "POST", "search/v2/jobs", search="search Modality=MR")
    assert [row["ID"] for row in filtered["results"]] == ["2"]
    assert len(rows(indexed, sid, search="search Modality=CT")["results"]) == 2
    indexed.assert_no_violations()


def test_v2_takes_no_post_process_search_by_get(indexed: Splunkd) -> None:
    sid = job(indexed, "search index=dicom")
    status, _ = ask(indexed, "GET", f"search/v2/jobs/{sid}/results", search="head 1", output_mode="json")
    assert status == 400
    assert len(indexed.violations) == 1


def test_a_search_that_begins_with_a_condition_is_refused(indexed: Splunkd) -> None:
    status, text = ask(indexed, "POST", JOBS, search="index=dicom", output_mode="json")
    assert (status, json.loads(text)["messages"]) == (
        400,
        [{"type": "FATAL", "text": "Unknown search command 'index'."}],
    )


def test_a_search_that_the_evaluator_does_not_know_fails_and_is_a_violation(indexed: Splunkd) -> None:
    sid = job(indexed, "search index=dicom | nonsense")
    _, text = ask(indexed, "GET", f"{JOBS}/{sid}", output_mode="json")
    content = json.loads(text)["entry"][0]["content"]
    assert (content["dispatchState"], content["isFailed"], content["isDone"]) == ("FAILED", True, True)
    assert "nonsense" in content["messages"][0]["text"]
    status, text = ask(indexed, "POST", f"{JOBS}/export", search="search * | nonsense", output_mode="json")
    assert (status, json.loads(text)["messages"][0]["type"]) == (400, "FATAL")
    assert len(indexed.violations) == 2


def test_an_export_is_an_object_a_line_with_previews_before_the_end(indexed: Splunkd) -> None:
    search = "search index=dicom | stats count by Modality"
    status, text = ask(indexed, "POST", "search/v2/jobs/export", search=search, output_mode="json")
    lines = [json.loads(line) for line in text.splitlines()]
    assert status == 200
    assert [line["preview"] for line in lines] == [True, False, False]
    final = [line for line in lines if not line["preview"]]
    assert [line["result"]["Modality"] for line in final] == ["CT", "MR"]
    assert [line["offset"] for line in final] == [0, 1]
    assert [line.get("lastrow") for line in final] == [None, True]
    _, text = ask(
        indexed, "POST", "search/v2/jobs/export", search=search, output_mode="json", preview="false"
    )
    assert len(text.splitlines()) == 2
    _, text = ask(indexed, "POST", f"{JOBS}/export", search=search, output_mode="csv")
    assert text == "Modality,count\nCT,2\nMR,1\n"


def test_an_export_of_nothing_is_one_line_without_a_result(indexed: Splunkd) -> None:
    _, text = ask(indexed, "POST", f"{JOBS}/export", search="search index=dicom ID=none", output_mode="json")
    assert json.loads(text) == {"preview": False, "offset": 0, "lastrow": True}


def test_controls_change_the_job(indexed: Splunkd) -> None:
    sid = job(indexed, "search index=dicom")
    for action, more in (("touch", {}), ("setttl", {"ttl": 20}), ("finalize", {}), ("save", {})):
        status, text = ask(
            indexed, "POST", f"{JOBS}/{sid}/control", action=action, output_mode="json", **more
        )
        assert (status, json.loads(text)["messages"][0]["type"]) == (200, "INFO")
    _, text = ask(indexed, "GET", f"{JOBS}/{sid}", output_mode="json")
    content = json.loads(text)["entry"][0]["content"]
    assert (content["ttl"], content["isFinalized"], content["isSaved"]) == (20, True, True)
    assert ask(indexed, "POST", f"{JOBS}/{sid}/control", action="explode")[0] == 400
    assert ask(indexed, "DELETE", f"{JOBS}/{sid}")[0] == 200
    assert ask(indexed, "GET", f"{JOBS}/{sid}", output_mode="json")[0] == 404


def test_another_users_job_is_unknown(indexed: Splunkd) -> None:
    indexed.add_user("ann", ("user",))
    sid = job(indexed, "search index=dicom")
    ann = f"Splunk {indexed.session_key('ann')}"
    assert ask(indexed, "GET", f"{JOBS}/{sid}/results", ann, output_mode="json")[0] == 404


def test_searching_needs_the_capability(indexed: Splunkd) -> None:
    indexed.add_user("guest", ("user",), capabilities=())
    guest = f"Splunk {indexed.session_key('guest')}"
    assert ask(indexed, "POST", JOBS, guest, search="search *")[0] == 403
    assert ask(indexed, "POST", f"{JOBS}/export", guest, search="search *", output_mode="json")[0] == 403


def test_a_parameter_that_no_search_takes_is_refused_and_a_violation(indexed: Splunkd) -> None:
    status, text = ask(indexed, "POST", JOBS, search="search *", output_mode="json", earliest="-1d")
    assert (status, json.loads(text)["messages"][0]["text"]) == (
        400,
        'Argument "earliest" is not supported by this handler.',
    )
    assert len(indexed.violations) == 1


def test_a_password_gives_a_session_and_authenticates_a_request(indexed: Splunkd) -> None:
    indexed.add_user("ann", ("user",))
    indexed.sessions.set_password("ann", "s3cret")
    login = {"username": "ann", "password": "s3cret", "output_mode": "json"}
    status, text = ask(indexed, "POST", "auth/login", "none", **login)
    assert status == 200
    key = json.loads(text)["sessionKey"]
    assert ask(indexed, "POST", "auth/login", "none", **{**login, "password": "x"})[0] == 401
    for authorization in (f"Splunk {key}", f"Bearer {key}", "Basic " + encoded("ann:s3cret")):
        assert ask(indexed, "GET", JOBS, authorization, output_mode="json")[0] == 200
    assert ask(indexed, "GET", JOBS, "Basic " + encoded("ann:x"))[0] == 401
    assert ask(indexed, "GET", JOBS, "Basic " + encoded("admin:"))[0] == 401
    indexed.assert_no_violations()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
