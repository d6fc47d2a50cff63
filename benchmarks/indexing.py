"""Reading the tags of an Orthanc: ours beside the predecessor's loop, two libraries and a floor in C.

Ours is the packaged input from the start of its process to its end: Python, the imports, splunkd's REST,
the walk, the events, the checkpoint after each batch. The others read and throw away. Each contender
reads until all is read or its seconds are over, so that slow ones need not finish 20,000 instances.

The floor is libcurl pulling each series' tags in bulk, on one kept connection, and on as many as serve best.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks import archives
from benchmarks import peers_of_indexing as peers
from benchmarks.packaged_input import PackagedInput
from benchmarks.result import Options, Result, Row, Say, Target
from benchmarks.rounds import Sample, in_turns
from testbench.orthanc import OrthancServer

WHAT = "tags of small instances"
UNIT = "instances/s"
SECONDS = 15.0  # of each contender that throws away what it reads
TO_THE_END = 45.0  # of ours: its memory is measured too, and what it finds out while it runs shows
BUDGET = 500.0  # seconds for the rounds of one size on one version
LARGEST_MB, LARGEST_GROWTH = 150, 1.2

NOTE_OURS = (
    "Instances of 10 KB in series of {}. *Ours* counts its whole process, with its start "
    "(what a run without news takes), and writes events; the others' seconds begin at their first request."
)
NOTE_STOPPED = (
    "A contender that has not read all after {:.0f} s (ours: {:.0f} s) is stopped: its rate is that of what "
    "it has read."
)

NOTE_APART = (
    "*A core each*: Orthanc is bound to one core and its client to another, as where the forwarder is a "
    "machine of its own; else both share all cores, and what the client spends is missing to Orthanc."
)

NOTE_FLOORS = (
    "The floor is pulled by one kept connection, as a client in C would, and by that number of them, 1 to "
    "{}, which pulled most in two seconds."
)

PEERS = {
    "predecessor": "the predecessor's loop",
    "pyorthanc": "pyorthanc",
    "orthanc_api_client": "orthanc-api-client",
}
ALL, MAIN = "ours, tags = all", "ours, tags = main"
NOTHING = "ours, nothing new"
FLOOR, FLOOR_MAIN, LIMIT = "floor: libcurl, all tags", "floor: libcurl, main tags", "limit: Orthanc's CPU"
ONE = "floor: libcurl, all tags, one connection"
APART = ", a core each"


def run(options: Options, say: Say) -> Result:
    """Both versions, 1.12 with the proposed index too; 2,000 and 20,000 instances."""
    result = Result("indexing", "Indexing: the tags of small instances")
    sizes = options.of((2_000, 20_000), (200, 400))
    for binary, indexed in archives.kinds(say):
        for size in sizes:
            with archives.archive(binary, size, say, indexed) as server:
                name = archives.named(server, indexed)
                say(f"Orthanc {name}, {size:,} instances")
                samples = compare(server, size, options, say)
                result.rows += _rows(samples, f"{size:,}", name)
                if not options.quick:
                    result.targets += _targets(f"{name}, {size:,}", samples)
        if not options.quick:
            result.targets += _memory(result.rows, name)
    result.notes = [
        NOTE_OURS.format(archives.SERIES_OF),
        NOTE_STOPPED.format(SECONDS, TO_THE_END),
        NOTE_APART,
        archives.NOTE_INDEX,
        NOTE_FLOORS.format(len(peers.FLOORS)),
        "The limit is what Orthanc's CPU time for an instance allows on these cores, were there nobody else.",
    ]
    return result


def compare(server: OrthancServer, size: int, options: Options, say: Say) -> dict[str, list[Sample]]:
    """The rounds of one size on one server."""
    seconds = options.of(SECONDS, 2.0)
    with PackagedInput({"pacs": server}) as packaged:

        def ours(tags: str, start: str = "beginning") -> Sample:
            return packaged.run("pacs", tags=tags, start=start, seconds=options.of(TO_THE_END, 20.0)).sample()

        ours("all", "now")  # Python compiles the modules once
        contenders: dict[str, Callable[[], Sample]] = {
            NOTHING: partial(ours, "all", "now"),
            ALL: partial(ours, "all"),
            MAIN: partial(ours, "main"),
        }
        floors = {_best_floor(server, say): FLOOR, "floor_main": FLOOR_MAIN}
        for name, title in (*PEERS.items(), ("floor_1", ONE), *floors.items()):
            if peers.available(name):
                contenders[title] = partial(peers.contend, name, server, seconds)
            else:
                say(f"{title} is left out: pip install '.[bench]'")
        if FLOOR in contenders and len(os.sched_getaffinity(0)) > 1:
            contenders |= {name + APART: partial(_apart, server, contenders[name]) for name in (ALL, FLOOR)}
        return in_turns(
            contenders, options.rounds or options.of(3, 1), say, budget=options.of(BUDGET, float("inf"))
        )


def _apart(server: OrthancServer, contend: Callable[[], Sample]) -> Sample:
    """A round with one core for Orthanc and another for its client, as on two machines."""
    cores = sorted(os.sched_getaffinity(0))
    if server.pid is None:
        raise RuntimeError("the server does not run")
    try:
        _bind(server.pid, cores[:1])
        _bind(os.getpid(), cores[1:2])
        return contend()
    finally:
        _bind(server.pid, cores)
        _bind(os.getpid(), cores)


def _bind(pid: int, cores: Iterable[int]) -> None:
    """Every thread of a process, and so those that it starts."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


def _best_floor(server: OrthancServer, say: Say) -> str:
    """The number of connections that pulls most in two seconds."""
    if not peers.available("floor_1"):
        return "floor_2"
    rates = {name: peers.contend(name, server, 2.0).rate for name in peers.FLOORS}
    say("connections of the floor: " + ", ".join(f"{name[-1]} {rate:,.0f}/s" for name, rate in rates.items()))
    return max(rates, key=lambda name: rates[name])


def _rows(samples: Mapping[str, Sequence[Sample]], size: str, version: str) -> list[Row]:
    beside = {FLOOR: "tags = all", ONE: "tags = all", FLOOR_MAIN: "tags = main"}
    rows = []
    for name, found in samples.items():
        if name != NOTHING:
            plain = name.removesuffix(APART)
            what = WHAT + name.removeprefix(plain)
            rows.append(Row.of(what, size, version, plain, found, UNIT, beside.get(plain, "")))
    for row in rows:
        if row.contender == FLOOR and row.what == WHAT and row.server_ms:
            limit = len(os.sched_getaffinity(0)) * 1000 / row.server_ms
            rows.append(Row(WHAT, size, version, LIMIT, limit, UNIT, row.rounds, beside="tags = all"))
            break
    seconds = [sample.seconds for sample in samples[NOTHING]]
    about = ("a run without news", size, version, "ours", statistics.median(seconds), "s", len(seconds))
    return [*rows, Row(*about, min(seconds), max(seconds), more_is_better=False)]


def _targets(here: str, samples: Mapping[str, Sequence[Sample]]) -> Iterator[Target]:
    """`here` says on what: the version and the size."""
    start = statistics.median(sample.seconds for sample in samples[NOTHING])

    def rate(name: str, without: float = 0.0) -> float:
        return statistics.median(each.count / (each.seconds - without) for each in samples[name])

    pairs = [
        (ALL, ONE, " of one connection, cores shared"),
        (ALL, FLOOR, " of as many as serve best, cores shared"),
        (ALL + APART, FLOOR + APART, f" of as many as serve best{APART}"),
    ]
    for ours, floor, how in pairs:
        if floor in samples:
            what = f"{here}: tags = all / floor{how}"
            yield Target(what, rate(ours) / rate(floor), 0.9)
            yield Target(f"{what}, without the start", rate(ours, start) / rate(floor), 0.9)
    loop = rate(PEERS["predecessor"])
    yield Target(f"{here}: tags = all / the predecessor's loop", rate(ALL) / loop, 3)
    yield Target(f"{here}: tags = main / the predecessor's loop", rate(MAIN) / loop, 15)
    yield Target(
        f"{here}: tags = main / the predecessor's loop, without the start", rate(MAIN, start) / loop, 15
    )


def _memory(rows: Sequence[Row], version: str) -> Iterator[Target]:
    for name in (ALL, MAIN):
        peaks = [
            row.peak_mb or 0.0
            for row in rows
            if (row.what, row.orthanc, row.contender) == (WHAT, version, name)
        ]
        size = [row.size for row in rows if row.orthanc == version][-1]
        yield Target(f"{version}, {name}: MB at {size}", peaks[-1], LARGEST_MB, at_least=False)
        growth = peaks[-1] / peaks[0]
        yield Target(
            f"{version}, {name}: MB at {size} to the smaller", growth, LARGEST_GROWTH, at_least=False
        )
