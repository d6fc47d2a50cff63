"""Overview: what came in, and dose at a glance."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import headed
from dashboards.studio import View

_STUDIES = """
`dicom_studies`
| table _time StudyInstanceUID AccessionNumber StudyDescription modality site station_name device_name n_series n_instances
"""
_DOSES = """
`dose_studies`
| eval quantity=case(dose_kind="CT", "Total DLP (mGy.cm)", modality="MG", "AGD, both breasts (mGy)", dose_kind="XR", "DAP (Gy.cm2)")
| eval dose=tonumber(case(dose_kind="CT", total_dlp_mGycm, modality="MG", summed_total_agd_both_mGy, dose_kind="XR", total_dap_Gycm2))
| table _time study_instance_uid identifier modality site station_name device_name standard_procedure age_band n_scans quantity dose
"""


def view() -> View:
    view = View(
        "overview",
        "Overview",
        "What came in, and the doses of it. Times are those of the examinations, by the scanners' clocks.",
    )
    inputs.add_time(view)
    studies = view.base("studies", _STUDIES)
    shown = inputs.add_menus(view, studies, (inputs.SITE, inputs.STATION, inputs.MODALITY))
    doses = view.base("doses", _DOSES)
    shown_doses = view.chain(
        "shown doses",
        doses,
        "| search site=$site|s$ station_name=$station|s$ modality=$modality|s$ | where isnotnull(dose)",
    )

    totals = view.chain(
        "totals",
        shown,
        "| stats count AS studies sum(n_series) AS series sum(n_instances) AS instances dc(station_name) AS stations"
        " | fillnull value=0 series instances",
    )
    dosed = view.chain(
        "studies with dose",
        shown_doses,
        "| stats dc(study_instance_uid) AS studies sum(n_scans) AS irradiations | fillnull value=0 irradiations",
    )
    view.row(
        130,
        panels.number("Studies", totals, "studies"),
        panels.number("Series", totals, "series"),
        panels.number("Instances", totals, "instances"),
        panels.number("Stations", totals, "stations"),
        panels.number("Studies with dose", dosed, "studies"),
        panels.number("Irradiations", dosed, "irradiations"),
    )
    view.row(
        320,
        panels.columns(
            "Studies by day and modality",
            view.chain("by day", shown, "| timechart span=1d limit=0 count BY modality"),
            x="Day of the study",
            y="Studies",
            stacked=True,
            colours=palette.MODALITIES,
            drilldowns=[drilldowns.to_view("utilization")],
        ),
    )
    view.row(
        340,
        panels.punchcard(
            "Studies by hour of the day and weekday",
            view.chain(
                "by hour",
                shown,
                """
                | eval hour=tonumber(strftime(_time, "%H")), day=(tonumber(strftime(_time, "%w"))+6)%7
                | stats count AS studies BY day hour
                | appendpipe [stats count AS studies | eval studies=0, day=mvrange(0, 7), hour=mvrange(0, 24) | mvexpand day | mvexpand hour]
                | stats sum(studies) AS studies BY day hour
                | eval weekday=mvindex(split("Mon Tue Wed Thu Fri Sat Sun", " "), day)
                | sort 0 +day, +hour
                | table hour weekday studies
                """,
            ),
            description="When examinations begin: hour across, weekday down, the number of studies in the circle.",
            weight=1.2,
        ),
        panels.table(
            "Dose at a glance: totals of studies by modality",
            view.chain(
                "glance",
                shown_doses,
                """
                | `dose_statistics(dose,modality quantity)`
                | sort 0 modality
                """
                + headed(
                    {
                        "modality": "Modality",
                        "quantity": "Quantity",
                        "n": "Studies",
                        "median": "Median",
                        "p75": "p75",
                        "max": "Max",
                    }
                ),
            ),
            digits={"Median": 2, "p75": 2, "Max": 2},
            widths={"Modality": 105, "Quantity": 145, "Studies": 95, "Median": 95, "p75": 80, "Max": 80},
            description="Totals of studies with dose; each irradiation counts once.",
        ),
    )
    view.row(
        440,
        panels.table(
            "Highest doses of each modality",
            view.chain(
                "highest",
                shown_doses,
                """
                | sort 0 modality, - dose
                | streamstats count AS rank BY modality
                | where rank<=5
                | eval when=strftime(_time, "%Y-%m-%d %H:%M")
                """
                + headed(
                    {
                        "when": "Study",
                        "identifier": "Accession number",
                        "modality": "Modality",
                        "standard_procedure": "Procedure",
                        "device_name": "Device",
                        "age_band": "Age band",
                        "dose": "Dose",
                        "quantity": "Quantity",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            digits={"Dose": 2},
            widths={
                "Accession number": 110,
                "Modality": 105,
                "Age band": 75,
                "Procedure": 150,
                "Device": 140,
                "Quantity": 150,
                "Dose": 85,
            },
            rows=20,
            description="The five studies with the highest dose of each modality. Click a row for the study.",
            drilldowns=[drilldowns.to_study()],
            weight=2,
        ),
        panels.columns(
            "Studies by station",
            view.chain(
                "by station",
                shown,
                "| chart limit=0 count OVER station_name BY modality",
            ),
            x="Station",
            y="Studies",
            stacked=True,
            names=True,
            colours=palette.MODALITIES,
        ),
    )
    return view
