"""Who may see an app's objects: `metadata/default.meta` and `metadata/local.meta`.

Source: Splunk's `default.meta.conf.spec`. `[]` speaks for the whole app, `[commands]` for a kind,
`[commands/copydicom]` for one object; the most special wins, key by key. `export = system` shows an
object to other apps; `access = read : [ admin, user ], write : [ admin ]` names roles, `*` is all.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from testbench.splunkd.conf import Conf, layer, parse_conf

_ACCESS = re.compile(r"(read|write)\s*:\s*\[([^\]]*)\]")


class Meta:
    """The metadata of one installed app."""

    def __init__(self, app_dir: Path) -> None:
        self._dir = app_dir / "metadata"

    def exported(self, kind: str, name: str = "") -> bool:
        """Whether other apps see the object (`sharing=global`)."""
        return self._key(kind, name, "export") == "system"

    def readable(self, kind: str, name: str, roles: list[str]) -> bool:
        """Whether one of these roles may use the object. Without a word about it, everybody may."""
        allowed = dict(_ACCESS.findall(self._key(kind, name, "access"))).get("read", "*")
        names = {role.strip() for role in allowed.split(",")}
        return "*" in names or bool(names & set(roles))

    def writable(self, kind: str, name: str, roles: list[str]) -> bool:
        """Whether one of these roles may change the object. Without a word about it, an admin may."""
        allowed = dict(_ACCESS.findall(self._key(kind, name, "access"))).get("write", "admin")
        names = {role.strip() for role in allowed.split(",")}
        return "*" in names or bool(names & set(roles))

    def _key(self, kind: str, name: str, key: str) -> str:
        conf = self._conf()
        for stanza in (f"{kind}/{name}", kind, ""):
            if key in conf.get(stanza, {}):
                return conf[stanza][key]
        return ""

    def _conf(self) -> Conf:
        files = [self._dir / "default.meta", self._dir / "local.meta"]
        read = [parse_conf(path.read_text("utf-8"), path.name) for path in files if path.is_file()]
        return {unquote(stanza): keys for stanza, keys in layer(*read).items()}
