"""Before Splunk and Orthanc start: passwords, and the app's package where Splunk installs it from.

    python -m testbench.real_splunk.prepare /made

No password of the bench is written down anywhere in the repository: each bench makes its own, once, and keeps
them in its volumes. SPLUNK_PASSWORD, SPLUNK_HEC_TOKEN and ORTHANC_PASSWORD in the environment (or in `.env`
beside compose.yaml) are taken instead when they are there at the first start.

Written below the folder: `passwords/passwords.json` (for `fill` and `verify`), `splunk/default.yml` (see
docker-splunk, "Using default.yml"), `pacs/orthanc.json` and `research/orthanc.json` (read by their image from
/run/secrets), `app/copydicom_app.spl`.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ORTHANC_USER = "splunk"
OPERATOR = "operator"
_PACKAGES = Path(__file__).resolve().parents[2] / "dist"


@dataclass(frozen=True)
class Passwords:
    """All that the bench needs; `anonymize` is the key of anonymized copies."""

    splunk: str
    operator: str
    hec_token: str
    orthanc: str
    anonymize: str

    @classmethod
    def made(cls, environ: Mapping[str, str]) -> Passwords:
        """New ones, but for those that the environment names."""
        return cls(
            splunk=environ.get("SPLUNK_PASSWORD") or secrets.token_urlsafe(15),
            operator=secrets.token_urlsafe(15),
            hec_token=environ.get("SPLUNK_HEC_TOKEN") or str(uuid.uuid4()),
            orthanc=environ.get("ORTHANC_PASSWORD") or secrets.token_urlsafe(15),
            anonymize=secrets.token_urlsafe(32),
        )

    @classmethod
    def read(cls, path: Path) -> Passwords:
        """Those of a bench that was started before."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def main(folder: Path, packages: Path = _PACKAGES, environ: Mapping[str, str] = os.environ) -> Passwords:
    """Write what is not there yet; the package anew each time, since it is what one works on."""
    known = folder / "passwords" / "passwords.json"
    passwords = Passwords.read(known) if known.is_file() else Passwords.made(environ)
    _write(known, asdict(passwords))
    _write(folder / "splunk" / "default.yml", splunk_defaults(passwords))
    _write(folder / "pacs" / "orthanc.json", orthanc_settings("pacs", passwords, peers=("research",)))
    _write(folder / "research" / "orthanc.json", orthanc_settings("research", passwords))
    newest = max(packages.glob("copydicom_app-*.spl"), key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        raise SystemExit(f"prepare: there is no package in {packages}; run make package")
    (folder / "app").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(newest, folder / "app" / "copydicom_app.spl")
    print(f"prepared: {newest.name} and the passwords of this bench")
    return passwords


def splunk_defaults(passwords: Passwords) -> dict[str, Any]:
    """`default.yml` of the Splunk image; JSON, which is YAML too."""
    hec = {"enable": True, "ssl": True, "port": 8088, "token": passwords.hec_token}
    return {"splunk": {"password": passwords.splunk, "hec": hec}}


def orthanc_settings(name: str, passwords: Passwords, peers: tuple[str, ...] = ()) -> dict[str, Any]:
    """Settings of an Orthanc server as its image reads them; `peers` it may send to (method=peer)."""
    return {
        "Name": name,
        "RemoteAccessAllowed": True,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {ORTHANC_USER: passwords.orthanc},
        "KeepAlive": True,
        "OrthancPeers": {peer: [f"http://{peer}:8042/", ORTHANC_USER, passwords.orthanc] for peer in peers},
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Readable by the users of the other images, who are not ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    path.chmod(0o644)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
