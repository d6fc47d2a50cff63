"""The modular input ``[orthanc://<name>]``: Splunk starts it, it takes in all there is, then exits.

Splunk's protocol for modular inputs: ``--scheme`` prints the arguments, ``--validate-arguments`` reads an
input that somebody wants to save, without an argument it reads its configuration from standard input and
writes a stream of events.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from typing import BinaryIO, Optional

from splunklib.modularinput import (
    Argument,
    EventWriter,
    InputDefinition,
    Scheme,
    Script,
    ValidationDefinition,
)

from copydicom_app.errors import CopydicomError
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError
from copydicom_app.signals import on_signal
from copydicom_app.splunk.config import connect, server_named
from copydicom_app.splunk.input_run import InputRun
from copydicom_app.splunk.logs import Log
from copydicom_app.splunk.settings import ARGUMENTS, Settings
from copydicom_app.tags_event import zone_named

SCHEME = "orthanc"

# A thread with an answer to read waits so long for one that makes events, and Orthanc waits to send:
# with Python's own 5 ms an Orthanc that has a core for itself idles 3 % of the time.
_SWITCH_SECONDS = 0.001


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
                InputRun(self._out, stanza, params, inputs.metadata, log, self.stop).run()
            except CopydicomError as error:
                log.error(str(error), error=type(error).__name__)
                self.exit_code = 1
            except StoppedError:
                log.info("stopped; the next run goes on from here")
            except Exception as error:
                log.unexpected(error)
                self.exit_code = 1


def _checked(arguments: list[str]) -> Optional[BinaryIO]:
    """What splunkd sends; None when it is not what the SDK expects, which would print a traceback."""
    readers = {(): InputDefinition, ("--validate-arguments",): ValidationDefinition}
    if arguments == ["--scheme"]:
        return io.BytesIO()
    reader = readers.get(tuple(arguments))
    if reader is None:
        return None
    document = sys.stdin.buffer.read()
    try:
        from_splunkd = "server_uri" in reader.parse(io.BytesIO(document)).metadata
    except Exception:  # XML of another kind fails in as many ways
        return None
    return io.BytesIO(document) if from_splunkd else None


def main() -> None:
    """Splunk's entry point."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    script = OrthancInput(sys.stdout.buffer)
    on_signal(signal.SIGTERM, script.stop.set)
    stdin = _checked(sys.argv[1:])
    if stdin is None:
        sys.stderr.write("ERROR this is started by splunkd for an input, not by hand (but for --scheme)\n")
        sys.exit(1)
    code = script.run_script(sys.argv, EventWriter(), stdin) or script.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread whose request still waits for Orthanc would hold up the end
