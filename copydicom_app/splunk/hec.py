"""Events to Splunk's HTTP Event Collector, confirmed: batches, gzip, acknowledgment, back-pressure.

Splunk Getting Data In, "Format events for HTTP Event Collector" and "About HTTP Event Collector Indexer
Acknowledgment". A batch is JSON envelopes one behind the other. Each request names a channel, so a token with
``useACK`` answers with an `ackId`; the batch is then kept until ``collector/ack`` says that it is indexed,
and sent again when that does not come. Without ``useACK`` a batch is confirmed when HEC has taken it: then
events may still be lost in Splunk's queues. At least once: a batch whose answer was lost is sent again.
"""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Optional
from urllib.parse import urlsplit

from copydicom_app.addresses import check_token
from copydicom_app.errors import (
    ConfigurationError,
    CopydicomError,
    LoginRefusedError,
    WrongServerError,
)
from copydicom_app.models import Event, Server
from copydicom_app.parallel import StoppedError
from copydicom_app.refusal import UntrustedError, no_answer
from copydicom_app.splunk.envelopes import Envelopes
from copydicom_app.transport import Answer, Transport

LARGEST = 900_000  # bytes of a batch, unpacked: Splunk Cloud's and older releases' max_content_length is 1 MB
MOST = 1_000  # events of a batch
AT_ONCE = 16  # batches that wait for their acknowledgment
PATIENCE = 300.0  # seconds to bear a HEC that is away or busy
ACK_PATIENCE = 120.0  # seconds after which a batch that is not acknowledged is sent again
GRACE = 8.0  # seconds that a stopped run gives to what was written
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # between two tries; the last from then on
_ACK_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_RESENT = 3  # times that one batch is sent again for want of an acknowledgment

_EVENT, _ACK = "/services/collector/event", "/services/collector/ack"
_BUSY = (429, 500, 502, 503, 504)


class HecError(CopydicomError):
    """HEC took or acknowledged nothing for too long, or refused a batch."""


@dataclass
class _Batch:
    """What is on its way. `last`: how many events were written up to its end."""

    body: bytes
    last: int
    ack: Optional[int] = None
    sent: float = 0.0
    times: int = 1


class HecSink:
    """Writes to one token of a HEC, in order; see `indexing.completing.ConfirmingSink`. For one thread.

    The token is `server.password`. `source` and `host` are those of every event.
    """

    def __init__(
        self,
        server: Server,
        *,
        index: str,
        source: str,
        host: str,
        stop: Optional[threading.Event] = None,
        patience: float = PATIENCE,
        ack_patience: float = ACK_PATIENCE,
    ) -> None:
        if not server.password:
            raise ConfigurationError(
                f"HEC {server.name!r}: there is no token; give it in the URL "
                f"(http://Splunk:TOKEN@host:8088) or in "
                "the environment variable COPYDICOM_HEC_TOKEN"
            )
        check_token(server.password, f"HEC {server.name!r}")
        self.written = self.confirmed = self.bytes = self.requests = 0
        self._name, self._index = server.name, index
        self._host = urlsplit(server.base_url).hostname or ""
        self._headers = {
            "Authorization": f"Splunk {server.password}",
            "X-Splunk-Request-Channel": str(uuid.uuid4()),
            "Content-Type": "application/json",
        }
        self._transport = Transport(replace(server, username="", password=""))
        self._envelopes = Envelopes(index, source, host)
        self._stop = stop or threading.Event()
        self._patience, self._ack_patience = patience, ack_patience
        self._stopped_at: Optional[float] = None
        self._open: list[str] = []
        self._size = 0
        self._unconfirmed: deque[_Batch] = deque()

    def check(self) -> None:
        """Raise unless it is a HEC that takes the token; sends no event (HEC answers `No data`)."""
        answer = self._answered(_EVENT, b"", {})
        if _code(answer) != 5:
            raise self._refusal(answer)

    def write(self, event: Event) -> None:
        """Take one event; a full batch is sent."""
        text = self._envelopes.text(event)
        if self._open and (self._size + len(text) > LARGEST or len(self._open) >= MOST):
            self._send()
        self._open.append(text)
        self._size += len(text) + 1
        self.bytes += len(event.json)
        self.written += 1

    def flush(self) -> None:
        """Send what is held back, and return when all is confirmed.

        Once stopped, StoppedError after `GRACE` seconds.
        """
        if self._open:
            self._send()
        while self._unconfirmed:
            self._await_oldest()

    # Sending

    def _send(self) -> None:
        body = gzip.compress("\n".join(self._open).encode("ascii"), 6, mtime=0)
        self._open, self._size = [], 0
        batch = _Batch(body, self._closed())
        self._unconfirmed.append(batch)
        self._post(batch)
        self._settle()
        if len(self._unconfirmed) > AT_ONCE:
            self._ask_for_acks()
        while len(self._unconfirmed) > AT_ONCE:
            self._await_oldest()

    def _post(self, batch: _Batch) -> None:
        answer = self._answered(_EVENT, batch.body, {"Content-Encoding": "gzip"})
        if answer.status != 200:
            raise self._refusal(answer)
        batch.ack, batch.sent = _document(answer).get("ackId"), time.monotonic()
        self.requests += 1

    def _settle(self) -> None:
        """Take off the front what needs no acknowledgment (any more)."""
        while self._unconfirmed and self._unconfirmed[0].ack is None and self._unconfirmed[0].sent:
            self.confirmed = self._unconfirmed.popleft().last

    def _await_oldest(self) -> None:
        """Until the oldest batch is confirmed."""
        oldest = self._unconfirmed[0]
        if not oldest.sent:  # an earlier try failed
            self._post(oldest)
            self._settle()
        pauses = 0
        while self._unconfirmed and self._unconfirmed[0] is oldest:
            self._ask_for_acks()
            if self._unconfirmed and self._unconfirmed[0] is oldest:
                if time.monotonic() - oldest.sent > self._ack_patience:
                    self._send_again(oldest)
                self._pause(_ACK_PAUSES[min(pauses, len(_ACK_PAUSES) - 1)])
                pauses += 1

    def _send_again(self, batch: _Batch) -> None:
        if batch.times > _RESENT:
            raise HecError(
                f"HEC {self._name!r} has not acknowledged a batch of events within "
                f"{self._ack_patience:.0f} s, "
                f"{batch.times} times; see the health of Splunk's indexers"
            )
        batch.times += 1
        self._post(batch)
        self._settle()

    def _ask_for_acks(self) -> None:
        by_number = {batch.ack: batch for batch in self._unconfirmed if batch.ack is not None}
        if by_number:
            answer = self._answered(_ACK, json.dumps({"acks": sorted(by_number)}).encode(), {})
            if answer.status != 200:
                raise self._refusal(answer)
            for number, indexed in _document(answer).get("acks", {}).items():
                if indexed is True and str(number).isdigit() and int(number) in by_number:
                    by_number[int(number)].ack = None
        self._settle()

    # How it is asked

    def _answered(self, path: str, body: bytes, more: dict[str, str]) -> Answer:
        """One request, tried again while HEC is away or busy."""
        tries, until = 0, time.monotonic() + self._patience
        while True:
            trouble: CopydicomError
            try:
                answer = self._transport.ask("POST", path, body, {**self._headers, **more})
                if answer.status not in _BUSY:
                    return answer
                trouble = HecError(f"HEC {self._name!r} is busy (HTTP {answer.status}) for too long")
            except (OSError, http.client.HTTPException) as error:
                trouble = self._no_answer(error)
                if isinstance(trouble, UntrustedError) or (not self.requests and path == _EVENT and not body):
                    raise trouble from error
            if time.monotonic() >= until:
                raise trouble
            self._pause(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1

    def _pause(self, seconds: float) -> None:
        """Wait; once stopped, for no more than the grace in all."""
        if not self._stop.is_set():
            self._stop.wait(seconds)
            return
        now = time.monotonic()
        self._stopped_at = now if self._stopped_at is None else self._stopped_at
        if now - self._stopped_at > GRACE:
            raise StoppedError
        time.sleep(min(seconds, 0.5))

    def _closed(self) -> int:
        """How many events are in batches that are closed."""
        return self.written - len(self._open)

    def _no_answer(self, error: Exception) -> CopydicomError:
        trouble = no_answer(self._name, self._host, error)
        if isinstance(trouble, UntrustedError):
            return trouble
        return HecError(
            f"HEC {self._name!r} ({self._host}) cannot be reached; check that the HTTP Event Collector is "
            f"enabled, its "
            "port (8088 as a rule), and that it is https or http as given"
        )

    def _refusal(self, answer: Answer) -> CopydicomError:
        code, text = _code(answer), str(_document(answer).get("text", ""))
        if code in (1, 2, 3, 4) or answer.status in (401, 403):
            return LoginRefusedError(
                f"HEC {self._name!r} refused the token (HTTP "
                f"{answer.status}{': ' + text if text else ''}); see Settings > "
                "Data inputs > HTTP Event Collector"
            )
        if code == 7:
            return ConfigurationError(
                f"the token of HEC {self._name!r} may not write to index {self._index!r}; add it to the "
                f"token's allowed "
                "indexes, or name another with --index-name"
            )
        if answer.status == 413:
            return ConfigurationError(
                f"HEC {self._name!r} takes no batch of {LARGEST} bytes (HTTP 413); raise "
                f"max_content_length in limits.conf, "
                "stanza [http_input]"
            )
        if not text or answer.status == 404:
            return WrongServerError(
                f"what answers as HEC {self._name!r} (HTTP {answer.status}) is not Splunk's HTTP Event "
                f"Collector; its "
                "address ends with the port, 8088 as a rule"
            )
        return HecError(f"HEC {self._name!r} refused a batch (HTTP {answer.status}, code {code}: {text})")


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _code(answer: Answer) -> Optional[int]:
    code = _document(answer).get("code")
    return code if isinstance(code, int) else None
