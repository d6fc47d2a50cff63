"""Fluoroscopy and IR: dose area product, dose at the reference point and time, by procedure, room and patient."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import each_quantity, frequent, headed, medians_of, or_say, statistics, weekly
from dashboards.studio import View

_STUDIES = """
`dose_study_search` (modality=XA OR modality=RF) | fields `dose_study_needs` | `dose_study_rows` | where dose_kind="XR" AND (modality="XA" OR modality="RF")
| table _time study_instance_uid identifier modality site room station_name device_name standard_procedure age_band patient_key dose_kind n_scans total_dap_Gycm2 total_rp_dose_mGy total_fluoro_time_s fluoro_dap_Gycm2 acq_dap_Gycm2
"""
_IRRADIATIONS = """
`dose_event_search` (modality=XA OR modality=RF) | fields `dose_event_needs` irradiation_event_type irradiation_duration_s | `dose_event_rows`
| eval event_type=coalesce(irradiation_event_type, "unknown"), plane=coalesce(acquisition_plane, "unknown")
| table _time study_instance_uid identifier site room station_name device_name standard_procedure age_band event_type plane dap_Gycm2 rp_dose_mGy irradiation_duration_s
"""
# The patients of the time range, with all that is indexed of them: 12 weeks may begin before it.
_CUMULATIVE = """
`dose_study_search` earliest=0 latest=+2d (modality=XA OR modality=RF) [search `dose_study_search` (modality=XA OR modality=RF) patient_id=* | dedup patient_id | fields patient_id]
| fields `dose_study_needs` | `dose_study_rows` | `fluoro_cumulative`
| table _time study_instance_uid site station_name standard_procedure age_band patient_key cumulative_studies cumulative_rp_dose_mGy cumulative_dap_Gycm2
"""
_QUANTITIES = each_quantity(
    ("DAP (Gy.cm2)", "Dose at reference point (mGy)", "Fluoroscopy time (min)"),
    value={
        "DAP (Gy.cm2)": "total_dap_Gycm2",
        "Dose at reference point (mGy)": "total_rp_dose_mGy",
        "Fluoroscopy time (min)": "total_fluoro_time_s/60",
    },
)
_NUMBERS = [header for name, header in statistics().items() if name != "n"]
_MENUS = (inputs.SITE, inputs.STATION, inputs.PROCEDURE, inputs.AGE)
_LEVELS = {
    "Dose at reference point, 12 weeks (mGy)": [(1000.0, palette.WARN), (2000.0, palette.BAD)],
    "DAP, 12 weeks (Gy.cm2)": [(100.0, palette.WARN), (200.0, palette.BAD)],
}


def view() -> View:
    view = View(
        "fluoroscopy",
        "Fluoroscopy and IR",
        "Angiography (XA) and fluoroscopy (RF). Both planes of a biplane machine count together. RP: interventional reference point.",
    )
    inputs.add_time(view)
    studies = view.base("studies", _STUDIES)
    shown = inputs.add_menus(view, studies, _MENUS)
    terms = " ".join(f"{menu.field}=${menu.token}|s$" for menu in _MENUS)
    irradiations = view.chain(
        "shown irradiations", view.base("irradiations", _IRRADIATIONS), f"| search {terms}"
    )

    counts = view.chain("counts", shown, "| stats count AS studies max(total_rp_dose_mGy) AS highest")
    medians = view.chain("medians", shown, _QUANTITIES + medians_of("quantity"))
    view.row(
        120,
        panels.number("Studies", counts, "studies"),
        panels.number("Median DAP", medians, "DAP (Gy.cm2)", unit="Gy.cm2", digits=1),
        panels.number("Median dose at RP", medians, "Dose at reference point (mGy)", unit="mGy", digits=0),
        panels.number("Median fluoroscopy time", medians, "Fluoroscopy time (min)", unit="min", digits=1),
        panels.number(
            "Highest dose at RP",
            counts,
            "highest",
            unit="mGy",
            levels=[(0, palette.GOOD), (2000, palette.BAD)],
        ),
    )
    view.row(
        380,
        panels.table(
            "Dose of a study by procedure and room",
            view.chain(
                "by procedure",
                shown,
                f"""
                {_QUANTITIES}
                | `dose_statistics(value,standard_procedure room quantity)`
                | sort 0 standard_procedure room quantity
                """
                + headed(
                    {
                        "standard_procedure": "Procedure",
                        "room": "Room",
                        "quantity": "Quantity",
                        **statistics(),
                    }
                ),
            ),
            digits=dict.fromkeys(_NUMBERS, 1),
            widths={"Procedure": 180, "Quantity": 190, "n": 50},
            description="Units stand beside the quantity. Rooms are those of the lookup dose_device_map. Click a row to choose its procedure.",
            drilldowns=[drilldowns.set_tokens(procedure="row.Procedure.value")],
        ),
    )
    view.row(
        360,
        panels.table(
            "DAP of a study against reference levels",
            view.chain(
                "dap reference",
                shown,
                """
                | `dose_statistics(total_dap_Gycm2,modality standard_procedure age_band)`
                | eval total_dap_Gycm2=median, standard_protocol=standard_procedure, phantom="none", weight_band="any"
                | `dose_reference(total_dap_Gycm2)`
                | sort 0 standard_procedure age_band
                """
                + headed(
                    {
                        "standard_procedure": "Procedure",
                        "age_band": "Age band",
                        "n": "n",
                        "median": "Median (Gy.cm2)",
                        "p75": "p75 (Gy.cm2)",
                        "reference_level": "DRL (Gy.cm2)",
                        "reference_ratio": "Median / DRL",
                        "reference_source": "Source",
                    }
                ),
            ),
            digits={
                "Median (Gy.cm2)": 1,
                "p75 (Gy.cm2)": 1,
                "DRL (Gy.cm2)": 1,
                "Median / DRL": 2,
            },
            levels={"Median / DRL": [(1.0, palette.WARN), (2.0, palette.BAD)]},
            widths={
                "Procedure": 135,
                "Age band": 75,
                "n": 45,
                "Median (Gy.cm2)": 105,
                "p75 (Gy.cm2)": 105,
                "DRL (Gy.cm2)": 105,
                "Source": 110,
            },
            weight=1.3,
            description="DRL: the reference level in the lookup dose_drl; empty where it holds none.",
        ),
        panels.columns(
            "DAP by kind of irradiation and plane",
            view.chain(
                "by type",
                irradiations,
                """
                | eval kind=event_type.", ".plane
                | chart limit=0 sum(dap_Gycm2) OVER station_name BY kind
                """,
            ),
            x="Station",
            y="DAP (Gy.cm2)",
            stacked=True,
        ),
    )
    view.row(
        360,
        panels.columns(
            "Dose at the reference point: the 40 highest studies",
            view.chain(
                "by study",
                shown,
                """
                | sort 40 - total_rp_dose_mGy
                | eval start=strftime(_time, "%m-%d %H:%M")
                | stats sum(total_rp_dose_mGy) AS dose BY _time start standard_procedure
                | sort 0 _time
                | xyseries start standard_procedure dose
                """,
            ),
            x="Start of the study",
            y="Dose at reference point (mGy)",
            stacked=True,
            names=True,
            legend="bottom",
        ),
        panels.line(
            "Median DAP of a study by week and procedure",
            view.chain(
                "over time",
                shown,
                "| where isnotnull(total_dap_Gycm2)"
                + frequent("standard_procedure")
                + weekly("total_dap_Gycm2", "standard_procedure"),
            ),
            x="Week",
            y="Median DAP (Gy.cm2)",
            description="The eight most frequent procedures.",
        ),
        panels.scatter(
            "DAP against fluoroscopy time",
            view.chain(
                "time and dap",
                shown,
                """
                | eval minutes=round(total_fluoro_time_s/60, 2)
                | where isnotnull(minutes) AND isnotnull(total_dap_Gycm2)
                | table minutes total_dap_Gycm2 standard_procedure
                """,
            ),
            x="Fluoroscopy time (min)",
            y="DAP (Gy.cm2)",
            of=("minutes", "total_dap_Gycm2", "standard_procedure"),
        ),
    )
    view.row(
        400,
        panels.table(
            "Each study by kind of irradiation and plane",
            view.chain(
                "detail",
                irradiations,
                """
                | stats min(_time) AS start count AS n sum(dap_Gycm2) AS dap sum(rp_dose_mGy) AS dose sum(irradiation_duration_s) AS seconds BY study_instance_uid identifier standard_procedure device_name event_type plane
                | eventstats min(start) AS study_start BY study_instance_uid
                | sort 0 - study_start, study_instance_uid, event_type, plane
                | eval when=strftime(study_start, "%Y-%m-%d %H:%M"), minutes=seconds/60
                """
                + headed(
                    {
                        "when": "Start",
                        "identifier": "Accession number",
                        "standard_procedure": "Procedure",
                        "device_name": "Device",
                        "event_type": "Kind of irradiation",
                        "plane": "Plane",
                        "n": "n",
                        "dap": "DAP (Gy.cm2)",
                        "dose": "Dose at reference point (mGy)",
                        "minutes": "Time (min)",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            digits={"DAP (Gy.cm2)": 2, "Dose at reference point (mGy)": 1, "Time (min)": 2},
            widths={
                "Start": 120,
                "Accession number": 110,
                "Procedure": 180,
                "Device": 150,
                "Kind of irradiation": 150,
                "n": 50,
            },
            description="The sum over the irradiations, each once. Click a row for the study.",
            drilldowns=[drilldowns.to_study()],
        ),
    )
    view.row(
        340,
        panels.table(
            "Dose of a patient over 12 weeks",
            view.chain(
                "highest of 12 weeks",
                view.base("cumulative", _CUMULATIVE),
                f"""
                | search {terms}
                | sort 0 - cumulative_rp_dose_mGy, - cumulative_dap_Gycm2
                | dedup patient_key
                | eval when=strftime(_time, "%Y-%m-%d %H:%M")
                """
                + or_say(
                    "patient_key", "No PatientID in these events: an input with phi = drop leaves it out"
                )
                + headed(
                    {
                        "patient_key": "Patient",
                        "when": "12 weeks up to",
                        "cumulative_studies": "Studies in 12 weeks",
                        "cumulative_rp_dose_mGy": "Dose at reference point, 12 weeks (mGy)",
                        "cumulative_dap_Gycm2": "DAP, 12 weeks (Gy.cm2)",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            digits={"Dose at reference point, 12 weeks (mGy)": 0, "DAP, 12 weeks (Gy.cm2)": 1},
            levels=_LEVELS,
            description="For each patient of the time range the 84 days with the highest dose, wherever they began and in whatever room."
            " Red from 2 Gy and 200 Gy.cm2 on, amber from half of it. Under phi = hash the patient is a pseudonym. Click a row for the last study of them.",
            drilldowns=[drilldowns.to_study()],
        ),
    )
    return view
