"""Copying a cohort: ours beside its peers, in one run.

    python -m benchmarks.replication [--small 1000] [--large 200] [--rounds 3] [--only WORD]

Each way copies the same instances from one real Orthanc to a new, empty one, on 1.10 and (where it can be
had) 1.12. The rounds go through all ways in turn, so that a noisy machine troubles all alike; medians, and
their ratios to ours, are printed. Afterwards it is told how long it takes to know what is there: 10,000
references of which 9,000 are, in archives of 10,000 and 50,000 instances.

The predecessor's loop and Orthanc's sample Replicate.py are written here anew from what they do. The packages
of the extra `bench` (pyorthanc, orthanc-tools, orthanc-api-client) are left out where they are not installed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from benchmarks import peers_of_replication as peers
from copydicom_app.models import Reference, Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.presence import Presence
from copydicom_app.replication.replicate import Replicator
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import Instance, make_instances

Way = Callable[[OrthancServer, OrthancServer, Sequence[Instance]], None]


def config(server: OrthancServer) -> Server:
    """As copydicom_servers.conf would describe it."""
    return Server(server.name, server.url, server.username, server.password)


def ours(method: str) -> Way:
    """Our engine with its defaults: `stream` or `peer`."""

    def copy(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
        engine = Replicator(Orthanc(config(source)), Orthanc(config(dest)), method=method)
        engine.check()
        found = {
            outcome.status.value for outcome in engine.outcomes([Reference(i.orthanc_id) for i in cohort])
        }
        if found != {"copied"}:
            raise RuntimeError(f"not all was copied: {found}")

    return copy


def ways() -> dict[str, Way]:
    """All that can run here, by the name under which it is printed."""
    found: dict[str, Way] = {"ours, stream": ours("stream"), "ours, peer": ours("peer")}
    return {**found, **peers.ways()}


def main() -> None:
    """Print a table for each version and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--small", type=int, default=1000, help="instances of 10 KB")
    parser.add_argument("--large", type=int, default=200, help="instances of 512 KB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="versions, sizes and ways whose names hold this")
    parser.add_argument("--no-presence", action="store_true")
    options = parser.parse_args()
    for version, binary in versions():
        for kind, count, size in (("small", options.small, 10_000), ("large", options.large, 512_000)):
            if count and options.only in f"{version} {kind}":
                compare(f"{version}, {count} {kind} instances", binary, count, size, options.rounds)
        if not options.no_presence:
            know(version, binary)


def versions() -> Iterator[tuple[str, list[str] | None]]:
    """The Orthancs that are at hand."""
    yield "1.10", None
    binary, reason = second_orthanc()
    if binary is None:
        print(f"1.12 is left out: {reason}")
    else:
        yield "1.12", binary


def compare(title: str, binary: list[str] | None, count: int, size: int, rounds: int) -> None:
    """One table: instances a second."""
    cohort = list(make_instances(count, size=size))
    rates: dict[str, list[float]] = {name: [] for name in ways()}
    for _ in range(rounds):
        for name, way in ways().items():
            with contextlib.ExitStack() as stack:
                dest = stack.enter_context(OrthancServer("dest", binary=binary))
                source = stack.enter_context(OrthancServer("source", binary=binary, peers={"dest": dest}))
                fill(source, cohort)
                begin = time.perf_counter()
                way(source, dest, cohort)
                rates[name].append(count / (time.perf_counter() - begin))
                if dest.get("/statistics")["CountInstances"] != count:
                    raise RuntimeError(f"{name} did not copy all")
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(f"\n{title}: instances/s, median of {rounds} (least to most), ours/this")
    for name, values in rates.items():
        ratio = medians["ours, stream"] / medians[name]
        print(
            f"  {name:34} {medians[name]:7.0f}  ({min(values):.0f}-{max(values):.0f})  {ratio:5.2f}",
            flush=True,
        )


def fill(server: OrthancServer, cohort: Sequence[Instance]) -> None:
    """Upload in archives of 100."""
    todo = iter(cohort)
    while part := list(islice(todo, 100)):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for number, each in enumerate(part):
                archive.writestr(str(number), each.data)
        server.upload(packed.getvalue())


def know(version: str, binary: list[str] | None, sizes: Sequence[int] = (10_000, 50_000)) -> None:
    """How long it takes to know which of 10,000 references are there."""
    residents = list(make_instances(max(sizes), size=2_500, name="resident"))
    strangers = list(make_instances(1_000, size=2_500, name="stranger"))
    print(f"\n{version}, 10,000 references of which 9,000 are there: seconds to know it")
    with OrthancServer("archive", binary=binary) as server:
        held = 0
        for size in sizes:
            fill(server, residents[held:size])
            held = size
            wanted = [each.orthanc_id for each in (*residents[:9_000], *strangers)]
            series = {each.orthanc_id: "" for each in (*residents[:9_000], *strangers)}
            client = Orthanc(config(server))
            took: dict[str, float] = {}
            for name, ask in {
                "ours": lambda: Presence(client).held(series),  # noqa: B023 (called at once)
                "listing both ends": lambda: (peers.listed(server), peers.listed(server)),
                "a request each (of 300, scaled)": lambda: peers.each_asked(server, wanted[::33][:300]),  # noqa: B023
            }.items():
                begin = time.perf_counter()
                answer = ask()
                took[name] = time.perf_counter() - begin
                if name == "ours" and len(answer) != 9_000:  # type: ignore[arg-type]
                    raise RuntimeError("presence is wrong")
            took["a request each (of 300, scaled)"] *= len(wanted) / 300
            said = ", ".join(f"{name} {seconds:.2f}" for name, seconds in took.items())
            print(f"  {size:6} resident: {said}", flush=True)


if __name__ == "__main__":
    main()
