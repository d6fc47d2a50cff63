"""Index Orthanc in Splunk, flatten dose reports, copy what a search found."""

from copydicom_app._version import __version__

__all__ = ["__version__"]
