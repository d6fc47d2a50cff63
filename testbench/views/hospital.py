"""The sample hospital as the dashboards see it: indexed by the packaged input, two copies in the audit trail.

One place for the tests and the demo, so that a picture of the one is a picture of the other.
"""

from __future__ import annotations

from testbench.dose_reports import Study, nuclear_report
from testbench.dose_samples import INJECTION
from testbench.orthanc import OrthancServer
from testbench.sample_data import load
from testbench.splunkd import Splunkd

COHORT = 'search index=dicom sourcetype=dicom:instance SeriesDescription="Dose Record" | dedup ID'

GONE = "00000000-00000000-00000000-00000000-00000000"
# The hospital's days stay where they are; a view's own range, the last 90 days, leaves them one day.
ALL_TIME = {"time.earliest": "0", "time.latest": "now"}
OF_NOW = ("health", "replication")  # what happens now, and has ranges of its own


def time_of(view: str) -> dict[str, str]:
    """The tokens with which a view shows all of the hospital, whatever the day."""
    return {} if view in OF_NOW else dict(ALL_TIME)


class NotFilled(RuntimeError):
    """The input or the command did not do what the dashboards are to show."""


def fill(splunk: Splunkd, pacs: OrthancServer, research: OrthancServer) -> None:
    """Upload the hospital to `pacs`, index it with dose (of images where there is no report), and copy its
    dose reports to `research`, twice.
    """
    load(pacs)
    for name, server in (("pacs", pacs), ("research", research)):
        splunk.add_server(name, base_url=server.url, username=server.username, password=server.password)
    index(splunk)
    for _ in range(2):
        result = splunk.search(f"{COHORT} | table orthanc_server ID | copydicom dest=research")
        if result.error is not None:
            raise NotFilled(f"the copy failed: {result.error}")
    add_what_is_rare(splunk, pacs)


def index(splunk: Splunkd, phi: str = "keep") -> None:
    """What is new on the server `pacs`."""
    run = splunk.run_input("orthanc://pacs", server="pacs", dose_from_images=True, phi=phi)
    if run.exit_code != 0:
        raise NotFilled(f"the input failed: {run.log}")


def add_what_is_rare(splunk: Splunkd, pacs: OrthancServer) -> None:
    """What the hospital has not, and a dashboard must show: radiopharmaceuticals, two studies of a day in one
    room, a row whose instance is no longer there, and an input whose server does not answer.
    """
    for number, (hour, activity) in enumerate(((9, 312.0), (11, 287.0)), start=1):
        pacs.upload(nuclear_report(_pet(number, hour), [_injection(hour, activity)]).dicom())
    index(splunk)
    splunk.search(f'| makeresults | eval ID="{GONE}", orthanc_server="pacs" | copydicom dest=research')
    splunk.add_server("clinic", base_url="http://127.0.0.1:9", username="splunk", password="none")
    splunk.run_input("orthanc://clinic", server="clinic")


def _pet(number: int, hour: int) -> Study:
    return Study(
        f"views/pet/{number}",
        patient_id=f"PET{number:04}",
        weight_kg=68.0 + 9 * number,
        accession_number=f"A2699{number:02}",
        description="PET whole body",
        start=f"2026-09-24T{hour + 1:02}:30:00",
        station="PET01",
        extra={"PatientAge": f"{58 + number:03}Y"},
    )


def _injection(hour: int, activity: float) -> dict[str, object]:
    start = f"2026-09-24T{hour:02}:20:00"
    return {**INJECTION, "administration_start": start, "administered_activity_MBq": activity}
