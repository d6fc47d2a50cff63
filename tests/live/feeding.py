"""What the tests of the feed share: an input's engine on a real Orthanc, without Splunk around it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from copydicom_app.indexing.checkpoint import Checkpoint
from copydicom_app.indexing.outage import Outage
from copydicom_app.models import Event, Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.structured_report import LONG_KEYWORDS
from copydicom_app.tags_event import Origin
from copydicom_app.workflows import Plan, Progress, index
from testbench.orthanc import OrthancServer, second_orthanc


def running(name: str, version: str) -> OrthancServer:
    """A server of the version ``first`` or ``second``; the test is skipped where the second is not here."""
    command = None
    if version == "second":
        command, reason = second_orthanc()
        if command is None:
            pytest.skip(reason)
    return OrthancServer(name, binary=command)


class Input:
    """An input that keeps its checkpoint in `folder` and its events in `events`; each `run` is a new process
    as far as its memory goes."""

    def __init__(self, folder: Path, server: OrthancServer, url: str = "", **plan: object) -> None:
        self.checkpoint = Checkpoint(folder, "orthanc://test")
        self.server = Server("test", url or server.url, server.username, server.password)
        only = plan.pop("only", None)
        self.origin = Origin("test", only=frozenset(only) if only else None)  # type: ignore[call-overload]
        self.plan = Plan(**{"long": LONG_KEYWORDS, **plan})  # type: ignore[arg-type]
        self.events: list[Event] = []
        self.words: list[str] = []
        self.notices: list[str] = []
        self.stop = threading.Event()
        self.patience = 60.0

    def run(self, on_step: Callable[[Progress], None] = lambda step: None) -> list[str]:
        """Take in all there is; the ids of the instances that this run indexed."""
        before = len(self.events)
        for step in self.steps():
            if step.notice:
                self.notices.append(step.notice)
            on_step(step)
        return self.ids(self.events[before:])

    def steps(self) -> Iterator[Progress]:
        outage = Outage(
            self.checkpoint.path.with_suffix(".away"),
            stop=self.stop,
            went=lambda why: self.words.append("away"),
            came=lambda seconds: self.words.append("back"),
            patience=self.patience,
            first_pause=0.05,
        )
        orthanc = Orthanc(self.server, self.stop)
        return index(orthanc, self.plan, self.origin, self, self.checkpoint, outage=outage, stop=self.stop)

    def write(self, event: Event) -> None:
        self.events.append(event)

    def flush(self) -> None:
        """Nothing is held back."""

    @staticmethod
    def ids(events: Sequence[Event]) -> list[str]:
        return [str(event.fields["ID"]) for event in events]

    def count(self) -> Counter[str]:
        return Counter(self.ids(self.events))
