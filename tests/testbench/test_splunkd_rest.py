"""splunklib's own client works against the stand-in, and what the stand-in does not know is reported.

With COPYDICOM_SPLUNK_SDK=<an unpacked wheel> on PYTHONPATH the same tests run on another splunk-sdk.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from splunklib import binding, client

from testbench.splunkd import Splunkd

APP = "copydicom_app"


def service(splunk: Splunkd, user: str = "admin", owner: str | None = "nobody", app: str | None = APP):  # type: ignore[no-untyped-def]
    scheme = splunk.rest.uri.partition(":")[0]
    key = splunk.session_key(user)
    return client.connect(
        scheme=scheme,
        host="127.0.0.1",
        port=splunk.rest.port,
        token=key,
        owner=owner,
        app=app,
        autologin=False,
    )


def test_a_password_is_saved_read_changed_and_deleted(splunk: Splunkd) -> None:
    passwords = service(splunk).storage_passwords
    made = passwords.create("s3cret ü&<", "pacs", APP)
    assert made.name == "copydicom_app:pacs:"
    found = {(one.realm, one.username): one.clear_password for one in passwords}
    assert found == {(APP, "pacs"): "s3cret ü&<"}
    made.update(password="other").refresh()
    assert passwords["copydicom_app:pacs:"].clear_password == "other"
    with pytest.raises(binding.HTTPError, match="409"):
        passwords.create("x", "pacs", APP)
    passwords.delete("pacs", APP)
    assert list(passwords) == []
    splunk.assert_no_violations()


def test_a_password_of_the_app_is_not_seen_from_elsewhere(splunk: Splunkd) -> None:
    service(splunk).storage_passwords.create("x", "pacs", APP)
    assert list(service(splunk, owner=None, app=None).storage_passwords) == []
    assert list(service(splunk, owner="nobody", app="search").storage_passwords) == []
    assert len(list(service(splunk, owner="admin", app=APP).storage_passwords)) == 1


def test_reading_passwords_needs_the_capability(splunk: Splunkd) -> None:
    splunk.add_user("ann", roles=("user",), capabilities=("search",))
    with pytest.raises(binding.HTTPError, match=r"403.*insufficient permission"):
        list(service(splunk, "ann").storage_passwords)


def test_a_list_of_more_than_thirty_passwords_is_read_whole(splunk: Splunkd) -> None:
    passwords = service(splunk).storage_passwords
    for number in range(35):
        passwords.create("x", f"server{number:02}", APP)
    assert len(passwords.list()) == 35
    assert len(passwords.list(count=10, offset=30)) == 5
    assert len(list(passwords.iter(pagesize=10))) == 35
    status, page = splunk.request("GET", "storage/passwords")
    assert (status, len(page["entry"]), page["paging"]["total"]) == (200, 30, 35)


def test_a_stanza_is_made_changed_and_deleted_in_the_local_folder(splunk: Splunkd) -> None:
    splunk.add_server("pacs", base_url="http://a", verify_tls=False, roles=["x", "y"])
    conf = service(splunk).confs["copydicom_servers"]
    assert [stanza.name for stanza in conf] == ["pacs"]
    assert (conf["pacs"]["base_url"], conf["pacs"]["verify_tls"], conf["pacs"]["roles"]) == (
        "http://a",
        "0",
        "x, y",
    )
    conf["pacs"].submit({"base_url": "http://b"})
    conf.create("research", base_url="http://c")
    local = (splunk.home.app_dir / "local" / "copydicom_servers.conf").read_text()
    assert "base_url = http://b" in local
    assert "[research]" in local
    conf.delete("research")
    assert "research" not in conf
    assert splunk.rest.confs.restart_required == set()
    splunk.assert_no_violations()


def test_a_conf_without_a_reload_trigger_asks_for_a_restart(splunk: Splunkd) -> None:
    service(splunk).confs["macros"]["dicom_index"].submit({"definition": "index=x"})
    assert splunk.rest.confs.restart_required == {"macros"}
    assert splunk.home.confs.read("macros")["dicom_index"] == {"definition": "index=x"}


def test_a_conf_that_is_not_there_is_a_key_error(splunk: Splunkd) -> None:
    with pytest.raises(KeyError):
        service(splunk).confs["no_such"]
    with pytest.raises(KeyError):
        service(splunk).confs["macros"]["no_such"]
    splunk.assert_no_violations()


def test_what_the_app_does_not_export_is_not_seen_from_the_search_app(splunk: Splunkd) -> None:
    search = service(splunk, owner="nobody", app="search")
    assert [stanza.name for stanza in search.confs["macros"]] == []
    assert "raw" in search.confs["commands"]


def test_documents_of_the_kv_store_are_kept_and_found(splunk: Splunkd) -> None:
    data = service(splunk).kvstore["copydicom_sent"].data
    key = data.insert({"dest": "a", "n": 1})["_key"]
    assert data.batch_save({"_key": "k2", "dest": "b", "n": 2}, {"_key": "k3", "dest": "b", "n": 3}) == [
        "k2",
        "k3",
    ]
    assert data.query_by_id(key)["dest"] == "a"
    assert [row["n"] for row in data.query(query={"dest": "b"}, sort="n:-1")] == [3, 2]
    assert [row["_key"] for row in data.query(query={"n": {"$gt": 1, "$lt": 3}})] == ["k2"]
    assert data.query(query={"n": 3}, fields="dest") == [{"dest": "b"}]
    assert [len(rows) for rows in data.batch_find({"query": {"dest": "b"}}, {"query": {"dest": "x"}})] == [
        2,
        0,
    ]
    data.update("k2", {"dest": "c"})
    data.delete('{"dest": "b"}')
    assert sorted(row["dest"] for row in data.query()) == ["a", "c"]
    splunk.assert_no_violations()


def test_the_kv_store_takes_a_thousand_documents_at_once_and_no_more(splunk: Splunkd) -> None:
    data = service(splunk).kvstore["copydicom_sent"].data
    assert len(data.batch_save(*({"n": n} for n in range(1000)))) == 1000
    with pytest.raises(binding.HTTPError, match="400"):
        data.batch_save(*({"n": n} for n in range(1001)))


def test_the_caller_learns_who_he_is(splunk: Splunkd) -> None:
    splunk.add_user("ann", roles=("copydicom_operator",), capabilities=("search", "run_copydicom"))
    answer = service(splunk, "ann").get("/services/authentication/current-context", output_mode="json")
    assert b'"username": "ann"' in answer.body.read()
    context = client.Entity(service(splunk, "ann"), "authentication/current-context")
    assert (context["roles"], context["capabilities"]) == (
        ["copydicom_operator"],
        ["search", "run_copydicom"],
    )


def test_the_server_says_its_version_over_tls_too(toy_package: Path) -> None:
    with Splunkd(toy_package, https=True, version="9.4.0") as splunk:
        assert splunk.rest.uri.startswith("https://")
        assert service(splunk).info["version"] == "9.4.0"


def test_a_wrong_session_key_is_refused(splunk: Splunkd) -> None:
    wrong = client.connect(scheme="http", port=splunk.rest.port, host="127.0.0.1", token="x", autologin=False)
    with pytest.raises(binding.AuthenticationError):
        list(wrong.storage_passwords)


def test_an_endpoint_that_is_not_known_is_404_for_the_caller_and_a_violation(splunk: Splunkd) -> None:
    with pytest.raises(binding.HTTPError, match="404 Not Found"):
        service(splunk).get("saved/searches")
    assert splunk.violations.texts() == ["asked for what the stand-in does not know: GET saved/searches"]


def test_an_operator_that_the_kv_store_does_not_know_is_a_violation(splunk: Splunkd) -> None:
    data = service(splunk).kvstore["copydicom_sent"].data
    data.insert({"n": 1})
    with pytest.raises(binding.HTTPError, match="400"):
        data.query(query={"n": {"$near": 1}})
    assert len(splunk.violations) == 1


def test_a_user_has_the_capabilities_that_authorize_conf_gives_to_his_roles(splunk: Splunkd) -> None:
    splunk.add_user("ann", roles=("operator",))
    context = client.Entity(service(splunk, "ann"), "authentication/current-context")
    assert context["capabilities"] == ["run_copydicom", "search"]
    with pytest.raises(KeyError, match="no_such"):
        splunk.add_user("bob", roles=("no_such",))


def test_a_session_that_has_ended_is_refused(splunk: Splunkd) -> None:
    running = service(splunk)
    assert list(running.storage_passwords) == []
    splunk.sessions.end(str(running.token).removeprefix("Splunk "))
    with pytest.raises(binding.AuthenticationError):
        list(running.storage_passwords)
