"""The packaged modular input on real Orthanc servers, on every Python and both versions of Orthanc."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import (
    DOSE_SERIES,
    INSTANCES_BY_MODALITY,
    Instance,
    hospital,
    make_instances,
)
from testbench.splunkd import InputRun, Splunkd

SplunkOn = Callable[..., Splunkd]
STANZA = "orthanc://radiology"


@pytest.fixture
def website() -> Iterator[str]:
    """Something that answers HTTP and is no Orthanc."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Welcome</html>")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def upload(server: OrthancServer, instances: Iterable[Instance]) -> list[str]:
    return server.upload_all(instance.data for instance in instances)


def events(run: InputRun) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in run.events if event.sourcetype == "dicom:instance"]


def ids(run: InputRun) -> list[str]:
    return [event["ID"] for event in events(run)]


def test_the_scheme_is_what_splunk_asks_for(splunk_on: SplunkOn) -> None:
    scheme = splunk_on().scheme("orthanc")
    assert scheme is not None


def test_every_instance_is_indexed_once_with_orthancs_own_tags(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    stored = upload(pacs, hospital())
    run = splunk_on(pacs=pacs).run_input(STANZA, server="pacs")
    assert run.exit_code == 0
    assert sorted(ids(run)) == sorted(stored)
    for event in events(run):
        tags = pacs.get(f"/instances/{event['ID']}/simplified-tags")
        plain = {key: value for key, value in tags.items() if isinstance(value, str)}
        plain.pop("PrivateCreator", None)
        plain.pop("Unknown Tag & Data", None)
        assert {key: event[key] for key in plain} == plain
        series = pacs.get(f"/instances/{event['ID']}")["ParentSeries"]
        study = pacs.get(f"/series/{series}")["ParentStudy"]
        patient = pacs.get(f"/studies/{study}")["ParentPatient"]
        assert (event["ParentSeries"], event["ParentStudy"], event["ParentPatient"]) == (
            series,
            study,
            patient,
        )


def test_events_carry_splunks_own_fields(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    upload(pacs, make_instances(1))
    (event,) = splunk_on(pacs=pacs).run_input(STANZA, server="pacs").events
    assert (event.sourcetype, event.source, event.index, event.host) == (
        "dicom:instance",
        STANZA,
        "dicom",
        "127.0.0.1",
    )


def test_a_second_run_indexes_nothing_and_a_third_what_is_new(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    splunk = splunk_on(pacs=pacs)
    instances = list(make_instances(60))
    upload(pacs, instances[:40])
    assert len(ids(splunk.run_input(STANZA, server="pacs"))) == 40
    assert ids(splunk.run_input(STANZA, server="pacs")) == []
    new = upload(pacs, instances[40:])
    assert sorted(ids(splunk.run_input(STANZA, server="pacs"))) == sorted(new)
    assert ids(splunk.run_input(STANZA, server="pacs")) == []


def test_start_now_leaves_out_what_was_there_before(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    splunk = splunk_on(pacs=pacs)
    instances = list(make_instances(6))
    upload(pacs, instances[:3])
    assert ids(splunk.run_input(STANZA, server="pacs", start="now")) == []
    new = upload(pacs, instances[3:])
    assert sorted(ids(splunk.run_input(STANZA, server="pacs", start="now"))) == sorted(new)


def test_an_empty_server_is_followed_from_its_first_instance(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    splunk = splunk_on(pacs=pacs)
    assert splunk.run_input(STANZA, server="pacs").exit_code == 0
    stored = upload(pacs, make_instances(3))
    assert sorted(ids(splunk.run_input(STANZA, server="pacs"))) == sorted(stored)


def test_a_stop_in_mid_stream_closes_the_stream_and_the_next_run_goes_on(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    splunk = splunk_on(pacs=pacs)
    stored = upload(pacs, make_instances(1500, series_of=20))
    run = splunk.start_input(STANZA, server="pacs", workers=1)
    run.wait_for(20)
    run.terminate()
    assert run.exit_code == 0
    first = ids(run)
    assert 20 <= len(first) < len(stored), "the stop came too late to mean anything"
    rest = ids(splunk.run_input(STANZA, server="pacs"))
    assert set(first) | set(rest) == set(stored)
    assert len(first) + len(rest) <= len(stored) + 20 * 2


def test_the_predecessors_searches_hold(pacs: OrthancServer, splunk_on: SplunkOn) -> None:
    stored = upload(pacs, hospital())
    splunk = splunk_on(pacs=pacs)
    splunk.run_input(STANZA, server="pacs")
    found = splunk.search("index=dicom | spath ID | dedup ID | table ID").rows
    assert sorted(str(row["ID"]) for row in found) == sorted(stored)
    counted = splunk.search(
        "index=dicom | spath ID | spath SeriesDescription | dedup ID | stats count by SeriesDescription"
    ).rows
    assert {"SeriesDescription": DOSE_SERIES, "count": str(INSTANCES_BY_MODALITY["SR"])} in counted


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "server is missing"),
        ({"server": "nowhere"}, "server 'nowhere' is not in copydicom_servers.conf"),
        ({"server": "wrong"}, "refused the login .* check its username and password"),
        ({"server": "dead"}, "cannot be reached; check that Orthanc runs there"),
        ({"server": "website"}, "is not an Orthanc"),
        ({"server": "unsaved"}, "no password is stored for server 'unsaved'"),
        ({"server": "pacs", "interval": "soon"}, "interval must be a number of seconds or a cron schedule"),
        ({"server": "pacs", "start": "middle"}, "start must be beginning or now"),
        ({"server": "pacs", "workers": "0"}, "workers must be a whole number of at least 1"),
    ],
)
def test_an_input_that_could_not_work_is_refused_with_the_reason(
    pacs: OrthancServer, splunk_on: SplunkOn, website: str, given: dict[str, str], message: str
) -> None:
    splunk = splunk_on(pacs=pacs)
    splunk.add_server("wrong", base_url=pacs.url, username=pacs.username, password="guess")
    splunk.add_server("unsaved", base_url=pacs.url, username=pacs.username)
    splunk.add_server("dead", base_url="http://127.0.0.1:9")
    splunk.add_server("website", base_url=website)
    answer = splunk.validate(STANZA, given)
    assert not answer.ok
    assert re.search(message, answer.message), answer.message
    assert pacs.password not in answer.message


@pytest.mark.parametrize("interval", ["30", "0", "-1", "0.5", "*/5 * * * *"])
def test_every_interval_that_splunk_takes_is_taken(
    pacs: OrthancServer, splunk_on: SplunkOn, interval: str
) -> None:
    assert splunk_on(pacs=pacs).validate(STANZA, {"server": "pacs", "interval": interval}).ok


def test_a_server_that_is_gone_is_one_error_line_and_no_event(
    pacs: OrthancServer, splunk_on: SplunkOn
) -> None:
    splunk = splunk_on(pacs=pacs)
    upload(pacs, make_instances(2))
    pacs.kill()
    run = splunk.run_input(STANZA, server="pacs")
    assert run.exit_code == 1
    assert run.events == []
    assert len(run.log) == 1
    assert "cannot be reached" in run.log[0]
    pacs.start()
    assert len(ids(splunk.run_input(STANZA, server="pacs"))) == 2
