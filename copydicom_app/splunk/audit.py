"""The audit trail: who had which study copied where. One JSON event a study and search (`copydicom:audit`).

The file is the app's own, below ``var/log/copydicom_app``; inputs.conf has it monitored into `dicom_audit`.
What stands in ``var/log/splunk`` would go to `_internal`, where Splunk deletes it after a month.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Status, as_json

_COUNTS = ("copied", "present", "conflict", "missing", "failed")
_LONGEST = 300  # characters of what a person wrote, such as the name of a destination


class Audit:
    """Appends to this month's file. `constant` fields stand in every event.

    Raises ConfigurationError when that file cannot be written: nothing is copied without a trail.
    """

    def __init__(self, **constant: str) -> None:
        self.constant = constant
        folder = splunk_home() / "var" / "log" / "copydicom_app"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            name = folder / f"audit-{datetime.now(timezone.utc):%Y-%m}.log"
            self._file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the audit trail below {folder} cannot be written ({error.strerror or error}); nothing is "
                "copied without it: let the user that runs Splunk write there"
            ) from error

    def write(self, source: str, studies: Mapping[str, Mapping[str, int]], cancelled: bool) -> None:
        """One event a study (Orthanc id; an empty one stands for instances whose study nobody told)."""
        for study, counts in studies.items():
            status = max(
                (status for status in Status if counts.get(status.value)), key=_severity, default=None
            )
            fields = {
                "source": source,
                "study": study,
                **{name: counts.get(name, 0) for name in _COUNTS},
                "bytes": counts.get("bytes", 0),
                "result": "cancelled" if cancelled else status.value if status else "",
            }
            self._append(fields)

    def refuse(self, reason: str) -> None:
        """One event for a copy that was refused as a whole, with the reason that the person was told."""
        counts = dict.fromkeys((*_COUNTS, "bytes"), 0)
        self._append({"source": "", "study": "", **counts, "result": "refused", "reason": reason[:_LONGEST]})

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _append(self, fields: Mapping[str, object]) -> None:
        moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        event = {"time": moment, **self.constant, **fields}
        # One write a line, so that the lines of two searches do not mix.
        os.write(self._file, (as_json(event) + "\n").encode("ascii"))


def write_refusal(reason: str, **constant: str) -> None:
    """The event of a refused copy; it stays refused where the trail cannot be written."""
    with contextlib.suppress(ConfigurationError, OSError):
        audit = Audit(**{key: value[:_LONGEST] for key, value in constant.items()})
        try:
            audit.refuse(reason)
        finally:
            audit.close()


def splunk_home() -> Path:
    """Splunk says it in the environment; else it is three folders above the app (``etc/apps/<app>``)."""
    home = os.environ.get("SPLUNK_HOME", "")
    app = Path(__file__).resolve().parents[2]
    return Path(home) if home else app.parents[2] if app.parent.name == "apps" else app.parent


def _severity(status: Status) -> int:
    return status.severity
