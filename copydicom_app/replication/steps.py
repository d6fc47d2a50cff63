"""One instance of a reference on its way, and how what became of several is one Outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional

from copydicom_app.models import Level, Outcome, Reference, Status
from copydicom_app.replication.resolve import Item
from copydicom_app.replication.transfer import Result

WINDOW = 500  # instances that are looked at together, more or less
_USUAL = {Level.INSTANCE: 1, Level.SERIES: 10, Level.STUDY: 50, Level.PATIENT: 100}  # instances of one


@dataclass
class Step:
    """One instance of a reference on its way; `result` once it is settled. `last` of its reference."""

    ref: Reference
    item: Item
    result: Optional[Result] = None
    last: bool = False
    repeats: bool = False


def windows(refs: Iterable[Reference]) -> Iterator[list[Reference]]:
    window: list[Reference] = []
    instances = 0
    for ref in refs:
        window.append(ref)
        instances += _USUAL[ref.level]
        if instances >= WINDOW:
            yield window
            window, instances = [], 0
    if window:
        yield window


def repeated(earlier: Status, study: str, source: str) -> Result:
    """An instance that came before is not copied again, and counts as there if the first one arrived."""
    if earlier in (Status.COPIED, Status.PRESENT, Status.PLANNED):
        return Result(Status.PRESENT, message="repeats an earlier row", study=study)
    if earlier is Status.MISSING:
        return Result(earlier, message=f"server {source!r} does not have it", study=study)
    return Result(earlier, message="repeats an earlier row, whose message says why", study=study)


def folded(ref: Reference, results: list[Result]) -> Outcome:
    """One Outcome of all instances of a reference: the worst status and its message, the counts added up."""
    counts = Counter(result.status for result in results)
    worst = max(results, key=lambda result: result.status.severity)
    message = worst.message
    if message and len(results) > 1:
        message = f"{counts[worst.status]} of {len(results)}: {message}"
    elif worst.status is Status.PLANNED and len(results) > 1:
        message = f"{counts[Status.PLANNED]} of {len(results)} would be copied"
    return Outcome(
        ref.id,
        worst.status,
        bytes=sum(result.bytes for result in results),
        message=message,
        **{status.value: count for status, count in counts.items()},
    )
