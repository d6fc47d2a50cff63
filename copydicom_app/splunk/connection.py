"""Test the connection to a server, saved or about to be: what it is, what it holds, or what is wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from statistics import median
from typing import Any, Callable, Optional

from splunklib import client

from copydicom_app.errors import (
    ConfigurationError,
    CopydicomError,
    LoginRefusedError,
    NotFoundError,
    RetriableError,
    SkippableError,
)
from copydicom_app.models import Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.refusal import NotAnOrthancError, UntrustedError
from copydicom_app.splunk.config import PasswordUnavailableError, server_named, server_of
from copydicom_app.tags_event import zone_named

_TIMES = 3  # requests whose latency is measured
KEYS = ("base_url", "username", "verify_tls", "ca_bundle", "timezone")


def tested_server(service: client.Service, fields: Mapping[str, str]) -> Server:
    """The server that is meant: `name` of a saved one, or settings that are not saved yet, or both.

    The stored password goes to the address, the user and the kind of TLS it was stored for. With
    others a `password` must come along, or whoever may edit an address could have it sent anywhere.
    """
    name = fields.get("name", "")
    unknown = set(fields) - {"name", "password", *KEYS}
    if unknown:
        raise ConfigurationError(
            f"{min(unknown)!r} is not known here; a test takes name, password, {', '.join(KEYS)}"
        )
    given = {key: fields[key] for key in KEYS if key in fields}
    saved = _saved(service, name) if name else None
    if not given:
        if saved is None:
            raise ConfigurationError(
                f"server {name!r} is not in copydicom_servers.conf; save it, or send its settings"
                if name
                else "name a server, or send its settings"
            )
        return server_named(service, name)
    if "base_url" not in given and saved is not None:
        given["base_url"] = saved.base_url
    server = server_of(service, name or "new", given, with_password=False)
    if fields.get("password"):
        return replace(server, password=fields["password"])
    if not server.username:
        return server
    if saved is None or password_would_go_elsewhere(saved, server):
        raise PasswordNeededError(
            "enter the password again: the stored one is for the address, the user and the TLS settings "
            "that it was saved with"
        )
    return replace(server, password=server_named(service, name).password)


class PasswordNeededError(ConfigurationError):
    """Settings were changed that decide who gets to see the password."""


def report(server: Server) -> dict[str, Any]:
    """What the server is and holds, with `ok`; or `problem` (a kind) and `message` (for a person)."""
    try:
        zone_named(server.timezone)
        return {"ok": True, **_found(Orthanc(server))}
    except CopydicomError as error:
        return {"ok": False, "problem": _kind(error), "message": str(error)}


def _found(orthanc: Orthanc) -> dict[str, Any]:
    system = orthanc.system()
    latency = _milliseconds(orthanc.system)
    statistics = orthanc.statistics()
    return {
        "version": str(system.get("Version", "")),
        "name": str(system.get("Name", "")),
        "latency_ms": latency,
        # beyond the latency it is what Orthanc's database takes, which may grow with the archive
        "lookup_ms": _lookup(orthanc),
        **{
            what: int(statistics.get(f"Count{what.capitalize()}", 0))
            for what in ("patients", "studies", "series", "instances")
        },
        "bytes": int(statistics.get("TotalDiskSize", 0)),
        "studies_last_week": _last_week(orthanc),
        # 0: it keeps all; None: this version does not tell
        "max_patients": _limit(system.get("MaximumPatientCount")),
        "max_megabytes": _limit(system.get("MaximumStorageSize")),
    }


def _last_week(orthanc: Orthanc) -> Optional[int]:
    """Studies with a StudyDate of the last seven whole days; None where a proxy does not let us ask."""
    today = date.today()
    first, last = (f"{today - timedelta(days=days):%Y%m%d}" for days in (7, 1))
    try:
        return len(orthanc.studies_of(f"{first}-{last}"))
    except (SkippableError, LoginRefusedError):
        return None


def _limit(value: object) -> Optional[int]:
    return int(value) if isinstance(value, (int, float)) else None


def _lookup(orthanc: Orthanc) -> Optional[float]:
    """Milliseconds to look up an instance by its id; None where there is none."""
    try:
        found = orthanc.instance_ids(0, 1)
        return _milliseconds(lambda: orthanc.instance(found[0])) if found else None
    except NotFoundError:
        return None  # deleted meanwhile


def _milliseconds(ask: Callable[[], object]) -> float:
    """The median of some requests."""

    def once() -> float:
        begun = time.monotonic()
        ask()
        return time.monotonic() - begun

    return round(median(once() for _ in range(_TIMES)) * 1000, 1)


def _kind(error: CopydicomError) -> str:
    if isinstance(error, UntrustedError):
        return "tls"
    if isinstance(error, NotAnOrthancError):
        return "not_orthanc"
    if isinstance(error, LoginRefusedError):
        return "login"
    if isinstance(error, RetriableError):
        return "unreachable"
    return "settings" if isinstance(error, ConfigurationError) else "other"


def _saved(service: client.Service, name: str) -> Optional[Server]:
    try:
        return server_named(service, name, with_password=False)
    except PasswordUnavailableError:
        raise
    except ConfigurationError as error:
        if "is not in" in str(error):
            return None
        raise


def password_would_go_elsewhere(saved: Server, server: Server) -> bool:
    """Whether somebody else than before could get to see the stored password with these settings."""
    return (
        saved.base_url.rstrip("/") != server.base_url.rstrip("/")
        or saved.username != server.username
        or (saved.verify_tls and not server.verify_tls)
        or (server.verify_tls and saved.ca_bundle != server.ca_bundle)
    )
