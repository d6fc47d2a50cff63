"""Dates and times of DICOM, as files really write them."""

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydicom_app.times import (
    iso_date,
    iso_datetime,
    iso_from_dt,
    iso_time,
    offset_from_dt,
    parse_offset,
    to_epoch,
)


@pytest.mark.parametrize("junk", ["0", "22222.111111", "20201301", "20200230", "", None, 20200131, ["x"]])
def test_what_is_no_date_is_none(junk: object) -> None:
    assert iso_date(junk) is None
    assert iso_datetime(junk, "101112") is None
    assert iso_from_dt(junk) is None


@pytest.mark.parametrize("junk", ["24", "1060", "101161", "1:2", "noon", None])
def test_what_is_no_time_is_none_and_leaves_the_date(junk: object) -> None:
    assert iso_time(junk) is None
    assert iso_datetime("20200131", junk) == "2020-01-31T00:00:00"


def test_the_zone_of_a_moment_stands_apart_from_its_clock() -> None:
    assert iso_from_dt("19970101000947.950+0000") == "1997-01-01T00:09:47.95"
    assert offset_from_dt("19970101000947.950+0000") == "+00:00"


def test_a_clock_without_a_zone_takes_the_zone_it_is_given() -> None:
    berlin = timezone(timedelta(hours=1))
    assert to_epoch("1970-01-01T01:00:00.25", berlin) == 0.25
    assert to_epoch("1970-01-01T01:00:00.25", timezone.utc) == 3600.25


@pytest.mark.parametrize(("text", "hours"), [("+0100", 1), ("-0530", -5.5), ("+1400", 14)])
def test_the_offset_of_a_scanner_is_read(text: str, hours: float) -> None:
    zone = parse_offset(text)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=hours)


@pytest.mark.parametrize("junk", ["+1500", "0100", "Z", "", None])
def test_an_offset_that_is_none_is_none(junk: object) -> None:
    assert parse_offset(junk) is None


@given(st.text())
def test_no_text_makes_the_clock_raise(text: str) -> None:
    for read in (iso_date, iso_time, iso_from_dt, offset_from_dt, parse_offset):
        read(text)


@given(st.datetimes())
def test_a_moment_written_by_dicom_rules_comes_back_the_same(moment) -> None:  # type: ignore[no-untyped-def]
    text = moment.strftime(f"{moment.year:04d}%m%d%H%M%S.%f")
    assert to_epoch(iso_from_dt(text), timezone.utc) == pytest.approx(
        moment.replace(tzinfo=timezone.utc).timestamp(), abs=2e-6
    )
