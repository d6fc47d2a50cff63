"""Rows of a search as the REST API writes them: JSON in three shapes, CSV, and the lines of an export.

Source: Splunk REST API Reference, "Search endpoints", parameter `output_mode`; the documents are those that
`@splunk/datasource-utils` and `splunklib.results` read. All values are strings, several of one field a list,
a missing one is absent (`json`) or null (`json_cols`, `json_rows`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from testbench.splunkd.spl.values import Row

Message = dict[str, str]


@dataclass(frozen=True)
class Page:
    """Rows from `offset` on. `total`: how many a post-process search left; None when there was none."""

    rows: Sequence[Row]
    fields: Sequence[str]
    offset: int = 0
    total: int | None = None
    preview: bool = False
    messages: Sequence[Message] = field(default_factory=list)


def field_names(rows: Sequence[Row]) -> list[str]:
    """The fields of all rows, in the order in which they come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def cell(name: str, value: Any) -> Any:
    """A value as it is sent: text, or a list of them. `_time` leaves as ISO 8601, milliseconds, UTC."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [cell(name, one) for one in value]
    text = str(value)
    if name == "_time":
        try:
            at = datetime.fromtimestamp(float(text), UTC)
        except ValueError:
            return text
        return at.isoformat(timespec="milliseconds")
    return text


def document(mode: str, page: Page, show_metadata: bool = False) -> dict[str, Any]:
    """The JSON document of a page. Raises KeyError for a mode that is none of JSON's three."""
    head: dict[str, Any] = {"preview": page.preview, "init_offset": page.offset, "messages": [*page.messages]}
    if page.total is not None:
        head["post_process_count"] = page.total
    described = [{"name": name} for name in page.fields]
    values = [[cell(name, row.get(name)) for name in page.fields] for row in page.rows]
    bodies: dict[str, Any] = {
        "json": lambda: {
            "fields": described,
            "results": [record(row, page.fields) for row in page.rows],
            "highlighted": {},
        },
        "json_cols": lambda: {
            "fields": described if show_metadata else [*page.fields],
            "columns": [list(column) for column in zip(*values, strict=True)] or [[] for _ in page.fields],
        },
        "json_rows": lambda: {"fields": described if show_metadata else [*page.fields], "rows": values},
    }
    return {**head, **bodies[mode]()}


def record(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """A row as an object, without the fields that it lacks."""
    return {name: cell(name, row[name]) for name in names if row.get(name) is not None}


def csv_text(rows: Sequence[Row], names: Sequence[str], header: bool = True) -> str:
    """Comma-separated rows; several values of a field stand in one cell, a line each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header and names:
        writer.writerow(names)
    for row in rows:
        cells = (cell(name, row.get(name)) for name in names)
        writer.writerow(["\n".join(one) if isinstance(one, list) else (one or "") for one in cells])
    return out.getvalue()


def export_lines(rows: Sequence[Row], preview: bool) -> Iterator[str]:
    """`search/jobs/export` in JSON: an object a line, the last marked. No row: a line without a result."""
    if not rows:
        yield json.dumps({"preview": preview, "offset": 0, "lastrow": True})
    names = field_names(rows)
    for at, row in enumerate(rows):
        line: dict[str, Any] = {"preview": preview, "offset": at}
        if at == len(rows) - 1:
            line["lastrow"] = True
        yield json.dumps({**line, "result": record(row, names)})
