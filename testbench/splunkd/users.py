"""Users, their roles and capabilities, and the session keys that stand for them.

Source: Splunk REST API Reference, "Access endpoints", `authentication/current-context`;
`authorize.conf.spec` for capabilities.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from testbench.splunkd.conf import Conf

ADMIN_CAPABILITIES = (
    "admin_all_objects",
    "edit_copydicom",
    "edit_storage_passwords",
    "list_storage_passwords",
    "run_copydicom",
    "schedule_search",
    "search",
)
BUILT_IN_ROLES = {"user": ("search",), "power": ("search", "schedule_search"), "admin": ADMIN_CAPABILITIES}


@dataclass(frozen=True)
class User:
    """A Splunk user with what its roles add up to."""

    name: str
    roles: tuple[str, ...] = ("user",)
    capabilities: tuple[str, ...] = ("search",)
    default_app: str = "search"
    timezone: str = ""

    def can(self, capability: str) -> bool:
        return capability in self.capabilities


SYSTEM = User("splunk-system-user", ("admin", "splunk-system-role"), ADMIN_CAPABILITIES)
NOBODY = User("nobody", (), ())
ADMIN = User("admin", ("admin",), ADMIN_CAPABILITIES)


def capabilities_of(roles: tuple[str, ...], authorize: Conf) -> tuple[str, ...]:
    """What authorize.conf of the app gives to roles and to those they import; Splunk's own `user` may search.

    Raises KeyError for a role that is neither in the app nor one of Splunk's own that is known here.
    """
    found: set[str] = set()
    left, seen = list(roles), set[str]()
    while left:
        role = left.pop()
        if role in seen:
            continue
        seen.add(role)
        found |= set(BUILT_IN_ROLES.get(role, ()))
        stanza = authorize.get(f"role_{role}", {})
        if role not in BUILT_IN_ROLES and not stanza:
            raise KeyError(f"the role {role!r} is not in authorize.conf")
        found |= {key for key, value in stanza.items() if value == "enabled"}
        left += [name.strip() for name in stanza.get("importRoles", "").split(";") if name.strip()]
    return tuple(sorted(found))


@dataclass
class Sessions:
    """Who is known, and under which key."""

    users: dict[str, User] = field(default_factory=lambda: {SYSTEM.name: SYSTEM, ADMIN.name: ADMIN})
    _keys: dict[str, str] = field(default_factory=dict)
    _passwords: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, user: User) -> None:
        self.users[user.name] = user

    def key(self, name: str) -> str:
        """A new session key for a user; KeyError for one that is not known. The old keys stay good."""
        user = self.users[name]
        key = secrets.token_urlsafe(48)
        with self._lock:
            self._keys[key] = user.name
        return key

    def user(self, key: str) -> User | None:
        """Whose session it is; None for an unknown or ended one."""
        with self._lock:
            name = self._keys.get(key)
        return self.users.get(name) if name else None

    def set_password(self, name: str, password: str) -> None:
        """From now on the user may log in; without a password nobody can."""
        self._passwords[self.users[name].name] = password

    def check(self, name: str, password: str) -> User | None:
        """The user, when it is his password."""
        known = self._passwords.get(name)
        return self.users[name] if known is not None and secrets.compare_digest(known, password) else None

    def end(self, key: str) -> None:
        """The session is over; from now on the key is refused with 401."""
        with self._lock:
            self._keys.pop(key, None)
