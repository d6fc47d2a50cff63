"""What a set-up page asks of the stand-in: inputs, roles, indexes, the app; and what Splunk Web passes on."""

from __future__ import annotations

from typing import Any

import pytest

from testbench.splunkd import Splunkd
from testbench.views.web import Web, exposed

INPUTS = "data/inputs/sdk_input"


def names(answer: Any) -> list[str]:
    return [entry["name"] for entry in answer["entry"]]


def test_an_input_is_added_switched_changed_and_removed(splunk: Splunkd) -> None:
    status, answer = splunk.request("POST", INPUTS, {"name": "pacs", "server": "pacs", "interval": "60"})
    assert (status, names(answer)) == (201, ["pacs"])
    assert splunk.home.confs.local("inputs") == {"sdk_input://pacs": {"server": "pacs", "interval": "60"}}
    assert splunk.request("POST", INPUTS, {"name": "pacs", "server": "pacs"})[0] == 409
    content = splunk.request("POST", f"{INPUTS}/pacs/disable")[1]["entry"][0]["content"]
    assert (content["disabled"], content["server"], content["index"]) == (True, "pacs", "dicom")
    assert splunk.request("POST", f"{INPUTS}/pacs/enable")[1]["entry"][0]["content"]["disabled"] is False
    assert splunk.request("POST", f"{INPUTS}/pacs", {"server": "other"})[0] == 200
    assert splunk.home.confs.read("inputs")["sdk_input://pacs"]["server"] == "other"
    assert names(splunk.request("DELETE", f"{INPUTS}/pacs")[1]) == []
    assert splunk.request("GET", f"{INPUTS}/pacs")[0] == 404
    splunk.assert_no_violations()


def test_an_input_that_is_wrong_is_refused_in_the_inputs_own_words(splunk: Splunkd) -> None:
    status, answer = splunk.request("POST", INPUTS, {"name": "pacs", "server": "nowhere"})
    assert (status, answer["messages"][0]["text"].startswith("Argument validation for scheme=")) == (
        400,
        True,
    )
    assert splunk.request("POST", INPUTS, {"name": "pacs", "server": "pacs", "colour": "red"})[0] == 400
    assert splunk.request("POST", INPUTS, {"name": "pacs", "server": "pacs", "index": "nowhere"})[0] == 400
    assert splunk.home.confs.local("inputs") == {}


def test_inputs_roles_and_the_app_need_their_rights(splunk: Splunkd) -> None:
    splunk.add_user("ann", roles=("user",), capabilities=("search",))
    for method, path in (
        ("GET", INPUTS),
        ("POST", INPUTS),
        ("GET", "authorization/roles"),
        ("POST", "apps/local/copydicom_app"),
    ):
        fields = {"name": "x", "server": "pacs"} if path == INPUTS else {"configured": "true"}
        assert splunk.request(method, path, fields if method == "POST" else None, user="ann")[0] == 403, path


def test_roles_tell_which_indexes_they_may_search_also_by_import(splunk: Splunkd) -> None:
    roles = {
        entry["name"]: entry["content"] for entry in splunk.request("GET", "authorization/roles")[1]["entry"]
    }
    assert roles["operator"]["imported_srchIndexesAllowed"] == ["*"]
    assert roles["admin"]["srchIndexesAllowed"] == ["*", "_*"]
    assert {"dicom", "dicom_audit", "_internal"} <= set(names(splunk.request("GET", "data/indexes")[1]))


def test_the_app_is_configured_once_somebody_says_so(splunk: Splunkd) -> None:
    assert splunk.rest.access.configured is False
    status, answer = splunk.request("POST", "apps/local/copydicom_app", {"configured": "true"})
    assert (status, answer["entry"][0]["content"]["configured"]) == (200, True)
    assert splunk.home.confs.local("app") == {"install": {"is_configured": "true"}}


def test_metadata_counts_the_events_of_a_source_and_tells_when_the_last_arrived(splunk: Splunkd) -> None:
    for at in (100.0, 300.0, 200.0):
        splunk.index_event(
            {"ID": "a"}, sourcetype="dicom:instance", at=at, arrived=1000.0 + at, source="orthanc://x"
        )
    found = splunk.search('| metadata type=sources index=dicom | search source="orthanc://*"')
    assert found.rows == [
        {
            "firstTime": "100",
            "lastTime": "300",
            "recentTime": "1300",
            "source": "orthanc://x",
            "totalCount": "3",
            "type": "sources",
        }
    ]


WEB_CONF = {
    "expose:a": {"pattern": "toy/echo", "methods": "POST"},
    "expose:b": {"pattern": "data/inputs/toy/*"},
}


@pytest.mark.parametrize(
    ("method", "path", "reached"),
    [
        ("POST", "/servicesNS/nobody/toy/toy/echo", True),
        ("GET", "/services/toy/echo", False),
        ("GET", "/services/toy/echo/more", False),
        ("GET", "/services/data/inputs/toy/one", True),
        ("GET", "/services/data/inputs/toy/one/two", False),
        ("GET", "/services/data/inputs/toy", False),
        ("POST", "/servicesNS/ann/search/search/jobs", True),
        ("GET", "/services/search/v2/jobs/1.2/results", True),
        ("GET", "/services/storage/passwords", False),
        ("POST", "/services/authentication/current-context", False),
    ],
)
def test_a_browser_reaches_what_is_exposed_and_no_more(method: str, path: str, reached: bool) -> None:
    assert exposed(method, path, WEB_CONF) is reached


def test_a_change_needs_the_form_key_of_the_cookie() -> None:
    web = Web(8000)
    cookie = {"cookie": f"splunkweb_csrf_token_8000={web.form_key}; other=1"}
    path = "/services/search/jobs"
    assert web.refusal("GET", path, {}, {}) is None
    assert web.refusal("POST", path, cookie, {}) == "form key"
    assert web.refusal("POST", path, {"x-splunk-form-key": web.form_key}, {}) == "form key"
    assert web.refusal("POST", path, {**cookie, "x-splunk-form-key": "forged"}, {}) == "form key"
    assert web.refusal("POST", path, {**cookie, "x-splunk-form-key": web.form_key}, {}) is None
