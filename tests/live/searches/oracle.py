"""The same numbers by other means: DuckDB over the JSON of the indexed events, in SQL of its own.

Nothing here knows the macros. What the two share is the meaning of the lookups' columns and of the bands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from copydicom_app.dose.fields import FIELDS
from testbench.splunkd.index import IndexedEvent

EACH_PHI = pytest.mark.parametrize("phi", ["keep", "hash", "drop"])
LOOKUPS = Path(__file__).resolve().parents[3] / "lookups"
_TYPES = {"number": "DOUBLE", "bool": "BOOLEAN", "string": "VARCHAR"}
_LISTS = ("dose_warnings", "dose_derived")

# A pattern of a lookup, and a name as it is looked up.
_SETUP = r"""
SET TimeZone = 'UTC';
CREATE MACRO fits(name, pattern) AS lower(coalesce(name, '-')) GLOB lower(coalesce(pattern, ''));
CREATE MACRO tidy(name) AS nullif(trim(regexp_replace(name, '\s+', ' ', 'g')), '');
CREATE VIEW named AS
SELECT *,
       coalesce(tidy(study_description), tidy(requested_procedure), 'not named') AS procedure_name,
       coalesce(tidy(acquisition_protocol), tidy(study_description), tidy(requested_procedure), 'not named')
           AS protocol_name,
       CASE WHEN modality = 'CT' THEN 'CT' WHEN modality IN ('NM', 'PT') THEN 'NM' ELSE 'XR' END AS kind
FROM dose;
CREATE VIEW of_patients AS
SELECT * FROM named WHERE NOT EXISTS (
    SELECT 1 FROM not_patient n
    WHERE fits(named.patient_id, n.patient_id) AND fits(procedure_name, n.procedure)
      AND fits(protocol_name, n.protocol) AND fits(named.station_name, n.station_name));
CREATE VIEW labelled AS
SELECT *,
       coalesce((SELECT arg_min(m.standard_protocol, m.line) FROM protocol_map m
                 WHERE fits(of_patients.modality, m.modality) AND fits(protocol_name, m.protocol)
                   AND fits(of_patients.station_name, m.station_name)), lower(protocol_name)) AS protocol,
       coalesce((SELECT arg_min(m.standard_procedure, m.line) FROM procedure_map m
                 WHERE fits(of_patients.modality, m.modality) AND fits(procedure_name, m.procedure)),
                lower(procedure_name)) AS procedure,
       CASE phantom_cm WHEN 16 THEN 'head 16 cm' WHEN 32 THEN 'body 32 cm' ELSE 'unknown' END AS phantom,
       CASE WHEN patient_age_years IS NULL THEN 'unknown' WHEN patient_age_years < 1 THEN '00-01 y'
            WHEN patient_age_years < 5 THEN '01-05 y' WHEN patient_age_years < 10 THEN '05-10 y'
            WHEN patient_age_years < 15 THEN '10-15 y' WHEN patient_age_years < 18 THEN '15-18 y'
            ELSE '18+ y' END AS age_band
FROM of_patients;
CREATE VIEW irradiation AS
SELECT * FROM labelled WHERE record_type = 'event'
QUALIFY row_number() OVER (PARTITION BY event_key ORDER BY index_time DESC) = 1;
CREATE VIEW report AS
SELECT * FROM labelled WHERE record_type = 'study'
QUALIFY row_number() OVER (PARTITION BY sop_instance_uid ORDER BY index_time DESC) = 1;
CREATE VIEW study AS
SELECT r.*, e.* EXCLUDE (study_instance_uid, kind),
       CASE n_reports WHEN 1 THEN told_dlp ELSE dlp END AS total_dlp,
       CASE n_reports WHEN 1 THEN told_dap ELSE dap END AS total_dap,
       CASE n_reports WHEN 1 THEN told_rp ELSE rp END AS total_rp,
       CASE n_reports WHEN 1 THEN told_fluoro_s ELSE fluoro_s END AS total_fluoro_s
FROM (SELECT study_instance_uid, kind, count(*) AS n_reports, sum(total_dlp_mGycm) AS told_dlp,
             sum(total_dap_Gycm2) AS told_dap, sum(total_rp_dose_mGy) AS told_rp,
             sum(total_fluoro_time_s) AS told_fluoro_s, any_value(patient_id) AS patient,
             any_value(coalesce(accession_number, study_instance_uid)) AS identifier,
             any_value(procedure) AS procedure, any_value(modality) AS modality
      FROM report GROUP BY ALL) r
JOIN (SELECT study_instance_uid, kind, count(*) AS n_events, sum(dlp_mGycm) AS dlp, sum(dap_Gycm2) AS dap,
             sum(rp_dose_mGy) AS rp, min(time) AS begin, any_value(age_band) AS age_band,
             arg_max(protocol, coalesce(dlp_mGycm, dap_Gycm2, agd_mGy))
                 FILTER (NOT coalesce(is_localizer, false)) AS protocol,
             sum(irradiation_duration_s) FILTER (irradiation_event_type = 'Fluoroscopy') AS fluoro_s,
             max(ctdivol_mGy) FILTER (NOT coalesce(is_localizer, false)) AS max_ctdivol,
             max(index_time) AS arrived
      FROM irradiation GROUP BY ALL) e USING (study_instance_uid, kind);
"""


def oracle(events: Iterable[IndexedEvent], folder: Path) -> duckdb.DuckDBPyConnection:
    """A database with `dose` (all dose events as they came), `irradiation`, `report` and `study`."""
    lines = folder / "dose.ndjson"
    with lines.open("w", encoding="utf-8") as stream:
        for event in events:
            if event.sourcetype.startswith("dicom:dose:"):
                more = {"time": event.time, "index_time": event.index_time}
                stream.write(json.dumps({**json.loads(event.raw), **more}) + "\n")
    columns = {field.name: _TYPES[field.type] for field in FIELDS if field.name not in _LISTS}
    columns |= {"time": "DOUBLE", "index_time": "DOUBLE"}
    db = duckdb.connect()
    spelled = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    db.execute(
        f"CREATE TABLE dose AS FROM read_json('{lines}', format='newline_delimited', columns={{{spelled}}})"
    )
    for table in ("not_patient", "protocol_map", "procedure_map", "drl"):
        source = f"read_csv('{LOOKUPS / f'dose_{table}.csv'}', all_varchar=true)"
        db.execute(f"CREATE TABLE {table} AS SELECT *, row_number() OVER () AS line FROM {source}")
    db.execute(_SETUP)
    return db


def rows(db: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """The result, a mapping for each row."""
    found = db.execute(sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
