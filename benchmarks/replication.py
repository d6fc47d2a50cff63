"""Copying a cohort: ours beside its peers and the floor, each into a new, empty Orthanc.

The predecessor's loop and Orthanc's sample Replicate.py are written in `peers_of_replication` anew from what
they do. The packages of the extra `bench` are left out where they are not installed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from benchmarks import archives
from benchmarks import peers_of_replication as peers
from benchmarks.packaged_input import cpu_seconds
from benchmarks.result import Options, Result, Row, Say, Target
from benchmarks.rounds import Sample, in_turns
from copydicom_app.models import Reference, Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.replicate import Replicator
from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance, make_instances

SMALL, LARGE = 10_000, 512_000  # bytes of an instance
BUDGET = 240.0  # seconds for the rounds of one size on one version
UNIT = "instances/s"
STREAM, PEER = "ours, stream", "ours, peer"
NOTE_CORES = "Two Orthancs and the contender share the cores. *Server ms* is both Orthancs' CPU time."
NOTE_FLOOR = (
    "The floor is a lean client that GETs and POSTs on kept connections, one that puts files into ZIP "
    "archives, or Orthanc's own transfer between peers. The limit, POSTs of prepared bytes, reads nothing."
)
NOTE_OURS = (
    "`stream` and `peer` copy as the search command does: they look at both servers first, ask what is "
    "there, and account for each row."
)
# times the predecessor, by size and whether it is Orthanc 1.12
_WANTED = {(SMALL, False): 4.0, (SMALL, True): 3.5, (LARGE, False): 9.0, (LARGE, True): 2.5}


def run(options: Options, say: Say) -> Result:
    """1,000 small and 200 large instances, on each version."""
    result = Result("replication", "Replication: copying a cohort to an empty Orthanc")
    for binary in archives.versions(say):
        for size, count in ((SMALL, options.of(1_000, 60)), (LARGE, options.of(200, 12))):
            cohort = list(make_instances(count, size=size))
            with OrthancServer("source", binary=binary) as source:
                say(f"Orthanc {source.version}: {count:,} instances of {size // 1000} KB")
                archives.fill(source, iter(cohort), say)
                rows = compare(source, binary, cohort, options, say)
            result.rows += rows
            if not options.quick:
                result.targets += _targets(rows, size)
    result.notes = [
        NOTE_CORES,
        NOTE_FLOOR,
        NOTE_OURS,
        f"The rounds of one size and version end after {BUDGET:.0f} s.",
    ]
    return result


def compare(
    source: OrthancServer, binary: list[str] | None, cohort: Sequence[Instance], options: Options, say: Say
) -> list[Row]:
    """The rounds of one size on one version."""
    ways = {STREAM: partial(ours, method="stream"), PEER: partial(ours, method="peer"), **peers.ways(say)}

    def contend(way: peers.Way) -> Sample:
        with OrthancServer("dest", binary=binary) as dest:
            known = {"Url": dest.url, "Username": dest.username, "Password": dest.password}
            source.request("PUT", "/peers/dest", json=known)
            servers = cpu_seconds(source) + cpu_seconds(dest)
            mine, begin = time.process_time(), time.perf_counter()
            way(source, dest, cohort)
            seconds, mine = time.perf_counter() - begin, time.process_time() - mine
            servers = cpu_seconds(source) + cpu_seconds(dest) - servers
            arrived = dest.get("/statistics")["CountInstances"]
            if arrived != len(cohort):
                say(f"{len(cohort) - arrived} were lost")  # never by ours, which would have raised
        return Sample(arrived, seconds, mine, servers)

    contend(ways[STREAM])  # what is read and compiled once
    contenders = {name: partial(contend, way) for name, way in ways.items()}
    found = in_turns(
        contenders, options.rounds or options.of(3, 1), say, budget=options.of(BUDGET, float("inf"))
    )
    size = f"{len(cohort):,} of {len(cohort[0].data) // 1000} KB"
    return [Row.of("copying", size, source.version, name, samples, UNIT) for name, samples in found.items()]


def config(server: OrthancServer) -> Server:
    """As copydicom_servers.conf would describe it."""
    return Server(server.name, server.url, server.username, server.password)


def ours(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance], method: str) -> None:
    """Our engine with its defaults."""
    engine = Replicator(Orthanc(config(source)), Orthanc(config(dest)), method=method)
    engine.check()
    found = {outcome.status.value for outcome in engine.outcomes([Reference(i.orthanc_id) for i in cohort])}
    if found != {"copied"}:
        raise RuntimeError(f"not all was copied: {found}")
    if dest.get("/statistics")["CountInstances"] != len(cohort):
        raise RuntimeError("more was reported than copied")


def _targets(rows: Sequence[Row], size: int) -> list[Target]:
    rate: Mapping[str, float] = {row.contender: row.value for row in rows}
    here = f"{rows[0].orthanc}, {rows[0].size}"
    best = max(rate[STREAM], rate[PEER])
    floor = max(value for name, value in rate.items() if name.startswith("floor"))
    others = max(
        value for name, value in rate.items() if not name.startswith(("ours", "floor", "limit", "of ours"))
    )
    wanted = _WANTED[size, rows[0].orthanc.startswith("1.12")]
    return [
        Target(f"{here}: stream / the best floor", rate[STREAM] / floor, 0.9),
        Target(f"{here}: stream or peer / the best floor", best / floor, 0.9),
        Target(f"{here}: stream / the predecessor's loop", rate[STREAM] / rate[peers.PREDECESSOR], wanted),
        Target(f"{here}: stream / the best peer", rate[STREAM] / others, 1.0),
    ]
