"""The HEC sink: nothing is lost, nothing is confirmed that is not there, whatever the collector does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from copydicom_app.errors import ConfigurationError, LoginRefusedError, WrongServerError
from copydicom_app.models import Event, Server
from copydicom_app.splunk import hec as sending
from copydicom_app.splunk.hec import HecError, HecSink
from testbench.orthanc import OrthancServer
from testbench.splunkd.hec import HecServer, Token
from testbench.splunkd.violations import Violations


class Indexed(list[Any]):
    """In place of the stand-in's indexes."""

    def add(self, raw: str, at: float | None, index: str, host: str, source: str, sourcetype: str) -> None:
        self.append((json.loads(raw)["n"], at, index, host, source, sourcetype))

    @property
    def numbers(self) -> list[int]:
        return [row[0] for row in self]


@pytest.fixture
def indexed() -> Indexed:
    return Indexed()


@pytest.fixture
def collector(indexed: Indexed, monkeypatch: pytest.MonkeyPatch) -> Iterator[HecServer]:
    """Pauses are a twentieth of what they are; a batch has 10 events."""
    for name in ("_PAUSES", "_ACK_PAUSES"):
        monkeypatch.setattr(sending, name, tuple(seconds / 20 for seconds in getattr(sending, name)))
    monkeypatch.setattr(sending, "MOST", 10)
    violations = Violations()
    server = HecServer(indexed, violations)  # type: ignore[arg-type]
    yield server
    server.close()
    assert violations.texts() == []


def sink(collector: HecServer, token: Token, **more: Any) -> HecSink:
    server = Server("collector", collector.url(), "Splunk", token.value)
    return HecSink(server, index="dicom", source="orthanc://pacs", host="pacs.example", **more)


def write(to: HecSink, count: int) -> None:
    for n in range(count):
        to.write(Event("dicom:instance", {"n": n, "text": "ä\n</data>"}, 1.5e9 + n))


@pytest.mark.parametrize("use_ack", [False, True], ids=["taken", "acknowledged"])
def test_events_arrive_in_order_in_zipped_batches_and_are_confirmed(
    collector: HecServer, indexed: Indexed, use_ack: bool
) -> None:
    to = sink(collector, collector.token(use_ack=use_ack))
    to.check()
    write(to, 35)
    to.flush()
    assert (to.written, to.confirmed) == (35, 35)
    assert indexed.numbers == list(range(35))
    assert indexed[3] == (3, 1.5e9 + 3, "dicom", "pacs.example", "orthanc://pacs", "dicom:instance")
    assert [request.events for request in collector.received] == [10, 10, 10, 5]
    assert all(request.zipped and request.sent < request.unpacked for request in collector.received)
    assert len({request.channel for request in collector.received}) == 1


def test_nothing_is_confirmed_before_it_is_acknowledged(collector: HecServer) -> None:
    collector.ack_seconds = 0.3
    to = sink(collector, collector.token(use_ack=True))
    write(to, 11)
    assert (to.written, to.confirmed) == (11, 0)
    to.flush()
    assert to.confirmed == 11


def test_a_batch_that_is_never_acknowledged_is_sent_again(collector: HecServer, indexed: Indexed) -> None:
    collector.lost = 1
    to = sink(collector, collector.token(use_ack=True), ack_patience=0.2)
    write(to, 25)
    to.flush()
    assert to.confirmed == 25
    assert sorted(indexed.numbers) == list(range(25))


def test_a_collector_that_never_acknowledges_is_told(collector: HecServer) -> None:
    collector.lost = 100
    to = sink(collector, collector.token(use_ack=True), ack_patience=0.05)
    write(to, 3)
    with pytest.raises(HecError, match=r"has not acknowledged.*4 times"):
        to.flush()


def test_back_pressure_is_borne(collector: HecServer, indexed: Indexed) -> None:
    collector.busy = 4
    to = sink(collector, collector.token())
    write(to, 12)
    to.flush()
    assert indexed.numbers == list(range(12))
    assert [status for _, _, status in collector.log].count(503) == 4


def test_a_collector_that_stays_busy_is_an_error_after_a_while(collector: HecServer) -> None:
    collector.busy = 1_000
    to = sink(collector, collector.token(), patience=0.2)
    write(to, 1)
    with pytest.raises(HecError, match="is busy"):
        to.flush()


def test_an_answer_that_is_lost_repeats_one_batch_and_no_more(collector: HecServer, indexed: Indexed) -> None:
    collector.silent = 1
    to = sink(collector, collector.token())
    write(to, 30)
    to.flush()
    assert set(indexed.numbers) == set(range(30))
    assert len(indexed) == 40


def test_a_stop_still_sends_what_was_written_but_waits_no_longer_than_the_grace(
    collector: HecServer, indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    to = sink(collector, collector.token(), stop=stop)
    write(to, 3)
    stop.set()
    to.flush()
    assert indexed.numbers == [0, 1, 2]
    monkeypatch.setattr(sending, "GRACE", 0.1)
    collector.busy = 1_000
    write(to, 1)
    with pytest.raises(sending.StoppedError):
        to.flush()


def test_what_is_wrong_is_told_before_anything_is_read(collector: HecServer) -> None:
    good, off = collector.token("other"), collector.token(disabled=True)
    with pytest.raises(LoginRefusedError, match=r"refused the token \(HTTP 403: Invalid token\)"):
        sink(collector, Token("no-such-token")).check()
    with pytest.raises(LoginRefusedError, match="Token disabled"):
        sink(collector, off).check()
    with pytest.raises(ConfigurationError, match="odd character") as raised:
        sink(collector, Token("a-token\nof two lines"))
    assert "a-token" not in str(raised.value)
    with pytest.raises(ConfigurationError, match="there is no token"):
        sink(collector, Token(""))
    to = sink(collector, good)
    to.check()
    write(to, 1)
    with pytest.raises(ConfigurationError, match=r"may not write to index 'dicom'.*--index-name"):
        to.flush()
    with OrthancServer("no-hec") as orthanc, pytest.raises((WrongServerError, LoginRefusedError)):
        HecSink(Server("x", orthanc.url, "", "token"), index="i", source="s", host="h").check()
    with pytest.raises(HecError, match="cannot be reached"):
        HecSink(Server("x", "http://127.0.0.1:9", "", "token"), index="i", source="s", host="h").check()
