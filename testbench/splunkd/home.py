"""A scratch SPLUNK_HOME with one app, installed from the package that a Splunk admin would install.

Source: Splunk Admin Manual, "Install apps": a `.spl` is a gzipped tar archive whose only top folder
is the app's; it is unpacked into `etc/apps`.
"""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from testbench.splunkd.conf import AppConfs
from testbench.splunkd.meta import Meta


class PackageError(ValueError):
    """The package is none that Splunk would install."""


class Home:
    """The folders of a Splunk installation, as far as the app touches them."""

    def __init__(self, root: Path, package: Path, app: str = "copydicom_app") -> None:
        """Make the folders under `root` (which must be empty or absent) and unpack `package` there."""
        self.root = root.resolve()
        self.app = app
        self.app_dir = self.root / "etc" / "apps" / app
        self.checkpoints = self.root / "var" / "lib" / "splunk" / "modinputs"
        self.dispatch = self.root / "var" / "run" / "splunk" / "dispatch"
        self.log = self.root / "var" / "log" / "splunk"
        for folder in (self.app_dir.parent, self.checkpoints, self.dispatch, self.log, self.root / "bin"):
            folder.mkdir(parents=True, exist_ok=True)
        install(package, self.app_dir.parent, app)
        self.confs = AppConfs(self.app_dir)
        self.meta = Meta(self.app_dir)

    def checkpoint_dir(self, scheme: str) -> Path:
        """`var/lib/splunk/modinputs/<scheme>`, made when it is not there, as splunkd does."""
        folder = self.checkpoints / scheme
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def expand(self, path: str) -> str:
        """A path of a conf file with `$SPLUNK_HOME` replaced."""
        return path.replace("$SPLUNK_HOME", str(self.root)).replace("${SPLUNK_HOME}", str(self.root))


def install(package: Path, apps: Path, app: str) -> None:
    """Unpack a `.spl` into `etc/apps`. Raises PackageError for one that reaches beyond its own folder."""
    try:
        with tarfile.open(package, "r:gz") as archive:
            for member in archive.getmembers():
                _check(member, app)
            archive.extractall(apps, filter="data")
    except tarfile.TarError as error:
        raise PackageError(
            f"{package.name} is not a gzipped tar archive that can be unpacked: {error}"
        ) from error
    if not (apps / app / "default" / "app.conf").is_file():
        raise PackageError(f"{package.name} has no {app}/default/app.conf")


def _check(member: tarfile.TarInfo, app: str) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise PackageError(f"the package's entry {member.name!r} leaves the folder it is unpacked in")
    if not path.parts or path.parts[0] != app:
        raise PackageError(f"the package's entry {member.name!r} is outside {app}/")
    if not (member.isfile() or member.isdir()):
        raise PackageError(f"the package's entry {member.name!r} is neither a file nor a folder")
    if len(path.parts) > 1 and path.parts[1] == "local":
        raise PackageError(f"the package's entry {member.name!r} would overwrite what the admin has set")
