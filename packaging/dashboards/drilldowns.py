"""Where a click leads: another view, Search with a search typed in, or an input of the same view.

The view-only dashboards of Splunk have custom URLs and tokens; a link to a search is a custom URL too. A token
in a URL passes through the filter `u`, which encodes it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

APP = "/app/copydicom_app"
_TOKEN = re.compile(r"\$([^$|]+(?:\|\w)?)\$")


def to_study(field: str = "_study") -> dict[str, Any]:
    """The page of the study whose StudyInstanceUID is in that field of the clicked row."""
    return _url(f"{APP}/study?form.study=$row.{field}.value|u$")


def to_ticket(field: str = "_study") -> dict[str, Any]:
    """The ticket of the study whose StudyInstanceUID is in that field of the clicked row."""
    return _url(f"{APP}/ticket?form.study=$row.{field}.value|u$")


def to_view(name: str, **tokens: str) -> dict[str, Any]:
    """Another view; `tokens` are the values of its inputs, which may be tokens themselves."""
    form = "&".join(f"form.{token}={_encoded(value)}" for token, value in tokens.items())
    return _url(f"{APP}/{name}?{form}" if form else f"{APP}/{name}")


def to_search(spl: str, earliest: str = "0", latest: str = "now") -> dict[str, Any]:
    """Search with this text, which nobody has run yet; a `$token$` in it is filled in."""
    return _url(f"{APP}/search?q={_encoded(spl)}&earliest={_encoded(earliest)}&latest={_encoded(latest)}")


def set_tokens(**fields: str) -> dict[str, Any]:
    """Fill tokens of this view with what the clicked row says: the name of the token, a key of the row."""
    tokens = [{"token": token, "key": key} for token, key in fields.items()]
    return {"type": "drilldown.setToken", "options": {"tokens": tokens}}


def _url(url: str) -> dict[str, Any]:
    return {"type": "drilldown.customUrl", "options": {"url": url, "newTab": True}}


def _encoded(text: str) -> str:
    """Encoded but for the tokens, which encode themselves."""
    parts = _TOKEN.split(text)
    return "".join(quote(part, safe="") if at % 2 == 0 else f"${part}|u$" for at, part in enumerate(parts))
