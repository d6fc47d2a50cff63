"""What the evaluator refuses."""

from __future__ import annotations


class UnknownSpl(ValueError):
    """Splunk may know this; the evaluator does not, and does not guess."""
