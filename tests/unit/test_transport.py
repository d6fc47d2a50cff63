"""What the transport makes of the head of an answer, as servers and proxies write it."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from copydicom_app.models import Server
from copydicom_app.transport import Transport


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[Transport, list[int]]]:
    """A transport to a server that gives these answers in turn, and the requests that each connection had."""
    listening = socket.create_server(("127.0.0.1", 0))
    requests: list[int] = []
    todo = list(answers)

    def serve() -> None:
        with suppress(OSError):  # whoever asks may hang up first
            while todo:
                converse(listening.accept()[0])

    def converse(connection: socket.socket) -> None:
        requests.append(0)
        with connection, connection.makefile("rb") as lines:
            while todo:
                while (line := lines.readline()) not in (b"\r\n", b""):
                    pass
                if not line:
                    return
                requests[-1] += 1
                connection.sendall(todo.pop(0))

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    with listening:
        yield Transport(Server("x", f"http://127.0.0.1:{listening.getsockname()[1]}")), requests


def test_a_body_of_a_told_length_leaves_the_connection_for_the_next_request() -> None:
    answer = b"HTTP/1.1 200 OK\r\nCONTENT-LENGTH:  2 \r\nConnection: keep-alive\r\n\r\nab"
    with answering(answer, answer) as (transport, requests):
        assert [transport.ask("GET", "/").body for _ in range(2)] == [b"ab", b"ab"]
        assert requests == [2]


def test_a_body_in_chunks_is_put_together() -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    with answering(answer, answer) as (transport, requests):
        answers = [transport.ask("GET", "/") for _ in range(2)]
        assert [(each.status, each.body) for each in answers] == [(404, b"abcd")] * 2
        assert requests == [2]


def test_a_word_before_the_answer_is_passed_over() -> None:
    with answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") as (it, _):
        assert it.ask("GET", "/").body == b"x"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    ],
)
def test_a_connection_that_ends_with_its_answer_is_not_used_again(head: bytes) -> None:
    with answering(head, head) as (transport, requests):
        assert transport.ask("GET", "/").body == b"x"
        assert not transport._idle
        assert requests == [1]


def test_a_body_shorter_than_its_length_is_an_error() -> None:
    with (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx") as (transport, _),
        pytest.raises(http.client.IncompleteRead),
    ):
        transport.ask("GET", "/")


def test_a_head_without_an_end_is_refused() -> None:
    with (
        answering(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200) as (transport, _),
        pytest.raises(http.client.HTTPException, match="too long"),
    ):
        transport.ask("GET", "/")
