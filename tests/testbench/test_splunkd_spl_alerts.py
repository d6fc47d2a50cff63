"""Saved searches: what they trigger over several simulated runs. savedsearches.conf.spec; Alerting Manual."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testbench.splunkd import Splunkd, UnknownSpl
from tests.testbench.conftest import FILES, pack

NOW = datetime(2025, 10, 9, 8, 10, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60, 3600, 86_400
SAVED = """
[Over level]
search = index=dicom earliest=0 _index_earliest=-20m@m dose>100 | table _time study dose
disabled = 1
dispatch.earliest_time = 0
dispatch.latest_time = now
enableSched = 1
cron_schedule = 10-59/15 * * * *
counttype = number of events
relation = greater than
quantity = 0
alert.digest_mode = 0
alert.suppress = 1
alert.suppress.fields = study
alert.suppress.period = 24h
action.email.subject = Dose $result.dose$ in $result.study$: $name$
[Silent]
search = index=dicom | stats count
dispatch.earliest_time = -1d
alert_condition = search count<1
alert.suppress = 1
alert.suppress.period = 2h
action.email.subject = $result.count$ events ($job.resultCount$ rows)
[Report]
search = index=dicom | stats sum(dose) AS dose BY study
dispatch.earliest_time = -1q@q
dispatch.latest_time = @q
"""


@pytest.fixture
def splunk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Splunkd]:
    saved = SAVED + getattr(request, "param", "")
    package = pack(
        tmp_path / "app.spl",
        {name: text.encode() for name, text in {**FILES, "default/savedsearches.conf": saved}.items()},
    )
    with Splunkd(package, python=sys.executable) as splunk:
        yield splunk


def add(splunk: Splunkd, study: str, dose: int, made: float, arrived: float) -> None:
    splunk.index_event({"study": study, "dose": dose}, sourcetype="dicom:instance", at=made, arrived=arrived)


def test_a_study_of_last_month_that_arrives_now_alerts_once(splunk: Splunkd) -> None:
    add(splunk, "old", 150, made=NOW - 31 * DAY, arrived=NOW - 5 * MINUTE)
    add(splunk, "old", 160, made=NOW - 31 * DAY, arrived=NOW - 5 * MINUTE)
    add(splunk, "low", 50, made=NOW - 31 * DAY, arrived=NOW - 5 * MINUTE)
    add(splunk, "missed", 900, made=NOW - HOUR, arrived=NOW - HOUR)
    first = splunk.run_saved_search("Over level", now=NOW)
    assert [row["study"] for row in first.triggered] == ["old"]
    assert first.subjects == ["Dose 160 in old: Over level"]
    assert (first.suppressed, len(first.rows)) == (1, 2)
    again = splunk.run_saved_search("Over level", now=NOW + 15 * MINUTE)
    assert (again.alerts, again.suppressed) == ([], 2)


def test_what_is_throttled_is_so_for_its_value_and_its_period(splunk: Splunkd) -> None:
    def alerts(now: float) -> list[object]:
        return [row["study"] for row in splunk.run_saved_search("Over level", now=now).triggered]

    add(splunk, "a", 150, made=NOW - HOUR, arrived=NOW - MINUTE)
    assert alerts(NOW) == ["a"]
    add(splunk, "b", 150, made=NOW - HOUR, arrived=NOW + 10 * MINUTE)
    assert alerts(NOW + 15 * MINUTE) == ["b"]
    add(splunk, "a", 170, made=NOW - HOUR, arrived=NOW + DAY - 5 * MINUTE)
    assert alerts(NOW + DAY - 1) == []
    assert alerts(NOW + DAY) == ["a"]


def test_an_alert_of_all_results_has_a_condition_of_its_own(splunk: Splunkd) -> None:
    silent = splunk.run_saved_search("Silent", now=NOW)
    assert silent.subjects == ["0 events (1 rows)"]
    assert splunk.run_saved_search("Silent", now=NOW + HOUR).suppressed == 1
    assert len(splunk.run_saved_search("Silent", now=NOW + 2 * HOUR).alerts) == 1
    add(splunk, "a", 1, made=NOW + 4 * HOUR, arrived=NOW)
    quiet = splunk.run_saved_search("Silent", now=NOW + 5 * HOUR)
    assert (quiet.alerts, quiet.suppressed) == ([], 0)


def test_a_report_sees_its_own_range(splunk: Splunkd) -> None:
    add(splunk, "q2", 1, made=datetime(2025, 6, 30, 23, 59, tzinfo=UTC).timestamp(), arrived=NOW)
    add(splunk, "q3", 2, made=datetime(2025, 7, 1, tzinfo=UTC).timestamp(), arrived=NOW)
    add(splunk, "q4", 4, made=datetime(2025, 10, 1, tzinfo=UTC).timestamp(), arrived=NOW)
    run = splunk.run_saved_search("Report", now=NOW)
    assert [row["study"] for row in run.rows] == ["q3"]


def test_saved_searches_tell_when_they_run(splunk: Splunkd) -> None:
    saved = splunk.saved_searches()
    assert saved["Over level"].disabled
    assert [at - NOW for at in saved["Over level"].run_times(NOW, NOW + HOUR)] == [0, 900, 1800, 2700]
    assert list(saved["Report"].run_times(NOW, NOW + DAY)) == []
    with pytest.raises(LookupError, match="Over level"):
        splunk.run_saved_search("nosuch")


def test_the_clock_can_be_set_ahead(splunk: Splunkd) -> None:
    splunk.index_event({"study": "s", "dose": 500}, sourcetype="dicom:instance")
    assert len(splunk.run_saved_search("Over level").alerts) == 1
    splunk.advance(2 * DAY)
    assert splunk.run_saved_search("Over level").rows == []
    splunk.index_event({"study": "s", "dose": 500}, sourcetype="dicom:instance")
    assert len(splunk.run_saved_search("Over level").alerts) == 1


COUNT = "[Odd]\nsearch = index=* | stats count\n"
EACH = COUNT + "alert.suppress = 1\nalert.suppress.period = 1h\nalert.digest_mode = 0\n"


@pytest.mark.parametrize(
    ("splunk", "reason"),
    [
        (COUNT + "alert.managedBy = someone\n", "managedBy"),
        ("[Odd]\ndescription = nothing\n", "without search"),
        (COUNT + "counttype = number of events\nrelation = rises by\nquantity = 1\n", "rises by"),
        (EACH, "go together"),
        (EACH + "alert.suppress.fields = study\n", "no result has"),
        (COUNT + "action.email.subject = $result.count$ $nosuch$\n", "nosuch"),
    ],
    indirect=["splunk"],
)
def test_what_is_not_known_of_saved_searches_is_refused(splunk: Splunkd, reason: str) -> None:
    with pytest.raises(UnknownSpl, match=reason):
        splunk.run_saved_search("Odd", now=NOW)
