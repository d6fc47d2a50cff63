"""The levels under SIGKILL, with series that grow and an Orthanc that restarts in between."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import make_instances

KILLS = 12
LARGEST_BATCH = 100
MOST = 150  # events before a kill
QUIET = 1.0  # seconds; Orthanc tells whole ones


def start(server: OrthancServer, folder: Path, level: str, quiet: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.live.level_run",
            folder,
            server.url,
            server.username,
            level,
            str(quiet),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ORTHANC_PASSWORD": server.password},
    )


class Reader(threading.Thread):
    """Takes what comes through the pipe, as Splunk does, so that the writer never waits for room."""

    def __init__(self, run: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self.run_ = run
        self.lines: list[str] = []
        self.start()

    def run(self) -> None:
        assert self.run_.stdout is not None
        for line in self.run_.stdout:
            self.lines.append(line)

    def wait_for(self, count: int) -> None:
        end = time.monotonic() + 20
        while len(self.lines) < count and self.is_alive() and time.monotonic() < end:
            time.sleep(0.005)

    def events(self) -> list[dict[str, Any]]:
        """The whole lines, once the process has ended."""
        self.join()
        with self.run_:
            return [json.loads(line) for line in self.lines if line.endswith("\n")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("level", ["series", "study"])
def test_kills_miss_no_growth_and_give_no_revision_twice(tmp_path: Path, level: str) -> None:
    dice = random.Random(level)
    with OrthancServer("kills") as server:
        instances = [each.data for each in make_instances(1600, 2000, 8)]
        # The first half of each series, then the others bit by bit: everything grows under the kills.
        halves = [data for n, data in enumerate(instances) if n % 8 < 4]
        others = [data for n, data in enumerate(instances) if n % 8 >= 4]
        dice.shuffle(others)
        for data in halves:
            server.upload(data)
        events: list[dict[str, Any]] = []
        by_run = []
        for kill in range(KILLS):
            for data in others[kill * 60 : kill * 60 + 60]:
                server.upload(data)
            run = start(server, tmp_path, level, QUIET)
            reader = Reader(run)
            if kill % 3:  # in the middle of events, else at any moment
                reader.wait_for(dice.randint(1, MOST))
            time.sleep(dice.uniform(0, 0.1))
            run.kill()
            came = reader.events()
            events += came
            by_run.append(len(came))
            if kill % 4 == 1:
                server.kill()
                server.start()
        time.sleep(QUIET + 1)
        last = start(server, tmp_path, level, QUIET)
        events += Reader(last).events()
        assert last.returncode == 0
        assert Reader(start(server, tmp_path, level, QUIET)).events() == []
        route = {"series": "/series", "study": "/studies"}[level]
        held = {id: len(server.get(f"{route}/{id}/instances")) for id in server.get(route)}
    newest = {event["ID"]: event for event in sorted(events, key=lambda one: one["revision"])}
    assert {id: event["instances"] for id, event in newest.items()} == held
    twice = [key for key, n in Counter((one["ID"], one["revision"]) for one in events).items() if n > 1]
    assert twice == []
    same = Counter((one["ID"], one["last_arrival"], one["instances"]) for one in events)
    repeats = sum(same.values()) - len(same)
    print(f"{KILLS} kills: {len(held)} {level}, by run {by_run} events, {repeats} came again unchanged")
    assert sum(bool(n) for n in by_run) >= 3, "the kills came too early to hit anything"
    assert repeats <= LARGEST_BATCH * KILLS
