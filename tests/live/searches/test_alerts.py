"""Alerts: by arrival, once a study, whatever the order in which reports come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from testbench.dose_reports import Study, ct_report, projection_report
from testbench.dose_samples import FLUOROSCOPY, LOCALIZER, SPIRAL
from testbench.orthanc import OrthancServer
from testbench.splunkd import Splunkd

REFERENCE = "Dose alert: CT over reference level"
ONE = "Dose alert: intervention over level"
TOGETHER = "Dose alert: interventions of 12 weeks over level"
NOW = datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)


class Department:
    """An Orthanc, an input, and a clock that can be set ahead."""

    def __init__(self, server: OrthancServer, splunk: Splunkd) -> None:
        self.server, self.splunk = server, splunk

    def receive(self, *reports: Any) -> None:
        """Reports arrive and are indexed now."""
        for report in reports:
            self.server.upload(report.dicom())
        assert self.splunk.run_input("orthanc://pacs", server="pacs").exit_code == 0

    def later(self, **delta: float) -> None:
        """Time goes by."""
        self.splunk.advance(timedelta(**delta).total_seconds())

    def alerts(self, name: str) -> list[str]:
        """The studies for which a run of the alert now would tell somebody."""
        return sorted(str(alert.row["identifier"]) for alert in self.splunk.run_saved_search(name).alerts)


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer("pacs") as made:
        yield made


@pytest.fixture
def department(package: Path, server: OrthancServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Department]:
    for id in server.get("/patients"):
        server.delete(f"/patients/{id}")
    with Splunkd(package) as splunk:
        splunk.add_server("pacs", base_url=server.url, username=server.username, password=server.password)
        yield Department(server, splunk)
        splunk.assert_no_violations()


def scan(name: str, ago: timedelta, dlp: float = 1400.0, ctdivol: float = 20.0) -> Any:
    """A CT of chest, abdomen and pelvis of an adult; the UK's level for the study is 660 mGy.cm."""
    start = (NOW - ago).isoformat()
    spiral = {**SPIRAL, "acquisition_protocol": "05_ChestAbdPelvis", "datetime_started": start}
    return ct_report(
        Study(f"alert/{name}", accession_number=f"ACC-{name}", start=start, patient_name="SECRET^NAME"),
        [LOCALIZER, {**spiral, "ctdivol_mGy": ctdivol, "dlp_mGycm": dlp}],
    )


def intervention(
    name: str, ago: timedelta, doses_mGy: Sequence[float], patient: str = "", study: str = "", **event: Any
) -> Any:
    """An angiography that tells no totals; each dose is an irradiation."""
    start = NOW - ago
    events = [
        {
            **FLUOROSCOPY,
            "modality": "XA",
            "image_uid": f"2.25.{1000 + number}",
            "datetime_started": (start + timedelta(seconds=number)).isoformat(),
            "rp_dose_mGy": dose,
            "dap_Gycm2": 10.0,
            **event,
        }
        for number, dose in enumerate(doses_mGy)
    ]
    who = Study(
        f"alert/{name}",
        accession_number=f"ACC-{study or name}",
        patient_id=patient or f"PAT-{name}",
        patient_name="SECRET^NAME",
        start=start.isoformat(),
        study_uid=f"2.25.{sum(map(ord, study)) + 77_000_000}" if study else "",
        description="Embolisation",
    )
    return projection_report(who, events)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_a_study_of_last_month_that_arrives_now_alerts_and_one_of_years_ago_does_not(
    department: Department,
) -> None:
    department.receive(
        scan("month", days(30)),
        scan("late", days(85)),
        scan("backfill", days(4 * 365)),
        scan("low", days(1), dlp=600.0, ctdivol=8.0),
        scan("clock ahead", -timedelta(hours=3)),
    )
    assert department.alerts(REFERENCE) == ["ACC-clock ahead", "ACC-late", "ACC-month"]


def test_a_second_run_and_a_second_report_of_a_study_are_throttled(department: Department) -> None:
    department.receive(scan("once", days(1)))
    assert department.alerts(REFERENCE) == ["ACC-once"]
    department.later(minutes=15)
    assert department.splunk.run_saved_search(REFERENCE).result.rows, "both runs see it"
    assert department.alerts(REFERENCE) == []
    department.splunk.run_input("orthanc://again", server="pacs")  # the same report from another input
    assert department.splunk.run_saved_search(REFERENCE).suppressed == 1


def test_what_arrived_before_the_last_20_minutes_was_told_then(department: Department) -> None:
    department.receive(scan("old news", days(1)))
    department.later(minutes=25)
    assert department.alerts(REFERENCE) == []


def test_an_alert_names_the_study_and_never_the_patient(department: Department) -> None:
    department.receive(scan("subject", days(1)))
    (alert,) = department.splunk.run_saved_search(REFERENCE).alerts
    assert "ACC-subject" in alert.subject
    for word in ("SECRET", "DEMO0001"):
        assert word not in str(alert)


def test_an_intervention_is_judged_by_all_its_reports(department: Department) -> None:
    """The first came long ago and was below the level; with the second the study is above."""
    department.receive(intervention("one of two", days(3), [1200.0], study="continued"))
    assert department.alerts(ONE) == []
    department.later(hours=2)
    department.receive(intervention("two of two", days(3) - timedelta(hours=1), [900.0], study="continued"))
    assert department.alerts(ONE) == ["ACC-continued"]


def test_a_report_that_repeats_an_earlier_one_is_not_added_to_it(department: Department) -> None:
    department.receive(intervention("repeated", days(3), [1200.0]))
    department.later(hours=2)
    again = intervention("repeated", days(3), [1200.0, 500.0])
    department.receive(type(again)({**again.tags, "SOPInstanceUID": "2.25.4711"}, again.study, again.events))
    assert department.alerts(ONE) == []
    (row,) = department.splunk.search("`dose_studies`").rows
    assert (row["n_reports"], row["n_events"], float(row["total_rp_dose_mGy"])) == ("2", "2", 1700.0)


def test_dose_area_product_alerts_too(department: Department) -> None:
    department.receive(
        intervention("dap", days(1), [300.0], dap_Gycm2=230.0), intervention("little", days(1), [300.0])
    )
    assert department.alerts(ONE) == ["ACC-dap"]


def test_interventions_of_12_weeks_add_up_in_whatever_order_they_arrive(department: Department) -> None:
    department.receive(
        intervention("late", days(5), [1200.0], patient="A"),
        intervention("alone", days(2), [1200.0], patient="B"),
        intervention("too far", days(88), [1200.0], patient="B"),
    )
    assert department.alerts(TOGETHER) == []
    department.later(hours=5)
    department.receive(intervention("early", days(40), [1200.0], patient="A"))
    assert department.alerts(TOGETHER) == ["ACC-late"]
    assert department.alerts(ONE) == []
