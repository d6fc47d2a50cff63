"""The ways to read tags that ours is compared with, each in a process of its own, as its users run it.

    echo '["http://...", "user", "password", 20.0]' | python -m benchmarks.peers_of_indexing pyorthanc

Each reads until all is read or its seconds are over, and tells how many instances it read in how many
seconds. The seconds begin with the first request: neither Python's start nor imports count against a peer.
"""

from __future__ import annotations

import json
import queue
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.packaged_input import cpu_seconds, peak_mb
from benchmarks.result import ROOT
from benchmarks.rounds import Sample
from testbench.orthanc import OrthancServer

Login = tuple[str, str, str]  # URL, user, password
FLOORS = ("floor_1", "floor_2", "floor_3", "floor_4")


def predecessor(login: Login, until: float) -> int:
    """The list of all instances, then one GET each on a new connection."""
    import requests

    url, *auth = login
    ids = requests.get(f"{url}/instances", auth=tuple(auth), timeout=60).json()
    return _each(
        ids,
        lambda id: requests.get(f"{url}/instances/{id}/simplified-tags", auth=tuple(auth), timeout=60).json(),
        until,
    )


def pyorthanc(login: Login, until: float) -> int:
    """Its client, instance by instance."""
    from pyorthanc import Orthanc

    client = Orthanc(*login)
    return _each(client.get_instances(), client.get_instances_id_simplified_tags, until)


def orthanc_api_client(login: Login, until: float) -> int:
    """Its client, instance by instance."""
    from orthanc_api_client import OrthancApiClient

    url, user, password = login
    client = OrthancApiClient(url, user=user, pwd=password)
    return _each(client.instances.get_all_ids(), client.instances.get_tags, until)


def _each(ids: Iterable[str], read: Callable[[str], Any], until: float) -> int:
    done = 0
    for id in ids:
        read(id)
        done += 1
        if time.perf_counter() > until:
            break
    return done


def floor(connections: int, route: str) -> Callable[[Login, float], int]:
    """libcurl: every series by a bulk route on kept connections, the answers thrown away."""

    def pull(login: Login, until: float) -> int:
        import pycurl
        import requests

        url, user, password = login
        # The list costs as much for all, and tells how many instances an answer holds.
        listed = requests.get(f"{url}/series?expand", auth=(user, password), timeout=600).json()
        todo: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        for series in listed:
            todo.put((series["ID"], len(series["Instances"])))
        counts: list[int] = []

        def work() -> None:
            handle = pycurl.Curl()
            handle.setopt(pycurl.USERPWD, f"{user}:{password}")
            handle.setopt(pycurl.FAILONERROR, True)
            handle.setopt(pycurl.WRITEFUNCTION, lambda data: len(data))
            while time.perf_counter() < until:
                try:
                    series, size = todo.get_nowait()
                except queue.Empty:
                    break
                handle.setopt(pycurl.URL, f"{url}/series/{series}/{route}")
                handle.perform()
                counts.append(size)
            handle.close()

        threads = [threading.Thread(target=work) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts)

    return pull


WAYS: dict[str, Callable[[Login, float], int]] = {
    "predecessor": predecessor,
    "pyorthanc": pyorthanc,
    "orthanc_api_client": orthanc_api_client,
    "floor_main": floor(2, "instances?expand"),
    **{name: floor(int(name[-1]), "instances-tags?simplify") for name in FLOORS},
}


def available(name: str) -> bool:
    """Whether the package that a way needs is installed."""
    needed = {"predecessor": "requests", "pyorthanc": "pyorthanc", "orthanc_api_client": "orthanc_api_client"}
    check = f"import {needed.get(name, 'pycurl')}"
    return subprocess.run([sys.executable, "-c", check], stderr=subprocess.DEVNULL).returncode == 0


def contend(name: str, server: OrthancServer, seconds: float) -> Sample:
    """One round of a way."""
    before = cpu_seconds(server)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers_of_indexing", name],
        input=json.dumps([server.url, server.username, server.password, seconds]),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    count, wall, cpu, memory = json.loads(done.stdout.splitlines()[-1])
    return Sample(count, wall, cpu, cpu_seconds(server) - before, memory)


def main() -> None:
    """In a process of its own: run one way and print what it cost."""
    import os

    *login, seconds = json.loads(sys.stdin.read())
    way = WAYS[sys.argv[1]]
    if sys.argv[1].startswith("floor"):
        import pycurl  # noqa: F401 (no import within the measured time)
    import requests  # noqa: F401

    if sys.argv[1] in ("pyorthanc", "orthanc_api_client"):
        __import__(sys.argv[1])
    began = time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_SELF)
    count = way((login[0], login[1], login[2]), began + seconds)
    wall = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime - used.ru_utime - used.ru_stime
    print(json.dumps([count, wall, cpu, peak_mb(os.getpid())]))


if __name__ == "__main__":
    main()
