"""What can go wrong, sorted by what a caller should do about it.

    CopydicomError
    ├── RetriableError        the same call may succeed later: a server is down, busy or slow
    ├── FatalError            nothing of this kind can succeed until a person changes something
    │   ├── ConfigurationError    a server, option or input is missing or wrong
    │   │   └── WrongServerError      what answers is not the server that was meant, or is not trusted
    │   ├── LoginRefusedError     the server does not accept the username and password
    │   └── CheckpointError       the checkpoint cannot be trusted
    └── SkippableError        this one item is bad; go on with the rest
        └── NotFoundError         it is not (or no longer) there

Messages are for people: they name the thing and the way out. They never hold a password, a tag's
value or a URL with credentials.
"""

from __future__ import annotations


class CopydicomError(Exception):
    """The root of all errors that this package raises on purpose."""


class RetriableError(CopydicomError):
    """The same call may succeed later."""


class FatalError(CopydicomError):
    """Nothing of this kind can succeed until a person changes something."""


class ConfigurationError(FatalError):
    """A server, an option or an input is missing or wrong."""


class WrongServerError(ConfigurationError):
    """What answers at an address is not the server that was meant, or cannot be trusted to be it."""


class LoginRefusedError(FatalError):
    """The server does not accept the username and password."""


class CheckpointError(FatalError):
    """The checkpoint is damaged or belongs to something else."""


class SkippableError(CopydicomError):
    """This one item is bad; the rest can go on."""


class NotFoundError(SkippableError):
    """The item is not, or no longer, there."""
