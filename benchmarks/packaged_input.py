"""The input as Splunk runs it, measured: the built package, a process of its own, its stream through a pipe.

    with PackagedInput({"pacs": server}) as packaged:
        run = packaged.run("pacs", tags="main")

The stand-in for splunkd answers the REST requests at the start (server, password) and no more: it would
parse every event on the same cores. Here the stream goes to a file in memory and is counted afterwards.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from benchmarks.result import KEPT, ROOT
from benchmarks.rounds import Sample
from testbench.orthanc import OrthancServer
from testbench.splunkd import Splunkd
from testbench.splunkd.home import Home
from testbench.splunkd.modular_input import run_document, stanza_parameters
from testbench.splunkd.process import Instance, environment

_INSTANCE = b"<sourcetype>dicom:instance</sourcetype>"
_DATA = re.compile(rb"<data>(.*?)</data>", re.DOTALL)
_TICKS = os.sysconf("SC_CLK_TCK")
_POLL_SECONDS = 0.02
_GRACE_SECONDS = 30.0
_IDLE_SECONDS = 0.3


@dataclass
class Run:
    """One run of the input, whole process: `seconds` from its start to its end."""

    seconds: float
    exit_code: int
    client_cpu: float
    server_cpu: float
    peak_mb: float
    stream: bytes
    log: str

    @property
    def events(self) -> list[bytes]:
        """The `<data>` of each event, escaped as it came."""
        return _DATA.findall(self.stream)

    @property
    def instances(self) -> int:
        return self.stream.count(_INSTANCE)

    def sample(self) -> Sample:
        """As a round counts it. RuntimeError when the run failed."""
        if self.exit_code not in (0, -signal.SIGTERM):
            raise RuntimeError(f"the input ended with {self.exit_code}: {self.log[-2000:]}")
        return Sample(self.instances, self.seconds, self.client_cpu, self.server_cpu, self.peak_mb)


class PackagedInput:
    """The built package, installed in a scratch Splunk that knows the given servers."""

    def __init__(self, servers: Mapping[str, OrthancServer], python: Path | str = "") -> None:
        built = subprocess.run(
            [sys.executable, "packaging/build.py"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        self._servers = dict(servers)
        self._splunk = Splunkd(ROOT / built.stdout.split()[0], python=python or _bare_python())
        self._numbers = itertools.count()
        for name, server in servers.items():
            self._splunk.add_server(
                name, base_url=server.url, username=server.username, password=server.password
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._splunk.close()

    def stanza(self) -> str:
        """A new input, whose checkpoint is not there yet."""
        return f"orthanc://bench{next(self._numbers)}"

    def run(
        self,
        server: str,
        *,
        stanza: str = "",
        seconds: float = float("inf"),
        receive: Callable[[bytes], None] | None = None,
        **parameters: str,
    ) -> Run:
        """One run, stopped in order (SIGTERM) after so many `seconds`. `receive` gets the stream as it comes,
        in a thread; without it nothing of ours runs beside."""
        given = stanza_parameters(self._splunk.home, stanza or (stanza := self.stanza()), parameters)
        splunkd = Instance(
            self._splunk.home, self._splunk.python, self._splunk.rest.uri, self._splunk.session_key()
        )
        document = run_document(splunkd, stanza, {**given, "server": server})
        orthanc = self._servers[server]
        with tempfile.TemporaryFile(dir=_memory()) as stream, tempfile.TemporaryFile() as log:
            before = cpu_seconds(orthanc)
            began = time.perf_counter()
            process = subprocess.Popen(
                [str(self._splunk.python), str(self._splunk.home.app_dir / "bin" / "orthanc.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if receive else stream,
                stderr=log,
                cwd="/",
                env=_environment(self._splunk.home),
                bufsize=0,
                start_new_session=True,
            )
            assert process.stdin is not None
            process.stdin.write(document)
            process.stdin.close()
            reader = threading.Thread(target=_pump, args=(process.stdout, stream, receive), daemon=True)
            if receive:
                reader.start()
            ended = _Ended(process, began + seconds)
            if receive:
                reader.join()
                process.stdout.close()  # type: ignore[union-attr]
            spent = cpu_seconds(orthanc) - before
            if ended.asked:
                _settled(orthanc)
            stream.seek(0)
            log.seek(0)
            return Run(
                ended.at - began,
                ended.code,
                ended.cpu,
                spent,
                ended.peak_mb,
                stream.read(),
                log.read().decode("utf-8", "replace"),
            )


class _Ended:
    """Waits for a process, and asks it to stop when its time is over; what the kernel counted of it."""

    def __init__(self, process: subprocess.Popen[bytes], until: float) -> None:
        self.peak_mb = 0.0
        self.asked = False
        while True:
            self.peak_mb = peak_mb(process.pid) or self.peak_mb
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            now = time.perf_counter()
            if now > until + _GRACE_SECONDS:
                process.kill()
            elif now > until and not self.asked:
                process.terminate()
                self.asked = True
            time.sleep(_POLL_SECONDS)
        self.at = time.perf_counter()
        self.code = process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime


def _bare_python() -> Path:
    """A Python without packages, as Splunk's: what is installed for the peers would slow its start."""
    folder = KEPT / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, symlinks=True)
    return python


def _environment(home: Home) -> dict[str, str]:
    """splunkd's, but compiled modules are kept: the app's folder is written to by Splunk's own user."""
    given = environment(home)
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    return given


def _pump(source: IO[bytes], target: IO[bytes], receive: Callable[[bytes], None]) -> None:
    while piece := source.read(65536):
        receive(piece)
        target.write(piece)


def peak_mb(pid: int) -> float:
    """The peak resident memory of a process that still runs, else 0. (What wait4 tells would be the
    parent's at the fork, where that was larger.)"""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s*(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def cpu_seconds(server: OrthancServer) -> float:
    """What the Orthanc has spent so far, user and system."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _settled(server: OrthancServer) -> None:
    """Wait until the Orthanc works no more: a request whose client is gone it serves to the end, which the
    next contender would pay for."""
    until = time.perf_counter() + _GRACE_SECONDS
    while time.perf_counter() < until:
        before = cpu_seconds(server)
        time.sleep(_IDLE_SECONDS)
        if cpu_seconds(server) - before < _IDLE_SECONDS / 10:
            return


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
