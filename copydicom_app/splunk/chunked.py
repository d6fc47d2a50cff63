"""Splunk's search command protocol, version 2 (`chunked = true`), for a command that keeps its rows.

Frames: ``chunked 1.0,<bytes of metadata>,<bytes of body>\n``, JSON, CSV. A field `f` with several values has
them in its twin column ``__mv_f`` as ``$a$;$b$``, with `$` doubled.

The SDK builds an ordered dictionary for each row: 274 MB and 5 seconds for a chunk of 50,000. Here the rows
stay text: one pass picks the few fields that matter, a second one adds what became of them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Optional

_HEADER = re.compile(rb"chunked 1\.0,(\d+),(\d+)\n")
_VALUE = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|$)")
_TWIN = "__mv_"
_ERRORS = "surrogateescape"  # bytes that are no UTF-8 leave as they came
_NUL = b"\xf8\xf9"  # stands for a NUL, which csv refuses before Python 3.11; never part of UTF-8
csv.field_size_limit(1 << 30)  # an event may be longer than Python's default


class ProtocolError(Exception):
    """What came is no frame of the protocol."""


@dataclass(frozen=True)
class Frame:
    """One message: what it is about, and its rows as CSV."""

    metadata: dict[str, Any]
    body: bytes = b""


def read_frame(stream: BinaryIO) -> Optional[Frame]:
    """The next frame; None at the end of the stream."""
    line = stream.readline()
    if not line:
        return None
    match = _HEADER.match(line)
    if match is None:
        raise ProtocolError("this is started by Splunk's search, not by hand")
    metadata, body = stream.read(int(match[1])), stream.read(int(match[2]))
    if len(body) < int(match[2]):
        return None  # Splunk went away in the middle
    return Frame(json.loads(metadata or b"{}"), body)


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Write a frame and flush."""
    metadata = json.dumps(frame.metadata).encode()
    stream.write(b"chunked 1.0,%d,%d\n" % (len(metadata), len(frame.body)))
    stream.write(metadata)
    stream.write(frame.body)
    stream.flush()


def picked(body: bytes, fields: Sequence[str]) -> Iterator[list[list[str]]]:
    """For each row the values of the fields, in their order: none, one or many each."""
    rows = _rows(body)
    header = next(rows, [])
    places = [(_place(header, field), _place(header, _TWIN + field)) for field in fields]
    for row in rows:
        yield [_values(row, single, twin) for single, twin in places]


def extended(body: bytes, fields: Sequence[str], values: Sequence[Sequence[object]]) -> bytes:
    """The rows with fields added, or replaced where they have them; `values` a row, in the fields' order."""
    rows = _rows(body)
    header = next(rows, [])
    replaced = {name for field in fields for name in (field, _TWIN + field)}
    keep = [place for place, name in enumerate(header) if name not in replaced]
    all_kept = len(keep) == len(header)
    out = io.BytesIO()
    text = io.TextIOWrapper(out, "utf-8", errors=_ERRORS, newline="")
    # Python 3.9 quotes a lone CR only where it is part of the end of a line, as it is in what the SDK writes.
    writer = csv.writer(text, lineterminator="\r\n" if b"\r" in body else "\n")
    writer.writerow([*(header[place] for place in keep), *fields])
    for row, more in zip(rows, values):
        writer.writerow([*(row if all_kept else (row[place] for place in keep)), *more])
    text.flush()
    return out.getvalue().replace(_NUL, b"\0")


def _rows(body: bytes) -> Iterator[list[str]]:
    """The header and the rows, each at least as wide as the header; a blank line is no row."""
    if b"\0" in body:
        body = body.replace(b"\0", _NUL)
    width = 0
    for row in csv.reader(io.TextIOWrapper(io.BytesIO(body), "utf-8", errors=_ERRORS, newline="")):
        width = width or len(row)
        if len(row) >= width:
            yield row
        elif row:
            yield [*row, *[""] * (width - len(row))]


def _place(header: list[str], name: str) -> Optional[int]:
    return header.index(name) if name in header else None


def _values(row: list[str], single: Optional[int], twin: Optional[int]) -> list[str]:
    if twin is not None and row[twin]:
        found = [value.replace("$$", "$") for value in _VALUE.findall(row[twin])]
    else:
        found = [row[single]] if single is not None else []
    return [value for value in map(str.strip, found) if value]
