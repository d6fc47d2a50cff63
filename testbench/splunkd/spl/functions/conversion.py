"""Source: Splunk Search Reference, "Conversion functions"."""

from __future__ import annotations

from testbench.splunkd.spl.functions.function import of
from testbench.splunkd.spl.values import number_of

CONVERSION = {
    "tonumber": of(number_of, 1),
}
