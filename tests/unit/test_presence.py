"""Which way Presence chooses, by a clock that only the fake server moves; and its compact set of ids."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from copydicom_app.models import Held, Level
from copydicom_app.replication.presence import Presence, _Ids


def id_of(n: int) -> str:
    digest = hashlib.sha1(str(n).encode()).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


class FakeOrthanc:
    """Answers at once, and moves its clock by what each question is said to cost."""

    def __init__(self, residents: int, per_id: float, per_series: float, per_listed: float) -> None:
        self.ids = [id_of(n) for n in range(residents)]
        self.per_id, self.per_series, self.per_listed = per_id, per_series, per_listed
        self.per_request = 0.0
        self.now = 0.0
        self.asked = {"id": 0, "series": 0, "listed": 0}

    def clock(self) -> float:
        return self.now

    def held(self, ids: Sequence[str]) -> dict[str, Held]:
        self.asked["id"] += len(ids)
        self.now += self.per_id * len(ids)
        there = set(self.ids)
        return {id: Held(id) for id in ids if id in there}

    def ids_of(self, level: Level, series: str) -> set[str]:
        self.asked["series"] += 1
        self.now += self.per_series
        number = int(series)
        return set(self.ids[number * 50 : number * 50 + 50])

    def instance_ids(self, since: int, limit: int) -> list[str]:
        page = self.ids[since : since + limit]
        self.asked["listed"] += len(page)
        self.now += self.per_request + self.per_listed * len(page)
        return page

    def statistics(self) -> dict[str, Any]:
        return {"CountInstances": len(self.ids)}


def asked_of(server: FakeOrthanc, wanted: dict[str, str], batch: int = 500) -> set[str]:
    presence = Presence(server, server.clock)  # type: ignore[arg-type]
    presence.expected = len(wanted)
    found: set[str] = set()
    items = list(wanted.items())
    for start in range(0, len(items), batch):
        found |= presence.held(dict(items[start : start + batch]))
    return found


def test_few_ids_are_asked_by_id_even_of_a_large_archive() -> None:
    server = FakeOrthanc(30_000, per_id=0.0002, per_series=0.01, per_listed=0.00001)
    wanted = {id_of(n): "" for n in range(29_990, 30_010)}
    assert asked_of(server, wanted) == {id_of(n) for n in range(29_990, 30_000)}
    assert server.asked == {"id": 20, "series": 0, "listed": 0}


def test_where_an_id_costs_much_the_archive_is_listed_after_the_first_questions() -> None:
    server = FakeOrthanc(50_000, per_id=0.015, per_series=0.02, per_listed=0.00003)
    wanted = {id_of(n): "" for n in range(41_000, 51_000)}
    assert asked_of(server, wanted) == {id_of(n) for n in range(41_000, 50_000)}
    assert server.asked["id"] <= 100
    assert server.asked["listed"] == 50_000


def test_whole_series_are_asked_by_series_where_the_archive_is_too_large_to_list() -> None:
    server = FakeOrthanc(50_000, per_id=0.015, per_series=0.002, per_listed=0.01)
    wanted = {id_of(n): str(n // 50) for n in range(1_000)}
    assert asked_of(server, wanted) == set(wanted)
    assert server.asked["series"] == 20
    assert server.asked["listed"] == 0


def test_a_listing_is_forgotten_after_a_minute_and_when_told() -> None:
    server = FakeOrthanc(2_000, per_id=1.0, per_series=1.0, per_listed=0.0001)
    presence = Presence(server, server.clock)  # type: ignore[arg-type]
    wanted = {id_of(n): "" for n in range(500)}
    assert presence.held(wanted) == set(wanted)
    assert server.asked["listed"] == 2_000
    server.ids = server.ids[1:]
    assert presence.held(wanted) == set(wanted)  # as the listing says
    presence.forget()
    assert presence.held(wanted) == set(wanted) - {id_of(0)}
    server.ids = server.ids[1:]
    server.now += 61
    assert presence.held(wanted) == set(wanted) - {id_of(0), id_of(1)}


def test_the_compact_set_tells_ids_apart_that_share_a_bucket_and_bytes() -> None:
    ids = _Ids()
    one = "00010000-00000000-00000000-00000000-00000001"
    two = "00010000-00000000-00000000-00000000-00000002"
    ids.add(one)
    ids.add(two)
    assert one in ids
    assert two in ids
    # the end of the first and the beginning of the second, as they stand side by side
    assert "00010000-00000000-00000000-00000000-01000000" not in ids
    assert "00020000-00000000-00000000-00000000-00000001" not in ids
    assert len(ids) == 2


def test_what_listing_an_empty_server_took_says_nothing_of_a_full_one() -> None:
    server = FakeOrthanc(0, per_id=0.0002, per_series=0.01, per_listed=0.00001)
    server.per_request = 0.0005
    presence = Presence(server, server.clock)  # type: ignore[arg-type]
    wanted = {id_of(n): "" for n in range(200)}
    assert presence.held(wanted) == set()
    server.ids = list(wanted)  # copied meanwhile
    presence.forget()
    assert presence.held(wanted) == set(wanted)
    assert server.asked == {"id": 0, "series": 0, "listed": 200}
