"""What of splunkd Splunk Web passes on to a browser, and what it asks of a change.

Source: `web.conf.spec`, "exposed splunkd REST endpoints": a `pattern` of path elements below `/services`
and `/servicesNS/*/*`, `*` for one element or a prefix of it, `**` for any number, `methods` with GET as the
default; and `@splunk/splunk-utils`, which sends the cookie `splunkweb_csrf_token_<port>` back in the header
`X-Splunk-Form-Key`.

Splunk's own web.conf was not at hand. `SPLUNKS_OWN` holds what its own pages, its documented examples or
its own packages for React ask for from a browser; all else must be exposed by the app.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from http.cookies import SimpleCookie
from urllib.parse import unquote, urlsplit

from testbench.splunkd.conf import Conf

SPLUNKS_OWN = {
    "apps/local/*": "GET,POST",  # Manage Apps; the set-up pages of splunk-app-examples
    "authentication/current-context": "GET",  # who is signed in, on every page
    "authorization/roles": "GET",  # Settings, Roles; the permissions of a dashboard
    "configs/*": "GET,POST,DELETE",  # the set-up pages of splunk-app-examples
    "configs/*/*": "GET,POST,DELETE",
    "data/indexes": "GET",  # Settings, Indexes
    "data/ui/**": "GET,POST,DELETE",  # views, their time ranges
    "search/**": "GET,POST,DELETE",  # @splunk/search-job
    "server/info": "GET",
    "storage/collections/data/**": "GET,POST,DELETE",  # "Use the App Key Value Store"
}
READS = ("GET", "HEAD")


class Web:
    """The proxy of one Splunk Web, on a port; `web_conf` is the app's."""

    def __init__(self, port: int) -> None:
        self.cookie = f"splunkweb_csrf_token_{port}"
        self.form_key = secrets.token_urlsafe(24)

    def refusal(self, method: str, target: str, headers: Mapping[str, str], web_conf: Conf) -> str | None:
        """Why a request is not passed on: `exposed` or `form key`; None when it is. `target` has no root."""
        if not exposed(method, urlsplit(target).path, web_conf):
            return "exposed"
        cookies = SimpleCookie(headers.get("cookie", ""))
        sent = headers.get("x-splunk-form-key", "")
        has_cookie = self.cookie in cookies and cookies[self.cookie].value == self.form_key
        return None if method in READS or (has_cookie and sent == self.form_key) else "form key"


def exposed(method: str, path: str, web_conf: Conf) -> bool:
    """Whether a browser reaches this path (`/services/...` or `/servicesNS/<owner>/<app>/...`)."""
    parts = [unquote(part) for part in path.split("/") if part]
    below = parts[3:] if parts[:1] == ["servicesNS"] else parts[1:]
    own = [
        (keys.get("pattern", ""), keys.get("methods", "GET"))
        for stanza, keys in web_conf.items()
        if stanza.startswith("expose:")
    ]
    return any(
        method in [one.strip() for one in methods.split(",")] and _matches(pattern.split("/"), below)
        for pattern, methods in [*SPLUNKS_OWN.items(), *own]
    )


def _matches(pattern: list[str], parts: Iterable[str]) -> bool:
    expression = "/".join(
        ".*" if one == "**" else re.escape(one).replace(r"\*", "[^/]*") if one != "*" else "[^/]+"
        for one in pattern
    )
    return re.fullmatch(expression, "/".join(part.replace("/", "%2F") for part in parts)) is not None
