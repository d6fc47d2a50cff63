"""Real Orthanc servers for demos, tests and benchmarks.

    with OrthancServer("source") as source, OrthancServer("research") as research:
        answer = source.upload(Path("slice.dcm").read_bytes())
        source.get(f"/instances/{answer['ID']}/simplified-tags")

Each server has a storage, ports, a user and a password of its own, and answers on loopback only. None
outlives the process that started it: the context manager stops it, else ``atexit``, else the kernel
(``PR_SET_PDEATHSIG``, set by util-linux's ``setpriv``), so also when a test run is killed with SIGKILL.

Which Orthanc runs: the ``binary`` argument, else ``$COPYDICOM_ORTHANC``, else the Debian package's. Both are
command lines, so that a binary can run by another release's loader and libraries; ``second_orthanc()``
names one.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import itertools
import json
import os
import queue
import random
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from testbench import fetch_orthanc_112
from testbench.tls_front import TlsFront, self_signed

# Below Linux's ephemeral range (32768-60999), so no outgoing connection takes the port during a restart.
_PORTS = range(20_000, 32_000)
_PORT_TAKEN = "already in use"  # as both versions put it, of the HTTP and of the DICOM server
_ATTEMPTS = 5
_TOGETHER = 100  # files of one ZIP


class OrthancStartError(RuntimeError):
    """Orthanc could not be found or did not come up; the message holds its last lines and the way out."""


class OrthancServer:
    """An Orthanc of one's own: ``start()`` or ``with`` runs it, ``close()`` ends it and removes what it kept.

    ``config`` overrides any option of Orthanc's own. ``storage`` names a folder that is kept at the end;
    without it the server stores in a temporary one. ``dicom`` opens the DICOM port too: off unless asked,
    since Orthanc cannot keep that port to loopback. ``tls`` serves HTTPS with a certificate that
    ``ca_bundle`` verifies. ``peers`` registers running servers as Orthanc peers under the given names.
    """

    def __init__(
        self,
        name: str = "orthanc",
        *,
        config: Mapping[str, Any] | None = None,
        binary: str | Sequence[str] | None = None,
        storage: str | Path | None = None,
        dicom: bool = False,
        tls: bool = False,
        peers: Mapping[str, OrthancServer] | None = None,
        start_timeout: float = 60.0,
    ) -> None:
        self.name = name
        self.username = "bench"
        self.password = secrets.token_urlsafe(12)
        self.version = ""  # known once it runs
        self.port = 0
        self.dicom_port = 0
        self._http_port = 0  # Orthanc's own; with TLS another than the one that clients use
        self.session = requests.Session()
        self.session.auth = self.auth
        self.session.trust_env = False  # no proxy, no .netrc and no CA bundle of the developer's
        self._command = _command(binary)
        self._overrides = dict(config or {})
        self._peers = dict(peers or {})
        self._dicom = dicom
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix=f"orthanc-{name}-"))
        self.storage = Path(storage) if storage else self._folder / "storage"
        self.ca_bundle: Path | None = None
        self._front: TlsFront | None = None
        if tls:
            self.ca_bundle, self._certificate = self_signed(self._folder)
            self.session.verify = str(self.ca_bundle)

    @property
    def auth(self) -> tuple[str, str]:
        return self.username, self.password

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``, without a slash at the end."""
        return f"{'https' if self.ca_bundle else 'http'}://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        """What Orthanc wrote, over all starts of this server."""
        return self._folder / "orthanc.log"

    @property
    def pid(self) -> int | None:
        """The running Orthanc's process id; None when it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    # --- its life ---

    def start(self) -> OrthancServer:
        """Run Orthanc and wait until it answers to its login. A restart keeps port, password and storage.

        Raises OrthancStartError. A port that someone took between choosing and binding is chosen anew, except
        on a restart: others know the server by its URL.
        """
        if self.pid:
            return self
        atexit.register(self.close)
        restart = bool(self.port)
        for _ in range(_ATTEMPTS):
            if not restart:
                self.port, self._http_port, self.dicom_port = _free_ports(3)
                if not self.ca_bundle:
                    self._http_port = self.port
            log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
            self._launch()
            if self._wait_until_ready():
                return self
            status = self._process.poll() if self._process else None
            self.kill()
            said = self.log_path.read_bytes()[log_start:].decode(errors="replace")
            if _PORT_TAKEN not in said:
                break
            time.sleep(0.2)
        ended = (
            f"ended with status {status}" if status is not None else f"was silent for {self._start_timeout} s"
        )
        if not restart:
            self.port = 0
        raise OrthancStartError(
            f"Orthanc {self.name!r} does not start: `{shlex.join(self._command)}` {ended}. Install it with "
            "`apt-get install orthanc`, or name another by COPYDICOM_ORTHANC. Its last lines:\n"
            + "\n".join(said.splitlines()[-20:])
        )

    def stop(self) -> None:
        """End Orthanc in order (SIGTERM); ``start()`` brings it back."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End Orthanc at once (SIGKILL), as a crash would."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop for good, and remove everything except a storage folder that was given."""
        if self._folder in self.storage.parents:
            self.kill()  # an orderly end takes Orthanc 2.5 seconds, for a storage that goes anyway
        self.stop()
        self.session.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> OrthancServer:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- talking to it: what tests need all the time, nothing more ---

    def upload(self, data: bytes) -> Any:
        """POST a DICOM file (a dict comes back) or a ZIP of them (a list). HTTPError when it is refused."""
        return self.request("POST", "/instances", data=data).json()

    def upload_all(self, files: Iterable[bytes]) -> list[str]:
        """POST many DICOM files, some in one ZIP, which takes half the time; their ids, in the files' order.

        RuntimeError when not all were taken.
        """
        ids: list[str] = []
        left = iter(files)
        while some := list(itertools.islice(left, _TOGETHER)):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as members:
                for number, data in enumerate(some):
                    members.writestr(f"{number}.dcm", data)
            answers = self.upload(packed.getvalue())
            taken = [each["ID"] for each in answers if each["Status"] in ("Success", "AlreadyStored")]
            if len(taken) != len(some):
                raise RuntimeError(f"Orthanc took {len(taken)} of {len(some)} instances")
            ids += taken
        return ids

    def get(self, path: str, **params: Any) -> Any:
        return self.request("GET", path, params=params).json()

    def content(self, path: str) -> bytes:
        """A GET for what is no JSON: ``/instances/<id>/file``."""
        return self.request("GET", path, headers={"Accept-Encoding": "identity"}).content

    def post(self, path: str, body: Any = None) -> Any:
        return self.request("POST", path, json=body).json()

    def delete(self, path: str) -> None:
        self.request("DELETE", path)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request with the server's login; HTTPError, with what Orthanc said, unless it answered 2xx."""
        answer = self.session.request(method, self.url + path, timeout=options.pop("timeout", 60), **options)
        if not answer.ok:
            raise requests.HTTPError(
                f"{method} {path}: {answer.status_code} {answer.text[:500]}", response=answer
            )
        return answer

    # --- inside ---

    def _launch(self) -> None:
        self.storage.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "orthanc.json"
        settings.write_text(json.dumps(self._settings(), indent=2), encoding="utf-8")
        with self.log_path.open("ab") as log:
            self._process = _spawn([*self._command, str(settings)], log.fileno(), self._folder)
        if self.ca_bundle:
            self._front = TlsFront(self.port, self._http_port, self._certificate)

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "Name": self.name,
            "StorageDirectory": str(self.storage),
            "IndexDirectory": str(self.storage),
            "HttpPort": self._http_port,
            "DicomPort": self.dicom_port,
            "DicomServerEnabled": self._dicom,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {self.username: self.password},
            "KeepAlive": True,
            "Plugins": [],
            "OrthancPeers": {
                name: {"Url": peer.url, "Username": peer.username, "Password": peer.password}
                for name, peer in self._peers.items()
            },
        }
        trusted = [peer.ca_bundle.read_text() for peer in self._peers.values() if peer.ca_bundle]
        if trusted:
            bundle = self._folder / "peers.pem"
            bundle.write_text("".join(trusted))
            settings["HttpsCACertificates"] = str(bundle)
        return settings | self._overrides

    def _wait_until_ready(self) -> bool:
        """Whether this very process answers: the password tells it from a stranger on the same port."""
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline and self.pid:
            with contextlib.suppress(requests.RequestException, ValueError):
                self.version = self.request("GET", "/system", timeout=5).json()["Version"]
                return True
            time.sleep(0.05)
        return False

    def _end(self, how: signal.Signals) -> None:
        if self._front:
            self._front.close()
            self._front = None
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


def second_orthanc() -> tuple[list[str] | None, str]:
    """The command of an Orthanc 1.12, or None and the reason, which a test gives for its skip."""
    told = os.environ.get("COPYDICOM_ORTHANC_112")
    if told:
        return shlex.split(told), ""
    fetched = fetch_orthanc_112.command()
    if fetched:
        return fetched, ""
    return None, "no Orthanc 1.12 (run `python -m testbench.fetch_orthanc_112`, or set COPYDICOM_ORTHANC_112)"


def _command(binary: str | Sequence[str] | None) -> list[str]:
    wanted = binary or os.environ.get("COPYDICOM_ORTHANC")
    if wanted:
        return shlex.split(wanted) if isinstance(wanted, str) else list(wanted)
    # Debian installs into sbin, which is not in a plain user's PATH.
    found = shutil.which("Orthanc", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise OrthancStartError("there is no Orthanc here: apt-get install orthanc, or set COPYDICOM_ORTHANC")
    return [found]


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment, on any address."""
    found: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, 200):
        with socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # TIME_WAIT does not stop Orthanc either
            with contextlib.suppress(OSError):
                probe.bind(("", port))
                found.append(port)
        if len(found) == count:
            return found
    raise OrthancStartError(f"no {count} free ports between {_PORTS.start} and {_PORTS.stop}")


def _spawn(command: Sequence[str], output: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that dies with this one.

    The kernel sends the death signal when the *thread* that started the child ends, so one thread that lives
    as long as the process starts them all; a server begun in a worker thread would else die with the worker.
    A session of its own keeps Ctrl-C from reaching Orthanc before those who are still talking to it.
    """
    if not shutil.which("setpriv"):
        raise OrthancStartError("setpriv is missing: apt-get install util-linux")
    started: Future[subprocess.Popen[bytes]] = Future()

    def start() -> None:
        try:
            started.set_result(
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=folder,
                    start_new_session=True,
                )
            )
        except OSError as error:
            started.set_exception(error)

    _spawner(os.getpid()).put(start)
    return started.result()


@functools.cache
def _spawner(pid: int) -> queue.SimpleQueue[Any]:
    """The spawning thread's queue; by process id, since a fork inherits the cache but no thread."""
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def serve() -> None:
        while True:
            jobs.get()()

    threading.Thread(target=serve, name=f"orthanc-spawner-{pid}", daemon=True).start()
    return jobs
