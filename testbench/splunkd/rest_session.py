"""Who logs in by name and password: `auth/login`, and HTTP's basic authentication, which splunkd takes too.

Source: Splunk REST API Reference, "Access endpoints", `auth/login`.
"""

from __future__ import annotations

import base64
import binascii

from testbench.splunkd import atom
from testbench.splunkd.request import NotStoodIn, Refused, Request
from testbench.splunkd.users import Sessions, User


def login(request: Request, sessions: Sessions) -> atom.Response:
    """`POST auth/login` with username and password: a new session key. 401 for a wrong one."""
    if request.method != "POST":
        raise NotStoodIn(f"{request.method} {request.path}")
    user = sessions.check(request.need("username"), request.need("password"))
    if user is None:
        raise Refused(401, "Login failed", "WARN")
    key = sessions.key(user.name)
    if request.as_json:
        return atom.json_response(200, {"sessionKey": key, "message": "", "code": ""})
    return atom.Response(200, f"<response>\n  <sessionKey>{key}</sessionKey>\n</response>\n".encode())


def basic_user(credentials: str, sessions: Sessions) -> User | None:
    """The user of a basic `Authorization` header, None for a wrong password or no header of that kind."""
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return sessions.check(name, password)
