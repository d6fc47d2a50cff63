"""Keys of pseudonyms in ``storage/passwords``, apart from the servers' passwords."""

from __future__ import annotations

import secrets
from typing import Optional

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from copydicom_app.errors import ConfigurationError
from copydicom_app.splunk.config import status_of

KEY_REALM = "copydicom_app_keys"
PHI_KEY = "phi"
SHORTEST_KEY = 16
_CONFLICT = 409


def phi_key(service: client.Service) -> bytes:
    """The key of all pseudonyms: 32 random bytes that the first input to need it saves (as hex).

    Who replaces it gets other pseudonyms; several forwarders give the same only with the same key.
    """
    try:
        stored = _stored_phi_key(service)
        if stored is None:
            try:
                service.storage_passwords.create(secrets.token_hex(32), PHI_KEY, KEY_REALM)
            except HTTPError as error:
                if error.status != _CONFLICT:  # another input was faster: its key is ours
                    raise
            stored = _stored_phi_key(service)
    except (HTTPError, AuthenticationError) as error:
        raise ConfigurationError(
            f"the key for phi cannot be read or saved ({status_of(error)}); the input's user needs the "
            "capabilities list_storage_passwords and edit_storage_passwords"
        ) from error
    if stored is None or len(stored) < SHORTEST_KEY:
        raise ConfigurationError(
            f"the key {PHI_KEY} in storage/passwords (realm {KEY_REALM}) is too short; delete it to have "
            "a new one"
        )
    return stored.encode()


def _stored_phi_key(service: client.Service) -> Optional[str]:
    for entry in service.storage_passwords.list():
        if entry.realm == KEY_REALM and entry.username == PHI_KEY:
            return str(entry.clear_password)
    return None
