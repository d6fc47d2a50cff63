"""The bench's own programs against the stand-in in Splunk's place: `fill` and `verify_on_splunk`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from testbench import verify_on_splunk
from testbench.orthanc import OrthancServer
from testbench.real_splunk import fill
from testbench.real_splunk.prepare import ORTHANC_USER, Passwords
from testbench.real_splunk.report import Finding, Report, Verdict
from testbench.real_splunk.rest import Refused, Rows, SplunkRest
from testbench.real_splunk.searches import OF_MACROS, Shipped, shipped
from testbench.splunkd import Splunkd
from testbench.splunkd.conf import parse_conf

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Bench:
    """The stand-in in Splunk's place, filled."""

    splunk: Splunkd
    passwords: Passwords
    folder: Path
    said: list[str]

    @property
    def arguments(self) -> list[str]:
        """Of `verify_on_splunk`, without what to try."""
        known = self.folder / "passwords.json"
        known.write_text(json.dumps(asdict(self.passwords)))
        return ["--url", self.splunk.rest.uri, "--passwords", str(known), "--wait", "0"]


def orthanc(name: str, password: str) -> OrthancServer:
    """A server with the bench's user and password."""
    server = OrthancServer(name)
    server.username, server.password = ORTHANC_USER, password
    server.session.auth = server.auth
    return server


@pytest.fixture(scope="module")
def bench(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    passwords = Passwords.made({})
    folder = tmp_path_factory.mktemp("bench")
    with (
        orthanc("pacs", passwords.orthanc) as pacs,
        orthanc("research", passwords.orthanc) as research,
        Splunkd(package) as splunk,
    ):
        splunk.sessions.set_password("admin", passwords.splunk)
        said: list[str] = []
        scheduler = threading.Thread(target=run_when_saved, args=(splunk,))
        scheduler.start()
        environ = {"SPLUNK_URL": splunk.rest.uri, "PACS_URL": pacs.url, "RESEARCH_URL": research.url}
        fill.main(passwords, environ, said.append)
        scheduler.join()
        yield Bench(splunk, passwords, folder, said)
        splunk.assert_no_violations()


def run_when_saved(splunk: Splunkd) -> None:
    """What splunkd does by itself: start an input once it is saved."""
    while "orthanc://pacs" not in splunk.home.confs.read("inputs"):
        time.sleep(0.1)
    assert splunk.run_input("orthanc://pacs").exit_code == 0


def verify(bench: Bench, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report."""
    report = bench.folder / "report.json"
    code = verify_on_splunk.main([*bench.arguments, *arguments, "--json", str(report)])
    return code, json.loads(report.read_text())


def test_fill_sets_up_servers_an_input_and_an_operator_and_says_the_password(bench: Bench) -> None:
    assert any(bench.passwords.splunk in line and "http://localhost:8000" in line for line in bench.said)
    operator = bench.splunk.sessions.users["operator"]
    assert operator.can("run_copydicom")
    assert not operator.can("list_storage_passwords")
    assert {event.sourcetype for event in bench.splunk.indexed["dicom"]} >= {
        "dicom:instance",
        "dicom:dose:event",
    }


def test_nothing_differs_between_the_stand_in_and_itself(bench: Bench) -> None:
    only = [word for kind in ("saved", "macros", *verify_on_splunk.AT_WORK) for word in ("--only", kind)]
    code, report = verify(bench, *only)
    bad = [each for each in report["findings"] if each["verdict"] not in ("same", "noted")]
    assert (code, bad) == (0, [])
    tried = Counter(each["kind"] for each in report["findings"])
    assert tried["saved"] == 13
    assert tried["macros"] == len(OF_MACROS)
    assert tried["command"] == 12  # six, as the admin and as the operator
    assert min(tried["input"], tried["alert"], tried["endpoints"]) > 0
    assert report["closing_line"].endswith("nothing differs from the stand-in")


def test_objects_without_a_date_are_left_out_however_long_they_were_on_their_way(bench: Bench) -> None:
    """Their time is that of their indexing, which is another one on each Splunk."""
    splunk = SplunkRest(bench.splunk.rest.uri, "admin", bench.passwords.splunk)
    undated = [
        event.time
        for event in bench.splunk.indexed["dicom"]
        if event.sourcetype == "dicom:instance" and not json.loads(event.raw).get("StudyDate")
    ]
    assert undated
    assert min(undated) - float(verify_on_splunk.before_indexing(splunk)) > 60


def test_one_event_more_is_found_and_named(bench: Bench) -> None:
    """What the searches gave before it came is what is expected of them."""
    splunk = SplunkRest(bench.splunk.rest.uri, "admin", bench.passwords.splunk)
    searches = [each for each in shipped(ROOT) if each.kind == "macros"]
    before = Remembered({each.text: splunk.search(each.text) for each in searches})
    (first, *_) = bench.splunk.indexed["dicom"]
    event = {**json.loads(first.raw), "ID": "0" * 44, "SOPInstanceUID": "2.25.1"}
    bench.splunk.index_event(event, sourcetype="dicom:instance", source="orthanc://pacs")
    found = [finding for each in searches for finding in verify_on_splunk.tried(splunk, before, each)]
    differing = {each.name for each in found if each.verdict is Verdict.DIFFERS}
    assert differing == {"dicom_studies", "dicom_series"}
    (named,) = (each for each in found if each.name == "dicom_series")
    assert re.match(r"row \d+, n_instances: '\d+' in place of '\d+'$", named.said[0])
    gone = verify_on_splunk.tried(splunk, before, Shipped("docs", "a typo", "| nocommand", made_rows=True))
    assert [each.verdict for each in gone] == [Verdict.SKIPPED]


class Remembered(SplunkRest):
    """Rows that searches gave before."""

    def __init__(self, rows: dict[str, Rows]) -> None:
        self._rows = rows

    def search(self, text: str, earliest: str = "0", latest: str = "+2d") -> Rows:
        if text not in self._rows:
            raise Refused(400, "not remembered")
        return self._rows[text]


def test_the_exit_code_and_the_report_say_that_something_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wrong = Finding("saved", "Dose report", Verdict.DIFFERS, ("7 rows in place of 8",), "search index=dicom")
    broken = verify_on_splunk.whatever_happens("alert", "all of it", iter_that_breaks())
    report = Report(
        {"Splunk": "10.2.0"}, [Finding("views", "overview: ds_days", Verdict.SAME), wrong, *broken]
    )
    monkeypatch.setattr(verify_on_splunk, "_verified", lambda options, aside: report)
    assert verify_on_splunk.main(["--json", str(tmp_path / "report.json")]) == 1
    said = capsys.readouterr().out
    for words in (
        "Splunk 10.2.0",
        "saved: Dose report",
        "7 rows in place of 8",
        "search index=dicom",
        "KeyError",
    ):
        assert words in said
    assert json.loads((tmp_path / "report.json").read_text())["closing_line"] == (
        "3 things tried: 2 differ from the stand-in or failed"
    )


def iter_that_breaks() -> Iterator[Finding]:
    yield from ()
    raise KeyError("entry")


def failing(arguments: list[str], environ: dict[str, str]) -> str:
    """What is said by a run that cannot begin: one line, no stack trace, exit code 3."""
    done = subprocess.run(
        [sys.executable, "-m", "testbench.verify_on_splunk", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "TERM": "dumb", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_what_makes_it_impossible_is_one_sentence(bench: Bench, package: Path, tmp_path: Path) -> None:
    right = {"SPLUNK_PASSWORD": bench.passwords.splunk}
    url = ["--url", bench.splunk.rest.uri]
    assert "nobody answers at http://127.0.0.1:9" in failing(["--url", "http://127.0.0.1:9"], right)
    assert "refuses the password of user 'admin'" in failing(url, {"SPLUNK_PASSWORD": "wrong"})
    assert "give it in SPLUNK_PASSWORD" in failing(url, {})
    assert "is no address" in failing(["--url", "https://"], right)
    assert "has no passwords of the bench" in failing([*url, "--passwords", str(tmp_path / "none")], {})
    server = parse_conf((bench.splunk.home.app_dir / "local" / "copydicom_servers.conf").read_text())["pacs"]
    assert "does not log in like splunkd" in failing(["--url", server["base_url"]], right)
    with Splunkd(package) as empty:
        empty.sessions.set_password("admin", bench.passwords.splunk)
        assert "the index dicom is empty" in failing(["--url", empty.rest.uri], right)


def test_a_splunk_without_the_app_or_with_a_certificate_of_its_own_is_told(
    bench: Bench, package: Path
) -> None:
    right = {"SPLUNK_PASSWORD": bench.passwords.splunk}
    with Splunkd(package, https=True) as other:
        other.sessions.set_password("admin", bench.passwords.splunk)
        assert "--insecure" in failing(["--url", other.rest.uri], right)
        other.home.confs.read = lambda name: {}  # type: ignore[method-assign]
        said = failing(["--url", other.rest.uri, "--insecure"], right)
        assert "the app copydicom_app is not installed" in said


def test_a_server_that_cannot_be_reached_from_here_is_told(bench: Bench) -> None:
    arguments = [*bench.arguments, "--orthanc", "pacs=http://127.0.0.1:9"]
    assert "--orthanc pacs=URL" in failing(arguments, {})[-40:]


def test_help_has_examples_and_wrong_arguments_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code in ((["--help"], 0), (["--orthanc", "pacs"], 2), (["--only", "all"], 2)):
        with pytest.raises(SystemExit) as ended:
            verify_on_splunk.main(arguments)
        assert ended.value.code == code
    said = capsys.readouterr()
    assert "docker compose -f testbench/compose.yaml run --rm verify" in said.out
    assert "Exit code: 0 nothing differs, 1 something does, 2 wrong arguments, 3" in said.out
    assert "'pacs' is not NAME=URL" in said.err


def test_every_macro_and_view_is_among_the_searches_that_are_run() -> None:
    found = shipped(ROOT)
    macros = parse_conf((ROOT / "default" / "macros.conf").read_text())
    used = " ".join([each.text for each in found] + [keys.get("definition", "") for keys in macros.values()])
    unused = [name for name in macros if name != "default" and f"`{name.partition('(')[0]}" not in used]
    assert unused == []
    views = {path.stem for path in (ROOT / "default" / "data" / "ui" / "views").glob("*.xml")}
    shown = {each.name.partition(":")[0] for each in found if each.kind == "views"}
    # The setup and ticket pages are programs of their own, not Dashboard Studio.
    studio = {
        view
        for view in views
        if 'version="2"' in (ROOT / f"default/data/ui/views/{view}.xml").read_text()[:2000]
    }
    assert shown == studio
    assert not [each.text for each in found if "$" in each.text and '$"' not in each.text]
