"""The Pythons that Splunk bundles (3.9 up to 10.1, 3.13 from 10.2), as found on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

WANTED = ("3.9", "3.13")


def pythons(wanted: tuple[str, ...] = WANTED) -> dict[str, Path]:
    """Version -> interpreter, for those that are found and start.

    Looked for in `COPYDICOM_PYTHONS` (interpreters, separated by `:`), in pyenv's `versions` folder and on
    PATH as `python3.9`. A pyenv shim is not taken, since it does not start in a clean environment.
    """
    found: dict[str, Path] = {}
    named = [Path(part) for part in os.environ.get("COPYDICOM_PYTHONS", "").split(os.pathsep) if part]
    for candidate in [*named, *_pyenv(wanted), *_on_path(wanted)]:
        version = _version(candidate)
        if version in wanted and version not in found:
            found[version] = candidate
    return {version: found[version] for version in wanted if version in found}


def _pyenv(wanted: tuple[str, ...]) -> list[Path]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return [path for version in wanted for path in sorted(root.glob(f"{version}.*/bin/python{version}"))]


def _on_path(wanted: tuple[str, ...]) -> list[Path]:
    found = (Path(path) for version in wanted if (path := shutil.which(f"python{version}")))
    return [path for path in found if path.parent.name != "shims"]  # slow to ask, only to be refused


def _version(python: Path) -> str:
    """`3.9`, or nothing when it does not start in the environment that splunkd gives."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", code], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if re.fullmatch(r"\d+\.\d+\s*", done.stdout) else ""
