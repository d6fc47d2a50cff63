"""All benchmarks: each in a process of its own, one table at the end.

    python -m benchmarks [--only indexing,replication] [--quick] [--big] [--rounds N] [--table]

What a benchmark finds is kept in build/benchmarks as soon as it ends, so a run that was broken off goes on
with `--only`. The table holds all that is kept; without `--quick` it is written to docs/benchmarks.md too.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
from collections.abc import Sequence

from rich.console import Console

from benchmarks import report, scaling
from benchmarks.machine import facts
from benchmarks.result import ROOT, Clock, Options, Result, where

NAMES = (
    "indexing",
    "latency",
    "growth",
    "volume",
    "replication",
    "presence",
    "copying_much",
    "dose_flattening",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 when a benchmark failed; the others are shown all the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="names, separated by commas: " + ", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: does it run?")
    parser.add_argument("--big", action="store_true", help="100,000 resident instances too: many minutes")
    parser.add_argument("--rounds", type=int, help="instead of each benchmark's own number")
    parser.add_argument("--table", action="store_true", help="measure nothing, show what is kept")
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    options = Options(quick=given.quick, big=given.big, rounds=given.rounds)
    if given.one:
        measure(given.one, options)
        return 0
    names = given.only.split(",") if given.only else NAMES
    unknown = set(names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    failed = [] if given.table else [name for name in names if not _in_a_process(name, options)]
    results = [Result.load(path) for name in NAMES if (path := where(options) / f"{name}.json").exists()]
    console = Console() if sys.stdout.isatty() else Console(width=180)
    report.show(results, console)
    if not options.quick:
        (ROOT / "docs" / "benchmarks.md").write_text(report.page(results), encoding="utf-8")
        scaling.write(ROOT / "docs" / "scaling.md", results)
        console.print("written to docs/benchmarks.md and the measured parts of docs/scaling.md")
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}[/]; run again with --only={','.join(failed)}")
    return 1 if failed else 0


def measure(name: str, options: Options) -> None:
    """Run one benchmark here and keep what it finds."""
    began = time.monotonic()

    def say(text: str) -> None:
        passed = time.monotonic() - began
        print(f"{int(passed) // 60:3}:{int(passed) % 60:02} {name}: {text}", flush=True)

    clock = Clock()
    result: Result = importlib.import_module(f"benchmarks.{name}").run(options, say)
    result.facts = facts(options, clock)
    result.save(where(options))


def _in_a_process(name: str, options: Options) -> bool:
    command = [sys.executable, "-m", "benchmarks", "--one", name]
    command += ["--quick"] if options.quick else []
    command += ["--big"] if options.big else []
    command += ["--rounds", str(options.rounds)] if options.rounds else []
    return subprocess.run(command, cwd=ROOT).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
