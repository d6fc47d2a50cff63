"""From an index of series to copies: the packaged input at `level = series`, a search, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable

from testbench.faulty_proxy import FaultyProxy
from testbench.orthanc import OrthancServer
from testbench.sample_data import hospital, make_instances
from testbench.splunkd import Splunkd

SplunkOn = Callable[..., Splunkd]


def test_series_that_a_search_finds_are_copied_whole(
    pacs: OrthancServer, research: OrthancServer, splunk_on: SplunkOn
) -> None:
    [report] = [each for each in hospital() if each.modality == "SR"][:1]
    wanted = pacs.upload_all(each.data for each in make_instances(60, 2000, 20))
    pacs.upload(report.data)
    splunk = splunk_on(research=research)
    with FaultyProxy(pacs.url) as proxy:
        splunk.add_server("pacs", base_url=proxy.url, username=pacs.username, password=pacs.password)
        waiting = splunk.run_input("orthanc://pacs", server="pacs", level="series")
        assert {event.sourcetype for event in waiting.events} == {
            "dicom:instance",
            "dicom:dose:study",
            "dicom:dose:event",
        }
        assert "open=4" in "".join(waiting.log)
        proxy.ahead_seconds = 61  # a minute later
        quiet = splunk.run_input("orthanc://pacs", server="pacs", level="series")
        assert [event.sourcetype for event in quiet.events] == ["dicom:series"] * 4
        assert splunk.run_input("orthanc://pacs", server="pacs", level="series").events == []
    for event in quiet.events:
        assert {"ID", "revision", "instances", "bytes"} < json.loads(event.data).keys()
    splunk.add_server("pacs", base_url=pacs.url, username=pacs.username, password=pacs.password)
    found = splunk.search(
        "index=dicom sourcetype=dicom:series Modality=CT | sort 0 - last_arrival | dedup ID"
        " | copydicom dest=research"
    )
    assert found.error is None
    assert [(row["copydicom_status"], row["copydicom_copied"]) for row in found.rows] == [
        ("copied", "20")
    ] * 3
    assert sorted(research.get("/instances")) == sorted(wanted)
