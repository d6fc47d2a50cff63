"""The stand-in's users and saved searches: what an admin, and the bench with a real Splunk, ask over REST."""

from __future__ import annotations

from typing import Any

import pytest

from testbench.real_splunk.rest import Refused, SplunkRest
from testbench.splunkd import Splunkd

SEARCHES = "saved/searches"


@pytest.fixture
def admin(splunk: Splunkd) -> SplunkRest:
    return SplunkRest(splunk.rest.uri, "admin", key=splunk.session_key())


def test_a_user_has_what_the_roles_give_and_logs_in(splunk: Splunkd, admin: SplunkRest) -> None:
    form: dict[str, Any] = {"name": "ann", "password": "hers", "roles": ["user", "operator"]}
    admin.ask("POST", "/services/authentication/users", form)
    ann = SplunkRest(splunk.rest.uri, "ann", "hers")
    context = ann.get("/services/authentication/current-context")
    assert (context["username"], set(context["capabilities"])) == ("ann", {"run_copydicom", "search"})
    with pytest.raises(Refused, match="already exists"):
        admin.ask("POST", "/services/authentication/users", form)
    with pytest.raises(Refused, match="no_such"):
        admin.ask("POST", "/services/authentication/users", {**form, "name": "bob", "roles": "no_such"})
    with pytest.raises(Refused) as refused:
        ann.ask("POST", "/services/authentication/users", {**form, "name": "bob"})
    assert refused.value.status == 403


@pytest.mark.parametrize("trigger", ["1", "0"])
def test_a_dispatched_search_runs_its_alert_action_only_when_asked_to(
    splunk: Splunkd, admin: SplunkRest, trigger: str
) -> None:
    keys = {"name": "nightly", "search": "| makeresults | eval ID=7", "alert_type": "always"}
    admin.ask("POST", SEARCHES, {**keys, "action.raw_action": "1", "action.raw_action.param.mode": "fine"})
    with pytest.raises(Refused, match="already exists"):
        admin.ask("POST", SEARCHES, keys)
    sid = admin.ask("POST", f"{SEARCHES}/nightly/dispatch", {"trigger_actions": trigger})["sid"]
    assert [row["ID"] for row in admin.results(sid).rows] == ["7"]
    ran = list(splunk.home.dispatch.glob("scheduler__admin__*"))
    assert len(ran) == int(trigger)
    admin.ask("DELETE", f"{SEARCHES}/nightly", {})
    with pytest.raises(Refused, match="Could not find"):
        admin.ask("POST", f"{SEARCHES}/nightly/dispatch", {})
    splunk.assert_no_violations()
