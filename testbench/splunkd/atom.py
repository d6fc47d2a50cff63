"""What splunkd answers: Atom feeds, or the same as JSON, and its error messages.

Source: Splunk REST API User Manual, "Understanding REST responses"; the shapes are those that
`splunklib.client._parse_atom_entry` reads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

UPDATED = "1970-01-01T00:00:00+00:00"
_NAMESPACES = 'xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest"'


@dataclass(frozen=True)
class Entry:
    """One object of the REST API. `path` is below the namespace, without its name: `storage/passwords`."""

    title: str
    path: str
    content: dict[str, Any]
    owner: str = "nobody"
    app: str = "system"
    sharing: str = "app"
    published: str = ""

    @property
    def href(self) -> str:
        return f"/servicesNS/{quote(self.owner)}/{quote(self.app)}/{self.path}/{quote(self.title, safe='')}"

    @property
    def acl(self) -> dict[str, Any]:
        perms = {"read": ["*"], "write": ["admin"]}
        return {
            "app": self.app,
            "can_list": True,
            "can_write": True,
            "modifiable": True,
            "owner": self.owner,
            "perms": perms,
            "removable": True,
            "sharing": self.sharing,
        }


@dataclass(frozen=True)
class Response:
    """A status and a body with its type."""

    status: int
    body: bytes
    content_type: str = "text/xml; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)


def feed(path: str, entries: Sequence[Entry], total: int, offset: int, count: int, as_json: bool) -> Response:
    """A page of entries: `total` of them exist, these begin at `offset`, `count` were asked for."""
    if as_json:
        paging = {"total": total, "perPage": count, "offset": offset}
        document = {"links": {}, "origin": path, "updated": UPDATED, "entry": [_json(e) for e in entries]}
        return json_response(200, {**document, "paging": paging, "messages": []})
    opensearch = "http://a9.com/-/spec/opensearch/1.1/"
    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed {_NAMESPACES} xmlns:opensearch="{opensearch}">',
        f"<title>{escape(path)}</title><id>{escape(path)}</id><updated>{UPDATED}</updated>",
        '<generator build="0" version="0"/><author><name>Splunk</name></author>',
        f"<opensearch:totalResults>{total}</opensearch:totalResults>",
        f"<opensearch:itemsPerPage>{count}</opensearch:itemsPerPage>",
        f"<opensearch:startIndex>{offset}</opensearch:startIndex><s:messages/>",
        *(_xml(entry) for entry in entries),
        "</feed>",
    ]
    return Response(200, "\n".join(parts).encode())


def single(path: str, entry: Entry, as_json: bool) -> Response:
    """One object alone, as `search/jobs/{sid}` answers: in XML without a feed around it."""
    if as_json:
        return feed(path, [entry], 1, 0, 1, as_json)
    text = _xml(entry).replace("<entry>", f"<entry {_NAMESPACES}>", 1)
    return Response(200, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode())


def with_status(response: Response, status: int) -> Response:
    return Response(status, response.body, response.content_type, response.headers)


def message(status: int, text: str, level: str = "ERROR", as_json: bool = False) -> Response:
    """An error, or a word after a deletion, in Splunk's message format."""
    if as_json:
        return json_response(status, {"messages": [{"type": level, "text": text}]})
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<response>\n  <messages>\n'
        f'    <msg type="{level}">{escape(text)}</msg>\n  </messages>\n</response>\n'
    )
    return Response(status, body.encode())


def json_response(status: int, document: Any) -> Response:
    return Response(status, json.dumps(document).encode(), "application/json; charset=UTF-8")


def _content(entry: Entry) -> dict[str, Any]:
    return {**entry.content, "eai:acl": entry.acl}


def _json(entry: Entry) -> dict[str, Any]:
    links = {"alternate": entry.href, "list": entry.href, "edit": entry.href, "remove": entry.href}
    head: dict[str, Any] = {
        "name": entry.title,
        "id": entry.href,
        "updated": UPDATED,
        "links": links,
        "author": entry.owner,
    }
    if entry.published:
        head["published"] = entry.published
    return {**head, "acl": entry.acl, "content": {**entry.content, "eai:acl": None}}


def _xml(entry: Entry) -> str:
    links = "".join(
        f"<link href={quoteattr(entry.href)} rel={quoteattr(rel)}/>"
        for rel in ("alternate", "list", "edit", "remove")
    )
    return (
        f"<entry><title>{escape(entry.title)}</title><id>{escape(entry.href)}</id><updated>{UPDATED}</updated>"
        f"{links}<author><name>{escape(entry.owner)}</name></author>"
        f'<content type="text/xml">{_value(_content(entry))}</content></entry>'
    )


def _value(value: Any) -> str:
    """`s:dict`, `s:list` or text, as splunkd writes a Python-like value."""
    if isinstance(value, dict):
        keys = "".join(f"<s:key name={quoteattr(k)}>{_value(v)}</s:key>" for k, v in value.items())
        return f"<s:dict>{keys}</s:dict>"
    if isinstance(value, (list, tuple)):
        return "<s:list>" + "".join(f"<s:item>{_value(item)}</s:item>" for item in value) + "</s:list>"
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else escape(str(value))
