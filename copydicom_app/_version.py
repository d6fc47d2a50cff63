"""The one place where the version is written; app.conf and app.manifest are checked against it."""

__version__ = "0.1.0"
