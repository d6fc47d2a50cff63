"""Each saved search on the sample hospital, in each `phi` mode, beside DuckDB; and the inputs' health."""

from __future__ import annotations

import configparser
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from testbench.splunkd import Splunkd
from tests.live.searches.oracle import EACH_PHI, rows
from tests.live.searches.test_dose_macros import STATISTICS, assert_same

ROOT = Path(__file__).resolve().parents[3]
IN_OCTOBER = datetime(2026, 10, 20, 6, 17, tzinfo=timezone.utc).timestamp()


def saved() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read_string((ROOT / "default/savedsearches.conf").read_text().replace("\\\n", " "))
    return parser


def results(splunk: Splunkd, name: str, now: float | None = None) -> list[dict[str, Any]]:
    """The rows of a run; none names a patient."""
    run = splunk.run_saved_search(name, now=now)
    assert run.result.error is None
    for secret in ("Иванова", "Peñalosa", "Haddad", "P1333", "P1444", "P1518"):
        assert secret not in str(run.result.rows)
    return [dict(row) for row in run.result.rows]


def identifiers(splunk: Splunkd, name: str) -> set[str]:
    return {row["identifier"] for row in results(splunk, name)}


def wanted(truth: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    return {row["identifier"] for row in rows(truth, sql)}


@EACH_PHI
def test_ct_over_reference_level(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    expected = wanted(
        truth,
        """SELECT identifier FROM study JOIN drl ON metric = 'total_dlp_mGycm'
                AND drl.age_band = study.age_band AND lower(standard_name) = lower(protocol)
           WHERE total_dlp > 2 * CAST(level AS DOUBLE)
           UNION
           SELECT coalesce(accession_number, study_instance_uid) FROM irradiation JOIN drl
                ON metric = 'ctdivol_mGy' AND drl.age_band = irradiation.age_band
                AND lower(standard_name) = lower(protocol) AND drl.phantom = irradiation.phantom
           WHERE ctdivol_mGy > 2 * CAST(level AS DOUBLE) AND NOT is_localizer""",
    )
    assert identifiers(splunk, "Dose alert: CT over reference level") == expected
    assert len(expected) == 1, "the CT at three times the usual dose"


@EACH_PHI
def test_outlier(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    expected = wanted(
        truth,
        """WITH valued AS (
               SELECT *, CASE kind WHEN 'CT' THEN ctdivol_mGy ELSE coalesce(agd_mGy, dap_Gycm2) END AS x,
                      CASE kind WHEN 'CT' THEN phantom END AS of_phantom
               FROM irradiation WHERE modality NOT IN ('XA', 'RF') AND NOT coalesce(is_localizer, false)),
           deviating AS (
               SELECT *, x - median(x) OVER grouped AS deviation, count(x) OVER grouped AS n FROM valued
               WINDOW grouped AS (PARTITION BY modality, lower(protocol), of_phantom, age_band))
           SELECT coalesce(accession_number, study_instance_uid) AS identifier FROM deviating
           QUALIFY n >= 10 AND 0.6745 * deviation > 3.5 * median(abs(deviation)) OVER
               (PARTITION BY modality, lower(protocol), of_phantom, age_band)""",
    )
    assert identifiers(splunk, "Dose alert: outlier") == expected
    assert len(expected) == 1


@EACH_PHI
def test_intervention_over_level(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    expected = wanted(
        truth,
        "SELECT identifier FROM study WHERE modality = 'XA' AND (total_rp >= 2000 OR total_dap >= 200)",
    )
    assert identifiers(splunk, "Dose alert: intervention over level") == expected
    assert len(expected) == 1


@EACH_PHI
def test_interventions_of_12_weeks_over_level(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    expected = wanted(
        truth,
        """SELECT any_value(late.identifier) AS identifier
           FROM study late JOIN study early ON late.patient = early.patient AND early.modality = 'XA'
                AND early.begin BETWEEN late.begin - 84 * 86400 AND late.begin
           WHERE late.modality = 'XA' GROUP BY late.study_instance_uid
           HAVING count(*) > 1 AND (sum(early.total_rp) >= 2000 OR sum(early.total_dap) >= 200)""",
    )
    assert identifiers(splunk, "Dose alert: interventions of 12 weeks over level") == expected
    (known,) = rows(truth, "SELECT count(patient_id) AS n FROM dose")
    assert bool(expected) == bool(known["n"]), "under phi = drop nobody can tell"


@EACH_PHI
def test_dose_check(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    expected = wanted(
        truth,
        """SELECT coalesce(accession_number, study_instance_uid) AS identifier FROM irradiation
           WHERE dose_check_dlp_fwd_mGycm > dose_check_dlp_notif_value_mGycm""",
    )
    assert identifiers(splunk, "Dose alert: dose check") == expected
    assert len(expected) == 1


@EACH_PHI
def test_the_quarterly_report(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    """From July to September: by protocol, phantom and age band, for scans and for studies."""
    begin = datetime(2026, 7, 1, tzinfo=timezone.utc).timestamp()
    end = datetime(2026, 10, 1, tzinfo=timezone.utc).timestamp()
    truth.execute(
        f"""CREATE OR REPLACE VIEW quarter AS SELECT * FROM irradiation
            WHERE time >= {begin} AND time < {end};
            CREATE OR REPLACE VIEW studies AS SELECT *, 'all' AS phantom FROM study
            WHERE begin >= {begin} AND begin < {end}"""
    )
    expected = []
    for metric, field, table in (
        ("CTDIvol (mGy)", "ctdivol_mGy", "quarter"),
        ("DLP (mGy.cm)", "dlp_mGycm", "quarter"),
        ("SSDE (mGy)", "ssde_mGy", "quarter"),
        ("DLP of the study (mGy.cm)", "total_dlp", "studies"),
    ):
        having = "kind = 'CT'" if table == "studies" else "kind = 'CT' AND NOT is_localizer"
        sql = STATISTICS.format(by="protocol, phantom, age_band", field=field, table=table, having=having)
        for row in rows(truth, sql):
            expected.append({"metric": metric, "standard_protocol": row.pop("protocol"), **row})
    found = results(splunk, "Dose report: CT by protocol, last quarter", now=IN_OCTOBER)
    assert_same(found, expected, ("metric", "standard_protocol", "phantom", "age_band"), within=5.1e-4)


@pytest.mark.parametrize("name", saved().sections())
def test_a_saved_search_is_off_until_somebody_wants_it(name: str) -> None:
    stanza = saved()[name]
    assert stanza["disabled"] == "1"
    assert "result.patient" not in str(dict(stanza))
    if name.startswith("Dose alert"):
        assert "earliest=0 _index_earliest=-20m@m" in stanza["search"]
        assert "`dose_alert_max_age`" in stanza["search"]
        assert stanza["alert.suppress.fields"] == "study_instance_uid"
        assert "$result.identifier$" in stanza["action.email.subject"]


def test_no_two_searches_start_in_the_same_minute() -> None:
    minutes = [stanza["cron_schedule"].split()[0] for stanza in map(saved().__getitem__, saved().sections())]
    assert len(set(minutes)) == len(minutes)


# ---------------------------------------------------------------- the inputs


def with_log(splunk: Splunkd, ago: float, line: str) -> None:
    """A line of an input's log, as Splunk has it from var/log/splunk of a forwarder."""
    at = splunk.now - ago
    stamp = datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.000")
    splunk.index_event(
        f"{stamp} {line}", sourcetype="copydicom:log", at=at, arrived=at, index="_internal", host="forwarder"
    )


def indexed_line(name: str, lag: int = 0, seconds: int = 0, walking: str = "false") -> str:
    return (
        f"INFO component=input input={name} message=indexed server=pacs instances=120 events=130 bytes=9000"
        f" seconds=60.0 per_second=2.0 failed=0 walking={walking} lag={lag} lag_seconds={seconds}"
    )


def test_feeds_that_lag_fail_or_are_silent(package: Path) -> None:
    with Splunkd(package) as splunk:
        with_log(splunk, 60, indexed_line("well"))
        with_log(splunk, 60, indexed_line("behind", lag=900, seconds=7200))
        with_log(splunk, 60, indexed_line("walking", lag=900, seconds=7200, walking="true"))
        with_log(splunk, 50, 'ERROR component=input input=broken message="the server refused the login"')
        with_log(splunk, 20 * 3600, indexed_line("silent"))
        lagging = results(splunk, "Feed alert: lagging")
        assert {row["input"] for row in lagging} == {"behind", "broken"}
        (broken,) = (row for row in lagging if row["input"] == "broken")
        assert broken["last_error"] == "the server refused the login"
        silent = results(splunk, "Feed alert: silent")
        assert {row["input"] for row in silent} == {"silent"}
        (well,) = (row for row in splunk.search("`feed_health`").rows if row["input"] == "well")
        assert (well["instances"], well["per_second"], well["errors"]) == ("120", "2", "0")


def test_the_lines_that_an_input_really_logs_are_read(splunk: Splunkd) -> None:
    folder = splunk.home.root / "var" / "log" / "splunk"
    (log,) = folder.glob("copydicom_app_input_*.log")
    for line in log.read_text().splitlines():
        splunk.index_event(line, sourcetype="copydicom:log", index="_internal")
    health = {row["input"]: row for row in splunk.search("`feed_health`").rows}
    assert int(health["pacs"]["events"]) == len(splunk.indexed["dicom"])
    assert (health["pacs"]["lag"], health["pacs"]["errors"]) == ("0", "0")
