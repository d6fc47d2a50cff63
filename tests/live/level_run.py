"""One run of an input at a level, in a process of its own that a test can kill.

``python -m tests.live.level_run <folder> <url> <user> <level> <quiet seconds>``, the password in the
environment; each event is a line of JSON on standard output, flushed when the engine says so.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from copydicom_app.indexing.checkpoint import Checkpoint
from copydicom_app.indexing.outage import Outage
from copydicom_app.models import Event, Level, Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.tags_event import Origin
from copydicom_app.workflows import Plan, index


class Lines:
    """A sink: Splunk's pipe, as far as a kill goes."""

    def write(self, event: Event) -> None:
        sys.stdout.write(json.dumps(event.fields) + "\n")

    def flush(self) -> None:
        sys.stdout.flush()


def main(folder: str, url: str, user: str, level: str, quiet: str) -> None:
    checkpoint = Checkpoint(Path(folder), "orthanc://kills")
    stop = threading.Event()
    outage = Outage(
        checkpoint.path.with_suffix(".away"),
        stop=stop,
        went=lambda why: None,
        came=lambda seconds: None,
        first_pause=0.05,
    )
    server = Server("kills", url, user, os.environ["ORTHANC_PASSWORD"])
    plan = Plan(level=Level(level), depth=("main",), quiet_seconds=float(quiet))
    orthanc = Orthanc(server, stop)
    for _ in index(orthanc, plan, Origin("kills"), Lines(), checkpoint, outage=outage, stop=stop):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
