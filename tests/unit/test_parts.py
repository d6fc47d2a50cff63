"""How a copy cuts its work: windows of references, and parts for the workers."""

from __future__ import annotations

from typing import Optional

from copydicom_app.models import Level, Reference, Server, Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.replicate import Replicator
from copydicom_app.replication.resolve import Item
from copydicom_app.replication.steps import WINDOW, Step, windows
from copydicom_app.replication.transfer import Result


def engine() -> Replicator:
    """Between two servers that nobody asks here."""
    here, there = (Orthanc(Server(name, f"http://{name}.invalid")) for name in ("pacs", "research"))
    return Replicator(here, there)


def steps(first: int, count: int, result: Optional[Result] = None) -> list[Step]:
    return [Step(Reference(str(n)), Item(str(n)), result, last=True) for n in range(first, first + count)]


def test_rows_that_name_studies_are_looked_at_a_few_together() -> None:
    """Five hundred studies would be half a million instances in memory."""
    sizes = {level: [len(window) for window in windows([Reference("1", level)] * 1_000)] for level in Level}
    assert sizes[Level.INSTANCE] == [WINDOW, WINDOW]
    assert max(sizes[Level.STUDY]) == 10
    assert sum(sizes[Level.PATIENT]) == 1_000


def test_parts_keep_the_order_and_get_smaller_only_at_the_very_end() -> None:
    windows = [steps(0, 500), steps(500, 500), steps(1_000, 300)]
    parts = list(engine()._parts(iter(windows)))
    assert [step.item.id for part in parts for step in part] == [str(n) for n in range(1_300)]
    sizes = [len(part) for part in parts]
    full = max(sizes)
    assert sizes[: 1_100 // full] == [full] * (1_100 // full)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] <= 2


def test_rows_without_work_are_handed_on_and_not_gathered() -> None:
    taken = 0

    def windows() -> object:
        nonlocal taken
        for n in range(100):
            taken += 1
            yield steps(n * WINDOW, WINDOW, Result(Status.PRESENT))

    parts = engine()._parts(windows())  # type: ignore[arg-type]
    assert len(next(parts)) == WINDOW
    assert taken <= 3
    assert sum(map(len, parts)) == 99 * WINDOW
