"""Build ``dist/copydicom_app-<version>.spl``: the same bytes each time from the same files.

An allow-list decides what goes in. The runtime dependencies are vendored into ``build/lib`` as pure
Python, pinned by hash in ``lib/requirements.txt``. The app's own pages are bundled into ``build/pages`` from
``pages/``, with what ``pages/package-lock.json`` pins; that takes Node and npm.

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
PAGES = ROOT / "pages"
BUNDLED = ROOT / "build" / "pages"
STATIC = ("pages.js", "pages.txt")
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
# What the stand-alone commands alone need: it wants libraries that the app does not bring.
STAND_ALONE = (
    "copydicom_app/__main__.py",
    "copydicom_app/cli/*.py",
    "copydicom_app/differences.py",
    "copydicom_app/ends.py",
    "copydicom_app/indexing/completing.py",
    "copydicom_app/library.py",
    "copydicom_app/patience.py",
    "copydicom_app/replication/cancelled.py",
    "copydicom_app/replication/everything.py",
    "copydicom_app/replication/file_ledger.py",
    "copydicom_app/replication/following.py",
    "copydicom_app/replication/spool.py",
    "copydicom_app/splunk/client.py",
    "copydicom_app/splunk/envelopes.py",
    "copydicom_app/splunk/hec.py",
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
    bundle()
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


def bundle() -> None:
    """Bundle the pages into build/pages, unless that was done from the same sources."""
    sources = sorted([*PAGES.glob("src/**/*.js*"), *PAGES.glob("*.json"), PAGES / "build.mjs"])
    sources.append(ROOT / "docs" / "scaling.md")  # its table is in the bundle
    wanted = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = BUNDLED / ".sources"
    if stamp.is_file() and stamp.read_text() == wanted and all((BUNDLED / name).is_file() for name in STATIC):
        return
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        sys.exit(
            "the app's pages are bundled with Node and npm; install both: testbench/install.sh python3 pages"
        )
    lock, installed = PAGES / "package-lock.json", PAGES / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        print("installing what the pages are made of into pages/node_modules", file=sys.stderr)
        subprocess.run([npm, "ci", *quiet], cwd=PAGES, check=True, stdout=sys.stderr)
    subprocess.run([node, "build.mjs"], cwd=PAGES, check=True, stdout=sys.stderr)
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
    left_out = {path for pattern in STAND_ALONE for path in ROOT.glob(pattern)}
    for pattern in ALLOWED:
        for path in ROOT.glob(pattern):
            if path.is_file() and path not in left_out and _is_shipped(path.relative_to(ROOT)):
                yield path.relative_to(ROOT).as_posix(), path
    for name in STATIC:
        yield f"appserver/static/{name}", BUNDLED / name
    for path in VENDORED.rglob("*"):
        if path.is_file() and _is_shipped(path.relative_to(VENDORED)):
            yield f"lib/{path.relative_to(VENDORED).as_posix()}", path


def _is_shipped(path: Path) -> bool:
    """Neither hidden nor what Python left behind when somebody ran it here."""
    return not any(part.startswith((".", "__pycache__")) for part in path.parts)


if __name__ == "__main__":
    main()
