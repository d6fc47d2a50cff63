"""Run a modular input of the installed app by its byte protocol: `--scheme`, `--validate-arguments`, a run.

Source: dev.splunk.com, "Modular inputs: basic example" and "set up external validation". Stopping is
SIGTERM; splunkd logs each line of stderr, whose first word is its level.
"""

from __future__ import annotations

import re
import signal
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testbench.splunkd.event_stream import EventStream, StreamEvent
from testbench.splunkd.home import Home
from testbench.splunkd.process import Instance, Script
from testbench.splunkd.scheme import Scheme, check_spec, parse_scheme
from testbench.splunkd.violations import Violations

LOG_LINE = re.compile(r"(DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)\s+\S")
_SERIOUS = ("ERROR", "FATAL", "CRITICAL")


@dataclass(frozen=True)
class Validation:
    """What `--validate-arguments` said; `message` is what Splunk Web would show."""

    ok: bool
    message: str = ""


def stanza_parameters(home: Home, stanza: str, given: Mapping[str, str]) -> dict[str, str]:
    """What `<configuration>` holds: splunkd's own, `[default]`, `[<scheme>]`, the stanza, then `given`."""
    scheme = stanza.partition("://")[0]
    conf = home.confs.read("inputs")
    own = {"disabled": "0", "host": Instance.host, "index": "default", "interval": "60"}
    return {**own, **conf.get("default", {}), **conf.get(scheme, {}), **conf.get(stanza, {}), **given}


def _document(root: str, splunkd: Instance, stanza: str) -> ET.Element:
    document = ET.Element(root)
    scheme = stanza.partition("://")[0]
    facts = {
        "server_host": splunkd.host,
        "server_uri": splunkd.uri,
        "session_key": splunkd.session_key,
        "checkpoint_dir": str(splunkd.home.checkpoint_dir(scheme)),
    }
    for name, value in facts.items():
        ET.SubElement(document, name).text = value
    return document


def _parameters(parent: ET.Element, parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        ET.SubElement(parent, "param", name=name).text = value


def _bytes(document: ET.Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, "unicode").encode()


def run_document(splunkd: Instance, stanza: str, parameters: Mapping[str, str]) -> bytes:
    """The `<input>` that a run reads from stdin."""
    document = _document("input", splunkd, stanza)
    configuration = ET.SubElement(document, "configuration")
    _parameters(ET.SubElement(configuration, "stanza", name=stanza, app=splunkd.home.app), parameters)
    return _bytes(document)


def validation_document(splunkd: Instance, stanza: str, parameters: Mapping[str, str]) -> bytes:
    """The `<items>` that `--validate-arguments` reads from stdin; the item's name has no scheme."""
    document = _document("items", splunkd, stanza)
    _parameters(ET.SubElement(document, "item", name=stanza.partition("://")[2]), parameters)
    return _bytes(document)


def read_scheme(splunkd: Instance, name: str, violations: Violations, timeout: float = 60) -> Scheme | None:
    """Run `bin/<name>.py --scheme`."""
    code, output = _communicate(splunkd, name, "--scheme", b"", violations, timeout)
    if code != 0:
        violations.add(f"--scheme ended with exit code {code}")
    scheme = parse_scheme(output, violations)
    if scheme is not None:
        check_spec(splunkd.home.app_dir, name, scheme, violations)
    return scheme


def validate(
    splunkd: Instance, stanza: str, parameters: Mapping[str, str], violations: Violations, timeout: float = 60
) -> Validation:
    """Run `bin/<scheme>.py --validate-arguments` for a stanza as the Settings page would."""
    document = validation_document(splunkd, stanza, parameters)
    name = stanza.partition("://")[0]
    code, output = _communicate(splunkd, name, "--validate-arguments", document, violations, timeout)
    message = ""
    if output.strip():
        try:
            root = ET.fromstring(output)
            message = (root.findtext("message") or "").strip() if root.tag == "error" else ""
        except ET.ParseError:
            root = None
        if not message:
            violations.add(f"--validate-arguments printed no <error><message>: {output[:120]!r}")
    if code == 0 and message:
        violations.add(f"--validate-arguments ended with exit code 0 and yet said {message!r}")
    if code != 0 and not message:
        violations.add(f"--validate-arguments ended with exit code {code} and without a message")
    return Validation(code == 0 and not message, message)


def _communicate(
    splunkd: Instance, name: str, argument: str, stdin: bytes, violations: Violations, timeout: float
) -> tuple[int | None, bytes]:
    output: list[bytes] = []
    script = Script(splunkd.home, splunkd.python, f"{name}.py", argument)
    script.read_to(output.append)
    script.write(stdin, close=True)
    code = script.wait(timeout)
    if code is None:
        violations.add(f"{argument} did not end within {timeout:g} s")
    check_log(script.stderr, violations)
    return code, b"".join(output)


def check_log(lines: list[str], violations: Violations) -> None:
    """splunkd logs a line without a level as an error; the first of them is reported."""
    for line in lines:
        if line and not LOG_LINE.match(line):
            violations.add(f"a line on stderr that does not begin with a level: {line[:160]!r}")
            return


class InputRun:
    """A run of one input stanza. `events` grows while it runs; the checks are made by `wait`."""

    def __init__(
        self,
        splunkd: Instance,
        stanza: str,
        parameters: Mapping[str, str],
        violations: Violations,
        receive: Callable[[StreamEvent], None] = lambda event: None,
    ) -> None:
        self.stanza, self.parameters = stanza, dict(parameters)
        self.events: list[StreamEvent] = []
        self.violations = violations
        self.exit_code: int | None = None
        self._receive = receive
        self._changed = threading.Condition()
        self._stream = EventStream(violations, self._take)
        self._script = Script(splunkd.home, splunkd.python, f"{stanza.partition('://')[0]}.py")
        self.started = self._script.started
        self._ended = False
        self._script.read_to(self._feed)
        self._script.write(run_document(splunkd, stanza, parameters), close=True)

    @property
    def log(self) -> list[str]:
        """The lines on stderr, as ExecProcessor would log them."""
        return self._script.stderr

    @property
    def running(self) -> bool:
        return self._script.running

    def wait_for(self, count: int, timeout: float = 60) -> list[StreamEvent]:
        """Until so many events have come, or the input has ended; TimeoutError otherwise."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while len(self.events) < count and not self._ended:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(
                        f"{self.stanza}: {len(self.events)} of {count} events in {timeout:g} s"
                    )
        return self.events

    def terminate(self, timeout: float = 30) -> InputRun:
        """SIGTERM, as splunkd does on a restart or when the input is disabled; then wait."""
        self._script.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> InputRun:
        """SIGKILL, as the machine's fall would be; what was received until then is kept."""
        self._script.signal(signal.SIGKILL)
        return self.wait(30)

    def wait(self, timeout: float = 300) -> InputRun:
        """Until it ends; then its exit code, its stream's end and its log are checked."""
        if self.exit_code is not None:
            return self
        code = self._script.wait(timeout)
        self.exit_code = code if code is not None else -9
        killed = self._script.signalled == signal.SIGKILL
        if code is None:
            self.violations.add(f"it did not end within {timeout:g} s and was killed")
        elif not killed:
            self._check_exit(code)
        self._stream.finish(must_be_closed=not killed and code is not None)
        check_log(self.log, self.violations)
        return self

    def _check_exit(self, code: int) -> None:
        if self._script.signalled == signal.SIGTERM and code in (-signal.SIGTERM, 128 + signal.SIGTERM):
            return
        said = any(line.startswith(_SERIOUS) for line in self.log)
        if code != 0 and not said:
            self.violations.add(f"it ended with exit code {code} and said no ERROR on stderr")

    def _feed(self, data: bytes) -> None:
        if data:
            self._stream.feed(data)
            return
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, event: StreamEvent) -> None:
        self._receive(event)
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()
