"""The index that docs/scaling.md proposes for Orthanc 1.12 with SQLite: Orthanc works, and SQLite uses it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.archives import INDEX
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import make_instances

DOCS = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"
# How 1.12.7 looks an instance up, as a log of its statements showed, and how it finds those of a series.
LOOKUP = (
    "SELECT publicId, internalId, ROW_NUMBER() OVER (ORDER BY publicId) FROM Resources "
    "WHERE resourceType = 4 AND publicId = ?"
)
OF_SERIES = (
    "SELECT instances.publicId, instances.internalId, ROW_NUMBER() OVER (ORDER BY instances.publicId) "
    "FROM Resources AS instances INNER JOIN Resources series ON instances.parentId = series.internalId "
    "WHERE instances.resourceType = 4 AND series.publicId = ?"
)


def uses(database: sqlite3.Connection, index: str) -> list[bool]:
    """Whether an index serves to look an instance up, and to find those of a series."""
    plans = [
        " ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", ["an id"]))
        for statement in (LOOKUP, OF_SERIES)
    ]
    return [f"USING INDEX {index}" in plan or f"USING COVERING INDEX {index}" in plan for plan in plans]


def test_the_docs_name_the_index_that_is_measured() -> None:
    assert re.findall(r"'(CREATE [A-Z ]*INDEX [^']+)'", DOCS.read_text()) == [INDEX]


def test_orthanc_works_with_the_proposed_index_and_sqlite_searches_by_it(tmp_path: Path) -> None:
    command, reason = second_orthanc()
    if command is None:
        pytest.skip(reason)
    old, new = (list(make_instances(20, 2000, 10, name)) for name in ("old", "new"))
    with OrthancServer("indexed", binary=command, storage=tmp_path) as server:
        held = server.upload_all(each.data for each in old)
        server.stop()
        with closing(sqlite3.connect(tmp_path / "index")) as database:
            assert uses(database, "ResourceTypeIndex") == [True, True]
            database.execute(INDEX)
            assert uses(database, "ResourcesById") == [True, True]
            assert uses(database, "ResourceTypeIndex") == [False, False]
        server.start()
        held += server.upload_all(each.data for each in new)
        server.delete(f"/instances/{held.pop()}")
        assert set(server.get("/instances")) == set(held)
        for id in held:
            assert server.get(f"/instances/{id}/simplified-tags")["SOPInstanceUID"]
        server.stop()
        with closing(sqlite3.connect(tmp_path / "index")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
