"""The stand-in's HTTP Event Collector keeps to what is documented, and refuses the rest."""

from __future__ import annotations

import gzip
import http.client
import json
import uuid
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from testbench.splunkd import Splunkd
from testbench.splunkd.hec import HecServer, Token

EVENT = b'{"time":1.5,"event":{"n":1}}'
CHANNEL = str(uuid.UUID(int=7))


@pytest.fixture
def hec(splunk: Splunkd) -> Iterator[HecServer]:
    return splunk.hec


def post(
    hec: HecServer,
    token: Token | None,
    body: bytes = EVENT,
    path: str = "/services/collector/event",
    method: str = "POST",
    **headers: str,
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", hec.port, timeout=10)
    given = {"Content-Type": "application/json"}
    given |= {"Authorization": f"Splunk {token.value}"} if token else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, {name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def code(answer: tuple[int, Any]) -> tuple[int, int]:
    return answer[0], answer[1]["code"]


def test_a_batch_is_objects_one_behind_the_other_and_is_indexed_as_it_stands(
    splunk: Splunkd, hec: HecServer
) -> None:
    token = hec.token()
    envelope = b'{"time":1580465472.250,"host":"h","source":"s","sourcetype":"dicom:instance","event":'
    batch = envelope + b'{"b":1.50,"a":"\\u00e4"}}\n{"event":"text"}'
    assert post(hec, token, batch) == (200, {"text": "Success", "code": 0})
    one, two = splunk.indexed["dicom"]
    assert (one.raw, one.time, one.host, one.source) == ('{"b":1.50,"a":"\\u00e4"}', 1580465472.25, "h", "s")
    assert (two.raw, two.sourcetype) == ("text", "httpevent")
    splunk.assert_no_violations()


def test_a_zipped_batch_is_unpacked(splunk: Splunkd, hec: HecServer) -> None:
    assert post(hec, hec.token(), gzip.compress(EVENT), Content_Encoding="gzip")[0] == 200
    assert [event.raw for event in splunk.indexed["dicom"]] == ['{"n":1}']


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, 5)),
        (b"  ", (400, 5)),
        (b'[{"event":1}]', (400, 6)),
        (b'{"event":1},{"event":2}', (400, 6)),
        (b'{"event":1', (400, 6)),
        (b'{"event":1,"tags":"x"}', (400, 6)),
        (b'{"time":1}', (400, 12)),
        (b'{"event":""}', (400, 13)),
        (b'{"time":1.58e9,"event":1}', (400, 15)),
        (b'{"index":"main","event":1}', (400, 7)),
    ],
)
def test_what_is_no_batch_is_refused_with_its_code(
    hec: HecServer, body: bytes, expected: tuple[int, int]
) -> None:
    assert code(post(hec, hec.token(), body)) == expected


def test_a_token_must_be_known_and_enabled_and_is_taken_as_basic_password_too(hec: HecServer) -> None:
    token, off = hec.token(), hec.token(disabled=True)
    assert code(post(hec, None)) == (401, 2)
    assert code(post(hec, None, path=f"/services/collector?token={token.value}")) == (400, 16)
    assert code(post(hec, None, Authorization=f"Bearer {token.value}")) == (401, 3)
    assert code(post(hec, None, Authorization="Splunk unknown")) == (403, 4)
    assert code(post(hec, off)) == (403, 1)
    basic = b64encode(f"Splunk:{token.value}".encode()).decode()
    assert code(post(hec, None, Authorization=f"Basic {basic}")) == (200, 0)


def test_acknowledgment_wants_a_channel_and_is_told_once(hec: HecServer) -> None:
    token = hec.token(use_ack=True)
    assert code(post(hec, token)) == (400, 10)
    assert code(post(hec, token, X_Splunk_Request_Channel="mine")) == (400, 11)
    assert post(hec, token, X_Splunk_Request_Channel=CHANNEL)[1]["ackId"] == 0
    hec.ack_seconds = 60
    assert post(hec, token, X_Splunk_Request_Channel=CHANNEL)[1]["ackId"] == 1
    asked = {"path": f"/services/collector/ack?channel={CHANNEL}", "body": b'{"acks":[0,1,9]}'}
    assert post(hec, token, **asked) == (200, {"acks": {"0": True, "1": False, "9": False}})  # type: ignore[arg-type]
    assert post(hec, token, **asked) == (200, {"acks": {"0": False, "1": False, "9": False}})  # type: ignore[arg-type]
    assert code(post(hec, hec.token(), b'{"acks":[0]}', f"/services/collector/ack?channel={CHANNEL}")) == (
        400,
        14,
    )


def test_it_can_be_busy_and_says_that_it_is_well(hec: HecServer) -> None:
    hec.busy = 1
    token = hec.token()
    assert code(post(hec, token)) == (503, 9)
    assert code(post(hec, token)) == (200, 0)
    assert code(post(hec, None, b"", "/services/collector/health", "GET")) == (200, 17)


def test_what_nobody_has_thought_about_is_a_violation(splunk: Splunkd, hec: HecServer) -> None:
    token = hec.token()
    assert post(hec, token, path="/services/collector/raw")[0] == 404
    assert post(hec, token, Content_Type="application/x-www-form-urlencoded")[0] == 200
    assert post(hec, token, Content_Encoding="deflate")[0] == 400
    texts = " ".join(splunk.violations.texts())
    assert all(word in texts for word in ("collector/raw", "Content-Type", "deflate"))
