"""The sample hospital as the dashboards see it: indexed by the packaged input, two copies in the audit trail.

One place for the tests and the demo, so that a picture of the one is a picture of the other.
"""

from __future__ import annotations

from collections.abc import Callable

from testbench.orthanc import OrthancServer
from testbench.sample_data import load
from testbench.splunkd import Splunkd

COHORT = 'search index=dicom sourcetype=dicom:instance SeriesDescription="Dose Record" | dedup ID'


class NotFilled(RuntimeError):
    """The input or the command did not do what the dashboards are to show."""


def fill(
    splunk: Splunkd,
    pacs: OrthancServer,
    research: OrthancServer,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Upload the hospital to `pacs`, index it with dose (of images where there is no report), and copy its
    dose reports to `research`, twice.
    """
    load(pacs, progress)
    for name, server in (("pacs", pacs), ("research", research)):
        splunk.add_server(name, base_url=server.url, username=server.username, password=server.password)
    run = splunk.run_input("orthanc://pacs", server="pacs", dose_from_images=True)
    if run.exit_code != 0:
        raise NotFilled(f"the input failed: {run.log}")
    for _ in range(2):
        result = splunk.search(f"{COHORT} | table orthanc_server ID | copydicom dest=research")
        if result.error is not None:
            raise NotFilled(f"the copy failed: {result.error}")
