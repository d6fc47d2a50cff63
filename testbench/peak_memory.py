"""The peak memory of a command that the stand-in for Splunk runs, told by the command itself at its end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# Not ru_maxrss: that begins with what the process that forked this one had.
_WATCH = """\
import os, re, sys
real = os._exit
def leave(code):
    peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]
    print('PEAK', peak, file=sys.stderr, flush=True)
    real(code)
os._exit = leave
"""


def report_peak(command: Path) -> None:
    """Have an installed command (a file in the app's ``bin``) tell its peak on stderr when it ends."""
    command.write_text(_WATCH + command.read_text())


def peak_mb(stderr: Iterable[str]) -> float:
    """What it told, in MB."""
    return next(int(line.split()[1]) for line in stderr if line.startswith("PEAK")) / 1024
