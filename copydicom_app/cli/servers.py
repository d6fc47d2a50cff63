"""Which servers are meant: by URL, or by a name that the config file explains; and their passwords.

The config file has the form and the keys of ``copydicom_servers.conf``, a stanza for each server, Splunk's
own too::

    [pacs]
    base_url = https://pacs.example.org:8042
    username = copier
    password_file = ~/.config/copydicom/pacs.password

It holds no password: that comes from the environment, from the file that `password_file` names, or is asked
for.
"""

from __future__ import annotations

import configparser
import os
import re
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import click

from copydicom_app.addresses import is_address, is_loopback, server_of_url
from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Server

SPLUNK = ("index", "hec")  # roles that are no Orthanc
_TEXTS = ("username", "ca_bundle", "timezone", "peer")
_FLAGS = ("verify_tls", "rewrites", "requires_anonymized", "deidentified")
_COUNTS = ("max_connections", "max_instances")
_NOT_HERE = ("roles", "allow_ownerless")  # what Splunk alone heeds: a file of its own may be used as it is
_KEYS = frozenset({"base_url", "password_file", *_TEXTS, *_FLAGS, *_COUNTS, *_NOT_HERE})


def default_config() -> Path:
    """Where the config file is unless told otherwise."""
    return Path(click.get_app_dir("copydicom")) / "servers.conf"


@dataclass(frozen=True)
class Servers:
    """Finds servers. `ca_bundle` and `insecure` are for those named by a URL."""

    config: Optional[Path] = None
    ca_bundle: str = ""
    insecure: bool = False

    def find(self, text: str, role: str) -> Server:
        """The server that the option ``--<role>`` means, with its password."""
        server = self._of_url(text, role) if is_address(text) else self._named(text, role)
        if server.password or not (server.username or role in SPLUNK):
            return server
        return replace(server, password=_asked_for(server, role))

    def names(self) -> list[str]:
        """The names that the config file explains."""
        return self._read().sections()

    def _of_url(self, url: str, role: str) -> Server:
        server = server_of_url(url, f"--{role}", ca_bundle=self.ca_bundle, verify_tls=not self.insecure)
        # Splunk comes with a certificate of its own making; on this machine it is taken as it is.
        if role in SPLUNK and is_loopback(server) and not self.ca_bundle:
            server = replace(server, verify_tls=False)
        return replace(server, password=_environment(role, "") or server.password)

    def _named(self, name: str, role: str) -> Server:
        if "@" in name:
            raise ConfigurationError(
                f"--{role}: what is given is no name, and an address begins with http:// or https://"
            )
        parser = self._read()
        if name not in parser:
            known = ", ".join(parser.sections()) or "none"
            raise ConfigurationError(
                f"--{role}: server {name!r} is not in {self._path()} (known there: {known}); add a stanza "
                f"[{name}] with base_url, or give a URL such as http://host:8042"
            )
        stanza = parser[name]
        self._check(name, stanza)
        fields: dict[str, Any] = {key: stanza[key].strip() for key in _TEXTS if stanza.get(key)}
        for key in _FLAGS:
            if key in stanza:
                fields[key] = self._of(name, stanza, key, stanza.getboolean)
        for key in _COUNTS:
            if key in stanza:
                fields[key] = self._of(name, stanza, key, stanza.getint)
        server = server_of_url(stanza.get("base_url", ""), f"server {name!r}: base_url", name=name, **fields)
        password = _environment(role, name) or _of_file(name, stanza.get("password_file", "").strip())
        return replace(server, password=password)

    @staticmethod
    def _of(name: str, stanza: configparser.SectionProxy, key: str, read: Any) -> Any:
        try:
            return read(key)
        except ValueError as error:
            kind = "a number" if key in _COUNTS else "true or false"
            raise ConfigurationError(f"server {name!r}: {key} must be {kind}, not {stanza[key]!r}") from error

    def _check(self, name: str, stanza: configparser.SectionProxy) -> None:
        if "password" in stanza:
            raise ConfigurationError(
                f"server {name!r}: {self._path()} must hold no password; move it to a file of its own "
                f"that only you "
                "may read, and name that with password_file, or to the environment variable "
                f"{_variable(name)}"
            )
        unknown = sorted(set(stanza) - _KEYS)
        if unknown:
            raise ConfigurationError(
                f"server {name!r}: {unknown[0]!r} is not known in {self._path()}; known are "
                f"{', '.join(sorted(_KEYS))}"
            )
        if "@" in stanza.get("base_url", ""):
            raise ConfigurationError(
                f"server {name!r}: base_url holds a login; move it to username and password_file"
            )

    def _path(self) -> Path:
        return self.config or default_config()

    def _read(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None, default_section="default")
        path = self._path()
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            if self.config:
                raise ConfigurationError(f"there is no config file {path}") from error
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the config file {path} cannot be read ({type(error).__name__})"
            ) from error
        except configparser.Error as error:  # its words quote the line, which may hold anything
            line = f", line {getattr(error, 'lineno', '')}" if getattr(error, "lineno", None) else ""
            raise ConfigurationError(
                f"the config file {path}{line} is neither a stanza [name] nor `key = value`"
            ) from error
        return parser


def without_secrets(text: str) -> str:
    """A text without the passwords of the environment."""
    for name, secret in os.environ.items():
        if re.match(r"COPYDICOM_\w*(PASSWORD|TOKEN)", name) and len(secret) > 3:
            text = text.replace(secret, "***")
    return text


def _variable(name: str) -> str:
    return "COPYDICOM_PASSWORD_" + re.sub(r"\W", "_", name).upper()


def _environment(role: str, name: str) -> str:
    """A password or token from the environment: of the role, else of the name."""
    variables = [f"COPYDICOM_{role.upper()}_PASSWORD"]
    if role in SPLUNK:
        variables.insert(0, f"COPYDICOM_{role.upper()}_TOKEN")
    if name:
        variables.append(_variable(name))
    found = (os.environ.get(variable, "").strip("\r\n") for variable in variables)
    return next(filter(None, found), "")


def _of_file(name: str, path: str) -> str:
    """The first line of a file that nobody else may read."""
    if not path:
        return ""
    file = Path(path).expanduser()
    try:
        others = stat.S_IMODE(file.stat().st_mode) & 0o077 if os.name == "posix" else 0
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"server {name!r}: password_file {file} cannot be read ({type(error).__name__})"
        ) from error
    if others:
        raise ConfigurationError(
            f"server {name!r}: password_file {file} may be read by others; run: chmod 600 {file}"
        )
    return lines[0].strip() if lines else ""


def _asked_for(server: Server, role: str) -> str:
    """Asked of the person, where there is one; not echoed."""
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return ""
    what = (
        f"HEC token for {server.name}" if role == "hec" else f"Password of {server.username} at {server.name}"
    )
    return str(click.prompt(what, hide_input=True, default="", show_default=False, err=True))
