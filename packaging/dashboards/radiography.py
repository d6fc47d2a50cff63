"""Radiography and Nuclear Medicine: DAP and exposure of radiographs, administered activity."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import each_quantity, frequent, headed, or_say, statistics, weekly
from dashboards.studio import View

_RADIOGRAPHS = """
`dose_event_search` modality=DX | fields `dose_event_needs` entrance_exposure_mGy exposure_mAs kvp_kV exposure_index target_exposure_index deviation_index
| `dose_event_rows`
| table _time study_instance_uid identifier site station_name device_name standard_protocol age_band dose_source weight_kg dap_Gycm2 entrance_exposure_mGy exposure_mAs kvp_kV exposure_index target_exposure_index deviation_index
"""
_ACTIVITIES = """
`dose_event_search` (modality=NM OR modality=PT) | fields `dose_event_needs` radiopharmaceutical_agent radionuclide effective_dose_mSv
| `dose_event_rows`
| eval agent=coalesce(radiopharmaceutical_agent, radionuclide, "unknown")
| table _time study_instance_uid identifier modality site station_name device_name standard_protocol age_band agent radionuclide weight_kg administered_activity_MBq effective_dose_mSv
"""
_MENUS = (inputs.SITE, inputs.STATION, inputs.PROTOCOL, inputs.AGE)
_EXPOSURES = {
    "kVp (kV)": "kvp_kV",
    "Exposure (mAs)": "exposure_mAs",
    "Entrance exposure (mGy)": "entrance_exposure_mGy",
    "Exposure index": "exposure_index",
    "Deviation index": "deviation_index",
}
_STATISTICS = ("Min", "p25", "Median", "Mean", "p75", "Max")


def view() -> View:
    view = View(
        "radiography",
        "Radiography and Nuclear Medicine",
        "Radiographs from dose reports, and from image headers where an input has dose_from_images = true;"
        " administered activity from reports of radiopharmaceuticals.",
    )
    inputs.add_time(view)
    shown = inputs.add_menus(view, view.base("radiographs", _RADIOGRAPHS), _MENUS)
    terms = " ".join(f"{menu.field}=${menu.token}|s$" for menu in _MENUS)
    activities = view.chain("shown activities", view.base("activities", _ACTIVITIES), f"| search {terms}")

    totals = view.chain(
        "totals",
        shown,
        "| stats count AS exposures dc(study_instance_uid) AS studies count(dap_Gycm2) AS with_dap",
    )
    given = view.chain("given", activities, "| stats count AS administrations dc(agent) AS agents")
    view.row(
        120,
        panels.number("Radiographs", totals, "exposures"),
        panels.number("Studies", totals, "studies"),
        panels.number("Radiographs with DAP", totals, "with_dap"),
        panels.number("Administrations", given, "administrations"),
        panels.number("Radiopharmaceuticals", given, "agents"),
    )
    view.row(
        300,
        panels.table(
            "DAP of a radiograph by protocol and age band",
            view.chain(
                "dap",
                shown,
                """
                | `dose_statistics(dap_Gycm2,standard_protocol age_band)`
                | eval dap_Gycm2=median, modality="DX", standard_procedure=standard_protocol, phantom="none", weight_band="any"
                | `dose_reference(dap_Gycm2)`
                | sort 0 standard_protocol age_band
                """
                + or_say("standard_protocol", "No radiograph with DAP in this time range")
                + headed(
                    {
                        "standard_protocol": "Protocol",
                        "age_band": "Age band",
                        **statistics("Gy.cm2"),
                        "reference_level": "DRL (Gy.cm2)",
                        "reference_ratio": "Median / DRL",
                    }
                ),
            ),
            digits={f"{name} (Gy.cm2)": 3 for name in (*_STATISTICS, "DRL")} | {"Median / DRL": 2},
            levels={"Median / DRL": [(1.0, palette.WARN), (2.0, palette.BAD)]},
            description="Detectors without a dose meter (CR) tell no DAP. DRL: the reference level in the lookup dose_drl.",
        ),
    )
    view.row(
        380,
        panels.table(
            "Exposure by station and protocol",
            view.chain(
                "exposure",
                shown,
                each_quantity(
                    _EXPOSURES,
                    value=_EXPOSURES,
                )
                + """
                | `dose_statistics(value,station_name standard_protocol dose_source quantity)`
                | sort 0 +station_name, +standard_protocol, +quantity
                """
                + or_say("station_name", "No radiograph in this time range")
                + headed(
                    {
                        "station_name": "Station",
                        "standard_protocol": "Protocol",
                        "dose_source": "From",
                        "quantity": "Quantity",
                        **statistics(),
                    }
                ),
            ),
            digits={header: 2 for name, header in statistics().items() if name != "n"},
            description="From: a dose report, or the header of an image.",
        ),
    )
    view.row(
        340,
        panels.columns(
            "Radiographs by day and station",
            view.chain("by day", shown, "| timechart span=1d limit=0 count BY station_name"),
            x="Day",
            y="Radiographs",
            stacked=True,
        ),
        panels.line(
            "Median DAP of a radiograph by week: eight most frequent protocols",
            view.chain(
                "over time",
                shown,
                "| where isnotnull(dap_Gycm2)"
                + frequent("standard_protocol")
                + weekly("dap_Gycm2", "standard_protocol"),
            ),
            x="Week",
            y="Median DAP (Gy.cm2)",
        ),
    )
    view.row(
        340,
        panels.scatter(
            "DAP against the patient's weight",
            view.chain(
                "by weight",
                shown,
                """
                | where isnotnull(dap_Gycm2) AND isnotnull(weight_kg)
                | table weight_kg dap_Gycm2 standard_protocol
                """,
            ),
            x="Weight (kg)",
            y="DAP (Gy.cm2)",
            of=("weight_kg", "dap_Gycm2", "standard_protocol"),
        ),
        panels.line(
            "Median exposure by week: eight most frequent protocols",
            view.chain(
                "exposure over time",
                shown,
                "| where isnotnull(exposure_mAs)"
                + frequent("standard_protocol")
                + weekly("exposure_mAs", "standard_protocol"),
            ),
            x="Week",
            y="Median exposure (mAs)",
        ),
    )
    view.row(
        360,
        panels.table(
            "Administered activity by radiopharmaceutical and age band",
            view.chain(
                "activity",
                activities,
                """
                | `dose_statistics(administered_activity_MBq,agent age_band)`
                | sort 0 agent age_band
                """
                + or_say("agent", "No administration in this time range")
                + headed(
                    {
                        "agent": "Agent",
                        "age_band": "Age band",
                        **statistics("MBq"),
                    }
                ),
            ),
            digits={f"{name} (MBq)": 1 for name in _STATISTICS},
            widths={"Agent": 150, "Age band": 75, "n": 45} | {f"{name} (MBq)": 85 for name in _STATISTICS},
            weight=1.25,
        ),
        panels.table(
            "Each administration",
            view.chain(
                "administrations",
                activities,
                """
                | sort 0 - _time | head 500
                | eval when=strftime(_time, "%Y-%m-%d %H:%M"), per_kg=administered_activity_MBq/weight_kg
                """
                + or_say("when", "No administration in this time range")
                + headed(
                    {
                        "when": "Start",
                        "identifier": "Accession number",
                        "agent": "Agent",
                        "administered_activity_MBq": "Activity (MBq)",
                        "per_kg": "Activity by weight (MBq/kg)",
                        "effective_dose_mSv": "Effective dose (mSv)",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            digits={"Activity (MBq)": 1, "Activity by weight (MBq/kg)": 2, "Effective dose (mSv)": 2},
            widths={"Accession number": 110, "Agent": 150, "Effective dose (mSv)": 100},
            description="Click a row for the study.",
            drilldowns=[drilldowns.to_study()],
        ),
    )
    return view
