"""Log lines as data: ``LEVEL key=value key="..."`` on stderr, and in a file that Splunk indexes by itself.

splunkd puts what an input writes to stderr into splunkd.log; everything below ``var/log/splunk`` goes to
``index=_internal``. Nothing that is logged holds a tag, a token, a body or a URL with a login.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Optional
from urllib.parse import quote

_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_MAX_BYTES = 10_000_000


class Log:
    """Writes lines of key=value pairs; `constant` pairs stand on every line."""

    def __init__(self, component: str, *, stderr: bool = True, **constant: object) -> None:
        self._constant = {"component": component, **constant}
        self._logger = logging.getLogger(f"copydicom_app.{component}")
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.handlers = [handler for handler in (_file(component, constant),) if handler]
        if stderr:
            to_stderr = logging.StreamHandler(sys.stderr)
            to_stderr.setFormatter(_Lines("%(level)s %(message)s"))
            self._logger.addHandler(to_stderr)

    def info(self, message: str, **pairs: object) -> None:
        """Something went as it should."""
        self._logger.info(self._line(message, pairs))

    def warning(self, message: str, **pairs: object) -> None:
        """Something that an admin should look at; the work goes on."""
        self._logger.warning(self._line(message, pairs))

    def error(self, message: str, **pairs: object) -> None:
        """The work cannot go on."""
        self._logger.error(self._line(message, pairs))

    def unexpected(self, error: BaseException) -> None:
        """A fault of this program: where it happened, without its words, which may hold a patient's data."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
        self.error("this should not happen; please report it", error=type(error).__name__, at=place)

    def _line(self, message: str, pairs: dict[str, object]) -> str:
        return " ".join(f"{key}={_quoted(value)}" for key, value in self._pairs(message, pairs).items())

    def _pairs(self, message: str, pairs: dict[str, object]) -> dict[str, object]:
        return {**self._constant, "message": message, **pairs}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.level = _LEVELS.get(record.levelname, record.levelname)
        return super().format(record).replace("\n", " ")


def _file(component: str, constant: dict[str, object]) -> Optional[logging.Handler]:
    """A file of its own per component and input, so that processes do not rotate each other's."""
    folder = Path(os.environ.get("SPLUNK_HOME", "")) / "var" / "log" / "splunk"
    if "SPLUNK_HOME" not in os.environ or not folder.is_dir():
        return None
    names = ["copydicom_app", component, *(quote(str(value), safe="") for value in constant.values())]
    try:
        handler = RotatingFileHandler(
            folder / ("_".join(names) + ".log"), maxBytes=_MAX_BYTES, backupCount=3, encoding="utf-8"
        )
    except OSError:  # a read-only log folder must not stop the work; stderr still tells
        return None
    handler.setFormatter(_Lines("%(asctime)s.%(msecs)03d %(level)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    return handler


def _quoted(value: object) -> str:
    text = str(value)
    if isinstance(value, (int, float)) or text.replace("_", "").replace(".", "").replace("-", "").isalnum():
        return text
    return '"' + text.replace("\\", "/").replace('"', "'") + '"'
