"""Servers from ``copydicom_servers.conf``, their passwords from ``storage/passwords``, and who asks.

The namespace is always ``nobody/copydicom_app``: neither the app of a search nor the plain service of an
input sees passwords that were saved with the scope of this app.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Server

APP = "copydicom_app"
CONF = "copydicom_servers"
COPY_CAPABILITY = "run_copydicom"
CONFIGURE_CAPABILITY = "edit_copydicom"
INPUTS_CAPABILITY = "edit_modinput_orthanc"  # splunkd itself asks for it
PASSWORD_CAPABILITY = "list_storage_passwords"  # noqa: S105 - it is the name of a capability
OWNERLESS = frozenset({"", "nobody", "splunk-system-user"})

_NAME = re.compile(r"[A-Za-z0-9_.-]+\Z")
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})


def connect(splunkd_uri: str, session_key: str) -> client.Service:
    """The REST API of the splunkd that started us, in the namespace of this app."""
    try:
        parts = urlsplit(splunkd_uri)
        known = bool(parts.hostname and parts.port)
    except ValueError:
        known = False
    if not known:
        raise ConfigurationError("Splunk does not tell the address of its REST API; is this run by splunkd?")
    if not session_key or session_key == "None":
        raise ConfigurationError("Splunk gave no session key for its REST API; is this run by splunkd?")
    return client.Service(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port,
        token=session_key,
        owner="nobody",
        app=APP,
    )


class PasswordUnavailableError(ConfigurationError):
    """This user sees no password for a server: there is none, or it is kept from them."""


class NotAllowedError(ConfigurationError):
    """Who asks may not do this."""


def server_named(service: client.Service, name: str, *, with_password: bool = True) -> Server:
    """The server of a stanza of ``copydicom_servers.conf``, with its password unless told otherwise."""
    return server_of(service, name, stanza_named(service, name), with_password=with_password)


def server_of(
    service: client.Service, name: str, stanza: Mapping[str, str], *, with_password: bool
) -> Server:
    """The server that the keys of a stanza describe, with its stored password if wanted."""
    base_url = stanza.get("base_url", "").strip()
    if not base_url:
        raise ConfigurationError(f"server {name!r} has no base_url; set it in copydicom_servers.conf")
    try:
        holds_login = "@" in urlsplit(base_url).netloc
    except ValueError as error:
        raise ConfigurationError(
            f"server {name!r}: base_url is no address; set it to, for example, https://pacs.example:8042"
        ) from error
    if holds_login:
        raise ConfigurationError(
            f"server {name!r}: base_url holds a login; move it to username and to the stored password"
        )
    username = stanza.get("username", "").strip()
    return Server(
        name=name,
        base_url=base_url,
        username=username,
        password=_password(service, name) if username and with_password else "",
        verify_tls=parse_bool(stanza.get("verify_tls", ""), f"server {name!r}: verify_tls", default=True),
        ca_bundle=stanza.get("ca_bundle", "").strip(),
        timezone=stanza.get("timezone", "").strip() or "UTC",
        max_connections=parse_count(
            stanza.get("max_connections", ""), f"server {name!r}: max_connections", default=4, least=1
        ),
        roles=words(stanza.get("roles", "")),
        max_instances=parse_count(
            stanza.get("max_instances", ""), f"server {name!r}: max_instances", default=0
        ),
        peer=stanza.get("peer", "").strip(),
        rewrites=_flag(name, "rewrites", stanza.get("rewrites", "")),
        requires_anonymized=_flag(name, "requires_anonymized", stanza.get("requires_anonymized", "")),
        deidentified=_flag(name, "deidentified", stanza.get("deidentified", "")),
        allow_ownerless=_flag(name, "allow_ownerless", stanza.get("allow_ownerless", "")),
    )


def _flag(server: str, key: str, text: str) -> bool:
    return parse_bool(text, f"server {server!r}: {key}", default=False)


@dataclass(frozen=True)
class Person:
    """On whose behalf a search runs (``authentication/current-context``)."""

    name: str
    roles: frozenset[str]
    capabilities: frozenset[str]

    @property
    def reads_passwords(self) -> bool:
        """Whether splunkd shows this person stored passwords."""
        return PASSWORD_CAPABILITY in self.capabilities

    def check_may_copy(self) -> None:
        """Raise NotAllowedError unless this person may copy at all."""
        if COPY_CAPABILITY not in self.capabilities:
            raise NotAllowedError(
                f"you may not run copydicom: your roles lack the capability {COPY_CAPABILITY}; "
                "ask an admin for the role copydicom_operator"
            )

    def check_may_configure(self) -> None:
        """Raise NotAllowedError unless this person may set up servers."""
        if CONFIGURE_CAPABILITY not in self.capabilities:
            raise NotAllowedError(
                f"you may not set up servers: your roles lack the capability {CONFIGURE_CAPABILITY}; "
                "ask an admin for the role copydicom_admin"
            )

    def check_may_send_to(self, dest: Server) -> None:
        """Raise NotAllowedError unless this person may copy, and copy to this destination."""
        self.check_may_copy()
        if self.name in OWNERLESS:
            if not dest.allow_ownerless:
                raise NotAllowedError(
                    f"this search belongs to nobody, and server {dest.name!r} takes nothing from such; give "
                    "the search an owner, or set allow_ownerless = true for the server"
                )
            return
        if dest.roles and not self.roles & set(dest.roles):
            raise NotAllowedError(
                f"your roles may not send to server {dest.name!r}; "
                "ask an admin to add one of them to its roles"
            )


def current_person(service: client.Service) -> Person:
    """Who runs this search, with the roles and capabilities that splunkd knows."""
    try:
        context = client.Entity(service, "/services/authentication/current-context")
    except (HTTPError, AuthenticationError) as error:
        raise ConfigurationError("Splunk does not tell who runs this search; log in again") from error
    content: Mapping[str, object] = context.content
    return Person(
        name=str(content.get("username", "")),
        roles=frozenset(_listed(content.get("roles"))),
        capabilities=frozenset(_listed(content.get("capabilities"))),
    )


def parse_bool(text: str, what: str, *, default: bool) -> bool:
    """A truth value as Splunk's conf files write it; an empty one is the default."""
    word = text.strip().lower()
    if not word:
        return default
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ConfigurationError(f"{what} must be true or false, not {text.strip()!r}")


def parse_count(text: str, what: str, *, default: int, least: int = 0) -> int:
    """A whole number of at least `least`; an empty one is the default."""
    if not text.strip():
        return default
    if not re.fullmatch("[0-9]+", text.strip()) or int(text) < least:
        raise ConfigurationError(f"{what} must be a whole number of at least {least}, not {text.strip()!r}")
    return int(text)


def stanza_named(
    service: client.Service, name: str, conf: str = CONF, what: str = "server"
) -> dict[str, str]:
    """The keys of a stanza of a conf file of this app; `what` it is, for messages."""
    if not _NAME.match(name):
        raise ConfigurationError(
            f"{name!r} is no name of a {what}; it may hold letters, digits, dot, dash and underscore"
        )
    try:
        content = service.confs[conf][name].content
    except KeyError as error:
        raise ConfigurationError(
            f"{what} {name!r} is not in {conf}.conf; add a stanza [{name}] there"
        ) from error
    except (HTTPError, AuthenticationError) as error:
        raise ConfigurationError(
            f"{conf}.conf cannot be read ({status_of(error)}); your role needs read access to it"
        ) from error
    return {key: value or "" for key, value in content.items() if value is None or isinstance(value, str)}


def _password(service: client.Service, name: str) -> str:
    password = secret(service, APP, name)
    if password:
        return password
    raise PasswordUnavailableError(
        f"no password is stored for server {name!r}; save it in storage/passwords with realm {APP} and the "
        f"name {name}"
    )


def secret(service: client.Service, realm: str, name: str) -> str:
    """A stored password; empty when there is none."""
    try:
        for entry in service.storage_passwords.list():
            if entry.realm == realm and entry.username == name:
                return str(entry.clear_password)
    except (HTTPError, AuthenticationError) as error:
        raise PasswordUnavailableError(
            f"the password of {name!r} cannot be read ({status_of(error)}); your role needs the "
            "capability list_storage_passwords"
        ) from error
    return ""


def words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def status_of(error: Exception) -> str:
    """The HTTP status that splunkd answered, for a message."""
    return f"HTTP {getattr(error, 'status', 401)}"


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else []
