"""Save or remove an Orthanc server: its stanza of ``copydicom_servers.conf`` and its password.

Done as splunkd for who may configure, so that nobody needs the right to see a stored password in order to
replace one. What comes in is checked as if nobody had: it becomes a conf file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional
from urllib.parse import urlsplit

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Server
from copydicom_app.splunk.config import APP, CONF, parse_bool, server_of, stanza_named, status_of
from copydicom_app.splunk.connection import PasswordNeededError, password_would_go_elsewhere
from copydicom_app.tags_event import zone_named

KEYS = (
    "base_url",
    "username",
    "verify_tls",
    "ca_bundle",
    "timezone",
    "max_connections",
    "roles",
    "allow_ownerless",
    "max_instances",
    "peer",
    "rewrites",
    "requires_anonymized",
    "deidentified",
)
LONGEST = 1000  # characters of a value
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")
_KEY = re.compile(r"[a-z_]{1,40}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONFLICT = 409


def save(service: client.Service, fields: Mapping[str, str]) -> dict[str, Any]:
    """Add the server `name` (with `new`) or change it; keys that are not named stay as they are.

    With another address, user or kind of TLS than before a `password` must come along: the stored one was
    given for those. It is gone before the new address is written, so that no failure in between can send it.
    """
    name, new = _name(fields), parse_bool(fields.get("new", ""), "new", default=False)
    values = _values(fields)
    before = _stanza(service, name)
    if new and before is not None:
        raise ConfigurationError(f"there is a server {name!r} already; take another name, or edit that one")
    if not new and before is None:
        raise ConfigurationError(f"server {name!r} is not in {CONF}.conf; somebody may have removed it")
    server = _checked(service, name, {**(before or {}), **values})
    password = fields.get("password", "")
    elsewhere = before is None or _elsewhere(service, name, before, server)
    if elsewhere and server.username and not password:
        raise PasswordNeededError(
            "enter the password: a stored one is for the address, the user and the TLS settings that it was "
            "saved with"
        )
    try:
        if elsewhere or not server.username:
            _forget_password(service, name)
        conf = service.confs[CONF]
        if before is None:
            conf.create(name, **values)
        elif values:
            conf[name].update(**values)
        if password and server.username:
            _keep_password(service, name, password)
    except (HTTPError, AuthenticationError, KeyError) as error:
        raise ConfigurationError(f"server {name!r} could not be saved as a whole ({_why(error)})") from error
    return {"saved": name}


def remove(service: client.Service, fields: Mapping[str, str]) -> dict[str, Any]:
    """Remove the server `name` with its password; inputs that name it will fail and say so."""
    name = _name(fields)
    if _stanza(service, name) is None:
        raise ConfigurationError(f"server {name!r} is not in {CONF}.conf; somebody may have removed it")
    try:
        _forget_password(service, name)
        service.confs[CONF].delete(name)
    except (HTTPError, AuthenticationError, KeyError) as error:
        raise ConfigurationError(f"server {name!r} could not be removed ({_why(error)})") from error
    return {"removed": name}


def _name(fields: Mapping[str, str]) -> str:
    name = fields.get("name", "")
    if not _NAME.match(name) or name == "default":
        raise ConfigurationError(
            f"{name[:100]!r} is no name of a server; it may hold letters, digits, dot, dash and underscore, "
            "and is not 'default'"
        )
    return name


def _values(fields: Mapping[str, str]) -> dict[str, str]:
    """The settings among the fields: known keys, one line each."""
    values = {key: text.strip() for key, text in fields.items() if key not in ("name", "new", "password")}
    for key, text in values.items():
        if key not in KEYS:
            shown = repr(key) if _KEY.match(key) else "what was sent"  # which may be anything
            raise ConfigurationError(f"{shown} is no setting of a server; there are {', '.join(KEYS)}")
        if _CONTROL.search(text) or len(text) > LONGEST or text.endswith("\\"):
            raise ConfigurationError(
                f"{key} must be one line of at most {LONGEST} characters that does not end with a backslash"
            )
    return values


def _checked(service: client.Service, name: str, stanza: Mapping[str, str]) -> Server:
    """The server, when every setting can be read; raises ConfigurationError for the first that cannot."""
    server = server_of(service, name, stanza, with_password=False)
    address = urlsplit(server.base_url)
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        raise ConfigurationError(
            "base_url must be an http:// or https:// address such as https://pacs.example:8042"
        )
    zone_named(server.timezone)
    return server


def _elsewhere(service: client.Service, name: str, before: Mapping[str, str], server: Server) -> bool:
    try:
        saved = server_of(service, name, before, with_password=False)
    except ConfigurationError:  # nobody can tell what it was given for
        return True
    return password_would_go_elsewhere(saved, server)


def _stanza(service: client.Service, name: str) -> Optional[dict[str, str]]:
    """Its keys as they are, those that are no settings left out; None when there is no such server."""
    try:
        found = stanza_named(service, name)
    except ConfigurationError as error:
        if isinstance(error.__cause__, KeyError):
            return None
        raise
    return {key: found[key] for key in KEYS if key in found}


def _keep_password(service: client.Service, name: str, password: str) -> None:
    try:
        service.storage_passwords.create(password, name, APP)
    except HTTPError as error:
        if error.status != _CONFLICT:
            raise
        for entry in service.storage_passwords.list():
            if entry.realm == APP and entry.username == name:
                entry.update(password=password)


def _forget_password(service: client.Service, name: str) -> None:
    for entry in service.storage_passwords.list():
        if entry.realm == APP and entry.username == name:
            entry.delete()


def _why(error: Exception) -> str:
    return "it is no longer there" if isinstance(error, KeyError) else status_of(error)
