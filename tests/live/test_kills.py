"""The packaged input under SIGKILL and SIGTERM, with Orthanc restarting in between, on each Python."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import make_instances
from testbench.splunkd import Splunkd, pythons

KILLS = 20
LARGEST_BATCH = 250 + 50  # the walk closes a batch at 250 instances, with the series that reached it


def indexed(splunk: Splunkd) -> Counter[str]:
    return Counter(str(json.loads(event.raw)["ID"]) for event in splunk.indexed.get("dicom", []))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_twenty_kills_and_restarts_miss_nothing_and_repeat_one_batch_each(
    package: Path, version: str
) -> None:
    python = pythons().get(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    dice = random.Random(version)  # the same kills each time, as far as the machine's pace allows
    with OrthancServer("kills") as server, Splunkd(package, python=python) as splunk:
        splunk.add_server("pacs", base_url=server.url, username=server.username, password=server.password)
        upcoming = (each.data for each in make_instances(3000, 3000))
        held = server.upload_all(islice(upcoming, 1500))
        repeats: list[int] = []
        read: list[int] = []
        for kill in range(KILLS):
            before = sum(indexed(splunk).values()) - len(indexed(splunk))
            held += server.upload_all(islice(upcoming, 30))
            run = splunk.start_input("orthanc://pacs", server="pacs")
            if kill % 3:  # a kill in the middle of events, else at any moment, the start included
                run.wait_for(dice.randint(1, 25))
            time.sleep(dice.uniform(0, 0.4))
            if kill % 4 == 1:
                server.kill()
                server.start()
            (run.terminate if kill % 5 == 4 else run.kill)()
            read.append(len(run.events))
            repeats.append(sum(indexed(splunk).values()) - len(indexed(splunk)) - before)
        last = splunk.run_input("orthanc://pacs", server="pacs")
        assert last.exit_code == 0
        count = indexed(splunk)
        print(
            f"{KILLS} kills: {len(set(held) - set(count))} missed; by run: {read} events, {repeats} repeats"
        )
        assert set(count) == set(held)
        assert sum(bool(events) for events in read) >= 5, "the kills came too early to hit anything"
        assert max(repeats) <= LARGEST_BATCH
        assert splunk.run_input("orthanc://pacs", server="pacs").events == []
        splunk.assert_no_violations()


def test_sigterm_ends_the_stream_cleanly_and_repeats_nothing(package: Path) -> None:
    with OrthancServer("term") as server, Splunkd(package) as splunk:
        splunk.add_server("pacs", base_url=server.url, username=server.username, password=server.password)
        held = server.upload_all(each.data for each in make_instances(2000, 3000))
        run = splunk.start_input("orthanc://pacs", server="pacs")
        run.wait_for(1)
        run.terminate()
        splunk.run_input("orthanc://pacs", server="pacs")
        assert indexed(splunk) == dict.fromkeys(held, 1)
        splunk.assert_no_violations()


def test_a_damaged_checkpoint_stops_the_input_with_the_way_out(package: Path) -> None:
    with OrthancServer("damaged") as server, Splunkd(package) as splunk:
        splunk.add_server("pacs", base_url=server.url, username=server.username, password=server.password)
        server.upload(next(make_instances(1)).data)
        splunk.run_input("orthanc://pacs", server="pacs")
        [checkpoint] = splunk.home.checkpoint_dir("orthanc").glob("*.json")
        checkpoint.write_text(checkpoint.read_text()[:40])
        run = splunk.run_input("orthanc://pacs", server="pacs")
        assert (run.exit_code, run.events) == (1, [])
        assert "is damaged; restore it from a backup" in "".join(run.log)
