"""What counts as a difference between two Splunks, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest

from testbench.real_splunk.compare import differences
from testbench.real_splunk.rest import Rows


def rows(*found: dict[str, Any], fields: str = "") -> Rows:
    names = fields.split() or list(dict.fromkeys(name for row in found for name in row))
    return Rows(names, list(found))


STATION = {"station": "CT01", "n": "12", "mean": "3.5"}


@pytest.mark.parametrize(
    ("found", "notes"),
    [
        (rows(STATION), []),
        (rows({**STATION, "n": "12.0", "mean": "3.500000001"}), ["n is written '12.0', expected was '12'"]),
        (rows({**STATION, "arrived": "1790000000"}), []),
        (rows(STATION, fields="station n mean empty"), []),
    ],
)
def test_the_same_rows_however_they_are_written(found: Rows, notes: list[str]) -> None:
    difference = differences(rows(STATION), found)
    assert (difference.what, difference.notes) == ([], notes)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (rows({**STATION, "mean": "3.51"}), "row 1, mean: '3.51' in place of '3.5'"),
        (rows({**STATION, "station": "CT02"}), "row 1, station: 'CT02' in place of 'CT01'"),
        (rows(STATION, STATION), "2 rows in place of 1"),
        (rows({"station": "CT01", "n": "12"}), "fields that are missing: mean"),
        (rows({**STATION, "sum": "7"}), "fields that are not expected: sum"),
        (rows({**STATION, "n": ["12", "13"]}), "row 1, n: ['12', '13'] in place of '12'"),
        (rows({**STATION, "mean": None}), "row 1, mean: nothing in place of '3.5'"),
    ],
)
def test_what_differs_is_named(found: Rows, words: str) -> None:
    assert words in differences(rows(STATION), found).what


def test_another_order_of_the_same_rows_is_only_noted() -> None:
    other = {"station": "CT02", "n": "7", "mean": "9"}
    difference = differences(rows(STATION, other), rows(other, STATION))
    assert (difference.what, difference.notes) == ([], ["the same rows in another order"])


def test_moments_are_compared_as_moments() -> None:
    """Splunk writes `_time` in the time zone of the person who asks."""
    here, there = {"_time": "2026-09-28T07:50:25.000+00:00"}, {"_time": "2026-09-28T09:50:25.000+02:00"}
    assert differences(rows(here), rows(there)).what == []
    assert differences(rows(here), rows({"_time": "2026-09-28T07:50:26.000+00:00"})).what != []
    assert differences(rows({"begin": "1790000000"}), rows({"begin": "1790000001"})).what != []
    assert differences(rows({"begin": "1790000000"}), rows({"begin": "1790000000.000"})).what == []


def test_of_what_depends_on_the_moment_only_the_columns_are_compared() -> None:
    other = {"station": "CT09", "n": "99", "mean": "1"}
    assert differences(rows(STATION), rows(other, other), comparable=False).what == []
    (said,) = differences(rows(STATION), rows({"station": "CT01"}), comparable=False).what
    assert said.startswith("other fields: station in place of station, n, mean")


def test_of_events_only_their_number_is_compared() -> None:
    """Which fields Splunk finds in an event depends on its search mode."""
    assert differences(rows(STATION), rows({"station": "CT01"}), made_rows=False).what == []
    assert differences(rows(STATION), rows(), made_rows=False).what == ["0 rows in place of 1"]
