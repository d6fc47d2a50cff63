"""Profiles for anonymized copies from ``copydicom_profiles.conf``, and the key from ``storage/passwords``."""

from __future__ import annotations

from splunklib import client

from copydicom_app.errors import ConfigurationError
from copydicom_app.replication.anonymize import ALLOWANCES, Profile
from copydicom_app.replication.rekey import Keys
from copydicom_app.splunk.config import secret, stanza_named, words
from copydicom_app.splunk.keys import KEY_REALM, SHORTEST_KEY

PROFILES = "copydicom_profiles"
KEY_NAME = "anonymize"


def profile_named(service: client.Service, name: str) -> tuple[Profile, Keys]:
    """The profile of a stanza of ``copydicom_profiles.conf``, and the key for identifiers."""
    stanza = stanza_named(service, name, PROFILES, "profile")
    allow = frozenset(words(stanza.get("allow", "")))
    if not allow <= set(ALLOWANCES):
        raise ConfigurationError(f"profile {name!r}: allow may hold {', '.join(ALLOWANCES)} only")
    replace: dict[str, str] = {}
    for pair in stanza.get("replace", "").split(";"):
        tag, equals, value = pair.partition("=")
        if pair.strip() and not equals:
            raise ConfigurationError(f"profile {name!r}: replace must be Keyword=value; Keyword=value; ...")
        if pair.strip():
            replace[tag.strip()] = value.strip()
    keep = words(stanza.get("keep", ""))
    if "PatientID" in {*keep, *replace}:
        raise ConfigurationError(
            f"profile {name!r}: PatientID is always keyed; take it out of keep and replace"
        )
    key = secret(service, KEY_REALM, KEY_NAME)
    if len(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"no key of at least {SHORTEST_KEY} characters is stored for anonymized copies; save a long "
            f"random one in storage/passwords with realm {KEY_REALM} and the name {KEY_NAME}, for good"
        )
    profile = Profile(name, keep, replace, words(stanza.get("remove", "")), allow)
    return profile, Keys(key.encode())
