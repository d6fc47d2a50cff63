"""Copies through the handler, seen from the search: batches, answers that are not whole, repeats, an end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Optional

import pytest

from copydicom_app.errors import ConfigurationError, CopydicomError, RetriableError
from copydicom_app.models import Level, Outcome, Reference, Status
from copydicom_app.parallel import StoppedError
from copydicom_app.splunk import remote
from copydicom_app.splunk.remote import RemoteEngine
from copydicom_app.splunk.transfer_request import (
    MOST_REFERENCES,
    TransferRequest,
    outcome_as_json,
    outcome_of_json,
)


class Handler:
    """Answers at most `most` references a request; raises `error` from the request `fails_at` on."""

    def __init__(self, most: int = 3, fails_at: int = 99, error: Optional[CopydicomError] = None) -> None:
        self.most, self.fails_at, self.error = most, fails_at, error
        self.requests: list[list[str]] = []

    def ask(self, source: str, refs: Sequence[Reference]) -> Any:
        self.requests.append([ref.id for ref in refs])
        if len(self.requests) >= self.fails_at and self.error is not None:
            raise self.error
        outcomes = [Outcome(ref.id, Status.COPIED, copied=2, bytes=10) for ref in refs[: self.most]]
        return remote._Answer(outcomes, {"note": "for an admin"})


def engine(handler: Handler, stop: Optional[threading.Event] = None) -> RemoteEngine:
    return RemoteEngine(handler, "pacs", stop or threading.Event())  # type: ignore[arg-type]


def refs(text: str) -> list[Reference]:
    return [Reference(each, Level.STUDY) for each in text]


def test_what_an_answer_leaves_is_asked_again_and_the_order_stays() -> None:
    handler = Handler(most=3)
    made = engine(handler)
    assert [outcome.ref for outcome in made.outcomes(refs("abcdefg"))] == list("abcdefg")
    assert handler.requests == [list("abcdefg"), list("defg"), ["g"]]
    assert made.notices == {"note": "for an admin"}


def test_what_came_before_is_not_asked_again() -> None:
    handler = Handler(most=9)
    made = engine(handler)
    first = list(made.outcomes(refs("aba")))
    second = list(made.outcomes(refs("bc")))
    assert handler.requests == [["a", "b"], ["c"]]
    assert [outcome.status for outcome in (*first, *second)] == [
        Status.COPIED,
        Status.COPIED,
        Status.PRESENT,
        Status.PRESENT,
        Status.COPIED,
    ]
    assert (first[2].count(Status.PRESENT), first[2].count(Status.COPIED), first[2].bytes) == (2, 0, 0)
    assert "repeats an earlier row" in first[2].message


def test_an_error_in_between_fails_the_rest_with_its_words() -> None:
    made = engine(Handler(most=2, fails_at=2, error=RetriableError("splunkd went away")))
    outcomes = list(made.outcomes(refs("abcd")))
    assert [outcome.status.value for outcome in outcomes] == ["copied", "copied", "failed", "failed"]
    assert outcomes[-1].message == "splunkd went away"


def test_a_stop_ends_after_what_is_settled() -> None:
    stop = threading.Event()
    handler = Handler(most=2)
    made = engine(handler, stop)
    real = handler.ask

    def ask(source: str, refs: Sequence[Reference]) -> Any:
        answer = real(source, refs)
        stop.set()
        return answer

    handler.ask = ask  # type: ignore[method-assign]
    outcomes = made.outcomes(refs("abcd"))
    assert [next(outcomes).ref, next(outcomes).ref] == ["a", "b"]
    with pytest.raises(StoppedError):
        next(outcomes)


def test_batches_hold_no_more_than_a_request_may() -> None:
    many = [Reference(f"1.2.{n}") for n in range(MOST_REFERENCES + 1)]
    assert [len(batch) for batch in remote._batches(many)] == [MOST_REFERENCES, 1]
    long = [Reference("9" * 1000) for _ in range(3000)]
    for batch in remote._batches(long):
        assert len(TransferRequest(("dest=x",), "pacs", tuple(batch)).encode()) < 2_000_000


def test_a_request_and_an_outcome_come_back_as_they_went() -> None:
    request = TransferRequest(
        ("dest=x", "verify=true"), "pacs", (Reference("1.2", Level.STUDY),), "s", "1.1", "a", 7
    )
    assert TransferRequest.decode(request.encode().decode()) == request
    outcome = Outcome("a", Status.FAILED, message="no", failed=1, copied=2, bytes=5)
    assert outcome_of_json(outcome_as_json(outcome)) == outcome


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"args": 3}',
        '{"args": [], "references": [["a", "organ"]]}',
        '{"args": [], "references": [["a"]]}',
        '{"args": [], "references": {"a": "b"}}',
        '{"args": [], "limit": "many"}',
    ],
)
def test_a_body_of_another_kind_is_refused_with_an_example(body: str) -> None:
    with pytest.raises(ConfigurationError, match="the body must be JSON such as"):
        TransferRequest.decode(body)
