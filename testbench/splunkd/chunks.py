"""Frames and rows of search command protocol version 2.

Source: `splunklib.searchcommands.search_command` and `.internals` (`_read_chunk`, `_write_chunk`), and
recordings of the protocol: `chunked 1.0,<metadata bytes>,<body bytes>\\n`, JSON, CSV. Each field `f` has
a twin `__mv_f`: empty, or `$a$;$b$` with `$` doubled, when it has several values.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Value = str | list[str]
Row = dict[str, Value]

HEADER = re.compile(rb"chunked 1\.0,(\d+),(\d+)\n")
MULTI = "__mv_"
_ITEM = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|$)")
csv.field_size_limit(1 << 30)


class ProtocolError(ValueError):
    """What a command wrote is no frame, no metadata or no rows."""


@dataclass(frozen=True)
class Frame:
    """One message: its metadata and its body, as text."""

    metadata: dict[str, Any]
    body: str = ""


def encode(frame: Frame) -> bytes:
    metadata, body = json.dumps(frame.metadata).encode(), frame.body.encode()
    return b"chunked 1.0,%d,%d\n" % (len(metadata), len(body)) + metadata + body


class FrameReader:
    """Feed it bytes; it hands out frames. Raises ProtocolError once for bytes that are none."""

    def __init__(self, receive: Callable[[Frame], None]) -> None:
        self._receive = receive
        self._buffer = bytearray()
        self._broken = False

    @property
    def rest(self) -> bytes:
        """What has come of a frame that is not complete."""
        return b"" if self._broken else bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        if self._broken:
            return
        self._buffer += data
        try:
            while self._next():
                pass
        except ProtocolError:
            self._broken = True
            raise

    def _next(self) -> bool:
        match = HEADER.match(self._buffer)
        if match is None:
            start = bytes(self._buffer[:60])
            if b"\n" in start or len(start) == 60 or not b"chunked 1.0,".startswith(start[:12]):
                raise ProtocolError(f"stray output where a chunk should begin: {start!r}")
            return False
        begin, length = match.end(), int(match[1])
        end = begin + length + int(match[2])
        if len(self._buffer) < end:
            return False
        metadata, body = (
            bytes(self._buffer[begin : begin + length]),
            bytes(self._buffer[begin + length : end]),
        )
        del self._buffer[:end]
        self._receive(_frame(metadata, body))
        return True


def _frame(metadata: bytes, body: bytes) -> Frame:
    try:
        document = json.loads(metadata) if metadata else {}
    except ValueError as error:
        raise ProtocolError(f"the metadata is no JSON ({error}): {metadata[:80]!r}") from error
    if not isinstance(document, dict):
        raise ProtocolError(f"the metadata is no JSON object: {metadata[:80]!r}")
    try:
        return Frame(document, body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ProtocolError(f"the body is not UTF-8: {error}") from error


def field_names(rows: Sequence[Row]) -> list[str]:
    """All fields of the rows, in the order in which they first appear."""
    found: dict[str, None] = {}
    for row in rows:
        if not row.keys() <= found.keys():
            found.update(dict.fromkeys(row))
    return list(found)


def encode_rows(rows: Sequence[Row], fields: Sequence[str]) -> str:
    """CSV with a header, as splunkd writes it: each field followed by its twin."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name for field in fields for name in (field, MULTI + field)])
    for row in rows:
        writer.writerow([cell for field in fields for cell in _cells(row.get(field, ""))])
    return out.getvalue() if fields else ""


def _cells(value: Value) -> tuple[str, str]:
    if isinstance(value, str):
        return value, ""
    if len(value) < 2:
        return "".join(value), ""
    return "\n".join(value), ";".join("$" + item.replace("$", "$$") + "$" for item in value)


def decode_rows(body: str) -> tuple[list[str], list[Row]]:
    """The fields that the header names, and the rows without their empty cells."""
    try:
        lines = list(csv.reader(io.StringIO(body, newline=""), strict=True)) if body else []
    except csv.Error as error:
        raise ProtocolError(f"no CSV: {error}") from error
    if not lines:
        return [], []
    header = lines[0]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ProtocolError(f"the header has a column twice: {repeated}")
    rows = []
    for number, cells in enumerate(lines[1:], 1):
        if len(cells) != len(header):
            raise ProtocolError(f"row {number} has {len(cells)} cells, the header {len(header)}")
        rows.append(_row(dict(zip(header, cells, strict=True))))
    return [name for name in header if not name.startswith(MULTI)], rows


def _row(cells: dict[str, str]) -> Row:
    row: Row = {}
    for name, text in cells.items():
        if name.startswith(MULTI):
            if text:
                row[name.removeprefix(MULTI)] = decode_multi(text)
        elif text and name not in row:
            row[name] = text
    return row


def decode_multi(text: str) -> list[str]:
    """`$a$;$b$` as `["a", "b"]`."""
    items = _ITEM.findall(text)
    if ";".join(f"${item}$" for item in items) != text:
        raise ProtocolError(f"not a list of values in dollar signs: {text[:80]!r}")
    return [item.replace("$$", "$") for item in items]
