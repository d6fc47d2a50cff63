"""A small evaluator for the SPL that the app ships. It raises `UnknownSpl` on what it does not know.

`syntax` cuts a search into commands, `search_terms` and `expressions` turn conditions into functions,
`extraction` makes fields of JSON, `commands` holds one function for each command, `pipeline` runs them.
Source: Splunk Search Reference; our reading of it, not Splunk's code (see facts/dashboards.md).
"""

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.pipeline import Pipeline

__all__ = ["Pipeline", "UnknownSpl"]
