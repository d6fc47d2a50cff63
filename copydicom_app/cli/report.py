"""What a person sees of a run: progress, what went wrong, and the closing line.

Outcomes and the closing line go to standard output, everything else to standard error. With ``--json``
standard output holds the outcomes' lines and nothing else. On a terminal progress is a bar with rate and time
left, elsewhere a plain line now and then.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol

import click

from copydicom_app.addresses import without_logins
from copydicom_app.errors import CopydicomError
from copydicom_app.gauge import Gauge
from copydicom_app.models import Outcome, Status, Tally, clock

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY_SECONDS = 30.0  # between two plain lines
_WRONG = (Status.FAILED, Status.CONFLICT)


def say(text: str) -> None:
    """A line on standard error, without logins."""
    click.echo(for_console(text), err=True)


def for_console(text: str) -> str:
    """The message of an error in the words of the command line, without logins."""
    return without_logins(text).replace("its base_url", "its address")


class Display(Protocol):
    """Shows a gauge while something runs."""

    def say(self, text: str) -> None:
        """A line between."""

    def close(self) -> None:
        """No more progress."""


class Report:
    """Tells one run. Use it as a context manager."""

    def __init__(
        self, gauge: Gauge, *, as_json: bool, verbose: bool, quiet: bool, out_is_taken: bool = False
    ) -> None:
        self._as_json, self._verbose = as_json, verbose
        self._to_error = as_json or out_is_taken
        self._tally, self._count = Tally(), 0
        lines_on_terminal = (as_json or verbose) and sys.stdout.isatty()
        self._display: Display
        if quiet:
            self._display = _Nothing()
        elif sys.stderr.isatty() and not lines_on_terminal:
            self._display = _Bar(gauge)
        else:
            self._display = _Lines(gauge)

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._display.close()
        if isinstance(error, CopydicomError) and self._count:
            click.echo(str(self._tally), err=self._to_error)  # what was done until then

    def close(self) -> None:
        """No more progress, before something else is written to the terminal."""
        self._display.close()

    def tell(self, text: str) -> None:
        """Something that a person should know."""
        self._display.say(for_console(text))

    def run(
        self, outcomes: Iterable[Outcome], *, stopped: Callable[[], bool], missing_is_wrong: bool = False
    ) -> int:
        """Tell the outcomes as they come, then the closing line.

        The exit code: 1 when something failed, or when after that it is `stopped` before its end.
        """
        for outcome in outcomes:
            self._add(outcome)
        self._display.close()
        if stopped():
            click.echo("stopped before the end; run it again for the rest", err=True)
        click.echo(str(self._tally), err=self._to_error)
        counts = self._tally.as_fields()
        wrong = sum(counts[status.value] for status in _WRONG)
        wrong += counts["missing"] if missing_is_wrong else 0
        return 1 if wrong or stopped() else 0

    def _add(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        self._count += 1
        if self._as_json:
            click.echo(json.dumps(as_fields(outcome)))
        elif self._verbose:
            click.echo(line(outcome))
        if outcome.status in (*_WRONG, Status.MISSING) and not self._verbose:
            self._display.say(line(outcome))


def as_fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome for JSON: counts that are 0 and an empty message are left out."""
    counts = {status.value: outcome.count(status) for status in Status if outcome.count(status)}
    fields: dict[str, Any] = {
        "ref": outcome.ref,
        "status": outcome.status.value,
        **counts,
        "bytes": outcome.bytes,
    }
    return {**fields, "message": outcome.message} if outcome.message else fields


def line(outcome: Outcome) -> str:
    """An outcome in a line: ``copied 3a1b... 40 instances, 20.9 MB``."""
    count = sum(outcome.count(status) for status in Status)
    what = f"{count} instance{'s' if count != 1 else ''}" if count != 1 else ""
    size = f"{outcome.bytes / 1e6:.1f} MB" if outcome.bytes else ""
    more = ", ".join(part for part in (what, size) if part)
    message = f": {outcome.message}" if outcome.message else ""
    return f"{outcome.status.value:8} {outcome.ref}{' ' + more if more else ''}{message}"


class _Nothing:
    def say(self, text: str) -> None:
        click.echo(text, err=True)

    def close(self) -> None:
        pass


class _Lines:
    """A plain line every half a minute, from a thread: outcomes may be held back while copies go on."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge, self._began, self._over = gauge, time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        click.echo(text, err=True)

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            with contextlib.suppress(OSError):  # nobody reads it
                click.echo(progress_line(self._gauge, time.monotonic() - self._began), err=True)


def progress_line(gauge: Gauge, seconds: float) -> str:
    """How far it is: ``12,300 of 120,400 instances, 410/s, 4:24 left``."""
    rate = gauge.done / max(seconds, 0.001)
    total = gauge.total if gauge.total and gauge.total >= gauge.done else None
    of = f" of {total:,}" if total else ""
    left = f", {clock((total - gauge.done) / rate)} left" if total and rate else ""
    return f"{gauge.done:,}{of} instances, {rate:,.0f}/s{left}"


class _Bar:
    """A bar on the terminal, by rich."""

    def __init__(self, gauge: Gauge) -> None:
        from rich.console import Console

        self._gauge = gauge
        self._console = Console(stderr=True)
        self._progress, self._task = _progress(self._console)
        self._progress.start()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        if not self._over.is_set():
            self._over.set()
            self._thread.join()
            self._progress.stop()

    def _run(self) -> None:
        while not self._over.wait(0.2):
            total = self._gauge.total
            known = total if total and total >= self._gauge.done else None
            self._progress.update(self._task, completed=self._gauge.done, total=known)


def _progress(console: Any) -> tuple[Progress, TaskID]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")

    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console, transient=True)
    return progress, progress.add_task("instances", total=None)
