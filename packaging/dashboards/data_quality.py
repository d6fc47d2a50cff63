"""Data Quality: what keeps the other views from being complete or right."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels, unknown_names
from dashboards.spl import each_quantity, headed, or_say
from dashboards.studio import View

_STUDIES = """
`dose_studies`
| table _time study_instance_uid identifier modality dose_kind site station_name device_name standard_procedure n_reports n_events reported_total_dlp_mGycm summed_total_dlp_mGycm reported_total_dap_Gycm2 summed_total_dap_Gycm2 reported_total_rp_dose_mGy summed_total_rp_dose_mGy reported_total_agd_left_mGy summed_total_agd_left_mGy reported_total_agd_right_mGy summed_total_agd_right_mGy
"""
_RECORDS = """
`dose_study_search` | fields `dose_event_needs` "dose_warnings{}" | `dose_latest` | `dose_labels`
| rename "dose_warnings{}" AS warning
| table _time record_type study_instance_uid identifier modality dose_kind site station_name device_serial_number manufacturer_model device_name device_mapped is_localizer acquisition_protocol protocol_name protocol_mapped procedure_name procedure_mapped phantom weight_kg age_years ctdivol_mGy dlp_mGycm dap_Gycm2 rp_dose_mGy agd_mGy administered_activity_MBq warning
"""
_IMAGES = """
`dicom_studies`
| table _time StudyInstanceUID identifier StudyDescription modality site station_name device_name device_mapped manufacturer_model n_dose_reports n_instances
"""
_MENUS = (inputs.SITE, inputs.STATION, inputs.MODALITY)
_TOTALS = {
    "DLP (mGy.cm)": "total_dlp_mGycm",
    "DAP (Gy.cm2)": "total_dap_Gycm2",
    "Dose at reference point (mGy)": "total_rp_dose_mGy",
    "AGD left (mGy)": "total_agd_left_mGy",
    "AGD right (mGy)": "total_agd_right_mGy",
}
_COMPARED = (
    each_quantity(
        _TOTALS,
        reported={name: f"reported_{field}" for name, field in _TOTALS.items()},
        summed={name: f"summed_{field}" for name, field in _TOTALS.items()},
    )
    + """
| where isnotnull(reported) AND isnotnull(summed)
| eval difference=if(summed=0, if(reported=0, 0, 100), 100*(reported-summed)/summed)
| eval apart=if(abs(difference)>1, 1, 0)
"""
)
_SHARES = [(0.1, palette.WARN), (50.0, palette.BAD)]


def view() -> View:
    view = View(
        "data_quality",
        "Data Quality",
        "What keeps doses from being complete or right: totals that differ from their sums, reports that are missing,"
        " fields that nobody filled in, values that could not be read, names that no lookup knows.",
    )
    inputs.add_time(view)
    images = view.base("images", _IMAGES)
    shown_images = inputs.add_menus(view, images, _MENUS, name="shown images")
    terms = " ".join(f"{menu.field}=${menu.token}|s$" for menu in _MENUS)
    studies = view.chain("shown studies", view.base("studies", _STUDIES), f"| search {terms}")
    records = view.chain("shown records", view.base("records", _RECORDS), f"| search {terms}")

    _numbers(view, studies, records, shown_images)
    view.row(
        340,
        panels.table(
            "Totals of the reports against the sum of their irradiations",
            view.chain(
                "totals",
                studies,
                f"""
                {_COMPARED}
                | stats count AS n sum(apart) AS apart max(eval(abs(difference))) AS largest BY quantity station_name
                | sort 0 +quantity, +station_name
                """
                + headed(
                    {
                        "quantity": "Quantity",
                        "station_name": "Station",
                        "n": "Studies compared",
                        "apart": "Differ by more than 1 %",
                        "largest": "Largest difference (%)",
                    }
                ),
            ),
            digits={"Largest difference (%)": 2},
            levels={"Differ by more than 1 %": [(1.0, palette.WARN)]},
            description="Both are kept: the total as the report says it, and the sum over the irradiations, each once.",
        ),
        panels.table(
            "Studies whose totals differ by more than 1 %",
            view.chain(
                "apart",
                studies,
                f"""
                {_COMPARED}
                | where apart=1
                | sort 0 -_time
                | eval when=strftime(_time, "%Y-%m-%d %H:%M")
                """
                + or_say("when", "All totals agree within 1 %")
                + headed(
                    {
                        "when": "Start",
                        "identifier": "Accession number",
                        "device_name": "Device",
                        "quantity": "Quantity",
                        "reported": "Report",
                        "summed": "Sum",
                        "difference": "Difference (%)",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            digits={"Report": 2, "Sum": 2, "Difference (%)": 1},
            widths={"Accession number": 110, "Device": 120, "Quantity": 110, "Difference (%)": 115},
            description="Click a row for the study.",
            drilldowns=[drilldowns.to_study()],
        ),
    )
    view.row(
        340,
        panels.table(
            "Studies without a dose report",
            view.chain(
                "without report",
                shown_images,
                """
                | search modality IN ("CT", "XA", "RF", "MG", "DX", "CR", "NM", "PT")
                | stats count AS studies sum(eval(if(n_dose_reports=0, 1, 0))) AS without BY modality station_name device_name
                | eval share=100*without/studies
                | sort 0 -share, +modality, +station_name
                """
                + headed(
                    {
                        "modality": "Modality",
                        "station_name": "Station",
                        "device_name": "Device",
                        "studies": "Studies",
                        "without": "No report",
                        "share": "No report (%)",
                    }
                ),
            ),
            digits={"No report (%)": 0},
            widths={"Modality": 105, "Device": 130},
            levels={"No report (%)": _SHARES},
            description="By modality and station. Where a scanner sends none, dose_from_images = true of the input may help.",
        ),
        panels.table(
            "What irradiations do not tell",
            view.chain(
                "absent",
                records,
                """
                | where record_type="event" AND (isnull(is_localizer) OR is_localizer!="true")
                | eval no_protocol=if(isnull(acquisition_protocol) OR acquisition_protocol="", 1, 0), no_phantom=if(phantom="unknown", 1, 0), no_weight=if(isnull(weight_kg), 1, 0), no_age=if(isnull(age_years), 1, 0)
                | eval no_dose=if(isnull(coalesce(ctdivol_mGy, dlp_mGycm, dap_Gycm2, rp_dose_mGy, agd_mGy, administered_activity_MBq)), 1, 0)
                | stats count AS n avg(no_protocol) AS no_protocol avg(no_phantom) AS no_phantom avg(no_weight) AS no_weight avg(no_age) AS no_age avg(no_dose) AS no_dose BY modality station_name
                | foreach no_* [eval <<FIELD>>=100*'<<FIELD>>']
                | sort 0 +modality, +station_name
                """
                + headed(
                    {
                        "modality": "Modality",
                        "station_name": "Station",
                        "n": "n",
                        "no_protocol": "No protocol (%)",
                        "no_phantom": "No phantom (%)",
                        "no_weight": "No weight (%)",
                        "no_age": "No age (%)",
                        "no_dose": "No dose (%)",
                    }
                ),
            ),
            digits=dict.fromkeys(
                ("No protocol (%)", "No phantom (%)", "No weight (%)", "No age (%)", "No dose (%)"), 0
            ),
            levels=dict.fromkeys(
                ("No protocol (%)", "No phantom (%)", "No weight (%)", "No age (%)", "No dose (%)"), _SHARES
            ),
            widths={"Modality": 105, "Station": 90, "n": 50, "No protocol (%)": 100, "No phantom (%)": 105},
            description="Irradiations but for localizers. Phantom: of CT alone.",
            weight=1.2,
        ),
    )
    view.row(
        340,
        panels.table(
            "Values that could not be read, and units that nobody knows",
            view.chain(
                "warnings",
                records,
                """
                | where isnotnull(warning)
                | mvexpand warning
                | eval kind=if(match(warning, "unit|, not in "), "unit", "value")
                | stats count AS n dc(study_instance_uid) AS studies BY kind warning modality station_name
                | sort 0 -n, +warning
                """
                + or_say("warning", "Nothing to warn of in this time range")
                + headed(
                    {
                        "warning": "Warning",
                        "kind": "Kind",
                        "modality": "Modality",
                        "station_name": "Station",
                        "n": "Records",
                        "studies": "Studies",
                    }
                ),
            ),
            widths={"Warning": 320, "Kind": 70, "Modality": 105, "Records": 95},
            description="What dose_warnings of reports and irradiations say. A value in an unknown unit is kept raw.",
            weight=1.4,
        ),
        panels.columns(
            "Warnings by week",
            view.chain(
                "warnings by week",
                records,
                """
                | eval warnings=coalesce(mvcount(warning), 0)
                | timechart span=1w@w1 limit=0 sum(warnings) BY modality
                """,
            ),
            x="Week",
            y="Warnings",
            stacked=True,
            colours=palette.MODALITIES,
        ),
    )
    unknown_names.add_rows(view, records, shown_images)
    return view


def _numbers(view: View, studies: str, records: str, images: str) -> None:
    apart = view.chain(
        "apart count",
        studies,
        f"{_COMPARED}\n| stats dc(eval(if(apart=1, study_instance_uid, null()))) AS studies",
    )
    missing = view.chain(
        "missing count",
        images,
        '| search modality IN ("CT", "XA", "RF", "MG") n_dose_reports=0 | stats count AS studies',
    )
    warned = view.chain(
        "warned count", records, "| where isnotnull(warning) | stats dc(study_instance_uid) AS studies"
    )
    unmapped = view.chain(
        "unmapped count", images, '| where device_mapped="no" | stats dc(station_name) AS stations'
    )
    good = [(0, palette.GOOD), (1, palette.WARN)]
    view.row(
        120,
        panels.number("Studies whose totals differ", apart, "studies", levels=good),
        panels.number("CT, XA, RF, MG without report", missing, "studies", levels=good),
        panels.number("Studies with warnings", warned, "studies", levels=good),
        panels.number("Stations not in the lookup", unmapped, "stations", levels=good),
    )
