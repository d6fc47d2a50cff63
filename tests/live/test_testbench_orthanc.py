"""The bench's Orthanc servers: what tests and the demo rely on, and that none is left behind."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from testbench import orthanc
from testbench.orthanc import OrthancServer, OrthancStartError, second_orthanc
from tests.live.feeding import running

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer("shared") as running:
        yield running


def gone(pid: int, within: float = 10.0) -> bool:
    """Whether the process ends in time; one that is dead and not yet reaped by its new parent has ended."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_server_says_its_version_and_answers_to_its_own_password_only(server: OrthancServer) -> None:
    assert server.get("/system")["Version"] == server.version
    assert requests.get(f"{server.url}/system", timeout=10).status_code == 401
    assert (
        requests.get(f"{server.url}/system", auth=(server.username, "guess"), timeout=10).status_code == 401
    )


def test_a_refusal_is_an_error_with_what_orthanc_said(server: OrthancServer) -> None:
    with pytest.raises(requests.HTTPError, match="POST /instances: 400"):
        server.upload(b"no DICOM")


@pytest.mark.parametrize("which", ["first", "second"])
def test_many_are_uploaded_together_and_their_ids_come_in_their_order(which: str) -> None:
    from testbench.sample_data import make_instances

    instances = list(make_instances(130, 2000, 7))
    with running("many", which) as server:
        assert server.upload_all(each.data for each in instances) == [each.orthanc_id for each in instances]
        with pytest.raises(RuntimeError, match="Orthanc took 1 of 2"):
            server.upload_all([instances[0].data, b"no DICOM"])


def test_a_killed_server_comes_back_on_its_port_with_its_patients() -> None:
    from testbench.sample_data import make_instances

    with OrthancServer("crash") as server:
        first = server.pid
        answer = server.upload(next(make_instances(1)).data)
        url = server.url
        server.kill()
        assert first is not None
        assert gone(first)
        with pytest.raises(requests.ConnectionError):
            server.get("/system")
        server.start()
        assert server.url == url
        assert server.pid != first
        assert server.get("/instances") == [answer["ID"]]


def test_a_storage_that_was_given_is_kept_and_can_be_opened_again(tmp_path: Path) -> None:
    from testbench.sample_data import make_instances

    with OrthancServer("kept", storage=tmp_path / "store") as server:
        answer = server.upload(next(make_instances(1)).data)
    with OrthancServer("again", storage=tmp_path / "store") as server:
        assert server.get("/instances") == [answer["ID"]]


def test_a_temporary_storage_is_removed_with_its_server() -> None:
    with OrthancServer("passing") as server:
        folder = server.storage.parent
        assert folder.exists()
    assert not folder.exists()


def test_a_port_that_is_taken_is_chosen_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    free_ports = orthanc._free_ports
    with socket.socket() as squatter:
        squatter.bind(("0.0.0.0", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        offers = [[taken, *free_ports(2)], free_ports(3)]
        monkeypatch.setattr(orthanc, "_free_ports", lambda count: offers.pop(0))
        with OrthancServer("second-choice") as server:
            assert server.port != taken
            assert server.get("/system")["Name"] == "second-choice"
    assert offers == []


def test_a_start_that_fails_shows_the_last_lines_and_the_way_out() -> None:
    with (
        pytest.raises(OrthancStartError, match=r"(?s)apt-get install orthanc.*no such option"),
        OrthancServer("broken", binary=["sh", "-c", "echo no such option; exit 3"]),
    ):
        pass


def test_a_missing_orthanc_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDICOM_ORTHANC", raising=False)
    monkeypatch.setattr(orthanc.shutil, "which", lambda *_args, **_options: None)
    with pytest.raises(OrthancStartError, match="apt-get install orthanc"):
        OrthancServer("absent")


def test_https_is_verified_by_the_servers_own_bundle_and_by_no_other() -> None:
    with OrthancServer("secure", tls=True) as server:
        assert server.url.startswith("https://")
        assert server.get("/system")["Version"] == server.version
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{server.url}/system", auth=server.auth, timeout=10)


def test_the_certificate_stands_strict_verification() -> None:
    """Python 3.13 verifies so by default."""
    with OrthancServer("strict", tls=True) as server:
        context = ssl.create_default_context(cafile=str(server.ca_bundle))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with (
            pytest.raises(urllib.error.HTTPError, match="401"),
            urllib.request.urlopen(f"{server.url}/system", context=context, timeout=10),
        ):
            pass


@pytest.mark.parametrize("tls", [False, True])
def test_a_server_reaches_its_peers(tls: bool) -> None:
    with OrthancServer("far", tls=tls) as far, OrthancServer("near", peers={"research": far}) as near:
        assert near.get("/peers/research/system")["Name"] == "far"


def test_a_server_outlives_the_thread_that_started_it() -> None:
    server = OrthancServer("threaded")
    worker = threading.Thread(target=server.start)
    worker.start()
    worker.join()
    try:
        time.sleep(0.3)
        assert server.get("/system")["Name"] == "threaded"
    finally:
        server.close()


def run_and_keep(ending: str) -> tuple[subprocess.Popen[str], int]:
    """Another process that starts a server and then does ``ending``; with the server's process id."""
    code = (
        "from testbench.orthanc import OrthancServer\n"
        "server = OrthancServer('orphan').start()\n"
        "print(server.pid, flush=True)\n" + ending
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, int(process.stdout.readline())


def test_no_server_survives_a_test_run_that_is_killed() -> None:
    process, pid = run_and_keep("import time; time.sleep(600)")
    with process:
        os.kill(pid, 0)  # it runs
        process.send_signal(signal.SIGKILL)
    assert gone(pid)


@pytest.mark.parametrize("ending", ["", "raise SystemExit(1)", "raise RuntimeError"])
def test_no_server_survives_a_program_that_forgot_it(ending: str) -> None:
    process, pid = run_and_keep("import sys; sys.stderr = open('/dev/null', 'w')\n" + ending)
    with process:
        pass
    assert gone(pid, within=5)


def test_the_second_version_runs_beside_the_first(server: OrthancServer) -> None:
    command, reason = second_orthanc()
    if command is None:
        pytest.skip(reason)
    with OrthancServer("newer", binary=command) as newer:
        assert newer.version.startswith("1.12.")
        assert newer.version != server.version
