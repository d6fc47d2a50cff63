"""splunkd's REST API as a person with a password uses it. Every failure is one sentence with the way out.

Source: Splunk REST API Reference, "Access endpoints" (`auth/login`), "Search endpoints" (`search/jobs`,
`search/v2/jobs/{sid}/results`), "REST API User Manual" (namespaces, messages).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

APP = "copydicom_app"
_POLL_SECONDS = 0.2
_LONGEST_SECONDS = 300.0


class Unusable(Exception):
    """Splunk cannot be asked at all: nobody there, a wrong password, no app, nothing indexed."""


class Refused(Exception):
    """One request was refused; `status` is HTTP's, the text splunkd's own."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Rows:
    """What a search gave: its columns in their order, its rows, what splunkd said beside them."""

    fields: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


class SplunkRest:
    """One splunkd, asked as one user. `verify` is a CA bundle, or whether its certificate must be trusted."""

    def __init__(self, url: str, user: str, password: str = "", *, key: str = "", verify: bool | str = True):
        self.url, self.user = url.rstrip("/"), user
        self._session = requests.Session()
        self._session.verify = verify
        self._session.trust_env = False  # no proxy lies between a bench and its Splunk
        if not key:
            form = {"username": user, "password": password, "output_mode": "json"}
            status, said = self._asked("POST", "/services/auth/login", data=form)
            if status == 401 and isinstance(said, dict) and said.get("messages"):
                raise Unusable(
                    f"{self.url} refuses the password of user {user!r}; give the right one in SPLUNK_PASSWORD"
                )
            key = str(said.get("sessionKey", "")) if isinstance(said, dict) else ""
            if not key:
                raise Unusable(
                    f"{self.url} does not log in like splunkd (HTTP {status}); is this the management port, "
                    "8089 by default?"
                )
        self._session.headers["Authorization"] = f"Splunk {key}"

    def as_user(self, user: str, password: str) -> SplunkRest:
        """The same splunkd, asked as another user."""
        return SplunkRest(self.url, user, password, verify=self._session.verify or False)

    # -- objects --------------------------------------------------------------------------------------

    def get(self, path: str) -> dict[str, Any]:
        """The keys of one object below `servicesNS/nobody/<app>`; raises Refused."""
        return self._content(self.ask("GET", path, {}))

    def find(self, path: str) -> dict[str, Any] | None:
        """The same, None where there is no such object."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def names(self, path: str) -> list[str]:
        """The names of all objects of a kind; a conf's `[default]` is none."""
        answer = self.ask("GET", path, {"count": "0"})
        return [str(entry["name"]) for entry in answer.get("entry", []) if entry["name"] != "default"]

    def put(self, path: str, name: str, values: Mapping[str, str], at: str = "", fixed: str = "") -> None:
        """Create an object, or change the one that is there (called `at`) but for what is `fixed`."""
        try:
            self.ask("POST", path, {"name": name, **values})
        except Refused as refused:
            if refused.status != 409:
                raise
            changed = {key: value for key, value in values.items() if key != fixed}
            self.ask("POST", f"{path}/{quote(at or name, safe='')}", changed)

    def ask(
        self, method: str, path: str, fields: Mapping[str, Any], *, document: Any = None
    ) -> dict[str, Any]:
        """One request in the app's namespace (or below `/services`), as JSON; raises Refused."""
        full = path if path.startswith("/") else f"/servicesNS/nobody/{APP}/{path}"
        given: dict[str, Any] = {**fields, "output_mode": "json"}
        if document is not None:
            status, said = self._asked(method, full, params={"output_mode": "json"}, json=document)
        elif method == "GET":
            status, said = self._asked(method, full, params=given)
        else:
            status, said = self._asked(method, full, data=given)
        if status >= 400:
            raise Refused(status, _words(said, status))
        return said if isinstance(said, dict) else {}

    # -- searches -------------------------------------------------------------------------------------

    def search(self, text: str, earliest: str = "0", latest: str = "+2d") -> Rows:
        """Run a search to its end and take all its rows; raises Refused with splunkd's words."""
        text = text.strip()
        whole = text if text.startswith("|") else f"search {text}"
        bounds = {"earliest_time": earliest, "latest_time": latest}
        sid = str(self.ask("POST", self._mine("search/jobs"), {"search": whole, **bounds}).get("sid", ""))
        return self.results(sid)

    def results(self, sid: str) -> Rows:
        """The rows of a job, once it is done."""
        job = self._done(sid)
        said = [f"{each['type']}: {each['text']}" for each in job.get("messages") or () if "text" in each]
        if job.get("isFailed") in (True, "1", 1):
            raise Refused(400, "; ".join(said) or "the search failed and splunkd does not say why")
        found = self.ask("GET", self._mine(f"search/v2/jobs/{quote(sid, safe='')}/results"), {"count": "0"})
        fields = [str(each["name"] if isinstance(each, dict) else each) for each in found.get("fields", [])]
        return Rows(fields, list(found.get("results", [])), said)

    def _mine(self, path: str) -> str:
        """In the app, but as oneself: a search of nobody's may not copy."""
        return f"/servicesNS/{quote(self.user, safe='')}/{APP}/{path}"

    def _done(self, sid: str) -> dict[str, Any]:
        end = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < end:
            job = self.get(self._mine(f"search/jobs/{quote(sid, safe='')}"))
            if job.get("isDone") in (True, "1", 1):
                return job
            time.sleep(_POLL_SECONDS)
        raise Refused(408, f"the search is not done after {_LONGEST_SECONDS:.0f} s")

    # -- the wire -------------------------------------------------------------------------------------

    def _asked(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        try:
            answer = self._session.request(method, self.url + path, timeout=120, **how)
        except requests.exceptions.SSLError as error:
            raise Unusable(
                f"the certificate of {self.url} is not trusted; give its CA with --ca-bundle, or --insecure "
                "for a bench of your own"
            ) from error
        except requests.exceptions.InvalidURL as error:
            raise Unusable(f"{self.url} is no address; give one such as https://localhost:8089") from error
        except requests.exceptions.RequestException as error:
            raise Unusable(
                f"nobody answers at {self.url} ({type(error).__name__}); is Splunk up, and is this its "
                "management port, 8089 by default?"
            ) from error
        try:
            return answer.status_code, answer.json() if answer.content else {}
        except ValueError:
            return answer.status_code, {}

    @staticmethod
    def _content(answer: Mapping[str, Any]) -> dict[str, Any]:
        entries = answer.get("entry") or [{}]
        return dict(entries[0].get("content") or {})


def _words(said: Any, status: int) -> str:
    """splunkd's messages, or the error of the app's own endpoint."""
    if isinstance(said, dict):
        texts = [str(each.get("text", "")) for each in said.get("messages") or () if isinstance(each, dict)]
        texts += [str(said["error"])] if said.get("error") else []
        if any(texts):
            return "; ".join(text for text in texts if text)
    return f"HTTP {status}"
