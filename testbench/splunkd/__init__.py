"""A stand-in for the parts of splunkd that the app talks to. It is not Splunk and does not contain any of it.

It installs the built package into a scratch SPLUNK_HOME, answers the REST calls that splunklib makes, runs
the modular input and the search command as separate processes by their documented byte protocols, keeps
their events in "indexes" and evaluates a small part of SPL over them. What it does not know it refuses and
reports: a test that passes here has not leaned on something that nobody has looked up. It does not prove
that a live Splunk does the same; docs/development.md says what is left to see there.
"""

from testbench.splunkd.alert_action import AlertResult, Trigger
from testbench.splunkd.home import PackageError
from testbench.splunkd.modular_input import InputRun, Validation
from testbench.splunkd.pythons import pythons
from testbench.splunkd.search_command import CommandResult, Options
from testbench.splunkd.searches import SearchResult
from testbench.splunkd.spl import UnknownSpl
from testbench.splunkd.spl.extraction import Limits
from testbench.splunkd.splunkd import Splunkd
from testbench.splunkd.violations import Violation, Violations

__all__ = [
    "AlertResult",
    "CommandResult",
    "InputRun",
    "Limits",
    "Options",
    "PackageError",
    "SearchResult",
    "Splunkd",
    "Trigger",
    "UnknownSpl",
    "Validation",
    "Violation",
    "Violations",
    "pythons",
]
