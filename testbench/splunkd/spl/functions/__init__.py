"""The functions of `eval` and `where`, one module for each page of the Search Reference's chapter on them.

`FUNCTIONS` has those that take values. Those that do not evaluate all of their arguments, or need the clock,
are in `expressions`.
"""

from testbench.splunkd.spl.functions.conditional import CONDITIONAL
from testbench.splunkd.spl.functions.conversion import CONVERSION
from testbench.splunkd.spl.functions.function import Function
from testbench.splunkd.spl.functions.multivalue import MULTIVALUE
from testbench.splunkd.spl.functions.numbers import NUMBERS
from testbench.splunkd.spl.functions.texts import TEXTS
from testbench.splunkd.spl.functions.times import TIMES

FUNCTIONS: dict[str, Function] = {
    **CONDITIONAL,
    **CONVERSION,
    **MULTIVALUE,
    **NUMBERS,
    **TEXTS,
    **TIMES,
}

__all__ = ["FUNCTIONS", "Function"]
