"""The modular input ``[orthanc://<name>]``: Splunk starts it, it takes in all there is, then exits.

Splunk's protocol for modular inputs: ``--scheme`` prints the arguments, ``--validate-arguments`` reads an
input that somebody wants to save, without an argument it reads its configuration from standard input and
writes a stream of events.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from splunklib.modularinput import (
    Argument,
    EventWriter,
    InputDefinition,
    Scheme,
    Script,
    ValidationDefinition,
)

from copydicom_app.changes import Feed, begin
from copydicom_app.checkpoint import Checkpoint
from copydicom_app.errors import ConfigurationError, CopydicomError
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.simplify import DEFAULT_MAX_EVENT_BYTES, Origin, zone_named
from copydicom_app.splunk.config import connect, parse_bool, parse_count, server_named
from copydicom_app.splunk.logs import Log
from copydicom_app.splunk.stream import StreamSink
from copydicom_app.structured_report import LONG_KEYWORDS
from copydicom_app.workflows import index

SCHEME = "orthanc"

# name -> (title, what an admin reads beside it)
ARGUMENTS = {
    "server": ("Server", "Name of the Orthanc server in copydicom_servers.conf"),
    "start": ("Start", "beginning: all that the server holds, then what comes; now: only what comes"),
    "dose": ("Dose reports", "true: also one event per irradiation of every dose report"),
    "exclude_tags": ("Leave out", "DICOM keywords, separated by commas, that no event shall hold"),
    "max_event_bytes": (
        "Largest event",
        "Bytes; beyond that the bulkiest sequences are left out of an event",
    ),
    "workers": ("Requests at once", "How many requests to Orthanc run at the same time"),
}
# Named in the contract of the app and not built yet: only the value that changes nothing is taken.
_NOT_YET = {"level": "instance", "tags": "all", "phi": "keep", "dose_from_images": "false"}
_CRON_FIELDS = 5


@dataclass(frozen=True)
class Settings:
    """What an input's stanza says."""

    server: str
    start: str = "beginning"
    dose: bool = True
    exclude_tags: tuple[str, ...] = ()
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    workers: int = 3

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Settings:
        """Check and read the stanza; raises ConfigurationError with the key and the way out."""
        text = {
            key: (value or "").strip()
            for key, value in params.items()
            if isinstance(value, (str, type(None)))
        }
        if not text.get("server"):
            raise ConfigurationError("server is missing; name a stanza of copydicom_servers.conf")
        start = text.get("start") or "beginning"
        if start not in ("beginning", "now"):
            raise ConfigurationError(f"start must be beginning or now, not {start!r}")
        for key, only in _NOT_YET.items():
            value = text.get(key) or only
            if value not in (only, {"false": "0"}.get(only)):
                raise ConfigurationError(f"{key} = {value} is not available in this version; use {only}")
        _check_interval(text.get("interval", ""))
        return cls(
            server=text["server"],
            start=start,
            dose=parse_bool(text.get("dose", ""), "dose", default=True),
            exclude_tags=tuple(tag.strip() for tag in text.get("exclude_tags", "").split(",") if tag.strip()),
            max_event_bytes=parse_count(
                text.get("max_event_bytes", ""), "max_event_bytes", default=cls.max_event_bytes, least=1000
            ),
            workers=parse_count(text.get("workers", ""), "workers", default=cls.workers, least=1),
        )


def _check_interval(interval: str) -> None:
    """Seconds, -1 for once, or a cron schedule; empty is the default of inputs.conf."""
    if not interval or interval == "-1" or len(interval.split()) == _CRON_FIELDS:
        return
    try:
        if float(interval) >= 0:
            return
    except ValueError:
        pass
    raise ConfigurationError(
        f"interval must be a number of seconds or a cron schedule of five fields, not {interval!r}"
    )


class OrthancInput(Script):  # type: ignore[misc]
    """The input as the SDK drives it."""

    def __init__(self, out: BinaryIO) -> None:
        super().__init__()
        self._out = out
        self.stop = threading.Event()
        self.exit_code = 0

    def get_scheme(self) -> Scheme:
        """What Splunk shows when somebody adds an input."""
        scheme = Scheme("Orthanc DICOM server")
        scheme.description = "Index the tags of everything that arrives at an Orthanc server"
        scheme.use_external_validation = True
        scheme.use_single_instance = False
        scheme.streaming_mode = Scheme.streaming_mode_xml
        for name, (title, description) in ARGUMENTS.items():
            scheme.add_argument(
                Argument(
                    name,
                    title=title,
                    description=description,
                    required_on_create=name == "server",
                    required_on_edit=False,
                )
            )
        return scheme

    def validate_input(self, definition: ValidationDefinition) -> None:
        """Refuse an input that could not work, by really connecting; Splunk shows the error's text."""
        settings = Settings.of(definition.parameters)
        service = connect(definition.metadata["server_uri"], definition.metadata["session_key"])
        server = server_named(service, settings.server)
        zone_named(server.timezone)
        Orthanc(server, self.stop).system()

    def stream_events(self, inputs: InputDefinition, ew: EventWriter) -> None:
        """Index all there is. Errors end this run with one log line; Splunk starts the next by itself."""
        for stanza, params in inputs.inputs.items():
            log = Log("input", input=stanza.split("://", 1)[-1])
            try:
                self._run(stanza, params, inputs.metadata, log)
            except CopydicomError as error:
                log.error(str(error), error=type(error).__name__)
                self.exit_code = 1
            except StoppedError:
                log.info("stopped; the next run goes on from here")
            except Exception as error:
                log.unexpected(error)
                self.exit_code = 1

    def _run(self, stanza: str, params: Mapping[str, str], metadata: Mapping[str, str], log: Log) -> None:
        settings = Settings.of(params)
        server = server_named(connect(metadata["server_uri"], metadata["session_key"]), settings.server)
        origin = Origin(
            server=server.name,
            zone=zone_named(server.timezone),
            max_event_bytes=settings.max_event_bytes,
            exclude=frozenset(settings.exclude_tags),
            dose=settings.dose,
        )
        checkpoint = Checkpoint(Path(metadata["checkpoint_dir"]), stanza)
        position = checkpoint.load()
        orthanc = Orthanc(server, self.stop)
        orthanc.system()
        if position is None:
            position = begin(orthanc, settings.start)
            checkpoint.save(position)
        feed = Feed(orthanc, position, workers=settings.workers, stop=self.stop, long=LONG_KEYWORDS)
        sink = StreamSink(self._out, stanza=stanza, index=params.get("index", ""), host=orthanc.host)
        started, instances = time.monotonic(), 0
        with _closing(sink):
            for progress in index(orthanc, feed, origin, sink, checkpoint):
                instances += progress.instances
                if progress.notice:
                    log.warning(progress.notice)
        if instances:
            seconds = time.monotonic() - started
            log.info(
                "indexed",
                server=server.name,
                instances=instances,
                bytes=sink.bytes,
                seconds=round(seconds, 3),
            )


@contextmanager
def _closing(sink: StreamSink) -> Iterator[None]:
    """End the stream whatever happens, so that Splunk never sees it cut off."""
    try:
        yield
    finally:
        sink.close()


def main() -> None:
    """Splunk's entry point."""
    script = OrthancInput(sys.stdout.buffer)
    signal.signal(signal.SIGTERM, lambda *_: script.stop.set())
    code = script.run(sys.argv) or script.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    if script.stop.is_set():
        os._exit(code)  # a request that still waits for Orthanc would hold up Splunk's stop
    sys.exit(code)
