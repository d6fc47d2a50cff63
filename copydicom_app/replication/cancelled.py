"""What a stop kept from being copied is no failure to a person who stopped it: it is simply not told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from copydicom_app.models import Outcome, Status
from copydicom_app.replication.transfer import CANCELLED


def begun(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The outcomes as far as they were begun; of a series or study the instances that were settled."""
    for outcome in outcomes:
        if not outcome.message.endswith(CANCELLED):
            yield outcome
        elif outcome.copied or outcome.present:
            status = Status.COPIED if outcome.copied else Status.PRESENT
            yield replace(outcome, status=status, failed=0, message="stopped before all of it was copied")
