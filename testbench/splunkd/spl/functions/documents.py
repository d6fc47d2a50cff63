"""Source: Splunk Search Reference, "JSON functions" (`json_extract`) and "Cryptographic functions"."""

from __future__ import annotations

import hashlib
import json

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.extraction import extract_path
from testbench.splunkd.spl.functions.function import Function, on_texts
from testbench.splunkd.spl.values import Result


def _json_extract(document: str, path: str = "") -> Result:
    """What is at a path such as `a.b{0}`; the document itself without one."""
    if "{}" in path:
        raise UnknownSpl(f"json_extract: the path {path!r} to several values")
    if path:
        found = extract_path(document, path)
        return None if found == "null" else found
    try:
        json.loads(document)
    except ValueError:
        return None
    return document


def _hash(name: str) -> Function:
    return on_texts(lambda text: hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest(), 1)


DOCUMENTS = {
    "json_extract": on_texts(_json_extract, 1, 2),
    "md5": _hash("md5"),
    "sha1": _hash("sha1"),
    "sha256": _hash("sha256"),
}
