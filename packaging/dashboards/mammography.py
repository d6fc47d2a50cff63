"""Mammography: average glandular dose by compressed thickness and view."""

from __future__ import annotations

from dashboards import drilldowns, inputs, panels
from dashboards.spl import each_quantity, headed, medians_of, statistics, weekly
from dashboards.studio import View

_IRRADIATIONS = """
`dose_event_search` modality=MG | `dose_event_rows`
| eval projection=case(match(lower(image_view), "oblique"), "MLO", match(lower(image_view), "caudal"), "CC", true(), coalesce(image_view, "unknown"))
| eval side=coalesce(laterality, "unknown"), technique=coalesce(replace(anode_target_material, " or .*", ""), "unknown")." / ".coalesce(replace(filter_material, " or .*", ""), "unknown")
| eval from_mm=floor(compression_thickness_mm/10)*10, thickness=if(isnull(from_mm), "unknown", from_mm." to ".(from_mm+9)." mm")
| table _time study_instance_uid identifier site station_name device_name standard_protocol age_band side projection technique thickness compression_thickness_mm compression_force_N kvp_kV agd_mGy
"""
_STATISTICS = statistics("mGy")
_QUANTITIES = each_quantity(
    ("AGD (mGy)", "Compressed thickness (mm)", "Compression force (N)", "kVp (kV)"),
    value={
        "AGD (mGy)": "agd_mGy",
        "Compressed thickness (mm)": "compression_thickness_mm",
        "Compression force (N)": "compression_force_N",
        "kVp (kV)": "kvp_kV",
    },
)


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

    counts = view.chain("counts", shown, "| stats count AS exposures dc(study_instance_uid) AS studies")
    medians = view.chain("medians", shown, _QUANTITIES + medians_of("quantity"))
    view.row(
        120,
        panels.number("Exposures", counts, "exposures"),
        panels.number("Studies", counts, "studies"),
        panels.number("Median AGD", medians, "AGD (mGy)", unit="mGy", digits=2),
        panels.number("Median compressed thickness", medians, "Compressed thickness (mm)", unit="mm"),
        panels.number("Median compression force", medians, "Compression force (N)", unit="N"),
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
        300,
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
            view.chain("over time", shown, weekly("agd_mGy", "station_name")),
            x="Week",
            y="Median AGD (mGy)",
        ),
        panels.table(
            "Technique by station",
            view.chain(
                "technique",
                shown,
                _QUANTITIES
                + """
                | `dose_statistics(value, station_name technique quantity)`
                | sort 0 +station_name, +technique, +quantity
                """
                + headed(
                    {
                        "station_name": "Station",
                        "technique": "Anode / filter",
                        "quantity": "Quantity",
                        "n": "n",
                        "p25": "p25",
                        "median": "Median",
                        "p75": "p75",
                    }
                ),
            ),
            digits={"p25": 1, "Median": 1, "p75": 1},
            widths={"Anode / filter": 140, "Quantity": 170, "n": 50, "p25": 65, "Median": 75, "p75": 65},
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
