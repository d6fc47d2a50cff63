"""The command line on real Orthanc servers and the stand-in's search API and HTTP Event Collector."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from copydicom_app.cli.main import main
from testbench.faulty_proxy import Fault, FaultyProxy
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import Instance, hospital, make_instances
from testbench.splunkd import Splunkd
from testbench.splunkd.index import IndexedEvent
from tests.live.replication.pairs import fill
from tests.live.replication.test_other_ids import rewrite_on_ingestion

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "changeme"  # that of the predecessor's README


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.rstrip().splitlines()[-1]


Run = Callable[..., Ran]


def login(server: OrthancServer) -> str:
    return server.url.replace("://", f"://{server.username}:{server.password}@")


@pytest.fixture(scope="module")
def pacs() -> Iterator[OrthancServer]:
    """Dose reports, images of several studies, and two series of plain CT."""
    with OrthancServer("pacs") as server:
        fill(server, [*some_of_the_hospital(), *make_instances(20, 2000, 10)])
        yield server


def some_of_the_hospital() -> list[Instance]:
    reports = [each for each in hospital() if each.modality == "SR"]
    return [*reports[::4], *(each for each in hospital()[::20] if each.modality != "SR")]


@pytest.fixture(scope="module")
def installed(package: Path) -> Iterator[Splunkd]:
    with Splunkd(package, https=True) as splunk:
        splunk.sessions.set_password("admin", PASSWORD)
        yield splunk


@pytest.fixture
def splunk(installed: Splunkd) -> Iterator[Splunkd]:
    """An empty index; whatever a test does, at the end no rule of Splunk's was broken."""
    installed.indexes.lose("dicom", lambda event: True)
    installed.hec.received.clear()
    yield installed
    installed.assert_no_violations()


@pytest.fixture
def research() -> Iterator[OrthancServer]:
    with OrthancServer("research") as server:
        yield server


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command line in this process. No password may ever be in what it says."""
    for name in [name for name in os.environ if name.startswith("COPYDICOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main(arguments)
        said = Ran(code, *capfd.readouterr())
        for secret in re.findall(r"://[^:/]*:([^@]+)@", " ".join(arguments)):
            assert secret not in said.out + said.err
        return said

    return run


def started(*arguments: str) -> subprocess.Popen[str]:
    """The same as a process of its own."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("COPYDICOM_")}
    return subprocess.Popen(
        [sys.executable, "-m", "copydicom_app", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def held(server: OrthancServer) -> set[str]:
    return set(server.get("/instances"))


def told(event: IndexedEvent) -> tuple[Any, ...]:
    return event.raw, event.time, event.index, event.host, event.source, event.sourcetype


def splunk_urls(splunk: Splunkd) -> tuple[str, str]:
    return splunk.rest.uri.replace("://", f"://admin:{PASSWORD}@"), splunk.hec.url(splunk.hec.token())


def predecessors() -> list[str]:
    """The command lines of its README, as docs/command-line.md shows them."""
    text = (
        (ROOT / "docs/command-line.md")
        .read_text()
        .split("## The predecessor's command lines")[1]
        .split("\n## ")[0]
    )
    blocks = re.findall(r"\n    \$ ((?:.+\\\n)*.+)", text)
    return [re.sub(r"\\\n\s*> ?", "", block) for block in blocks]


@pytest.mark.parametrize("release", ["1.10", "1.12"])
def test_the_command_lines_of_the_predecessors_readme_run(release: str, splunk: Splunkd, run: Run) -> None:
    """Orthanc as it comes with Debian, and 1.12; splunkd with the certificate of its own making."""
    binary, reason = second_orthanc() if release == "1.12" else (None, "")
    if release == "1.12" and binary is None:
        pytest.skip(reason)
    with OrthancServer("pacs", binary=binary) as pacs, OrthancServer("research", binary=binary) as research:
        some = some_of_the_hospital()
        fill(pacs, some)
        index, hec = splunk_urls(splunk)
        places = {
            "http://orthanc:orthanc@localhost:8042": login(pacs),
            "http://orthanc:orthanc@localhost:8043": login(research),
            "https://admin:changeme@localhost:8089": index,
            "http://Splunk:<token>@localhost:8088": hec,
        }
        lines = predecessors()
        assert [line.split()[1] for line in lines] == ["replicate", "replicate_tags", "conditional_replicate"]
        for line in lines:
            words = [places.get(word, word) for word in shlex.split(line)]
            if words[1] == "conditional_replicate":
                for study in research.get("/studies"):
                    research.delete(f"/studies/{study}")
            done = run(*words[1:])
            assert (done.code, done.err) == (0, "")
            if words[1] == "replicate":
                assert held(research) == held(pacs)
                assert re.fullmatch(
                    rf"{len(some)} instances: {len(some)} copied, 0 present, 0 failed in 0:\d\d", done.last
                )
            elif words[1] == "replicate_tags":
                ids = {json.loads(event.raw)["ID"] for event in splunk.indexed["dicom"]}
                assert ids == held(pacs)
            else:
                wanted = {each.orthanc_id for each in some if each.series_description == "Dose Record"}
                assert held(research) == wanted != set()


def test_replicate_tags_sends_the_events_of_the_modular_input_and_nothing_twice(
    pacs: OrthancServer, splunk: Splunkd, run: Run
) -> None:
    splunk.add_server("pacs", base_url=pacs.url, username=pacs.username, password=pacs.password)
    splunk.home.checkpoint_dir("orthanc")
    assert splunk.run_input("orthanc://pacs", server="pacs").exit_code == 0
    by_the_input = splunk.indexes.lose("dicom", lambda event: True)
    index, hec = splunk_urls(splunk)
    line = ("replicate_tags", "--src", login(pacs), "--index", index, "--hec", hec, "--name", "pacs")
    done = run(*line)
    assert done.code == 0
    assert Counter(map(told, splunk.indexed["dicom"])) == Counter(map(told, by_the_input))
    assert {event.sourcetype for event in by_the_input} == {
        "dicom:instance",
        "dicom:dose:study",
        "dicom:dose:event",
    }
    assert all(request.zipped for request in splunk.hec.received)
    again = run(*line, "--json")
    assert re.fullmatch(
        rf"{len(held(pacs))} instances: 0 copied, {len(held(pacs))} present, 0 failed in 0:\d\d\n", again.err
    )
    assert {json.loads(text)["status"] for text in again.out.splitlines()} == {"present"}
    lost = splunk.indexes.lose("dicom", lambda event: event.sourcetype == "dicom:dose:event")
    assert run(*line).code == 0
    assert len(splunk.indexed["dicom"]) == len(by_the_input)
    assert {told(event) for event in lost} <= {told(event) for event in splunk.indexed["dicom"]}


def test_events_as_lines_of_json(pacs: OrthancServer, splunk: Splunkd, run: Run, tmp_path: Path) -> None:
    done = run("replicate_tags", "--src", login(pacs), "--out", "-")
    lines = [json.loads(text) for text in done.out.splitlines()]
    assert {line["event"]["ID"] for line in lines} == held(pacs)
    assert set(lines[0]) == {"time", "host", "source", "index", "sourcetype", "event"}
    assert re.fullmatch(r"\d+ instances: \d+ copied, 0 present, 0 failed in 0:\d\d\n", done.err)
    index, hec = splunk_urls(splunk)
    run("replicate_tags", "--src", login(pacs), "--index", index, "--hec", hec)
    splunk.indexes.lose(
        "dicom",
        lambda event: event.sourcetype == "dicom:instance" and '"Modality":"SR"' not in event.raw,
    )
    file = tmp_path / "events.jsonl"
    assert run("replicate_tags", "--src", login(pacs), "--index", index, "--out", str(file)).code == 0
    rest = {json.loads(text)["event"]["ID"] for text in file.read_text().splitlines()}
    reports = {json.loads(event.raw)["ID"] for event in splunk.indexed["dicom"]}
    assert (rest | reports, rest & reports) == (held(pacs), set())


def test_a_reader_that_goes_away_ends_it_without_a_word(pacs: OrthancServer) -> None:
    process = started("replicate_tags", "--src", login(pacs), "--out", "-", "-q")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 1
    assert said == ""


def test_a_search_names_studies_and_series_of_which_all_is_copied(
    pacs: OrthancServer, research: OrthancServer, splunk: Splunkd, run: Run
) -> None:
    index, hec = splunk_urls(splunk)
    run("replicate_tags", "--src", login(pacs), "--index", index, "--hec", hec)
    line = ("conditional_replicate", "--src", login(pacs), "--index", index, "--dest", login(research))
    query = "index=dicom sourcetype=dicom:dose:study modality=CT"
    planned = run(*line, "--query", query, "--id", "ParentStudy", "--level", "study", "--dry-run", "--json")
    rows = [json.loads(text) for text in planned.out.splitlines()]
    assert {row["status"] for row in rows} <= {"planned", "present"}
    assert (planned.code, held(research)) == (0, set())
    done = run(*line, "--query", query, "--id", "ParentStudy", "--level", "study")
    assert done.code == 0
    assert set(research.get("/studies")) == {row["ref"] for row in rows}
    wrong = run(*line, "--query", "index=dicom | table Modality")
    assert wrong.code == 2
    assert re.search(r"found \d+ rows, and none has the field ID", wrong.err)
    nothing = run(*line, "--query", "index=dicom Modality=NOSUCH | table ID")
    assert (nothing.code, nothing.last.split(" in ")[0]) == (0, "0 instances: 0 copied, 0 present, 0 failed")
    unknown = "0" * 8 + "-00000000" * 4
    gone = run(*line, "--query", f'| makeresults | eval ID="{unknown}"')
    assert (gone.code, gone.last.split(" in ")[0]) == (
        1,
        "1 instance: 0 copied, 0 present, 0 failed, 1 missing",
    )


def test_a_search_that_splunk_does_not_understand_is_told_in_its_words(
    pacs: OrthancServer, research: OrthancServer, installed: Splunkd, run: Run
) -> None:
    """By an endpoint that fails as splunkd does; the stand-in would call it a violation."""
    before = len(installed.violations)
    index = installed.rest.uri.replace("://", f"://admin:{PASSWORD}@")
    line = ("conditional_replicate", "--src", login(pacs), "--index", index, "--dest", login(research))
    done = run(*line, "--query", "index=dicom | nosuchcommand")
    assert done.code == 2
    assert "does not understand the search" in done.err
    assert "nosuchcommand" in done.err
    del installed.violations._items[before:]


def test_a_series_that_is_damaged_at_the_source_is_a_failed_row_and_the_rest_is_copied(
    research: OrthancServer, splunk: Splunkd, run: Run
) -> None:
    with OrthancServer("damaged") as pacs:
        instances = list(make_instances(20, 4_000, 5))
        fill(pacs, instances)
        bad = instances[7].orthanc_id
        uuid = pacs.get(f"/instances/{bad}/attachments/dicom/info")["Uuid"]
        [file] = pacs.storage.rglob(uuid)
        pacs.kill()  # it keeps files that it was sent lately in memory
        file.write_bytes(file.read_bytes()[:700])
        pacs.start()
        done = run("replicate", "--src", login(pacs), "--dest", login(research))
        assert (done.code, done.last.split(" in ")[0]) == (1, "20 instances: 19 copied, 0 present, 1 failed")
        assert re.search(r"^failed   [0-9a-f-]{44} 5 instances, .* MB: 1 of 5: ", done.err, re.MULTILINE)
        assert held(research) == {each.orthanc_id for each in instances} - {bad}
        index, hec = splunk_urls(splunk)
        done = run("replicate_tags", "--src", login(pacs), "--index", index, "--hec", hec)
        assert (done.code, done.last.split(" in ")[0]) == (1, "20 instances: 19 copied, 0 present, 1 failed")
        assert f"fails to give the tags of instance {bad}" in done.err


def test_check_marks_what_is_missing_or_different_at_the_other_end(research: OrthancServer, run: Run) -> None:
    with OrthancServer("here") as here:
        instances = list(make_instances(40, 2_000, 10))
        fill(here, instances[:30])
        fill(research, [*instances[:5], *instances[10:20], *instances[30:]])
        both = ("check", "--src", login(here), "--dest", login(research))
        done = run(*both)
        series = [here.get(f"/instances/{instances[n].orthanc_id}")["ParentSeries"] for n in (0, 10, 20)]
        series.append(research.get(f"/instances/{instances[30].orthanc_id}")["ParentSeries"])
        assert sorted(done.out.splitlines()[:-1], key=lambda line: line[2:]) == sorted(
            [
                f"* {series[0]} 5 same, 5 only at the source",
                f"= {series[1]}",
                f"+ {series[2]}",
                f"- {series[3]}",
            ],
            key=lambda line: line[2:],
        )
        assert done.code == 1
        assert done.last.split(" in ")[0] == (
            "40 instances: 15 same, 15 only at the source, 10 only at the destination"
        )
        singly = run(*both, "--level", "instance", "--json")
        marks = Counter(json.loads(text)["mark"] for text in singly.out.splitlines())
        assert marks == {"=": 15, "+": 15, "-": 10}
        # other content under the same id: it keeps its size, so that only the MD5 tells
        changed = instances[12]
        research.delete(f"/instances/{changed.orthanc_id}")
        research.upload(changed.data[:-2] + bytes(byte ^ 1 for byte in changed.data[-2:]))
        assert run(*both).out.count(f"* {series[1]} 9 same, 1 different") == 1
        assert run(*both, "--size-only").out.count(f"= {series[1]}\n") == 1
        run("replicate", "--src", login(here), "--dest", login(research), "-q")
        assert run(*both, "--size-only").last.startswith(
            "40 instances: 30 same, 10 only at the destination in"
        )


def test_a_dose_report_at_the_console(pacs: OrthancServer, run: Run, tmp_path: Path) -> None:
    report = next(each for each in hospital() if each.series_description == "Dose Record")
    url = f"{login(pacs)}/instances/{report.orthanc_id}"
    shown = run("dose", url)
    assert shown.code == 0
    assert "ctdivol" in shown.out or "dap" in shown.out
    file = tmp_path / "report.dcm"
    file.write_bytes(report.data)
    as_json = [run("dose", place, "--json").out for place in (url, str(file))]
    assert as_json[0] == as_json[1]
    records = [json.loads(text) for text in as_json[0].splitlines()]
    assert [record["record_type"] for record in records[:2]] == ["study", "event"]
    browser = f"{login(pacs)}/app/explorer.html#instance?uuid={report.orthanc_id}"
    assert run("dose", browser).out == shown.out
    study = pacs.get(f"/instances/{report.orthanc_id}/study")["ID"]
    assert as_json[0] in run("dose", f"{login(pacs)}/studies/{study}", "--json").out
    saved = tmp_path / "tags.json"
    saved.write_text(json.dumps(pacs.get(f"/instances/{report.orthanc_id}/tags", simplify="")))
    assert run("dose", str(saved), "--all").out.count("event_index") >= 1


def test_replicate_follows_until_stopped_and_then_tells_what_it_did(
    research: OrthancServer, tmp_path: Path
) -> None:
    with OrthancServer("watched") as pacs:
        upcoming = make_instances(40, 4_000, 5)
        fill(pacs, [next(upcoming) for _ in range(20)])
        process = started("replicate", "--src", login(pacs), "--dest", login(research), "--watch", "--json")
        eventually(lambda: len(held(research)) == 20)
        fill(pacs, [next(upcoming) for _ in range(10)])
        eventually(lambda: len(held(research)) == 30)
        research.kill()  # in the middle of the watch; what arrives meanwhile waits
        fill(pacs, [next(upcoming) for _ in range(10)])
        time.sleep(5)  # more than the engine by itself would wait
        research.start()
        eventually(lambda: len(held(research)) == 40, 60)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert sum(json.loads(text).get("copied", 0) for text in out.splitlines()) == 40
        assert re.search(r"^40 instances: 40 copied, 0 present, 0 failed in 0:\d\d$", err.splitlines()[-1])


def test_replicate_tags_follows_until_stopped(pacs: OrthancServer, splunk: Splunkd) -> None:
    with OrthancServer("watched") as server:
        upcoming = make_instances(30, 2_000, 5)
        fill(server, [next(upcoming) for _ in range(20)])
        index, _ = splunk_urls(splunk)
        hec = splunk.hec.url(splunk.hec.token(use_ack=True))
        process = started(
            "replicate_tags", "--src", login(server), "--index", index, "--hec", hec, "--watch", "-v"
        )
        eventually(lambda: len(splunk.indexed.get("dicom", [])) == 20)
        fill(server, [next(upcoming) for _ in range(10)])
        eventually(lambda: len(splunk.indexed["dicom"]) == 30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert re.fullmatch(r"30 instances: 30 copied, 0 present, 0 failed in 0:\d\d", out.splitlines()[-1])
        assert Counter(json.loads(event.raw)["ID"] for event in splunk.indexed["dicom"]) == dict.fromkeys(
            held(server), 1
        )


def test_killed_in_the_middle_replicate_goes_on_where_it_was(research: OrthancServer, run: Run) -> None:
    with OrthancServer("kills") as pacs:
        instances = list(make_instances(250, 20_000, 10))
        fill(pacs, instances)
        process = started("replicate", "--src", login(pacs), "--dest", login(research), "--jobs", "1")
        eventually(lambda: len(research.get("/instances")) >= 10)
        process.terminate()
        out, err = process.communicate()
        told = int(re.match(r"(\d+) instances: \1 copied, 0 present, 0 failed in ", out)[1])  # type: ignore[index]
        assert (process.returncode, err) == (1, "stopped before the end; run it again for the rest\n")
        assert told <= len(held(research)) < 250
        for least in (told + 20, told + 60):
            process = started("replicate", "--src", login(pacs), "--dest", login(research), "-q")
            eventually(lambda least=least: len(research.get("/instances")) >= least)  # type: ignore[misc]
            process.kill()
            process.communicate()
        there = len(held(research))
        assert there < 250, "the kills came too late to hit anything"
        done = run("replicate", "--src", login(pacs), "--dest", login(research))
        assert held(research) == held(pacs)
        copied = int(re.search(r"(\d+) copied", done.last)[1])  # type: ignore[index]
        assert copied <= 250 - there  # what the last moment brought is found there


def test_killed_in_the_middle_replicate_tags_loses_nothing_and_repeats_no_more_than_a_batch(
    splunk: Splunkd, run: Run
) -> None:
    with OrthancServer("kills") as pacs:
        fill(pacs, make_instances(900, 2_000, 20))
        index, hec = splunk_urls(splunk)
        line = ("replicate_tags", "--src", login(pacs), "--index", index, "--hec", hec)
        splunk.hec.max_content_length = 1_000_000
        for least in (50, 300):
            process = started(*line, "-q")
            eventually(lambda least=least: len(splunk.indexed.get("dicom", [])) >= least)  # type: ignore[misc]
            process.kill()
            process.communicate()
        before = len(splunk.indexed["dicom"])
        assert before < 900, "the kills came too late to hit anything"
        assert run(*line).code == 0
        count = Counter(json.loads(event.raw)["ID"] for event in splunk.indexed["dicom"])
        assert set(count) == held(pacs)
        assert sum(count.values()) - len(count) <= 2 * max(one.events for one in splunk.hec.received)


def test_a_source_that_is_away_for_a_moment_costs_a_pause_and_no_row(
    splunk: Splunkd, pacs: OrthancServer, run: Run, short_waits: None
) -> None:
    index, hec = splunk_urls(splunk)
    with FaultyProxy(pacs.url) as proxy:
        proxy.break_next(Fault.REFUSED, path="/studies/", times=12)
        url = proxy.url.replace("://", f"://{pacs.username}:{pacs.password}@")
        done = run("replicate_tags", "--src", url, "--index", index, "--hec", hec)
    assert (done.code, done.last.split(" in ")[0].split(": ")[1]) == (
        0,
        f"{len(held(pacs))} copied, 0 present, 0 failed",
    )
    assert "waiting for it" in done.err
    assert "it is back after" in done.err
    assert len({json.loads(event.raw)["ID"] for event in splunk.indexed["dicom"]}) == len(held(pacs))


def test_a_destination_that_gives_other_ids_is_sent_nothing_twice(
    research: OrthancServer, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite_on_ingestion(monkeypatch)
    with OrthancServer("here") as here:
        fill(here, make_instances(6, 2_000, 3))
        line = (
            "replicate",
            "--src",
            login(here),
            "--dest",
            login(research),
            "--state",
            str(tmp_path / "state"),
        )
        assert run(*line, "--rewrites").last.startswith("6 instances: 6 copied, 0 present, 0 failed in")
        assert len(held(research) - held(here)) == 6
        assert run(*line, "--rewrites").last.startswith("6 instances: 0 copied, 6 present, 0 failed in")
