"""One request to the REST API, taken apart: who asks, in which namespace, for what.

Source: Splunk REST API User Manual, "Namespace": `/services/...` is the caller's own namespace in his
default app; `/servicesNS/<owner>/<app>/...` names both, `-` stands for all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from testbench.splunkd.users import User

DEFAULT_COUNT = 30


class Refused(Exception):
    """The request is understood and refused, as splunkd would: a status and a message for the caller."""

    def __init__(self, status: int, text: str, level: str = "ERROR") -> None:
        super().__init__(text)
        self.status, self.text, self.level = status, text, level


class NotStoodIn(Exception):
    """splunkd may well know this; the stand-in does not. 404 (or 400) to the caller and a violation."""

    def __init__(self, text: str, status: int = 404) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Request:
    """`parts` are the decoded segments below the namespace; `fields` the query and the form together.

    `pairs` keeps what `fields` loses: a name that is given more than once.
    """

    method: str
    parts: tuple[str, ...]
    owner: str
    app: str
    user: User
    fields: dict[str, str]
    body: bytes
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def as_json(self) -> bool:
        return self.fields.get("output_mode") == "json"

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    def document(self) -> Any:
        """The body as JSON; 400 when it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refused(400, f"JSON in the request is invalid. ( JSON parse error: {error} )") from error

    def every(self, name: str) -> list[str]:
        """All values of a field that may be given more than once."""
        return [value for key, value in self.pairs if key == name]

    def need(self, name: str) -> str:
        if not self.fields.get(name):
            raise Refused(400, f"The following required arguments are missing: {name}.")
        return self.fields[name]

    def require(self, *capabilities: str) -> None:
        """403 unless the caller has one of the capabilities."""
        if not any(self.user.can(capability) for capability in capabilities):
            raise Refused(403, "insufficient permission to access this resource", "WARN")

    def arguments(
        self, reserved: tuple[str, ...] = ("name", "output_mode", "sharing", "owner", "app")
    ) -> dict[str, str]:
        """The fields that are values of the object, not of the API."""
        return {key: value for key, value in self.fields.items() if key not in reserved}

    def page(self, total: int) -> tuple[int, int]:
        """Offset and count of the page asked for; 0 and less mean all, 30 is Splunk's default."""
        offset, count = int(self.fields.get("offset", 0)), int(self.fields.get("count", DEFAULT_COUNT))
        return offset, count if count > 0 else total


def parse(method: str, target: str, body: bytes, content_type: str, user: User) -> Request:
    """A request from its first line and body. Raises NotStoodIn outside `/services` and `/servicesNS`."""
    url = urlsplit(target)
    segments = [unquote(part) for part in url.path.split("/") if part]
    pairs = parse_qsl(url.query, keep_blank_values=True)
    if method == "POST" and not content_type.startswith("application/json"):
        pairs += parse_qsl(body.decode("utf-8"), keep_blank_values=True)
    if segments[:1] == ["services"]:
        owner, app, parts = user.name, user.default_app, segments[1:]
    elif segments[:1] == ["servicesNS"] and len(segments) > 3:
        owner, app, parts = segments[1], segments[2], segments[3:]
    else:
        raise NotStoodIn(f"no such path: {url.path}")
    return Request(method, tuple(parts), owner, app, user, dict(pairs), body, tuple(pairs))
