"""Reading the tags of an Orthanc: ours beside the predecessor's loop, two libraries and a floor in C.

    python -m benchmarks.indexing [--instances 2000] [--rounds 3] [--second] [--only ours_all,ours_main]

All contenders read the same server in the same run, in turns, each in a process of its own; the table gives
medians and, since seconds differ from machine to machine, ratios to the predecessor's loop. Peers come with
``pip install -e '.[bench]'``. The floor is curl, which pulls the same bulk route on kept connections and
throws the answer away.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import make_instances

ROOT = Path(__file__).resolve().parents[1]
TICKS = 100  # a second, of /proc/<pid>/stat


def ours(url: str, user: str, password: str, depth: str) -> int:
    """The whole engine: feed, simplify, Splunk's event stream, checkpoint on disk after each batch."""
    from copydicom_app.indexing.checkpoint import Checkpoint
    from copydicom_app.indexing.outage import Outage
    from copydicom_app.models import Server
    from copydicom_app.orthanc import Orthanc
    from copydicom_app.simplify import Origin
    from copydicom_app.splunk.stream import StreamSink
    from copydicom_app.structured_report import LONG_KEYWORDS
    from copydicom_app.workflows import Plan, index

    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder, Path("/dev/null").open("wb") as out:
        steps = index(
            Orthanc(Server("bench", url, user, password), stop),
            Plan(depth=(depth,), long=LONG_KEYWORDS),
            Origin("bench"),
            StreamSink(out, stanza="orthanc://bench", index="dicom", host="bench"),
            Checkpoint(Path(folder), "bench"),
            outage=Outage(Path(folder) / "away", stop=stop, went=print, came=print),
            stop=stop,
        )
        return sum(step.instances for step in steps)


def predecessor(url: str, user: str, password: str) -> int:
    """One GET per instance, a new connection each, as the predecessor did."""
    import requests

    auth = (user, password)
    ids = requests.get(f"{url}/instances", auth=auth, timeout=60).json()
    for id in ids:
        requests.get(f"{url}/instances/{id}/simplified-tags", auth=auth, timeout=60).json()
    return len(ids)


def pyorthanc(url: str, user: str, password: str) -> int:
    """Its client, instance by instance."""
    from pyorthanc import Orthanc

    client = Orthanc(url, user, password)
    ids = client.get_instances()
    for id in ids:
        client.get_instances_id_simplified_tags(id)
    return len(ids)


def orthanc_api_client(url: str, user: str, password: str) -> int:
    """Its client, instance by instance."""
    from orthanc_api_client import OrthancApiClient

    client = OrthancApiClient(url, user=user, pwd=password)
    ids = client.instances.get_all_ids()
    for id in ids:
        client.instances.get_tags(id)
    return len(ids)


def floor(url: str, user: str, password: str) -> int:
    """curl on two kept connections: every series' tags in bulk, nothing done with them."""
    import requests

    series = requests.get(f"{url}/series", auth=(user, password), timeout=60).json()
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as config:
        config.write(f'user = "{user}:{password}"\nsilent\n')
        for id in series:
            config.write(f'url = "{url}/series/{id}/instances-tags?simplify"\noutput = "/dev/null"\n')
        config.flush()
        command = ["curl", "--parallel", "--parallel-max", "3", "--config", config.name]
        subprocess.run(command, check=True)
    return int(requests.get(f"{url}/statistics", auth=(user, password), timeout=60).json()["CountInstances"])


CONTENDERS: dict[str, Callable[[str, str, str], int]] = {
    "predecessor": predecessor,
    "pyorthanc": pyorthanc,
    "orthanc_api_client": orthanc_api_client,
    "floor": floor,
    "ours_all": lambda *server: ours(*server, "all"),
    "ours_main": lambda *server: ours(*server, "main"),
}


def contend(name: str) -> None:
    """In a process of its own: run one contender and print what it cost."""
    url, user, password = json.loads(sys.stdin.read())
    began = time.perf_counter()
    count = CONTENDERS[name](url, user, password)
    wall = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss would be the parent's at the fork, where that was larger.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(json.dumps([count, wall, usage.ru_utime + usage.ru_stime, int(peak.split()[1]) / 1024]))


def measured(name: str, server: OrthancServer) -> tuple[float, float, float, float]:
    """(instances a second, client CPU ms, server CPU ms an instance, client's peak memory in MB)."""
    before = _cpu_seconds(server)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.indexing", "--contender", name],
        input=json.dumps([server.url, server.username, server.password]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    count, wall, client, memory = json.loads(done.stdout.splitlines()[-1])
    return count / wall, client / count * 1000, (_cpu_seconds(server) - before) / count * 1000, memory


def _cpu_seconds(server: OrthancServer) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--instances", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--second", action="store_true", help="on Orthanc 1.12 instead of the machine's own")
    parser.add_argument("--only", default=",".join(CONTENDERS))
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        contend(options.contender)
        return
    command, reason = second_orthanc() if options.second else (None, "")
    if options.second and command is None:
        raise SystemExit(reason)
    names = options.only.split(",")
    with OrthancServer("bench", binary=command) as server:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda each: server.upload(each.data), make_instances(options.instances)))
        runs: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in names}
        for _ in range(options.rounds):
            for name in names:
                runs[name].append(measured(name, server))
        print(f"Orthanc {server.version}, {options.instances} instances, medians of {options.rounds}")
    print(f"{'':20} {'inst/s':>8} {'ratio':>7} {'client ms':>10} {'server ms':>10} {'MB':>6}")
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in runs.items()}
    base = medians.get("predecessor", next(iter(medians.values())))[0]
    for name, (rate, client, cpu, memory) in medians.items():
        print(f"{name:20} {rate:8.0f} {rate / base:7.2f} {client:10.2f} {cpu:10.2f} {memory:6.0f}")


if __name__ == "__main__":
    main()
