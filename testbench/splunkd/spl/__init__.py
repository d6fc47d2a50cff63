"""A small evaluator for the SPL that the app ships. It raises `UnknownSpl` on what it does not know.

`syntax` cuts a search into commands, `search_terms` and `expressions` (with `functions`) turn conditions into
functions of a row, `aggregations` reads and works out statistics, `commands` holds one reader for each
command, `pipeline` runs them. `Pipeline.check` reads a search without running it; `known` tells what there
is. Source: Splunk Search Reference; our reading of it, not Splunk's code. The time zone is UTC.
"""

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.known import Known, known
from testbench.splunkd.spl.pipeline import Pipeline

__all__ = ["Known", "Pipeline", "UnknownSpl", "known"]
