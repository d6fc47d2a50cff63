"""What it means when a server refuses, fails, or does not answer: the error for a person, by kind.

Never the words of a library or a server: they may hold the URL, or quote the request.
"""

from __future__ import annotations

import json
import ssl

from copydicom_app.errors import (
    CopydicomError,
    LoginRefusedError,
    NotFoundError,
    RetriableError,
    SkippableError,
    WrongServerError,
)
from copydicom_app.transport import Answer, BrokenOffError

# Orthanc's words for a storage that takes no more; 1.10.1 sends them with 500, which else may be retried.
_FULL = "The file storage is full"
_REALM = "Orthanc Secure Area"  # what all versions name in WWW-Authenticate


class FailedError(RetriableError):
    """Orthanc answered 500."""


class NotOursError(RetriableError):
    """Something that is not Orthanc answered 404."""


class UntrustedError(WrongServerError):
    """The server's TLS certificate is not trusted."""


class NotAnOrthancError(WrongServerError):
    """What answers is not an Orthanc."""


def no_answer(name: str, host: str, error: Exception) -> CopydicomError:
    """The error for a request that got no answer."""
    broke_off = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    if isinstance(error, ssl.SSLError) and not broke_off:
        return UntrustedError(
            f"server {name!r}: its TLS certificate is not trusted; set ca_bundle to the file of its "
            "certificate authority, or check that base_url should be https"
        )
    if isinstance(error, TimeoutError):
        return RetriableError(f"server {name!r} ({host}) does not answer in time")
    if isinstance(error, BrokenOffError):
        return RetriableError(f"server {name!r} ({host}) broke off in the middle of an answer")
    return RetriableError(
        f"server {name!r} ({host}) cannot be reached; check that Orthanc runs there and that "
        "base_url and the firewall allow it"
    )


def refusal(name: str, answer: Answer) -> CopydicomError:
    """The error for an answer that is not 200."""
    status = answer.status
    if status in (401, 403):
        # A proxy in front of Orthanc may ask for the login too, so this is no proof of another server.
        who = "" if _is_orthancs(answer) else "; if they are right, base_url may lead to something else"
        return LoginRefusedError(
            f"server {name!r} refused the login (HTTP {status}); check its username and password{who}"
        )
    if status == 404:
        # A proxy says so too while Orthanc restarts; taken for a deletion, that would lose the instance.
        if answer.body and not _orthanc_reason(answer):
            return NotOursError(
                f"server {name!r}: what answers at its base_url says HTTP 404, and it is not Orthanc; "
                "check base_url, and the proxy in front of Orthanc if there is one"
            )
        return NotFoundError(f"server {name!r} does not have it")
    reason = _orthanc_reason(answer)
    if status == 507 or reason == _FULL:
        return SkippableError(f"server {name!r} is full (HTTP {status})")
    reason = f", {reason}" if reason else ""
    if status >= 500:
        kind = FailedError if status == 500 else RetriableError
        return kind(f"server {name!r} failed (HTTP {status}{reason})")
    if 300 <= status < 400:
        return not_an_orthanc(name)
    return SkippableError(f"server {name!r} refused it (HTTP {status}{reason})")


def not_an_orthanc(name: str) -> NotAnOrthancError:
    """The error for an answer that no Orthanc gives."""
    return NotAnOrthancError(
        f"server {name!r}: what answers at its base_url is not an Orthanc; "
        "set base_url to the address of Orthanc's REST API"
    )


def _is_orthancs(answer: Answer) -> bool:
    """Whether a refused login bears Orthanc's mark: its realm, or the name of its error."""
    return _REALM in answer.realm or bool(_orthanc_reason(answer))


def _orthanc_reason(answer: Answer) -> str:
    """Orthanc's own name of the error, a fixed vocabulary; its other words may quote the request."""
    try:
        return str(json.loads(answer.body).get("OrthancError") or "")
    except (ValueError, AttributeError):
        return ""
