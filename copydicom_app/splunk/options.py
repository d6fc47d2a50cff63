"""The options of ``| copydicom``: read, checked, each refusal naming the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Level
from copydicom_app.splunk.config import parse_bool, parse_count

METHODS = ("stream", "peer")
MOST_JOBS = 64


@dataclass(frozen=True)
class Options:
    """What a search says. Empty: each row says it (`source`, `level`), or the server's setting (`jobs`)."""

    dest: str
    source: str = ""
    level: Optional[Level] = None
    id: str = "ID"
    dryrun: bool = False
    method: str = "stream"
    jobs: Optional[int] = None
    verify: bool = False
    anonymize: str = ""

    @classmethod
    def of(cls, args: Iterable[str]) -> Options:
        """Read ``name=value`` arguments; raises ConfigurationError."""
        given: dict[str, str] = {}
        for arg in args:
            name, equals, value = arg.partition("=")
            if not equals or name not in cls.__dataclass_fields__:
                known = ", ".join(f"{name}=" for name in cls.__dataclass_fields__)
                raise ConfigurationError(f"{name!r} is not an option of copydicom; its options are {known}")
            if name in given:
                raise ConfigurationError(f"{name}= is given twice")
            given[name] = value.strip()
        if not given.get("dest"):
            raise ConfigurationError("dest= is missing; name a server of copydicom_servers.conf")
        options = cls(
            dest=given["dest"],
            source=given.get("source", ""),
            level=parse_level(given.get("level", ""), "level="),
            id=given.get("id") or "ID",
            dryrun=parse_bool(given.get("dryrun", ""), "dryrun=", default=False),
            method=_method(given.get("method") or "stream"),
            jobs=_jobs(given.get("jobs", "")),
            verify=parse_bool(given.get("verify", ""), "verify=", default=False),
            anonymize=given.get("anonymize", ""),
        )
        if options.anonymize and options.method == "peer":
            raise ConfigurationError(
                "anonymize= needs method=stream: with method=peer the source sends its originals itself"
            )
        if options.anonymize and options.verify:
            raise ConfigurationError(
                "verify= cannot compare anonymized copies with their originals; leave it out"
            )
        return options


def parse_level(text: str, what: str) -> Optional[Level]:
    """A level by its name, however it is written; None for an empty one."""
    if not text:
        return None
    try:
        return Level(text.lower())
    except ValueError as error:
        names = ", ".join(level.value for level in Level)
        raise ConfigurationError(f"{what} must be one of {names}, not {text!r}") from error


def _method(text: str) -> str:
    if text not in METHODS:
        raise ConfigurationError(f"method= must be stream or peer, not {text!r}")
    return text


def _jobs(text: str) -> Optional[int]:
    jobs = parse_count(text, "jobs=", default=0, least=1)
    if jobs > MOST_JOBS:
        raise ConfigurationError(f"jobs= may be {MOST_JOBS} at most, not {jobs}")
    return jobs or None
