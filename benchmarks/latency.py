"""From the end of an upload to its event on the input's stream.

Two cases, both from the moment that Orthanc has answered the upload, or the run has begun if that is later:

- idle: nothing else is waiting. An instance is uploaded, a run begins (as Splunk would after `interval`).
- backlog: a new input walks an archive while instances arrive.

The run reads its stream through a pipe, as splunkd would, and the moment of each event's arrival is noted.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

from benchmarks import archives
from benchmarks.packaged_input import PackagedInput
from benchmarks.result import Options, Result, Row, Say
from benchmarks.rounds import percentile
from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance, make_instances

NOTE_IDLE = (
    "Idle: an instance arrives, a run of the input begins and finds it; measured from the start of the run, "
    "so Python's start is in it. Splunk begins a run `interval` seconds after the last one ended: that adds "
    "half an `interval` on average, at most a whole one."
)
NOTE_BACKLOG = (
    "In backlog: a new input reads the archive while an instance arrives each {:.0f} ms; measured from "
    "Orthanc's answer to the upload. Between two batches of old instances the input looks for new ones."
)
PAUSE_SECONDS = 0.05  # between two uploads in a backlog
LONGEST_SECONDS = 40.0  # of a walk, which is then stopped
_ID = re.compile(rb'"ID":"([0-9a-f-]{44})"')
_TAIL = 64  # bytes in which an id may be cut


class Watch:
    """Notes when an instance's event was first seen on a stream."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self._tail = b""

    def receive(self, piece: bytes) -> None:
        """A piece of the stream."""
        now = time.perf_counter()
        data = self._tail + piece
        for id in _ID.findall(data):
            self.seen.setdefault(id.decode(), now)
        self._tail = data[-_TAIL:]


def run(options: Options, say: Say) -> Result:
    """Both versions, both depths."""
    result = Result("latency", "Latency: from upload to event")
    resident = options.of(2_000, 200)
    backlog = options.of(20_000, 400)
    for binary in archives.versions(say):
        for name, size, measure, count in (
            ("idle", resident, idle, options.of(20, 3)),
            ("in backlog", backlog, in_backlog, options.of(200, 5)),
        ):
            for depth in ("all", "main"):
                with archives.archive(binary, size, say) as server:
                    found = measure(server, depth, count)
                    if not found:
                        say(f"{name}, {depth}: the walk ended before anything arrived")
                        continue
                    result.rows += rows(found, name, depth, f"{size:,} resident", server.version)
                    half = percentile(found, 0.5)
                    say(f"{server.version} {name} {depth}: p50 {half:.0f} ms of {len(found)}")
    result.notes = [NOTE_IDLE, NOTE_BACKLOG.format(PAUSE_SECONDS * 1000)]
    return result


def rows(found: list[float], name: str, depth: str, size: str, version: str) -> Iterator[Row]:
    """The percentiles; `found` is in milliseconds."""
    for share in (50, 95):
        yield Row(
            f"upload to event, {name}, p{share}",
            size,
            version,
            f"ours, tags = {depth}",
            percentile(found, share / 100),
            "ms",
            len(found),
            min(found),
            max(found),
            more_is_better=False,
        )


def idle(server: OrthancServer, depth: str, count: int) -> list[float]:
    """One instance a run, from the run's start to its event."""
    arriving = make_instances(count, archives.SIZE, name="idle")
    found = []
    with PackagedInput({"pacs": server}) as packaged:
        stanza = packaged.stanza()
        packaged.run("pacs", stanza=stanza, tags=depth, start="now").sample()
        for each in arriving:
            server.upload(each.data)
            watch = Watch()
            began = time.perf_counter()
            packaged.run("pacs", stanza=stanza, tags=depth, start="now", receive=watch.receive).sample()
            found.append((watch.seen[each.orthanc_id] - began) * 1000)
    return found


def in_backlog(server: OrthancServer, depth: str, count: int) -> list[float]:
    """Instances that arrive one by one while an archive is walked; those that came before its end count."""
    arriving = make_instances(count, archives.SIZE, series_of=20, name="arriving")
    answered: dict[str, float] = {}
    walking, over = threading.Event(), threading.Event()
    watch = Watch()

    def receive(piece: bytes) -> None:
        watch.receive(piece)
        walking.set()

    uploads = threading.Thread(target=_upload, args=(server, arriving, answered, walking, over))
    uploads.start()
    with PackagedInput({"pacs": server}) as packaged:
        try:
            packaged.run("pacs", tags=depth, receive=receive, seconds=LONGEST_SECONDS).sample()
        finally:
            over.set()
            walking.set()
            uploads.join()
    found = [(watch.seen[id] - when) * 1000 for id, when in answered.items() if id in watch.seen]
    return [max(0.0, each) for each in found]


def _upload(
    server: OrthancServer,
    arriving: Iterator[Instance],
    answered: dict[str, float],
    walking: threading.Event,
    over: threading.Event,
) -> None:
    """One by one, once the walk has begun."""
    walking.wait()
    for each in arriving:
        if over.wait(PAUSE_SECONDS):
            return
        server.upload(each.data)
        answered[each.orthanc_id] = time.perf_counter()
