"""Mammography: average glandular dose by compressed thickness and view."""

from __future__ import annotations

from dashboards import drilldowns, inputs, panels
from dashboards.spl import headed, statistics
from dashboards.studio import View

_IRRADIATIONS = """
`dose_event_search` modality=MG | `dose_event_rows`
| eval projection=case(match(lower(image_view), "oblique"), "MLO", match(lower(image_view), "caudal"), "CC", true(), coalesce(image_view, "unknown"))
| eval side=coalesce(laterality, "unknown"), technique=coalesce(replace(anode_target_material, " or .*", ""), "unknown")." / ".coalesce(replace(filter_material, " or .*", ""), "unknown")
| eval from_mm=floor(compression_thickness_mm/10)*10, thickness=if(isnull(from_mm), "unknown", from_mm." to ".(from_mm+9)." mm")
| table _time study_instance_uid identifier site station_name device_name standard_protocol age_band side projection technique thickness compression_thickness_mm compression_force_N kvp_kV agd_mGy
"""
_STATISTICS = statistics("mGy")


def view() -> View:
    view = View(
        "mammography",
        "Mammography",
        "Average glandular dose (AGD) of each exposure, as the machine states it; each exposure counts once.",
    )
    inputs.add_time(view)
    irradiations = view.base("irradiations", _IRRADIATIONS)
    menus = (inputs.SITE, inputs.STATION, inputs.PROTOCOL, inputs.AGE)
    shown = inputs.add_menus(view, irradiations, menus)

    totals = view.chain(
        "totals",
        shown,
        "| stats count AS exposures dc(study_instance_uid) AS studies exactperc50(agd_mGy) AS agd exactperc50(compression_thickness_mm) AS thickness exactperc50(compression_force_N) AS force",
    )
    view.row(
        120,
        panels.number("Exposures", totals, "exposures"),
        panels.number("Studies", totals, "studies"),
        panels.number("Median AGD", totals, "agd", unit="mGy", digits=2),
        panels.number("Median compressed thickness", totals, "thickness", unit="mm"),
        panels.number("Median compression force", totals, "force", unit="N"),
    )
    view.row(
        380,
        panels.scatter(
            "AGD against compressed thickness",
            view.chain(
                "by thickness",
                shown,
                """
                | where isnotnull(agd_mGy) AND isnotnull(compression_thickness_mm)
                | table compression_thickness_mm agd_mGy projection
                """,
            ),
            x="Compressed thickness (mm)",
            y="AGD (mGy)",
            of=("compression_thickness_mm", "agd_mGy", "projection"),
        ),
        panels.columns(
            "Median AGD by thickness band and view",
            view.chain(
                "bands",
                shown,
                """
                | `dose_statistics(agd_mGy, thickness projection)`
                | xyseries thickness projection median
                | sort 0 thickness
                """,
            ),
            x="Compressed thickness (bands of 10 mm)",
            y="Median AGD (mGy)",
        ),
    )
    view.row(
        400,
        panels.table(
            "AGD of an exposure by thickness band and view",
            view.chain(
                "statistics",
                shown,
                """
                | `dose_statistics(agd_mGy, thickness projection)`
                | sort 0 thickness projection
                """
                + headed({"thickness": "Compressed thickness", "projection": "View", **_STATISTICS}),
            ),
            digits={header: 2 for name, header in _STATISTICS.items() if name != "n"},
        ),
    )
    view.row(
        360,
        panels.line(
            "Median AGD by week and station",
            view.chain("over time", shown, "| timechart span=7d limit=0 median(agd_mGy) BY station_name"),
            x="Week",
            y="Median AGD (mGy)",
        ),
        panels.table(
            "Technique by station",
            view.chain(
                "technique",
                shown,
                """
                | stats count AS n exactperc50(kvp_kV) AS kvp exactperc50(compression_force_N) AS force exactperc50(agd_mGy) AS agd BY station_name technique
                | sort 0 station_name technique
                """
                + headed(
                    {
                        "station_name": "Station",
                        "technique": "Anode / filter",
                        "kvp": "Median kVp (kV)",
                        "force": "Median force (N)",
                        "agd": "Median AGD (mGy)",
                    }
                ),
            ),
            digits={"Median kVp (kV)": 0, "Median force (N)": 0, "Median AGD (mGy)": 2},
        ),
    )
    view.row(
        380,
        panels.table(
            "AGD of each study by breast",
            view.chain(
                "by study",
                shown,
                """
                | stats min(_time) AS start count AS n sum(eval(if(side="Left", agd_mGy, null()))) AS left sum(eval(if(side="Right", agd_mGy, null()))) AS right max(compression_thickness_mm) AS thickest BY study_instance_uid identifier device_name age_band
                | sort 0 - start
                | eval when=strftime(start, "%Y-%m-%d %H:%M")
                """
                + headed(
                    {
                        "when": "Start",
                        "identifier": "Accession number",
                        "device_name": "Device",
                        "age_band": "Age band",
                        "n": "Exposures",
                        "left": "AGD left (mGy)",
                        "right": "AGD right (mGy)",
                        "thickest": "Greatest thickness (mm)",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            digits={"AGD left (mGy)": 2, "AGD right (mGy)": 2, "Greatest thickness (mm)": 0},
            description="The sum over a breast's exposures. Click a row for the study.",
            drilldowns=[drilldowns.to_study()],
        ),
    )
    return view
