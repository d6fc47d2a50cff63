"""What an input's stanza in inputs.conf says, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Optional

from copydicom_app.errors import ConfigurationError
from copydicom_app.indexing.backfill import Days
from copydicom_app.models import Level
from copydicom_app.privacy import Phi
from copydicom_app.splunk.config import parse_bool, parse_count
from copydicom_app.tags_event import DEFAULT_MAX_EVENT_BYTES
from copydicom_app.times import iso_date

# name -> (title, what an admin reads beside it)
ARGUMENTS = {
    "server": ("Server", "Name of the Orthanc server in copydicom_servers.conf"),
    "level": (
        "Level",
        "instance; series or study: one event each, once it has been quiet a while, and again as it grows",
    ),
    "start": ("Start", "beginning: all that the server holds, then what comes; now: only what comes"),
    "dose": ("Dose reports", "true: also one event per irradiation of every dose report"),
    "dose_from_images": (
        "Doses from images",
        "true: where a scanner sends no report, one event per irradiation from the images' headers",
    ),
    "exclude_tags": ("Leave out", "DICOM keywords, separated by commas, that no event shall hold"),
    "tags": (
        "Tags",
        "all; main: what Orthanc keeps in its database, far faster; or DICOM keywords, separated by commas",
    ),
    "phi": (
        "Patient data",
        "keep; hash: pseudonyms with a key of your own; drop: left out (see docs/privacy.md)",
    ),
    "max_event_bytes": (
        "Largest event",
        "Bytes; beyond that the bulkiest sequences are left out of an event",
    ),
    "backfill": (
        "Backfill",
        "Days of StudyDate, such as 20250101-20251231, to compare with the index; what it lacks is indexed",
    ),
    "workers": ("Requests at once", "How many requests to Orthanc run at the same time"),
}
LEVELS = (Level.INSTANCE.value, Level.SERIES.value, Level.STUDY.value)
_CRON = re.compile(r"[\d*/,-]+(\s+[\d*/,-]+){4}\Z")
_DAYS = re.compile(r"\d{8}(\s*-\s*\d{8})?\Z")
_KEYWORD = re.compile(r"[A-Z][A-Za-z0-9]*\Z")


@dataclass(frozen=True)
class Settings:
    """What an input's stanza says."""

    server: str
    level: Level = Level.INSTANCE
    start: str = "beginning"
    dose: bool = True
    dose_from_images: bool = False
    tags: tuple[str, ...] = ("all",)
    exclude_tags: tuple[str, ...] = ()
    phi: Phi = Phi.KEEP
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    workers: int = 3
    backfill: Optional[Days] = None

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
        phi = text.get("phi") or Phi.KEEP.value
        if phi not in {each.value for each in Phi}:
            raise ConfigurationError(f"phi must be keep, hash or drop, not {phi!r}")
        level = text.get("level") or Level.INSTANCE.value
        if level not in LEVELS:
            raise ConfigurationError(f"level must be instance, series or study, not {level!r}")
        _check_interval(text.get("interval", ""))
        return cls(
            server=text["server"],
            level=Level(level),
            start=start,
            dose=parse_bool(text.get("dose", ""), "dose", default=True),
            dose_from_images=parse_bool(text.get("dose_from_images", ""), "dose_from_images", default=False),
            tags=_depth(text.get("tags", "")),
            exclude_tags=_keywords(text.get("exclude_tags", ""), "exclude_tags"),
            phi=Phi(phi),
            max_event_bytes=parse_count(
                text.get("max_event_bytes", ""), "max_event_bytes", default=cls.max_event_bytes, least=1000
            ),
            workers=parse_count(text.get("workers", ""), "workers", default=cls.workers, least=1),
            backfill=_days(text.get("backfill", "")),
        )


def _days(text: str) -> Optional[Days]:
    """``20250101-20251231`` or one day; None for nothing."""
    if not text:
        return None
    ends = [iso_date(end.strip()) for end in text.split("-")] if _DAYS.match(text) else []
    if not ends or None in ends or ends[0] > ends[-1]:  # type: ignore[operator]
        raise ConfigurationError(
            f"backfill must be days of StudyDate such as 20250101-20251231, the first not after the last, "
            f"not {text!r}"
        )
    return Days(date.fromisoformat(str(ends[0])), date.fromisoformat(str(ends[-1])))


def _depth(text: str) -> tuple[str, ...]:
    """``("all",)``, ``("main",)`` or keywords."""
    if text in ("", "all", "main"):
        return (text or "all",)
    return _keywords(text, "tags")


def _keywords(text: str, what: str) -> tuple[str, ...]:
    """Keywords go into a URL, so nothing else may look like one."""
    keywords = tuple(word.strip() for word in text.split(",") if word.strip())
    wrong = [word for word in keywords if not _KEYWORD.match(word)]
    if wrong:
        raise ConfigurationError(
            f"{what} must be DICOM keywords such as PatientID, separated by commas, not {wrong[0]!r}"
        )
    return keywords


def _check_interval(interval: str) -> None:
    """Seconds, -1 for once, or a cron schedule; empty is the default of inputs.conf."""
    if not interval or interval == "-1" or _CRON.match(interval):
        return
    try:
        if 0 <= float(interval) < math.inf:
            return
    except ValueError:
        pass
    raise ConfigurationError(
        f"interval must be a number of seconds or a cron schedule of five fields, not {interval!r}"
    )
