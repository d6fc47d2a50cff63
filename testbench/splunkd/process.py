"""A script of the app as splunkd starts it: its interpreter, its environment, its working folder.

Source: Splunk Admin Manual, "Environment variables"; "Create custom search commands" and "Modular inputs"
on dev.splunk.com. splunkd starts at boot, so there is no LANG, no HOME and no PYTHONPATH.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testbench.splunkd.home import Home

BUFFER = 65536


@dataclass(frozen=True)
class Instance:
    """What a script is told about the splunkd that starts it."""

    home: Home
    python: Path
    uri: str
    session_key: str
    host: str = "splunk-stand-in"


def environment(home: Home) -> dict[str, str]:
    """What a script finds in `os.environ`; nothing of the test's own environment."""
    return {
        "PATH": f"{home.root / 'bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHTTPSVERIFY": "0",
        "SPLUNK_DB": str(home.root / "var" / "lib" / "splunk"),
        "SPLUNK_ETC": str(home.root / "etc"),
        "SPLUNK_HOME": str(home.root),
        "SPLUNK_SERVER_NAME": "Splunkd",
    }


class Script:
    """A running script of the app. Its stderr is collected in a thread, line by line."""

    def __init__(self, home: Home, python: Path, filename: str, *arguments: str) -> None:
        path = home.app_dir / "bin" / filename
        if not path.is_file():
            raise FileNotFoundError(f"the package has no bin/{filename}")
        self.signalled: signal.Signals | None = None
        self.stderr: list[str] = []
        self.started = time.time()
        self._process = subprocess.Popen(
            [str(python), str(path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=environment(home),
            bufsize=0,
            start_new_session=True,
        )
        self._threads: list[threading.Thread] = []
        self._run(self._collect_stderr)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def write(self, data: bytes, close: bool = False) -> bool:
        """To its stdin; False when it no longer reads."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            view = memoryview(data)
            while view:
                view = view[stdin.write(view) :]
            if close:
                stdin.close()
        except (OSError, ValueError):  # it has ended, or its stdin is closed already
            return False
        return True

    def close_stdin(self) -> None:
        self.write(b"", close=True)

    def read_to(self, receive: Callable[[bytes], None]) -> None:
        """Hand its stdout to `receive` in a thread as it comes; an empty piece is the end."""

        def pump() -> None:
            assert self._process.stdout is not None
            while piece := self._process.stdout.read(BUFFER):
                receive(piece)
            receive(b"")

        self._run(pump)

    def signal(self, number: signal.Signals) -> None:
        self.signalled = number
        if self.running:
            self._process.send_signal(number)

    def wait(self, timeout: float) -> int | None:
        """Its exit code, all output read; None when it had to be killed after `timeout` seconds."""
        try:
            code: int | None = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = None
        for thread in self._threads:
            thread.join(10)
        self.close()
        return code

    def close(self) -> None:
        """Kill it if it is still there, and give the pipes back. May be called twice."""
        if self.running:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(10)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _collect_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.stderr.append(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
