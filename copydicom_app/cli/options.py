"""The options that commands share. Each has a twin in the environment, which ``--help`` names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

import click
from click.shell_completion import CompletionItem

from copydicom_app.cli.report import Report
from copydicom_app.cli.servers import Servers
from copydicom_app.errors import ConfigurationError
from copydicom_app.gauge import Gauge
from copydicom_app.models import Level

F = TypeVar("F", bound=Callable[..., Any])
_AGO = re.compile(r"(\d{1,6})([mhdw])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.4
    """``2026-01-31T10:00`` with a zone or of this machine's, a date, or how long ago: ``12h``, ``7d``."""

    name = "moment"

    def convert(self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]) -> datetime:
        """The moment, with its zone."""
        if isinstance(value, datetime):
            return value
        ago = _AGO.match(str(value))
        if ago:
            return datetime.now().astimezone() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            return datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone()
        except (ValueError, OverflowError):
            return self.fail(
                "it must be a date or moment such as 2026-01-31 or 2026-01-31T10:00, "
                "or how long ago, such as 7d or 12h",
                param,
                ctx,
            )


def option(*names: str, **more: Any) -> Callable[[F], F]:
    """An option with its twin in the environment: ``--dry-run`` is COPYDICOM_DRY_RUN."""
    long = next(name for name in names if name.startswith("--"))
    more.setdefault("envvar", "COPYDICOM_" + long[2:].replace("-", "_").upper())
    return click.option(*names, show_envvar=True, **more)


def _known_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    config = ctx.params.get("config")
    try:
        names = Servers(config and Path(config)).names()
    except ConfigurationError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def server(name: str, text: str, *, required: bool = True) -> Callable[[F], F]:
    """An option that means a server."""
    return option(name, metavar="URL|NAME", required=required, help=text, shell_complete=_known_names)


src = server("--src", "Orthanc to copy from.")
dest = server("--dest", "Orthanc to copy to.")
index = server("--index", "Splunk's management port, to search: https://user:password@host:8089.")


def level(default: Optional[Level], text: str) -> Callable[[F], F]:
    """--level"""
    return option(
        "--level",
        type=click.Choice([each.value for each in Level]),
        default=default.value if default else None,
        show_default=bool(default),
        help=text,
    )


def jobs(default: Optional[int], text: str = "Transfers at once.") -> Callable[[F], F]:
    """--jobs"""
    return option(
        "--jobs", type=click.IntRange(1, 64), default=default, show_default=bool(default), help=text
    )


dry_run = option("--dry-run", is_flag=True, help="Only tell what would be copied, and how many bytes.")
verify = option("--verify", is_flag=True, help="Compare the MD5 of each instance at both ends.")
method = option(
    "--method",
    type=click.Choice(["stream", "peer"]),
    default="stream",
    show_default=True,
    help="Send images through this machine, or let the source send them to its peer.",
)
watch = option("--watch", is_flag=True, help="Go on with what arrives, until stopped (Ctrl-C, SIGTERM).")
rewrites = option(
    "--rewrites",
    is_flag=True,
    help="The destination gives ids of its own, such as a de-identifier; what it was sent is remembered "
    "in --state.",
)
state = option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("~/.local/state/copydicom"),
    show_default=True,
    help="Folder for what --rewrites remembers.",
)
json = option("--json", "as_json", is_flag=True, help="A line of JSON for each outcome on standard output.")
verbose = option(
    "--verbose", "-v", is_flag=True, help="A line for each outcome, and not only where one failed."
)
quiet = option("--quiet", "-q", is_flag=True, help="No progress.")
config = option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that explains the names of servers.  [default: servers.conf in copydicom's folder]",
)
ca_bundle = option(
    "--ca-bundle",
    type=click.Path(exists=True, dir_okay=False),
    help="Certificates to trust, for servers given by a URL.",
)
insecure = option(
    "--insecure",
    is_flag=True,
    help="Trust any certificate of servers given by a URL. Not for patients' data.",
)

COMMON: Sequence[Callable[[Any], Any]] = (json, verbose, quiet, config, ca_bundle, insecure)


@dataclass(frozen=True)
class Common:
    """What the common options say: how a run is told, and where the servers' names are explained."""

    as_json: bool
    verbose: bool
    quiet: bool
    config: Optional[Path]
    ca_bundle: Optional[str]
    insecure: bool

    @property
    def servers(self) -> Servers:
        """The servers that can be named."""
        return Servers(self.config, self.ca_bundle or "", self.insecure)

    def report(self, gauge: Gauge, *, out_is_taken: bool = False) -> Report:
        """What tells the run; without a line for each outcome where standard output is taken."""
        verbose = self.verbose and not out_is_taken
        return Report(
            gauge, as_json=self.as_json, verbose=verbose, quiet=self.quiet, out_is_taken=out_is_taken
        )


def options(*chosen: Callable[[Any], Any]) -> Callable[[F], Callable[..., Any]]:
    """Several options in the order in which help shows them, the common ones last.

    The command is called with a Common and the chosen ones by their names.
    """

    def decorate(command: F) -> Callable[..., Any]:
        @wraps(command)
        def called(**values: Any) -> Any:
            common = Common(**{field.name: values.pop(field.name) for field in fields(Common)})
            return command(common, **values)

        for each in reversed((*chosen, *COMMON)):
            called = each(called)
        return called

    return decorate
