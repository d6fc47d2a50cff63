"""Index Orthanc in Splunk, flatten dose reports, copy what a search found.

The names below are imported when they are first used: Splunk starts the app's scripts again and again, and
these want nothing of them.
"""

from typing import TYPE_CHECKING, Any

from copydicom_app._version import __version__

if TYPE_CHECKING:
    from copydicom_app.dose.report import flatten_dose_report
    from copydicom_app.library import check, conditional_replicate, replicate, replicate_tags, simplify
    from copydicom_app.models import Level, Outcome, Server, Status
    from copydicom_app.orthanc import Orthanc

_HOMES = {
    "Level": "models",
    "Orthanc": "orthanc",
    "Outcome": "models",
    "Server": "models",
    "Status": "models",
    "check": "library",
    "conditional_replicate": "library",
    "flatten_dose_report": "dose.report",
    "replicate": "library",
    "replicate_tags": "library",
    "simplify": "library",
}

__all__ = [
    "Level",
    "Orthanc",
    "Outcome",
    "Server",
    "Status",
    "__version__",
    "check",
    "conditional_replicate",
    "flatten_dose_report",
    "replicate",
    "replicate_tags",
    "simplify",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
