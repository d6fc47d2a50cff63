"""Servers named by a URL, ``http://user:password@host:8042``, as command line and library take them. Pure.

No error here repeats any part of what was given: it may hold a password.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Server

_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|::1)\Z")
_LOGIN = re.compile(r"(\w+:/+)[^\n]*@")


def is_address(text: str) -> bool:
    """Whether a text is meant as a URL, and not as the name of a server."""
    return "://" in text


def server_of_url(url: str, what: str = "the server", **settings: Any) -> Server:
    """The server at a URL. Login and port are optional; reserved characters in them are percent-encoded.

    `what` names it in errors, `settings` are more fields of Server; `name` is host and port unless given.

    >>> server_of_url("http://orthanc:s%40fe@localhost:8042/pacs/").base_url
    'http://localhost:8042/pacs'
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, parts, port = "", urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            f"{what}: it is no http:// or https:// address such as http://user@host:8042; characters like "
            "/ ? # @ : in a user or password must be percent-encoded (/ is %2F, # is %23)"
        )
    if "@" in parts.path + parts.query + parts.fragment or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{what}: its address ends with the port or a path; if / ? or # is part of the password, write "
            "%2F, %3F or %23, or give the password in the environment"
        )
    shown = f"[{host}]" if ":" in host else host
    place = shown if port is None else f"{shown}:{port}"
    settings.setdefault("username", unquote(parts.username or ""))
    settings.setdefault("password", unquote(parts.password or ""))
    name = settings.pop("name", "") or place
    return Server(name, f"{parts.scheme}://{place}{parts.path.rstrip('/')}", **settings)


def is_loopback(server: Server) -> bool:
    """Whether what is sent there does not leave this machine."""
    return bool(_LOOPBACK.match(urlsplit(server.base_url).hostname or ""))


def without_logins(text: str) -> str:
    """A text for a person, in which no URL holds a login.

    >>> without_logins("no answer from http://orthanc:orthanc@localhost:8042")
    'no answer from http://***@localhost:8042'
    """
    return _LOGIN.sub(r"\1***@", text)


def without_anything_like_logins(text: str) -> str:
    """The same for a text that repeats what a person typed, perhaps without the ``http://``.

    >>> without_anything_like_logins("Got unexpected extra argument (orthanc:orthanc@localhost:8042)")
    'Got unexpected extra argument ***@localhost:8042)'
    """
    return re.sub(r"\S+@", "***@", without_logins(text))


def check_token(token: str, what: str) -> None:
    """Raise for what cannot be a token: an HTTP library would repeat it in its own error."""
    if not token.isascii() or any(letter.isspace() or not letter.isprintable() for letter in token):
        raise ConfigurationError(f"{what}: the token holds a space, a line break or another odd character")
