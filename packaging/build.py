"""Build ``dist/copydicom_app-<version>.spl``: the same bytes each time from the same files.

An allow-list decides what goes in. The runtime dependencies are vendored into ``build/lib`` as pure
Python, pinned by hash in ``lib/requirements.txt``.

    python packaging/build.py
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "lib" / "requirements.txt"
VENDORED = ROOT / "build" / "lib"
APP = "copydicom_app"

ALLOWED = (
    "app.manifest",
    "CHANGELOG.md",
    "LICENSE",
    "bin/*.py",
    "copydicom_app/**/*.py",
    "default/**/*",
    "lookups/*.csv",
    "metadata/default.meta",
    "README/*.spec",
    "static/*.png",
)
# Of what the wheels bring: not needed at run time, or refused by Splunk's packaging check.
UNWANTED = (
    "bin",
    "splunklib/ai",
    "splunklib/searchcommands",
    "certifi/tests",
    "**/__pycache__",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
)
UNWANTED += ("*.dist-info/REQUESTED", "*.dist-info/direct_url.json", "**/py.typed")


def main() -> None:
    """Build the package and say where it is, how large, and its SHA-256."""
    vendor()
    target = build()
    data = target.read_bytes()
    print(f"{target.relative_to(ROOT)}  {len(data) / 1e6:.2f} MB  sha256 {hashlib.sha256(data).hexdigest()}")


def version() -> str:
    """The version of the app, from its one place."""
    names: dict[str, str] = {}
    exec((ROOT / APP / "_version.py").read_text(), names)
    return names["__version__"]


def vendor() -> None:
    """Install the pinned dependencies into build/lib, unless they are there already."""
    stamp = VENDORED / ".requirements"
    wanted = REQUIREMENTS.read_text()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(VENDORED, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pure = [
        "--only-binary=:all:",
        "--platform=any",
        "--implementation=py",
        "--abi=none",
        "--python-version=3.9",
    ]
    exact = ["--no-deps", "--require-hashes", "--ignore-requires-python", "--no-compile"]
    subprocess.run([*pip, *pure, *exact, f"--target={VENDORED}", f"--requirement={REQUIREMENTS}"], check=True)
    for pattern in UNWANTED:
        for path in sorted(VENDORED.glob(pattern), reverse=True):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    stamp.write_text(wanted)


def build() -> Path:
    """Write the archive: sorted, USTAR, no owner, no time, no execute bit."""
    target = ROOT / "dist" / f"{APP}-{version()}.spl"
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, path in sorted(members()):
            info = tarfile.TarInfo(f"{APP}/{name}")
            info.size, info.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                archive.addfile(info, file)
    target.parent.mkdir(exist_ok=True)
    # In one step: who installs it meanwhile reads the old or the new one, whole.
    fresh = target.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(gzip.compress(raw.getvalue(), mtime=0))
    fresh.replace(target)
    return target


def members() -> Iterator[tuple[str, Path]]:
    """Every file of the package: its name in the app, and where it is now."""
    for pattern in ALLOWED:
        for path in ROOT.glob(pattern):
            if path.is_file() and not any(
                part.startswith((".", "__pycache__")) for part in path.parts[len(ROOT.parts) :]
            ):
                yield path.relative_to(ROOT).as_posix(), path
    for path in VENDORED.rglob("*"):
        if path.is_file() and path.name != ".requirements":
            yield f"lib/{path.relative_to(VENDORED).as_posix()}", path


if __name__ == "__main__":
    main()
