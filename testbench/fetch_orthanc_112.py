"""Fetch Debian trixie's Orthanc (1.12) beside the machine's own packages, without root.

    python -m testbench.fetch_orthanc_112

asks apt, with a private configuration and an empty package database, for ``orthanc`` and everything it needs,
unpacks the packages into ``build/orthanc-1.12`` and prints the command line that runs it by its own loader
and libraries. Nothing is installed. ``OrthancServer`` and ``second_orthanc()`` find the folder by themselves.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / "build" / "orthanc-1.12"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# In usr/lib64 on amd64, in usr/lib/<triplet> or usr/lib elsewhere.
_LOADERS = ("usr/lib64/ld-linux-*.so.*", "usr/lib/ld-linux-*.so.*", "usr/lib/*/ld-linux-*.so.*")


def command(folder: Path = CACHE) -> list[str] | None:
    """The command line of the Orthanc unpacked in ``folder``; None when there is none."""
    binary = folder / "usr/sbin/Orthanc"
    loader = next((found for pattern in _LOADERS for found in sorted(folder.glob(pattern))), None)
    if not binary.exists() or loader is None:
        return None
    libraries = [*sorted(folder.glob("usr/lib/*-linux-gnu*")), folder / "usr/lib"]
    # Without its own dictionaries it looks for trixie's at their usual place, finds none and ends.
    dictionaries = [folder / "usr/share/dcmtk" / name for name in ("dicom.dic", "private.dic")]
    return [
        "env",
        "DCMDICTPATH=" + ":".join(map(str, dictionaries)),
        str(loader),
        "--library-path",
        ":".join(map(str, libraries)),
        str(binary),
    ]


def fetch(folder: Path = CACHE, mirror: str = "") -> list[str]:
    """Download and unpack; the folder appears only when it is whole. Returns the command line."""
    work = folder.with_name(folder.name + ".part")
    shutil.rmtree(work, ignore_errors=True)
    debs = _download(work / "apt", mirror or machine_mirror())
    for deb in debs:
        subprocess.run(["dpkg-deb", "--extract", str(deb), str(work / "root")], check=True)
    if command(work / "root") is None:
        raise SystemExit(f"the packages in {work} hold no Orthanc or no loader")
    shutil.rmtree(folder, ignore_errors=True)
    (work / "root").rename(folder)
    shutil.rmtree(work)
    found = command(folder)
    assert found
    return found


def machine_mirror() -> str:
    """The mirror that this machine's own apt takes Debian from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(SUITE)"],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in listed.stdout.splitlines():
        origin, uri, *_ = line.split()
        if origin == "Debian" and not uri.rstrip("/").endswith("security"):
            return uri
    raise SystemExit(
        "apt names no mirror of Debian here; name one with --mirror, or run apt-get update first"
    )


def _download(apt: Path, mirror: str) -> list[Path]:
    """The .deb files of orthanc and of all that it depends on, by an apt whose whole state lies in ``apt``.

    The machine's own apt.conf stays in force, since it may name a proxy.
    """
    for sub in ("lists/partial", "cache/archives/partial", "etc"):
        (apt / sub).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "etc/sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror} trixie main\n")
    options = {
        "Dir::Etc::SourceList": apt / "etc/sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": apt,
        "Dir::State::Lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Log": apt,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "true",
    }
    call = ["apt-get", "--quiet", "--yes", *(f"-o{key}={value}" for key, value in options.items())]
    # apt's own words go to stderr: stdout is for the command line alone.
    subprocess.run([*call, "update"], check=True, stdout=sys.stderr)
    subprocess.run([*call, "--download-only", "install", "orthanc"], check=True, stdout=sys.stderr)
    return sorted((apt / "cache/archives").glob("*.deb"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Fetch Debian trixie's Orthanc 1.12 into build/orthanc-1.12."
    )
    parser.add_argument("--mirror", default="", help="Debian mirror (default: the machine's own)")
    parser.add_argument("--again", action="store_true", help="fetch anew what is there already")
    given = parser.parse_args()
    if not Path(_KEYRING).exists():
        raise SystemExit(f"{_KEYRING} is missing: apt-get install debian-archive-keyring")
    found = (None if given.again else command()) or fetch(mirror=given.mirror)
    print(f"COPYDICOM_ORTHANC_112={shlex.quote(shlex.join(found))}")


if __name__ == "__main__":
    main()
