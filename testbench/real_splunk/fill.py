"""Once Splunk and the Orthanc servers are up: everything that a person would set up, through the REST API.

    python -m testbench.real_splunk.fill passwords.json

The hospital is loaded into `pacs`; both servers, their passwords and the key of anonymized copies are saved;
an operator who reads no password, an input. Each step may be repeated. Ends when all of `pacs` is indexed.
Addresses come from SPLUNK_URL, SPLUNK_HEC_URL, PACS_URL and RESEARCH_URL.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from testbench.real_splunk.prepare import OPERATOR, ORTHANC_USER, Passwords
from testbench.real_splunk.rest import APP, Refused, SplunkRest, Unusable
from testbench.sample_data import load

INPUT = {"server": "pacs", "index": "dicom", "interval": "30"}
KEYS = "copydicom_app_keys"
_RESTART_SECONDS = 300.0
_INDEX_SECONDS = 300.0


class Orthanc:
    """As much of an Orthanc server as loading and counting need."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.user, self.password = url.rstrip("/"), user, password
        self._session = requests.Session()
        self._session.auth = (user, password)
        self._session.trust_env = False

    def upload(self, data: bytes) -> Any:
        """Store one file; what `sample_data.load` asks for."""
        answer = self._session.post(f"{self.url}/instances", data=data, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def instances(self) -> list[str]:
        """The Orthanc ids of all that it holds."""
        answer = self._session.get(f"{self.url}/instances", timeout=60)
        answer.raise_for_status()
        return [str(id) for id in answer.json()]


def main(passwords: Passwords, environ: Mapping[str, str], say: Callable[[str], None] = print) -> None:
    """All steps in their order; raises Unusable or Refused with words for a person."""
    url = environ["SPLUNK_URL"]
    servers = {
        name: Orthanc(environ[f"{name.upper()}_URL"], ORTHANC_USER, passwords.orthanc)
        for name in ("pacs", "research")
    }
    sent = load(servers["pacs"])
    say(f"pacs holds the sample hospital: {len(sent)} instances")
    splunk = _logged_in(url, passwords)
    if not knows_the_app(splunk):
        say("restarting Splunk, as after every first installation of the app")
        splunk = _restarted(splunk, url, passwords)
    _wait("the KV store to be ready", 120, lambda: _kv_store(splunk) == "ready", _kv_store, splunk)
    absent = {"dicom", "dicom_audit"} - set(splunk.names("data/indexes"))
    if absent:
        raise Unusable(f"Splunk has no index {' and no index '.join(sorted(absent))}; is the app enabled?")
    for name, server in servers.items():
        save_server(splunk, name, server)
    _save_secret(splunk, KEYS, "anonymize", passwords.anonymize)
    _add_operator(splunk, passwords.operator)
    splunk.put("data/inputs/orthanc", "pacs", INPUT)
    if "SPLUNK_HEC_URL" in environ:
        _check_hec(environ["SPLUNK_HEC_URL"])
    held = len(servers["pacs"].instances())
    _wait(f"{held} instances to be indexed", _INDEX_SECONDS, lambda: indexed(splunk) >= held, indexed, splunk)
    say(
        f"{held} instances are indexed. Splunk Web: http://localhost:8000  user admin"
        f"  password {passwords.splunk}"
    )
    say(f"an operator who reads no password: user {OPERATOR}  password {passwords.operator}")


def save_server(splunk: SplunkRest, name: str, server: Orthanc) -> None:
    """A stanza of copydicom_servers.conf, and its password in storage/passwords."""
    keys = {"base_url": server.url, "username": server.user}
    splunk.put("configs/conf-copydicom_servers", name, keys)
    _save_secret(splunk, APP, name, server.password)


def indexed(splunk: SplunkRest) -> int:
    """How many instances the index knows."""
    found = splunk.search("index=dicom sourcetype=dicom:instance orthanc_server=pacs | stats dc(ID) AS n")
    return int(found.rows[0]["n"]) if found.rows else 0


def knows_the_app(splunk: SplunkRest) -> bool:
    """Whether this run of splunkd has the app's endpoint and input; it learns of them when it starts."""
    try:
        splunk.ask("POST", "copydicom/test", {}, document={})
    except Refused as refused:
        if refused.status == 404:
            return False
    try:
        splunk.names("data/inputs/orthanc")
    except Refused as refused:
        return refused.status != 404
    return True


def _logged_in(url: str, passwords: Passwords) -> SplunkRest:
    # Its certificate is one that it made itself: nobody could vouch for it.
    return SplunkRest(url, "admin", passwords.splunk, verify=False)


def _restarted(splunk: SplunkRest, url: str, passwords: Passwords) -> SplunkRest:
    splunk.ask("POST", "/services/server/control/restart", {})
    time.sleep(5)  # it answers for a moment before it goes
    end = time.monotonic() + _RESTART_SECONDS
    while time.monotonic() < end:
        try:
            fresh = _logged_in(url, passwords)
            if knows_the_app(fresh):
                return fresh
        except (Unusable, Refused):
            pass
        time.sleep(2)
    raise Unusable(
        f"Splunk does not know the app {_RESTART_SECONDS:.0f} s after its restart; see splunkd.log"
    )


def _kv_store(splunk: SplunkRest) -> str:
    return str(splunk.get("/services/server/info").get("kvStoreStatus", ""))


def _save_secret(splunk: SplunkRest, realm: str, name: str, secret: str) -> None:
    splunk.put(
        "storage/passwords",
        name,
        {"realm": realm, "password": secret},
        at=f"{realm}:{name}:",
        fixed="realm",
    )


def _add_operator(splunk: SplunkRest, password: str) -> None:
    path = "/services/authentication/users"
    roles = ["user", "copydicom_operator"]
    try:
        splunk.ask("POST", path, {"name": OPERATOR, "password": password, "roles": roles})
    except Refused as refused:
        if refused.status not in (400, 409) or "exist" not in str(refused):
            raise
        splunk.ask("POST", f"{path}/{quote(OPERATOR)}", {"roles": roles})


def _check_hec(url: str) -> None:
    try:
        answer = requests.get(f"{url}/services/collector/health", verify=False, timeout=30)
    except requests.exceptions.RequestException as error:
        raise Unusable(
            f"the HTTP event collector does not answer at {url} ({type(error).__name__})"
        ) from error
    if answer.status_code != 200:
        raise Unusable(
            f"the HTTP event collector at {url} says HTTP {answer.status_code}, not that it is well"
        )


def _wait(
    what: str,
    seconds: float,
    done: Callable[[], bool],
    now: Callable[[SplunkRest], object],
    splunk: SplunkRest,
) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise Unusable(f"waited {seconds:.0f} s for {what}; it is at {now(splunk)!r}")
        time.sleep(2)


if __name__ == "__main__":
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        main(Passwords.read(Path(sys.argv[1])), os.environ)
    except (Unusable, Refused) as error:
        sys.exit(f"fill: {error}")
    except requests.exceptions.RequestException as error:
        sys.exit(f"fill: an Orthanc server does not answer as it should ({type(error).__name__})")
