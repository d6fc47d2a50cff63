"""The searches that people brought from the predecessor, word for word."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from testbench.orthanc import OrthancServer
from testbench.sample_data import DOSE_SERIES, INSTANCES_BY_MODALITY
from testbench.splunkd import Splunkd


def test_instances_by_series_and_study_description(indexed: Callable[[str], Splunkd]) -> None:
    found = (
        indexed("keep")
        .search(
            "index=dicom | spath ID | spath SeriesDescription | spath StudyDescription | dedup ID"
            " | stats count by SeriesDescription StudyDescription"
        )
        .rows
    )
    instances = {
        tags["ID"]: (tags["SeriesDescription"], tags["StudyDescription"])
        for event in indexed("keep").indexed["dicom"]
        if event.sourcetype == "dicom:instance" and "SeriesDescription" in (tags := json.loads(event.raw))
    }
    counted = {(row["SeriesDescription"], row["StudyDescription"]): int(row["count"]) for row in found}
    assert counted == Counter(instances.values())
    assert sum(counted.values()) == sum(INSTANCES_BY_MODALITY.values())


def test_the_dose_records_are_selected_and_copied(indexed: Callable[[str], Splunkd]) -> None:
    splunk = indexed("keep")
    with OrthancServer("research") as research:
        splunk.add_server(
            "research", base_url=research.url, username=research.username, password=research.password
        )
        result = splunk.search(
            f'index=dicom | spath SeriesDescription | search SeriesDescription="{DOSE_SERIES}"'
            " | spath ID | dedup ID | table ID | copydicom source=pacs dest=research"
        )
        assert result.error is None
        assert Counter(row["copydicom_status"] for row in result.rows) == {
            "copied": INSTANCES_BY_MODALITY["SR"]
        }
        assert sorted(research.get("/instances")) == sorted(str(row["ID"]) for row in result.rows)
