"""The alert action ``copydicom_replicate``: a scheduled search copies what it found.

Splunk's protocol for custom alert actions: ``--execute``, a JSON payload on standard input (who owns the
search, its results file, the settings of the action), lines that begin with a level on standard
error, an exit code.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Optional

from splunklib import client

from copydicom_app.errors import ConfigurationError, CopydicomError, FatalError
from copydicom_app.models import Outcome, Status, Tally
from copydicom_app.signals import on_signal
from copydicom_app.splunk.chunked import picked
from copydicom_app.splunk.config import connect, parse_count, stanza_named
from copydicom_app.splunk.copies import CANCELLED, Copies, Search, refused
from copydicom_app.splunk.logs import Log

NAME = "copydicom_replicate"
MOST_ROWS = 10_000  # alert_actions.conf, maxresults: Splunk cuts the results of an action off there
MAXTIME = 3600.0  # seconds; what stands in our alert_actions.conf, for when it cannot be read
_SPARE = 20.0  # seconds before `maxtime` in which what is in flight ends and the trail is written
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# settings of the action that are options of the command, by the same name
OPTIONS = ("dest", "source", "level", "id", "anonymize", "dryrun")
PARAMETERS = (*OPTIONS, "limit")


class Action:
    """One run of the action."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._why_stopped = "Splunk stopped it"
        self._copies: Optional[Copies] = None
        self._search = Search("", "", "")
        self._args: list[str] = []

    def run(self, stdin: BinaryIO, log: Log) -> int:
        """Copy what the results file names; the exit code: 0 when every row was copied or was there."""
        try:
            payload = _payload(stdin)
            rows, tally, done, worst = self._copied(payload)
        except CopydicomError as error:
            if isinstance(error, ConfigurationError):
                refused(self._search, self._args, error)
            log.error(str(error), search=self._search.name, sid=self._search.sid)
            return 1
        except Exception as error:
            log.unexpected(error)
            return 1
        said = {"search": self._search.name, "sid": self._search.sid, **tally.as_fields()}
        if done < rows:
            log.error(f"{self._why_stopped}: {done} of {rows} rows are done; the rest was not sent", **said)
            return 1
        if worst is not None:
            log.error(f"not everything was copied: {tally}; for example: {worst.message}", **said)
            return 1
        log.info(str(tally), **said)
        return 0

    def cancel(self) -> None:
        """Stop soon: what is in flight comes to its end."""
        self._stop.set()
        if self._copies is not None:
            self._copies.cancel()

    def _copied(self, payload: Mapping[str, Any]) -> tuple[int, Tally, int, Optional[Outcome]]:
        """How many rows there were, what came of them, how many are done, and the worst that failed."""
        settings = {str(key): str(value or "").strip() for key, value in payload["configuration"].items()}
        self._search = Search(
            sid=str(payload.get("sid") or ""),
            app=str(payload.get("app") or ""),
            user=str(payload.get("owner") or ""),
            limit=parse_count(settings.get("limit", ""), "limit", default=0),
            name=str(payload.get("search_name") or ""),
        )
        self._args = [f"{name}={settings[name]}" for name in OPTIONS if settings.get(name)]
        service = connect(str(payload.get("server_uri")), str(payload.get("session_key")))
        self._copies = Copies(service, self._args, self._search, self._stop)
        body = _results(Path(str(payload.get("results_file") or "")))
        rows = sum(1 for _ in picked(body, ()))
        if rows >= MOST_ROWS:
            raise ConfigurationError(
                f"the search found {rows} rows or more, and Splunk hands no more to an alert action, so some "
                "may be missing; nothing was copied: narrow the search, run it more often, or end it with "
                f"| copydicom {' '.join(self._args)}"
            )
        tally = Tally()
        with self._timed(_maxtime(service)):
            try:
                outcomes = self._copies.of_rows(body)
            finally:
                self._copies.finish()
        for outcome in outcomes:
            tally.add(outcome)
        done = sum(CANCELLED not in outcome.message for outcome in outcomes)
        bad = [each for each in outcomes if each.status.severity >= Status.CONFLICT.severity]
        return rows, tally, done, max(bad, key=lambda each: each.status.severity, default=None)

    @contextmanager
    def _timed(self, maxtime: float) -> Iterator[None]:
        """Stop in time for what is in flight to end before Splunk ends this process."""

        def stop() -> None:
            self._why_stopped = f"the time of the alert action is up (maxtime = {maxtime:.0f} s)"
            self.cancel()

        timer = threading.Timer(max(1.0, maxtime - min(_SPARE, maxtime / 2)), stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _payload(stdin: BinaryIO) -> Mapping[str, Any]:
    try:
        payload = json.loads(stdin.read())
        if isinstance(payload["configuration"], dict):
            return dict(payload)
    except (ValueError, KeyError, TypeError):
        pass
    raise FatalError("this is started by Splunk for an alert action, not by hand")


def _results(path: Path) -> bytes:
    """The rows of the search as CSV."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise FatalError(f"the results of the search cannot be read ({type(error).__name__})") from error


def _maxtime(service: client.Service) -> float:
    """Seconds that Splunk gives the action, as alert_actions.conf says: ``300``, ``5m``, ``1h``."""
    try:
        text = stanza_named(service, NAME, "alert_actions", "alert action").get("maxtime", "").strip()
        number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
        return float(number) * _UNITS[unit]
    except (ConfigurationError, ValueError):
        return MAXTIME


def main() -> None:
    """Splunk's entry point."""
    log = Log("alert_action")
    if sys.argv[1:2] != ["--execute"]:
        log.error("this is started by Splunk with --execute, not by hand")
        sys.exit(2)
    action = Action()
    on_signal(signal.SIGTERM, action.cancel)
    code = action.run(sys.stdin.buffer, log)
    sys.stderr.flush()
    os._exit(code)  # a request that still waits for Orthanc would hold up the end
