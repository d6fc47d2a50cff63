"""Study: one study's totals, irradiations, series and copies. Other views lead here."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import each_quantity, headed, or_say
from dashboards.studio import View

_ALL_TIME = {"earliest": "0", "latest": "+2d"}  # a scanner's clock may be ahead
_RECENT = """
`dose_study_search`
| eval is_report=if(record_type="study", 1, 0)
| stats max(_time) AS latest max(is_report) AS has_report first(accession_number) AS accession_number first(study_description) AS study_description first(modality) AS modality BY study_instance_uid
| sort 0 -has_report, -latest
| eval label=strftime(latest, "%Y-%m-%d %H:%M")." ".modality." ".coalesce(accession_number, "")." ".coalesce(study_description, "")
| table label study_instance_uid
"""
_RECORDS = """
`dose_study_search` study_instance_uid=$study|s$
| `dose_latest` | `dose_labels`
"""
_EVENT_FIELDS = """_time record_type event_index dose_kind modality is_localizer station_name device_name protocol_name standard_protocol phantom age_band weight_band irradiation_event_type ct_acquisition_type acquisition_plane laterality image_view target_region ctdivol_mGy dlp_mGycm ssde_mGy scanning_length_mm dap_Gycm2 rp_dose_mGy irradiation_duration_s agd_mGy compression_thickness_mm administered_activity_MBq exposure_mAs kvp_kV xray_tube_current_mA exposure_time_s exposure_time_ms warning"""

_QUANTITIES = {
    "DLP (mGy.cm)": "total_dlp_mGycm",
    "DAP (Gy.cm2)": "total_dap_Gycm2",
    "Dose at reference point (mGy)": "total_rp_dose_mGy",
    "Fluoroscopy time (s)": "total_fluoro_time_s",
    "AGD left (mGy)": "total_agd_left_mGy",
    "AGD right (mGy)": "total_agd_right_mGy",
}
_TOTALS = (
    each_quantity(
        [*_QUANTITIES, "Highest CTDIvol (mGy)"],
        total=_QUANTITIES | {"Highest CTDIvol (mGy)": "max_ctdivol_mGy"},
        reported={name: f"reported_{field}" for name, field in _QUANTITIES.items()},
        summed={name: f"summed_{field}" for name, field in _QUANTITIES.items()},
    )
    + """
    | where isnotnull(coalesce(total, reported, summed))
    | eval difference=if(summed>0, 100*abs(reported-summed)/summed, null())
    """
    + or_say("quantity", "Nothing in this study tells a dose")
    + headed(
        {
            "quantity": "Quantity",
            "total": "Of the study",
            "reported": "As the reports say",
            "summed": "Sum of the irradiations",
            "difference": "Difference (%)",
        }
    )
)

# What a line of a cell says: the words before the number, the field, digits, the unit.
_DOSES = (
    ("CTDIvol", "ctdivol_mGy", 2, "mGy"),
    ("phantom", "phantom", None, ""),
    ("SSDE", "ssde_mGy", 2, "mGy"),
    ("DLP", "dlp_mGycm", 1, "mGy.cm"),
    ("DAP", "dap_Gycm2", 3, "Gy.cm2"),
    ("RP", "rp_dose_mGy", 2, "mGy"),
    ("AGD", "agd_mGy", 2, "mGy"),
    ("activity", "administered_activity_MBq", 1, "MBq"),
)
_TECHNIQUE = (
    ("", "kvp_kV", 0, "kV"),
    ("", "xray_tube_current_mA", 0, "mA"),
    ("", "exposure_mAs", 1, "mAs"),
    ("", "seconds", 2, "s"),
    ("compressed to", "compression_thickness_mm", 0, "mm"),
    ("over", "scanning_length_mm", 0, "mm"),
)


def _words(lines: Sequence[tuple[str, str, int | None, str]]) -> str:
    """Arguments of `mvappend`: a line for each field that is there."""
    found = []
    for before, field, digits, unit in lines:
        value = field if digits is None else f"round({field}, {digits})"
        there = f'isnotnull(ctdivol_mGy) AND {field}!="none"' if digits is None else f"isnotnull({field})"
        found.append(f'if({there}, trim("{before} ".{value}." {unit}"), null())')
    return ", ".join(found)


def view() -> View:
    view = View(
        "study",
        "Study",
        "One study: its dose, its irradiations, its series and their copies. Other views lead here.",
    )
    inputs.add_time(view)
    _add_study_menu(view)
    inputs.add_text(view, "dest", "Copy to (server)", "research")

    studies = view.base(
        "study",
        f"""
        {_RECORDS.strip()}
        | `dose_by_study`
        | `dose_alert_level(study,total_rp_dose_mGy,total_dap_Gycm2)`
        | `dose_ticket`
        """,
        **_ALL_TIME,
    )
    records = view.base(
        "irradiations",
        f"""
        {_RECORDS.strip()}
        | where record_type="event"
        | rename "dose_warnings{{}}" AS warning
        | table {_EVENT_FIELDS}
        """,
        **_ALL_TIME,
    )
    series = view.base(
        "series", "`dicom_search` StudyInstanceUID=$study|s$ | `dicom_series_rows`", **_ALL_TIME
    )

    view.row(
        200,
        panels.table(
            "Study",
            view.chain(
                "header",
                studies,
                """
                | eval when=strftime(_time, "%Y-%m-%d %H:%M"), place=mvappend(site, room, device_name)
                | eval patient=mvjoin(mvappend(patient_sex, if(isnull(age_years), null(), round(age_years, 1)." y"), if(isnull(weight_kg), null(), round(weight_kg, 1)." kg")), ", ")
                | eval ticket=mvappend(ticket_state, ticket_reviewer, ticket_comment)
                """
                + headed(
                    {
                        "when": "Start",
                        "identifier": "Accession number",
                        "modality": "Modality",
                        "standard_procedure": "Procedure",
                        "place": "Site, room, device",
                        "patient": "Sex, age, weight",
                        "n_reports": "Dose reports",
                        "n_events": "Irradiations",
                        "ticket": "Ticket",
                        "orthanc_server": "Server",
                        "ParentStudy": "_orthanc_study",
                    }
                ),
            ),
            widths={
                "Accession number": 110,
                "Modality": 105,
                "Procedure": 170,
                "Site, room, device": 170,
                "Sex, age, weight": 130,
                "Irradiations": 125,
                "Ticket": 130,
            },
            description="Click the row to copy the study: Search opens with a dry run, which says what would be sent and sends nothing.",
            drilldowns=[
                drilldowns.to_search(
                    '| makeresults | eval ID=$row._orthanc_study.value|s$, orthanc_server=$row.Server.value|s$, level="study"'
                    " | copydicom dest=$dest$ dryrun=true"
                )
            ],
        ),
    )
    view.row(
        300,
        panels.table(
            "Totals",
            view.chain("totals", studies, _TOTALS),
            digits={
                "Of the study": 2,
                "As the reports say": 2,
                "Sum of the irradiations": 2,
                "Difference (%)": 1,
            },
            levels={"Difference (%)": [(1.0, palette.WARN)]},
            description="Of the study: the report's total where there is one report, the sum where there are several.",
        ),
        panels.columns(
            "Dose of each irradiation",
            view.chain(
                "doses",
                records,
                """
                | eval localizer=if(is_localizer="true", 1, 0)
                | where localizer=0
                | sort 0 +_time, +event_index
                | streamstats count AS place
                | eval dose=case(dose_kind="CT", dlp_mGycm, modality="MG", agd_mGy, dose_kind="NM", administered_activity_MBq, isnotnull(rp_dose_mGy), rp_dose_mGy, isnotnull(dap_Gycm2), dap_Gycm2, true(), exposure_mAs)
                | eval quantity=case(dose_kind="CT", "DLP (mGy.cm)", modality="MG", "AGD (mGy)", dose_kind="NM", "Activity (MBq)", isnotnull(rp_dose_mGy), "Dose at reference point (mGy)", isnotnull(dap_Gycm2), "DAP (Gy.cm2)", true(), "Exposure (mAs)")
                | table place dose quantity
                | xyseries place quantity dose
                | sort 0 +place
                """,
            ),
            x="Irradiation, in the order of time",
            y="Dose (unit: see legend)",
            legend="bottom",
        ),
    )
    view.row(
        420,
        panels.table(
            "Irradiations",
            view.chain(
                "events",
                records,
                """
                | sort 0 +_time, +event_index
                | eval when=strftime(_time, "%H:%M:%S"), kind=coalesce(ct_acquisition_type, irradiation_event_type, "unknown"), where_to=mvappend(target_region, laterality, image_view, acquisition_plane), seconds=coalesce(irradiation_duration_s, exposure_time_s, exposure_time_ms/1000)
                | eval dose=mvappend(_DOSES_)
                | eval technique=mvappend(_TECHNIQUE_)
                """.replace("_DOSES_", _words(_DOSES)).replace("_TECHNIQUE_", _words(_TECHNIQUE))
                + headed(
                    {
                        "when": "Start",
                        "kind": "Kind",
                        "protocol_name": "Protocol",
                        "where_to": "Region, view, plane",
                        "dose": "Dose (with its unit)",
                        "technique": "Technique (with its unit)",
                        "warning": "Warnings",
                    }
                ),
            ),
            widths={"Start": 70, "Dose (with its unit)": 150, "Warnings": 130},
            description="Each once, however many reports tell of it; localizers too. RP: reference point.",
            rows=25,
        ),
    )
    view.row(
        340,
        panels.table(
            "Series",
            view.chain(
                "series list",
                series,
                """
                | sort 0 +series_start
                | eval when=strftime(series_start, "%Y-%m-%d %H:%M:%S")
                """
                + or_say("SeriesDescription", "No series is indexed of this study")
                + headed(
                    {
                        "when": "Start",
                        "Modality": "Modality",
                        "SeriesDescription": "Series",
                        "station_name": "Station",
                        "n_instances": "Instances",
                        "orthanc_server": "Server",
                        "ParentSeries": "_orthanc_series",
                    }
                ),
            ),
            description="Click a row to copy the series: Search opens with a dry run, which sends nothing.",
            drilldowns=[
                drilldowns.to_search(
                    '| makeresults | eval ID=$row._orthanc_series.value|s$, orthanc_server=$row.Server.value|s$, level="series"'
                    " | copydicom dest=$dest$ dryrun=true"
                )
            ],
            weight=1.4,
        ),
        panels.table(
            "Copies of this study",
            view.base(
                "copies",
                """
                `audit_events` [search `dose_study_search` study_instance_uid=$study|s$ | dedup ParentStudy | rename ParentStudy AS study | fields study]
                | sort 0 -_time
                | eval when=strftime(_time, "%Y-%m-%d %H:%M")
                """
                + or_say("when", "Not copied so far")
                + headed(
                    {
                        "when": "Time",
                        "user": "User",
                        "dest": "To",
                        "copied": "Copied",
                        "failed": "Failed",
                        "result": "Result",
                    }
                ),
                **_ALL_TIME,
            ),
            description="By the audit trail. Counts are instances.",
        ),
    )
    return view


def _add_study_menu(view: View) -> None:
    """The latest studies of the time range; a link from another view names its own."""
    recent = view.base("recent", _RECENT)
    view.add_input(
        "study",
        {
            "type": "input.dropdown",
            "title": "Study",
            "dataSources": {"primary": recent},
            "options": {
                "token": "study",
                "items": "> frame(label, value) | objects()",
                "selectFirstSearchResult": True,
            },
            "context": {
                "label": '> primary | seriesByName("label")',
                "value": '> primary | seriesByName("study_instance_uid") | renameSeries("value")',
            },
        },
    )
