"""Times of searches: Search Manual, "Specify time modifiers in your search"; Search Reference, "Time
modifiers".
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from testbench.splunkd import cron
from testbench.splunkd.chunks import Row
from testbench.splunkd.spl import Pipeline, UnknownSpl
from testbench.splunkd.spl.context import TimeRange
from testbench.splunkd.spl.relative_time import parse_time

NOW = datetime(2025, 10, 9, 13, 45, 32, tzinfo=UTC).timestamp()  # a Thursday


@pytest.mark.parametrize(
    ("modifier", "moment"),
    [
        ("now", "2025-10-09 13:45:32"),
        ("-30m", "2025-10-09 13:15:32"),
        ("-20m@m", "2025-10-09 13:25:00"),
        ("-h@h", "2025-10-09 12:00:00"),
        ("@d", "2025-10-09 00:00:00"),
        ("-7d@d", "2025-10-02 00:00:00"),
        ("+1d", "2025-10-10 13:45:32"),
        ("@w0", "2025-10-05 00:00:00"),
        ("@w", "2025-10-05 00:00:00"),
        ("@w1", "2025-10-06 00:00:00"),
        ("@w5", "2025-10-03 00:00:00"),
        ("@w7", "2025-10-05 00:00:00"),
        ("-1mon@mon", "2025-09-01 00:00:00"),
        ("-1q@q", "2025-07-01 00:00:00"),
        ("@y", "2025-01-01 00:00:00"),
        ("-1d@d+8h", "2025-10-08 08:00:00"),
        ("-8mon", "2025-02-09 13:45:32"),
        ("0", "1970-01-01 00:00:00"),
        ("1760000000.5", "2025-10-09 08:53:20.500000"),
        ("10/19/2025:08:30:00", "2025-10-19 08:30:00"),
    ],
)
def test_a_time_modifier_names_a_moment_in_utc(modifier: str, moment: str) -> None:
    assert str(datetime.fromtimestamp(parse_time(modifier, NOW), UTC).replace(tzinfo=None)) == moment


def test_a_month_back_from_its_last_day_is_the_last_day_of_a_shorter_month() -> None:
    end_of_march = datetime(2024, 3, 31, tzinfo=UTC).timestamp()
    assert parse_time("-1mon", end_of_march) == datetime(2024, 2, 29, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "modifier", ["rt", "rt-5m", "-5x", "yesterday", "@m3", "-", "2025-10-09", "-5m later", ""]
)
def test_what_is_no_time_modifier_is_refused(modifier: str) -> None:
    with pytest.raises(UnknownSpl):
        parse_time(modifier, NOW)


def events() -> list[Row]:
    """n days old each; all but the newest had arrived in the minute before now."""
    return [
        {
            "_time": str(NOW - n * 86_400),
            "_indextime": str(NOW - (30 if n else 9000)),
            "index": "main",
            "n": str(n),
        }
        for n in (-1, 0, 1, 40, 800)
    ]


def found(text: str, **span: float) -> list[object]:
    return [row["n"] for row in Pipeline(events).run(text, span=TimeRange(**span), now=NOW)]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("*", ["-1", "0", "1", "40", "800"]),
        ("* earliest=-2d", ["1"]),
        ("* earliest=-2d latest=+2d", ["-1", "0", "1"]),
        ("* earliest=-2d latest=+1s", ["0", "1"]),
        ("* latest=-1d@d", ["40", "800"]),
        ("* earliest=0 _index_earliest=-20m@m", ["1", "40", "800"]),
        ("* _index_earliest=-20m@m", ["-1", "1", "40", "800"]),
        ("* _index_latest=-20m@m", ["0"]),
        ('* (earliest="-60d@d" latest=now) n>1', ["40"]),
    ],
)
def test_in_search_times_choose_by_time_and_by_arrival(text: str, chosen: list[str]) -> None:
    assert found(text) == chosen


def test_in_search_times_win_over_the_range_and_the_range_holds_without_them() -> None:
    assert found("*", earliest=NOW - 2 * 86_400, latest=NOW) == ["1"]
    assert found("* earliest=-60d", earliest=NOW - 2 * 86_400, latest=NOW) == ["1", "40"]
    assert found("* _index_earliest=-20m", earliest=NOW - 2 * 86_400, latest=NOW) == ["1"]
    assert found("*", index_earliest=NOW - 60) == ["-1", "1", "40", "800"]


def test_a_subsearch_has_the_range_and_not_the_times_of_the_outer_search() -> None:
    assert found(
        "* earliest=0 latest=+9d [search * | table n]", earliest=NOW - 2 * 86_400, latest=NOW + 1
    ) == ["0", "1"]


@pytest.mark.parametrize(
    "text", ["* earliest!=-1d", "* (n=1 OR earliest=-1d)", "* NOT latest=now", "* | search latest=now"]
)
def test_times_stand_with_and_in_the_first_command_only(text: str) -> None:
    with pytest.raises(UnknownSpl):
        found(text)


def test_a_schedule_names_the_minutes_at_which_it_runs() -> None:
    day = datetime(2025, 10, 1, tzinfo=UTC).timestamp()

    def times(schedule: str, days: float = 1) -> list[str]:
        return [
            datetime.fromtimestamp(at, UTC).strftime("%d %H:%M")
            for at in cron.times(schedule, day, day + days * 86_400)
        ]

    assert times("3-59/20 6 * * *") == ["01 06:03", "01 06:23", "01 06:43"]
    assert len(times("*/15 * * * *")) == 96
    assert times("17 6 2 1,4,7,10 *", 100) == ["02 06:17", "02 06:17"]
    assert times("0 7 * * 1-5", 7) == ["01 07:00", "02 07:00", "03 07:00", "06 07:00", "07 07:00"]
    assert times("0 0 3 * 6", 5) == ["03 00:00", "04 00:00"]
    for wrong in ("* * * *", "60 * * * *", "*/0 * * * *", "a * * * *"):
        with pytest.raises(UnknownSpl):
            times(wrong)
