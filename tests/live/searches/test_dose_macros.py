"""The words of the dashboards on the sample hospital, beside DuckDB's numbers, in each `phi` mode."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pytest

from testbench.splunkd import Splunkd
from tests.live.searches.oracle import EACH_PHI, rows

NAMES = ("n", "min", "p25", "median", "mean", "p75", "max")


def searched(splunk: Splunkd, text: str, **options: Any) -> list[dict[str, Any]]:
    result = splunk.search(text, **options)
    assert result.error is None
    return [dict(row) for row in result.rows]


def assert_same(
    found: Iterable[Mapping[str, Any]],
    wanted: Iterable[Mapping[str, Any]],
    by: tuple[str, ...],
    within: float = 0.0,
) -> None:
    """The same rows, whatever their order; numbers to 1e-9 or `within`, names blind to case."""

    def tidied(table: Iterable[Mapping[str, Any]]) -> dict[tuple[str, ...], Mapping[str, Any]]:
        return {tuple(str(row[name]).lower() for name in by): row for row in table}

    left, right = tidied(found), tidied(wanted)
    assert sorted(left) == sorted(right)
    for key, row in right.items():
        for name, value in row.items():
            if isinstance(value, (int, float)):
                assert float(left[key][name]) == pytest.approx(value, rel=1e-9, abs=within), (key, name)
            elif name not in by:
                assert (left[key].get(name) or None) == value, (key, name)
    assert left, "there was nothing to compare"


STATISTICS = """
SELECT {by}, count({field}) AS n, min({field}) AS min, quantile_cont({field}, 0.25) AS p25,
       quantile_cont({field}, 0.5) AS median, avg({field}) AS mean, quantile_cont({field}, 0.75) AS p75,
       max({field}) AS max
FROM {table} WHERE {having} AND {field} IS NOT NULL GROUP BY {by}"""


@pytest.mark.parametrize("field", ["ctdivol_mGy", "dlp_mGycm", "ssde_mGy"])
def test_ct_dose_by_protocol(splunk: Splunkd, truth: duckdb.DuckDBPyConnection, field: str) -> None:
    found = searched(
        splunk,
        f'`dose_events` | where modality="CT" | `no_localizers`'
        f" | `dose_statistics({field},standard_protocol phantom age_band)`",
    )
    by = "protocol, phantom, age_band"
    wanted = rows(
        truth,
        STATISTICS.format(
            by=by, field=field, table="irradiation", having="modality = 'CT' AND NOT is_localizer"
        ),
    )
    for row in wanted:
        row["standard_protocol"] = row.pop("protocol")
    assert_same(found, wanted, ("standard_protocol", "phantom", "age_band"))
    assert any(int(row["n"]) % 2 == 0 and int(row["n"]) > 2 for row in found) or field == "ssde_mGy"


def test_each_irradiation_counts_once(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    (found,) = searched(splunk, "`dose_events` | stats count dc(event_key) AS keys")
    (wanted,) = rows(truth, "SELECT count(*) AS n FROM irradiation")
    (indexed,) = rows(truth, "SELECT count(*) AS n FROM of_patients WHERE record_type = 'event'")
    assert int(found["count"]) == int(found["keys"]) == wanted["n"] < indexed["n"]


@EACH_PHI
def test_studies_have_their_totals_however_many_reports_they_have(
    splunk: Splunkd, truth: duckdb.DuckDBPyConnection
) -> None:
    found = searched(splunk, "`dose_studies`")
    wanted = rows(
        truth,
        """SELECT study_instance_uid, kind AS dose_kind, n_reports, n_events, identifier, age_band,
                  total_dlp AS total_dlp_mGycm, total_dap AS total_dap_Gycm2, total_rp AS total_rp_dose_mGy,
                  total_fluoro_s AS total_fluoro_time_s,
                  dlp AS summed_total_dlp_mGycm, max_ctdivol AS max_ctdivol_mGy
           FROM study""",
    )
    assert_same(found, wanted, ("study_instance_uid", "dose_kind"))
    assert sorted(int(row["n_reports"]) for row in found)[-2:] == [2, 2]


def test_the_dlp_of_studies_by_procedure(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    found = searched(
        splunk,
        '`dose_studies` | where dose_kind="CT"'
        " | `dose_statistics(total_dlp_mGycm,standard_procedure age_band)`",
    )
    sql = STATISTICS.format(by="procedure, age_band", field="total_dlp", table="study", having="kind = 'CT'")
    wanted = rows(truth, sql)
    for row in wanted:
        row["standard_procedure"] = row.pop("procedure")
    assert_same(found, wanted, ("standard_procedure", "age_band"))


def test_reference_levels_and_ratios(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    found = searched(
        splunk,
        '`dose_studies` | where dose_kind="CT" | `dose_reference(total_dlp_mGycm)`'
        " | where isnotnull(reference_level)"
        " | table study_instance_uid reference_level reference_ratio reference_source reference_year",
    )
    wanted = rows(
        truth,
        """SELECT study_instance_uid, CAST(level AS DOUBLE) AS reference_level,
                  total_dlp / CAST(level AS DOUBLE) AS reference_ratio,
                  source AS reference_source, year AS reference_year
           FROM study JOIN drl ON metric = 'total_dlp_mGycm' AND drl.age_band = study.age_band
                AND lower(standard_name) IN (lower(protocol), lower(procedure))
           WHERE level IS NOT NULL AND kind = 'CT'
           QUALIFY row_number() OVER (PARTITION BY study_instance_uid ORDER BY drl.line) = 1""",
    )
    assert_same(found, wanted, ("study_instance_uid",))


def test_outliers_by_median_and_mad(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    found = searched(
        splunk,
        '`dose_events` | where modality="CT" | `no_localizers` | `dose_robust_z(ctdivol_mGy)`'
        " | table event_key group_n group_median group_mad robust_z",
    )
    wanted = rows(
        truth,
        """WITH deviating AS (
               SELECT event_key, ctdivol_mGy - median(ctdivol_mGy) OVER by_group AS deviation,
                      median(ctdivol_mGy) OVER by_group AS group_median, count(*) OVER by_group AS group_n,
                      lower(protocol) AS protocol, phantom, age_band
               FROM irradiation WHERE modality = 'CT' AND ctdivol_mGy IS NOT NULL
               WINDOW by_group AS (PARTITION BY lower(protocol), phantom, age_band)),
           spread AS (
               SELECT *, median(abs(deviation)) OVER by_group AS group_mad,
                      avg(abs(deviation)) OVER by_group AS mean_deviation
               FROM deviating WINDOW by_group AS (PARTITION BY protocol, phantom, age_band))
           SELECT event_key, group_n, group_median, group_mad, CASE
                      WHEN group_mad > 0 THEN 0.6745 * deviation / group_mad
                      WHEN mean_deviation > 0 THEN deviation / (1.253314 * mean_deviation)
                      ELSE 0 END AS robust_z
           FROM spread""",
    )
    assert_same(found, wanted, ("event_key",))
    assert len([row for row in wanted if row["group_n"] >= 10 and row["robust_z"] > 3.5]) == 1
    beyond = searched(
        splunk, '`dose_events` | where modality="CT" | `no_localizers` | `dose_outliers(ctdivol_mGy)`'
    )
    assert len(beyond) == 1


@EACH_PHI
def test_twelve_weeks_of_interventions_of_a_patient(
    splunk: Splunkd, truth: duckdb.DuckDBPyConnection
) -> None:
    found = searched(
        splunk,
        "`dose_studies` | `fluoro_cumulative`"
        " | table study_instance_uid cumulative_studies cumulative_rp_dose_mGy cumulative_dap_Gycm2",
    )
    wanted = rows(
        truth,
        """SELECT late.study_instance_uid, count(*) AS cumulative_studies,
                  sum(early.total_rp) AS cumulative_rp_dose_mGy,
                  sum(early.total_dap) AS cumulative_dap_Gycm2
           FROM study late JOIN study early ON late.patient = early.patient AND early.modality = 'XA'
                AND early.begin BETWEEN late.begin - 84 * 86400 AND late.begin
           WHERE late.modality = 'XA' GROUP BY ALL""",
    )
    if not wanted:  # phi = drop: nobody knows which studies are one patient's
        assert found == []
        assert all(row.get("patient_key") is None for row in searched(splunk, "`dose_studies`"))
        return
    assert_same(found, wanted, ("study_instance_uid",))
    assert max(int(row["cumulative_studies"]) for row in found) == 3


@EACH_PHI
def test_phantoms_count_nowhere(splunk: Splunkd, truth: duckdb.DuckDBPyConnection) -> None:
    (there,) = rows(truth, "SELECT count(*) AS n FROM dose WHERE study_description ILIKE '%phantom%'")
    assert there["n"]
    for start in ("`dose_events`", "`dose_studies`"):
        assert searched(splunk, f'{start} | search standard_procedure="*phantom*"') == []


def test_a_filter_takes_a_value_or_all(splunk: Splunkd) -> None:
    every = searched(splunk, "`dose_events` | `dose_filter(*,*,*,*,*)`")
    assert len(every) == len(searched(splunk, "`dose_events`"))
    some = searched(splunk, "`dose_events` | `dose_filter(*,CT03,CT,CT head,18+ y)`")
    assert {(row["station_name"], row["standard_protocol"], row["age_band"]) for row in some} == {
        ("CT03", "CT head", "18+ y")
    }


def test_studies_by_modality_and_day_come_from_the_images(splunk: Splunkd) -> None:
    """The predecessor's own chart, beside a count over the tags events themselves."""
    days: dict[tuple[str, str], set[str]] = {}
    for event in splunk.indexed["dicom"]:
        tags = json.loads(event.raw)
        if (
            event.sourcetype == "dicom:instance"
            and "StudyDateTime" in tags
            and tags["Modality"] not in ("SR", "OT")
        ):
            days.setdefault((tags["StudyDateTime"][:10], tags["Modality"]), set()).add(
                tags["StudyInstanceUID"]
            )
    found = searched(
        splunk,
        "`dicom_studies` | where isnotnull(StudyDateTime) | eval day=substr(StudyDateTime,1,10)"
        " | stats count BY day modality",
    )
    assert {(row["day"], row["modality"]): int(row["count"]) for row in found} == {
        key: len(uids) for key, uids in days.items()
    }


def test_a_study_row_knows_its_series_instances_reports_and_room(splunk: Splunkd) -> None:
    found = searched(splunk, "`dicom_studies`")
    assert sum(int(row["n_instances"]) for row in found) == len(
        searched(splunk, "index=dicom sourcetype=dicom:instance")
    )
    assert sum(int(row["n_series"]) for row in found) == len(searched(splunk, "`dicom_series`"))
    assert sum(int(row["n_dose_reports"]) for row in found) == len(
        searched(splunk, "index=dicom sourcetype=dicom:dose:study")
    )
    rooms = {row["station_name"]: row["room"] for row in found}
    assert rooms["XA01"] == "Cath lab"
    assert rooms["MR01"] == "unknown"
