"""One run of an input: what is new, and between that a stretch of the backfill, if one is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from copydicom_app.indexing.backfill import Days
from copydicom_app.indexing.checkpoint import Checkpoint
from copydicom_app.indexing.outage import Outage
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.privacy import Phi, Privacy
from copydicom_app.repair import SEARCHABLE_SECONDS, Filled, Memory, Noting, backfill
from copydicom_app.splunk.config import connect, server_named
from copydicom_app.splunk.index_search import IndexSearch
from copydicom_app.splunk.keys import phi_key
from copydicom_app.splunk.logs import Log
from copydicom_app.splunk.meter import EVERY_SECONDS, Meter
from copydicom_app.splunk.settings import Settings
from copydicom_app.splunk.stream import StreamSink
from copydicom_app.structured_report import LONG_KEYWORDS
from copydicom_app.tags_event import Origin, zone_named
from copydicom_app.workflows import Plan, index


class InputRun:
    """What splunkd gave one stanza, ready to run. Raises ConfigurationError when it cannot be."""

    def __init__(
        self,
        out: BinaryIO,
        stanza: str,
        params: Mapping[str, str],
        metadata: Mapping[str, str],
        log: Log,
        stop: threading.Event,
    ) -> None:
        self._settings = settings = Settings.of(params)
        self._service = connect(metadata["server_uri"], metadata["session_key"])
        self._server = server = server_named(self._service, settings.server)
        self._log, self._stop = log, stop
        self._origin = Origin(
            server=server.name,
            zone=zone_named(server.timezone),
            max_event_bytes=settings.max_event_bytes,
            exclude=frozenset(settings.exclude_tags),
            dose=settings.dose,
            dose_from_images=settings.dose_from_images,
            only=frozenset(settings.tags) if settings.tags not in (("all",), ("main",)) else None,
            privacy=Privacy(settings.phi, phi_key(self._service) if settings.phi is not Phi.KEEP else b""),
        )
        self._plan = Plan(
            start=settings.start,
            level=settings.level,
            depth=settings.tags,
            long=LONG_KEYWORDS,
            workers=settings.workers,
        )
        self._checkpoint = Checkpoint(Path(metadata["checkpoint_dir"]), stanza)
        self._checkpoint.load()  # a damaged one is told whether or not the server is there
        self._orthanc = Orthanc(server, stop)
        self._index = params.get("index", "")
        self._stream = StreamSink(out, stanza=stanza, index=self._index, host=self._orthanc.host)
        self._noting = Noting(self._stream)

    def run(self) -> None:
        """All there is; then the days of a backfill that are left, the input going on in between."""
        try:
            memory = Memory(self._checkpoint)
            days = self._settings.backfill
            if days is None:
                memory.forget()
            if days is None or memory.left(days) is None:
                self._follow(self._stream)
                return
            searchable_at = memory.wrote_at() + SEARCHABLE_SECONDS
            self._follow(self._noting)
            self._wait_until(searchable_at)
            self._fill(days, memory)
        finally:
            self._stream.close()  # whatever happens, so that Splunk never sees it cut off

    def _follow(self, sink: StreamSink | Noting) -> None:
        meter = Meter(self._log, self._orthanc)
        before = self._stream.bytes
        outage = Outage(
            self._checkpoint.path.with_suffix(".away"),
            stop=self._stop,
            went=lambda why: self._log.warning(
                f"{why}; waiting for it", server=self._server.name, state="away"
            ),
            came=lambda seconds: self._log.info(
                "the server is back", server=self._server.name, state="back", seconds=round(seconds)
            ),
        )
        steps = index(
            self._orthanc, self._plan, self._origin, sink, self._checkpoint, outage=outage, stop=self._stop
        )
        for progress in steps:
            meter.add(progress, self._stream.bytes - before)
            if progress.notice:
                self._log.warning(progress.notice, server=self._server.name)
        meter.end(self._stream.bytes - before)

    def _fill(self, days: Days, memory: Memory) -> None:
        searched = IndexSearch(self._service, self._index, self._server.name, self._plan.level)
        searched.check()
        report = FillReport(self._log, self._server.name, str(days))
        while memory.left(days) is not None:
            stretch = backfill(
                self._orthanc,
                self._plan,
                self._origin,
                searched,
                self._stream,
                self._checkpoint,
                days,
                self._noting.__contains__,
                stop=self._stop,
            )
            for filled in stretch:
                report.add(filled)
            self._follow(self._noting)
        report.end()

    def _wait_until(self, moment: float) -> None:
        if self._stop.wait(max(0.0, moment - time.time())):
            raise StoppedError


class FillReport:
    """How a backfill goes, as a log line a minute and one at its end.

    Fields: `days`, `studies` (compared), `missing` (instances, series or studies of which something was
    indexed), `events`, `left_out` (studies with something that arrived lately), `failed` (instances that the
    server fails to give), all since this run began.
    """

    def __init__(self, log: Log, server: str, range: str) -> None:
        self._log = log
        self._constant = {"server": server, "backfill": range}
        self._sum = Filled()
        self._said_at = time.monotonic()

    def add(self, filled: Filled) -> None:
        """Count a portion; say so when a minute is over."""
        self._sum += filled
        if time.monotonic() - self._said_at >= EVERY_SECONDS:
            self._say("comparing with the index")

    def end(self) -> None:
        """All days are done."""
        self._say("compared with the index")

    def _say(self, message: str) -> None:
        self._said_at = time.monotonic()
        done = self._sum
        self._log.info(
            message,
            **self._constant,
            days=done.days,
            studies=done.studies,
            missing=done.missing,
            events=done.events,
            left_out=done.young,
            failed=done.failed,
        )
