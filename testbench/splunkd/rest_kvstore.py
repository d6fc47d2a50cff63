"""`storage/collections`: the KV store.

Source: Splunk REST API Reference, "KV store endpoints", and dev.splunk.com, "Use the App Key Value Store";
limits from `limits.conf.spec` `[kvstore]`: 1,000 documents a batch save, 50,000 rows a query.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from testbench.splunkd import atom
from testbench.splunkd.conf import AppConfs
from testbench.splunkd.meta import Meta
from testbench.splunkd.request import NotStoodIn, Refused, Request

BATCH_SAVE_LIMIT = 1000
QUERY_LIMIT = 50_000
Document = dict[str, Any]
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, other: value is not None and value > other,
    "$gte": lambda value, other: value is not None and value >= other,
    "$lt": lambda value, other: value is not None and value < other,
    "$lte": lambda value, other: value is not None and value <= other,
    "$ne": lambda value, other: value != other,
}


def matches(query: Document, document: Document) -> bool:
    """Whether a document answers a query. Raises NotStoodIn for an operator that is not known here."""
    return all(_condition(key, wanted, document) for key, wanted in query.items())


def _condition(key: str, wanted: Any, document: Document) -> bool:
    if key in ("$and", "$or"):
        return (all if key == "$and" else any)(matches(part, document) for part in wanted)
    if key.startswith("$"):
        raise NotStoodIn(f"the KV store's operator {key}", 400)
    if not isinstance(wanted, dict):
        return bool(document.get(key) == wanted)
    unknown = set(wanted) - set(_COMPARISONS)
    if unknown:
        raise NotStoodIn(f"the KV store's operator {sorted(unknown)}", 400)
    return all(_COMPARISONS[operator](document.get(key), value) for operator, value in wanted.items())


class KVStore:
    """Collections by app and name; those of `collections.conf` exist from the start, empty."""

    def __init__(self, confs: dict[str, AppConfs], metas: dict[str, Meta] | None = None) -> None:
        self._confs, self._metas = confs, metas or {}
        self._data: dict[tuple[str, str, str], dict[str, Document]] = {}
        self._lock = threading.Lock()

    def config(self, request: Request) -> atom.Response:
        """`GET|POST storage/collections/config`, `GET|DELETE storage/collections/config/<name>`."""
        name = request.parts[3] if len(request.parts) == 4 else None
        confs, stanzas = self._collections(request)
        match (request.method, name):
            case ("GET", None):
                page = [self._entry(request, stanza) for stanza in stanzas]
                return self._feed(request, page)
            case ("GET", str()) if name in stanzas:
                return self._feed(request, [self._entry(request, name)])
            case ("POST", None):
                request.require("admin_all_objects", "edit_kvstore")
                new = request.need("name")
                if new in stanzas:
                    raise Refused(409, f"An object with name={new} already exists")
                confs.update("collections", new, request.arguments())
                return atom.with_status(self._feed(request, [self._entry(request, new)]), 201)
            case ("DELETE", str()) if name in stanzas:
                request.require("admin_all_objects", "edit_kvstore")
                if not confs.remove("collections", name):
                    raise Refused(
                        403, f"Cannot remove the collection {name}: it is in the app's default folder"
                    )
                return self._feed(request, [])
            case (_, str()):
                raise Refused(404, f"Could not find object id={name}")
            case _:
                raise NotStoodIn(f"{request.method} {request.path}")

    def data(self, request: Request) -> atom.Response:
        """`storage/collections/data/<collection>[/<key>|/batch_save|/batch_find]`; JSON only."""
        if len(request.parts) not in (4, 5):
            raise NotStoodIn(f"{request.method} {request.path}")
        collection, key = request.parts[3], request.parts[4] if len(request.parts) == 5 else None
        if collection not in self._collections(request)[1]:
            raise Refused(404, f"Collection not found: {collection}")
        self._check_access(request, collection, key)
        with self._lock:
            rows = self._data.setdefault((request.owner, request.app, collection), {})
            return self._answer(request, rows, key)

    def _check_access(self, request: Request, collection: str, key: str | None) -> None:
        """403 unless the app's metadata lets one of the caller's roles read, or write, the collection."""
        meta = self._metas.get(request.app)
        reads = request.method == "GET" or key == "batch_find"
        allowed = meta and (meta.readable if reads else meta.writable)
        if allowed and not allowed("collections", collection, list(request.user.roles)):
            request.require("admin_all_objects")

    def _answer(self, request: Request, rows: dict[str, Document], key: str | None) -> atom.Response:
        match (request.method, key):
            case ("GET", None):
                return atom.json_response(200, _query(rows, request.fields))
            case ("POST", None):
                return atom.json_response(201, {"_key": _insert(rows, request.document(), request.owner)})
            case ("DELETE", None):
                for found in _find(rows, _parsed(request.fields.get("query", "{}"))):
                    del rows[found["_key"]]
                return atom.Response(200, b"")
            case ("POST", "batch_save"):
                return atom.json_response(200, _batch_save(rows, request.document(), request.owner))
            case ("POST", "batch_find"):
                wanted = [{key: _text(value) for key, value in part.items()} for part in request.document()]
                return atom.json_response(200, [_query(rows, query) for query in wanted])
            case (_, str()) if key not in rows:
                raise Refused(404, "Could not find object.")
            case ("GET", str()):
                return atom.json_response(200, rows[key])
            case ("POST", str()):
                rows[key] = {**request.document(), "_key": key, "_user": request.owner}
                return atom.json_response(200, {"_key": key})
            case ("DELETE", str()):
                del rows[key]
                return atom.Response(200, b"")
            case _:
                raise NotStoodIn(f"{request.method} {request.path}")

    def documents(self, app: str, collection: str, owner: str = "nobody") -> list[Document]:
        """What a lookup on the collection reads."""
        with self._lock:
            return list(self._data.get((owner, app, collection), {}).values())

    def _collections(self, request: Request) -> tuple[AppConfs, list[str]]:
        if request.app not in self._confs:
            raise Refused(404, f"Could not find collections of the app {request.app}")
        confs = self._confs[request.app]
        return confs, [name for name in confs.read("collections") if name != "default"]

    def _entry(self, request: Request, name: str) -> atom.Entry:
        content = {"disabled": False, **self._confs[request.app].read("collections").get(name, {})}
        return atom.Entry(name, "storage/collections/config", content, app=request.app)

    @staticmethod
    def _feed(request: Request, entries: list[atom.Entry]) -> atom.Response:
        offset, count = request.page(len(entries))
        page = entries[offset : offset + count]
        return atom.feed("collections-conf", page, len(entries), offset, count, request.as_json)


def _insert(rows: dict[str, Document], document: Document, owner: str) -> str:
    key = str(document.get("_key") or uuid.uuid4().hex[:24])
    if key in rows:
        raise Refused(409, f"A document with the key {key} already exists")
    rows[key] = {**document, "_key": key, "_user": owner}
    return key


def _batch_save(rows: dict[str, Document], documents: list[Document], owner: str) -> list[str]:
    if len(documents) > BATCH_SAVE_LIMIT:
        raise Refused(400, f"The batch of {len(documents)} documents is over max_documents_per_batch_save")
    return _put(rows, documents, owner)


def _put(rows: dict[str, Document], documents: list[Document], owner: str) -> list[str]:
    """Each document in the place of the one with its key."""
    keys = []
    for document in documents:
        rows.pop(str(document.get("_key")), None)
        keys.append(_insert(rows, document, owner))
    return keys


def _query(rows: dict[str, Document], fields: dict[str, str]) -> list[Document]:
    known = {"query", "fields", "sort", "limit", "skip", "output_mode"}
    if set(fields) - known:
        raise NotStoodIn(f"the KV store's query parameter {sorted(set(fields) - known)}", 400)
    found = _find(rows, _parsed(fields.get("query", "{}")))
    for part in reversed([part for part in fields.get("sort", "").split(",") if part]):
        name, _, direction = part.partition(":")
        found.sort(key=lambda row: (row.get(name) is not None, row.get(name)), reverse=direction == "-1")
    skip, limit = int(fields.get("skip", 0)), int(fields.get("limit", 0)) or QUERY_LIMIT
    return [_project(row, fields.get("fields", "")) for row in found[skip : skip + min(limit, QUERY_LIMIT)]]


def _find(rows: dict[str, Document], query: Document) -> list[Document]:
    return [row for row in rows.values() if matches(query, row)]


def _project(row: Document, fields: str) -> Document:
    names = [name for name in fields.split(",") if name]
    if any(":" in name for name in names):
        raise NotStoodIn("the KV store's exclusion of fields (`name:0`)", 400)
    return {name: row[name] for name in names if name in row} if names else row


def _parsed(text: str) -> Document:
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise Refused(400, f"the query is no JSON object: {error}") from error


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)
