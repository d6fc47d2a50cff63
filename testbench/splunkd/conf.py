"""Splunk's .conf files: read, layered (`default` under `local`) and written.

Source: Splunk Admin Manual, "About configuration files" and "Configuration file precedence";
`default.meta.conf.spec` for the metadata files, which have the same syntax.

- a stanza is `[name]`; what stands before the first is in `[default]`;
- `key = value`, white space around both is dropped; `#` begins a comment at the start of a line only;
- a backslash at the end of a line continues the value on the next line; the line break stays in it;
- every stanza inherits the keys of `[default]`.
"""

from __future__ import annotations

import threading
from pathlib import Path

Stanza = dict[str, str]
Conf = dict[str, Stanza]

DEFAULT = "default"


class ConfError(ValueError):
    """A line that is no stanza, no comment and no `key = value`."""


def parse_conf(text: str, name: str = "conf") -> Conf:
    """The stanzas of one file, without inheritance.

    >>> parse_conf("[a]\\nx = 1\\n")
    {'a': {'x': '1'}}
    """
    conf: Conf = {}
    stanza = DEFAULT
    lines = iter(enumerate(text.removeprefix("\ufeff").splitlines(), 1))
    for number, line in lines:
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if bare.startswith("["):
            if not bare.endswith("]"):
                raise ConfError(f"{name}:{number}: a stanza without its closing bracket: {bare!r}")
            stanza = bare[1:-1]
            conf.setdefault(stanza, {})
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise ConfError(f"{name}:{number}: neither a stanza nor 'key = value': {bare!r}")
        while value.endswith("\\"):
            value = value[:-1] + "\n" + next(lines, (0, ""))[1]
        conf.setdefault(stanza, {})[key.strip()] = value.strip()
    return conf


def render_conf(conf: Conf) -> str:
    """The text of a file that `parse_conf` reads back as `conf`."""
    parts = []
    for stanza, keys in conf.items():
        lines = [f"{key} = {value.replace(chr(10), chr(92) + chr(10))}" for key, value in keys.items()]
        parts.append("\n".join([f"[{stanza}]", *lines]) + "\n")
    return "\n".join(parts)


def layer(*confs: Conf) -> Conf:
    """Several files of the same name as one, a later one over an earlier one, key by key."""
    merged: Conf = {}
    for conf in confs:
        for stanza, keys in conf.items():
            merged.setdefault(stanza, {}).update(keys)
    return merged


def inherit(conf: Conf) -> Conf:
    """Each stanza with what `[default]` gives it."""
    base = conf.get(DEFAULT, {})
    return {stanza: {**base, **keys} for stanza, keys in conf.items()}


class AppConfs:
    """The conf files of one installed app. Sees each change on the disk, as `btool`; safe for threads."""

    def __init__(self, app_dir: Path) -> None:
        self.app_dir = app_dir
        self._lock = threading.RLock()
        self._parsed: dict[Path, tuple[tuple[int, int], Conf]] = {}

    def names(self) -> list[str]:
        """The confs that the app has, by name without `.conf`."""
        found = {
            path.stem for folder in ("default", "local") for path in (self.app_dir / folder).glob("*.conf")
        }
        return sorted(found)

    def read(self, name: str) -> Conf:
        """The conf `name` (without `.conf`), layered and inherited; empty when there is no such file."""
        with self._lock:
            return inherit(layer(self._file("default", name), self._file("local", name)))

    def local(self, name: str) -> Conf:
        """What a person or the setup page has changed."""
        with self._lock:
            return layer(self._file("local", name))

    def update(self, name: str, stanza: str, keys: Stanza) -> None:
        """Write keys of one stanza to `local/`, as the REST API does."""
        with self._lock:
            self._write(name, layer(self.local(name), {stanza: keys}))

    def touch(self, name: str) -> None:
        """Make an empty conf file in `local/`."""
        with self._lock:
            self._write(name, self.local(name))

    def remove(self, name: str, stanza: str) -> bool:
        """Remove a stanza from `local/`; False when it was not there (a default stanza cannot be removed)."""
        with self._lock:
            conf = self.local(name)
            if conf.pop(stanza, None) is None:
                return False
            self._write(name, conf)
            return True

    def _file(self, folder: str, name: str) -> Conf:
        """One file as it is now; not to be changed, since it is read again only when the file was written."""
        path = self.app_dir / folder / f"{name}.conf"
        if not path.is_file():
            return {}
        stat = path.stat()
        stamp = stat.st_mtime_ns, stat.st_size
        known = self._parsed.get(path)
        if known is None or known[0] != stamp:
            known = self._parsed[path] = stamp, parse_conf(path.read_text("utf-8"), f"{folder}/{name}.conf")
        return known[1]

    def _write(self, name: str, conf: Conf) -> None:
        path = self.app_dir / "local" / f"{name}.conf"
        path.parent.mkdir(exist_ok=True)
        path.write_text(render_conf(conf), "utf-8")
        self._parsed.pop(path, None)
