"""Files that the app asks splunkd to follow: `[monitor://...]` in inputs.conf, one event a line.

Source: `inputs.conf.spec` (MONITOR), `props.conf.spec` (DATETIME_CONFIG). The time of an event is the first
ISO 8601 time in the line's first 128 characters, else the time of indexing; a TIME_FORMAT of another
kind raises.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from testbench.splunkd.conf import Stanza
from testbench.splunkd.home import Home
from testbench.splunkd.index import Indexes, props_for
from testbench.splunkd.spl.errors import UnknownSpl

LOOKAHEAD = 128
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?")
_ISO_FORMAT = re.compile(r"%Y-%m-%d[T ]%H:%M:%S(\.%\d?[NQ])?(Z|%:?z)?")
_PREFIX = "monitor://"
# Splunk's own: its logs, and what an app writes beside them. What an app's stanza names goes where that says.
_OWN = {f"{_PREFIX}$SPLUNK_HOME/var/log/splunk/*.log": {"index": "_internal"}}


class Monitors:
    """Reads on where it stopped; a line without its end waits for it."""

    def __init__(self, home: Home, indexes: Indexes, host: str) -> None:
        self._home, self._indexes, self._host = home, indexes, host
        self._offsets: dict[Path, int] = {}

    def poll(self) -> int:
        """Index the new lines of all files; how many they were."""
        count = 0
        for stanza, keys in [*self._home.confs.read("inputs").items(), *_OWN.items()]:
            if stanza.startswith(_PREFIX) and keys.get("disabled", "0").lower() not in ("1", "true"):
                pattern = Path(self._home.expand(stanza.removeprefix(_PREFIX)))
                for path in sorted(pattern.parent.glob(pattern.name)):
                    count += self._read(path, keys)
        return count

    def _read(self, path: Path, keys: dict[str, str]) -> int:
        props = self._home.confs.read("props")
        named = keys.get("sourcetype", path.stem)
        sourcetype = props_for(props, named, str(path)).get("sourcetype", named)
        settings = props_for(props, sourcetype, str(path))
        with path.open("rb") as file:
            if path.stat().st_size < self._offsets.get(path, 0):
                self._offsets[path] = 0  # it was rotated or emptied
            file.seek(self._offsets.get(path, 0))
            data = file.read()
        complete = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = self._offsets.get(path, 0) + len(complete)
        lines = [line for line in complete.decode("utf-8", "backslashreplace").split("\n") if line.strip()]
        for line in lines:
            index, host = keys.get("index", "default"), keys.get("host", self._host)
            self._indexes.add(line, _time(line, settings), index, host, str(path), sourcetype)
        return len(lines)


def _time(line: str, props: Stanza) -> float | None:
    """The time that a line tells, in UTC when it names no zone; None is the time of indexing."""
    if props.get("DATETIME_CONFIG") in ("CURRENT", "NONE"):
        return None
    if "TIME_PREFIX" in props or not _ISO_FORMAT.fullmatch(props.get("TIME_FORMAT", "%Y-%m-%d %H:%M:%S")):
        raise UnknownSpl(f"props.conf: TIME_PREFIX or TIME_FORMAT {props.get('TIME_FORMAT')!r}")
    match = _ISO.search(line[: int(props.get("MAX_TIMESTAMP_LOOKAHEAD", LOOKAHEAD))])
    if match is None:
        return None
    moment = datetime.fromisoformat(match[0])
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
