"""Alerts: by arrival, once a study, whatever the order in which reports come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from testbench.dose_reports import Study, ct_report, projection_report
from testbench.dose_samples import FLUOROSCOPY, LOCALIZER, SPIRAL
from testbench.orthanc import OrthancServer
from testbench.splunkd import Splunkd, index

REFERENCE = "Dose alert: CT over reference level"
ONE = "Dose alert: intervention over level"
TOGETHER = "Dose alert: interventions of 12 weeks over level"
NOW = datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)


class Department:
    """An Orthanc, an input, and a clock for what is indexed."""

    def __init__(self, server: OrthancServer, splunk: Splunkd, patch: pytest.MonkeyPatch) -> None:
        self.server, self.splunk, self._patch = server, splunk, patch

    def receive(self, report: Any, ago: timedelta = timedelta()) -> None:
        """A report arrives, and was indexed that long ago."""
        self.server.upload(report.dicom())
        self._patch.setattr(index, "time", SimpleNamespace(time=lambda: time.time() - ago.total_seconds()))
        assert self.splunk.run_input("orthanc://pacs", server="pacs").exit_code == 0

    def alerts(self, name: str, after: timedelta = timedelta()) -> list[str]:
        """What of its studies a run of the alert names, in the order of its rows."""
        run = self.splunk.run_saved_search(name, now=time.time() + after.total_seconds())
        return [row["identifier"] for row in run.triggered]


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
        yield Department(server, splunk, monkeypatch)
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
            "image_uid": f"2.25.{abs(hash((name, number)))}",
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
    department.receive(scan("month", days(30)))
    department.receive(scan("late", days(85)))
    department.receive(scan("backfill", days(4 * 365)))
    department.receive(scan("low", days(1), dlp=600.0, ctdivol=8.0))
    department.receive(scan("clock ahead", -timedelta(hours=3)))
    assert sorted(department.alerts(REFERENCE)) == ["ACC-clock ahead", "ACC-late", "ACC-month"]


def test_a_second_run_and_a_second_report_of_a_study_are_throttled(department: Department) -> None:
    department.receive(scan("once", days(1)))
    assert department.alerts(REFERENCE) == ["ACC-once"]
    assert department.alerts(REFERENCE, after=timedelta(minutes=15)) == []
    department.splunk.run_input("orthanc://again", server="pacs")  # the same report from another input
    assert department.alerts(REFERENCE, after=timedelta(minutes=16)) == []


def test_what_arrived_before_the_last_20_minutes_was_told_then(department: Department) -> None:
    department.receive(scan("old news", days(1)), ago=timedelta(minutes=25))
    assert department.alerts(REFERENCE) == []


def test_an_alert_names_the_study_and_never_the_patient(department: Department) -> None:
    department.receive(scan("subject", days(1)))
    run = department.splunk.run_saved_search(REFERENCE)
    (row,) = run.triggered
    assert "ACC-subject" in run.subjects[0]
    assert "SECRET" not in str(row) + str(run.subjects)
    assert "DEMO0001" not in str(row) + str(run.subjects)


def test_an_intervention_is_judged_by_all_its_reports(department: Department) -> None:
    """The first came long ago and was below the level; with the second the study is above."""
    department.receive(
        intervention("one of two", days(3), [1200.0], study="continued"), ago=timedelta(hours=2)
    )
    assert department.alerts(ONE) == []
    department.receive(intervention("two of two", days(3) - timedelta(hours=1), [900.0], study="continued"))
    assert department.alerts(ONE) == ["ACC-continued"]


def test_a_report_that_repeats_an_earlier_one_is_not_added_to_it(department: Department) -> None:
    first = intervention("repeated", days(3), [1200.0])
    department.receive(first, ago=timedelta(hours=2))
    again = intervention("repeated", days(3), [1200.0, 500.0])
    again = type(again)({**again.tags, "SOPInstanceUID": "2.25.4711"}, again.study, again.events)
    department.receive(again)
    assert department.alerts(ONE) == []
    (row,) = department.splunk.search("`dose_studies`").rows
    assert (row["n_reports"], row["n_events"], float(row["total_rp_dose_mGy"])) == ("2", "2", 1700.0)


def test_dose_area_product_alerts_too(department: Department) -> None:
    department.receive(intervention("dap", days(1), [300.0], dap_Gycm2=230.0))
    department.receive(intervention("little", days(1), [300.0]))
    assert department.alerts(ONE) == ["ACC-dap"]


def test_interventions_of_12_weeks_add_up_in_whatever_order_they_arrive(department: Department) -> None:
    department.receive(intervention("late", days(5), [1200.0], patient="A"), ago=timedelta(hours=5))
    department.receive(intervention("alone", days(5), [1200.0], patient="B"), ago=timedelta(hours=5))
    department.receive(intervention("far", days(89), [1200.0], patient="B"))
    assert department.alerts(TOGETHER) == []
    department.receive(intervention("early", days(40), [1200.0], patient="A"))
    assert department.alerts(TOGETHER) == ["ACC-late"]
    assert department.alerts(ONE) == []
