"""The client of Orthanc's REST API; the only module of the core that imports requests.

Routes are those of the Orthanc Book, "REST API of Orthanc"; what they cost was measured on 1.10.1
and 1.12.7. Every method raises the errors of `copydicom_app.errors` and nothing else.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from copydicom_app.errors import (
    ConfigurationError,
    CopydicomError,
    LoginRefusedError,
    NotFoundError,
    RetriableError,
    SkippableError,
)
from copydicom_app.models import Change, Held, Parents, Server, is_orthanc_id

Tags = dict[str, Any]

_CONNECT_SECONDS = 10
_READ_SECONDS = 120
_RETRY_SECONDS = (0.5, 2.0)  # before the second and the third try, give or take half


class Orthanc:
    """One Orthanc server. Safe to use from several threads; `stop` cuts short the waits between tries."""

    def __init__(self, server: Server, stop: Optional[threading.Event] = None) -> None:
        scheme = urlsplit(server.base_url).scheme
        if scheme not in ("http", "https") or not urlsplit(server.base_url).hostname:
            raise ConfigurationError(
                f"server {server.name!r}: base_url is no http:// or https:// address; "
                "set it to the address of Orthanc's REST API, for example https://pacs.example:8042"
            )
        self.server = server
        self.host = urlsplit(server.base_url).hostname or ""
        self._base = server.base_url.rstrip("/")
        self._stop = stop or threading.Event()
        self._session = requests.Session()
        # Neither a proxy nor a .netrc of the machine may redirect images or change the login.
        self._session.trust_env = False
        if server.username:
            self._session.auth = HTTPBasicAuth(server.username.encode(), server.password.encode())
        if server.verify_tls and server.ca_bundle and not Path(server.ca_bundle).is_file():
            raise ConfigurationError(f"server {server.name!r}: the file named in ca_bundle is not there")
        self._session.verify = (server.ca_bundle or True) if server.verify_tls else False
        # 1.10.1 spends 30 ms a file on compression when asked for gzip, which requests does by itself.
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.mount(
            f"{scheme}://", HTTPAdapter(pool_connections=1, pool_maxsize=max(4, server.max_connections))
        )

    # What it is

    def system(self) -> Tags:
        """``GET /system``: version and limits; also the way to see that it is an Orthanc and lets us in."""
        try:
            answer = self._json("GET", "/system")
        except NotFoundError as error:
            raise self._not_an_orthanc() from error
        if not isinstance(answer, dict) or "ApiVersion" not in answer:
            raise self._not_an_orthanc()
        return answer

    # The change log

    def last_change(self) -> int:
        """The number of the newest row that the change log ever had (it survives deletions)."""
        return int(self._json("GET", f"/changes?since={2**62}&limit=1")["Last"])

    def changes(self, since: int, limit: int) -> tuple[list[Change], int]:
        """``GET /changes``: the rows after `since`, at most `limit`, and the number to go on from."""
        answer = self._json("GET", f"/changes?since={since}&limit={limit}")
        rows = [Change(row["Seq"], row["ChangeType"], row["ID"]) for row in answer["Changes"]]
        return rows, max(since, int(answer["Last"]))

    # What it holds

    def series_ids(self) -> list[str]:
        """``GET /series``: the ids of all series."""
        return [str(id) for id in self._json("GET", "/series")]

    def instances_of_series(self, series: str) -> list[str]:
        """``GET /series/{id}``: the ids of its instances."""
        return [str(id) for id in self._json("GET", f"/series/{_checked(series)}")["Instances"]]

    def held(self, ids: Sequence[str]) -> dict[str, Held]:
        """Which of these instances it holds, with their size in bytes: one request for all of them.

        ``POST /tools/bulk-content`` (Orthanc 1.9.4); before that, a request each.
        """
        try:
            query = {"Resources": [_checked(id) for id in ids], "Level": "Instance"}
            rows = self._json("POST", "/tools/bulk-content", json=query)
        except NotFoundError:
            rows = [row for row in map(self._instance, ids) if row is not None]
        return {row["ID"]: Held(row["ID"], row.get("FileSize")) for row in rows}

    def _instance(self, id: str) -> Optional[Tags]:
        try:
            answer: Tags = self._json("GET", f"/instances/{_checked(id)}")
        except NotFoundError:
            return None
        return answer

    def parents(self, instance: str) -> Parents:
        """The series, study and patient of an instance: three requests."""
        series = self._json("GET", f"/instances/{_checked(instance)}")["ParentSeries"]
        study = self._json("GET", f"/series/{_checked(series)}")["ParentStudy"]
        patient = self._json("GET", f"/studies/{_checked(study)}")["ParentPatient"]
        return Parents(series, study, patient)

    # Tags

    def instance_tags(self, instance: str, long: Sequence[str] = ()) -> Tags:
        """``GET /instances/{id}/tags?simplify``: keyword -> value; values over 256 characters are null.

        The values of the keywords in `long` come whatever their length.
        """
        tags: Tags = self._json("GET", f"/instances/{_checked(instance)}/tags?simplify{_ignore_length(long)}")
        return tags

    def series_tags(self, series: str, long: Sequence[str] = ()) -> dict[str, Tags]:
        """``GET /series/{id}/instances-tags?simplify``: the tags of all its instances, by instance."""
        url = f"/series/{_checked(series)}/instances-tags?simplify{_ignore_length(long)}"
        tags: dict[str, Tags] = self._json("GET", url)
        return tags

    # Files

    def file(self, instance: str) -> bytes:
        """``GET /instances/{id}/file``: the DICOM file, byte for byte."""
        return self._request("GET", f"/instances/{_checked(instance)}/file").content

    def store(self, dicom: bytes) -> tuple[str, str]:
        """``POST /instances``: (`Success`, `AlreadyStored` or `FilteredOut`; the id it has there)."""
        answer = self._json("POST", "/instances", data=dicom)
        if not isinstance(answer, dict):
            raise SkippableError(f"server {self.server.name!r} gave no usable answer to an upload")
        return str(answer.get("Status", "")), str(answer.get("ID", ""))

    # How it is asked

    def _json(self, method: str, path: str, **body: Any) -> Any:
        response = self._request(method, path, **body)
        try:
            return response.json()
        except ValueError as error:
            raise self._not_an_orthanc() from error

    def _request(self, method: str, path: str, **body: Any) -> requests.Response:
        """One request, tried again while that can help; all requests here may safely be repeated."""
        for seconds in _RETRY_SECONDS:
            try:
                return self._request_once(method, path, **body)
            except RetriableError:
                self._stop.wait(seconds * random.uniform(0.5, 1.5))  # noqa: S311 (jitter, no secret)
                if self._stop.is_set():
                    raise
        return self._request_once(method, path, **body)

    def _request_once(self, method: str, path: str, **body: Any) -> requests.Response:
        try:
            response = self._session.request(
                method,
                self._base + path,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                **body,
            )
        except requests.RequestException as error:
            raise self._no_answer(error) from error
        if response.status_code == 200:
            return response
        raise self._refusal(response)

    def _no_answer(self, error: requests.RequestException) -> CopydicomError:
        """The error for a request that got no answer. Never the library's own words: they hold the URL."""
        name = self.server.name
        if isinstance(error, requests.exceptions.SSLError):
            return ConfigurationError(
                f"server {name!r}: its TLS certificate is not trusted; set ca_bundle to the file of its "
                "certificate authority, or check that base_url should be https"
            )
        if isinstance(error, requests.Timeout):
            return RetriableError(f"server {name!r} ({self.host}) does not answer in time")
        if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
            return ConfigurationError(f"server {name!r}: base_url is no valid address; correct it")
        return RetriableError(
            f"server {name!r} ({self.host}) cannot be reached; check that Orthanc runs there and that "
            "base_url and the firewall allow it"
        )

    def _refusal(self, response: requests.Response) -> CopydicomError:
        name, status = self.server.name, response.status_code
        if status in (401, 403):
            return LoginRefusedError(
                f"server {name!r} refused the login (HTTP {status}); check its username and password"
            )
        if status == 404:
            return NotFoundError(f"server {name!r} does not have it")
        if status == 507:
            return SkippableError(f"server {name!r} is full (HTTP 507)")
        reason = _orthanc_reason(response)
        if status >= 500:
            return RetriableError(f"server {name!r} failed (HTTP {status}{reason})")
        if 300 <= status < 400:
            return self._not_an_orthanc()
        return SkippableError(f"server {name!r} refused it (HTTP {status}{reason})")

    def _not_an_orthanc(self) -> ConfigurationError:
        return ConfigurationError(
            f"server {self.server.name!r}: what answers at its base_url is not an Orthanc; "
            "set base_url to the address of Orthanc's REST API"
        )


def _checked(id: str) -> str:
    """An id that may become part of a URL; anything else never leaves this machine."""
    if not is_orthanc_id(id):
        raise SkippableError("not an Orthanc id")
    return id


def _ignore_length(keywords: Iterable[str]) -> str:
    names = ",".join(keywords)
    return f"&ignore-length={names}" if names else ""


def _orthanc_reason(response: requests.Response) -> str:
    """Orthanc's own name of the error, a fixed vocabulary; its other words may quote the request."""
    try:
        reason: Optional[str] = response.json().get("OrthancError")
    except (ValueError, AttributeError):
        return ""
    return f", {reason}" if reason else ""
