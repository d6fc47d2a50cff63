"""Mammography: average glandular dose by compressed thickness and view."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import each_quantity, headed, medians_of, statistics, weekly
from dashboards.studio import Panel, View

_IRRADIATIONS = """
`dose_event_search` modality=MG | fields `dose_event_needs` image_view laterality anode_target_material filter_material compression_thickness_mm compression_force_N kvp_kV exposure_mAs
| `dose_event_rows`
| eval projection=case(match(lower(image_view), "oblique"), "MLO", match(lower(image_view), "caudal"), "CC", true(), coalesce(image_view, "unknown"))
| eval side=coalesce(laterality, "unknown"), technique=coalesce(replace(anode_target_material, " or .*", ""), "unknown")." / ".coalesce(replace(filter_material, " or .*", ""), "unknown")
| eval from_mm=floor(compression_thickness_mm/10)*10, thickness=if(isnull(from_mm), "unknown", from_mm." to ".(from_mm+9)." mm")
| table _time study_instance_uid identifier site station_name device_name standard_protocol age_band side projection technique thickness compression_thickness_mm compression_force_N kvp_kV exposure_mAs agd_mGy
"""
_STATISTICS = statistics("mGy")
_RENAMED = ", ".join(f'{name} AS "{header}"' for name, header in _STATISTICS.items())
_GROUPS = {
    "protocol, thickness band and view": "standard_protocol thickness projection",
    "thickness band and view": "thickness projection",
    "station, thickness band and view": "station_name thickness projection",
}
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
    inputs.add_choice(view, "groups", "One row for each", _GROUPS)

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
                | `dose_statistics(agd_mGy,thickness projection)`
                | xyseries thickness projection median
                | sort 0 thickness
                """,
            ),
            x="Compressed thickness (bands of 10 mm)",
            y="Median AGD (mGy)",
        ),
    )
    view.row(
        340,
        panels.table(
            "AGD of an exposure by thickness band and view",
            view.chain(
                "statistics",
                shown,
                f"""
                | `dose_statistics(agd_mGy,$groups$)`
                | eval kept=standard_protocol, agd_mGy=median, modality="MG", standard_protocol=coalesce(standard_protocol, "any"), standard_procedure=standard_protocol, age_band="any", weight_band="any", phantom="none"
                | `dose_reference(agd_mGy)`
                | eval standard_protocol=kept
                | sort 0 $groups$
                | table $groups$ n min p25 median mean p75 max reference_level reference_ratio
                | rename standard_protocol AS "Protocol", station_name AS "Station", thickness AS "Thickness", projection AS "View", {_RENAMED}, reference_level AS "DRL (mGy)", reference_ratio AS "Median / DRL"
                """,
            ),
            digits={header: 2 for name, header in _STATISTICS.items() if name != "n"}
            | {"DRL (mGy)": 2, "Median / DRL": 2},
            levels={"Median / DRL": [(1.0, palette.WARN), (2.0, palette.BAD)]},
            widths={"Protocol": 170, "n": 50},
            description="DRL: the reference level in the lookup dose_drl for the protocol; empty where it holds none.",
        ),
    )
    view.row(
        340,
        _technique(view, shown, "kVp", "kvp_kV", "kV"),
        _technique(view, shown, "Exposure", "exposure_mAs", "mAs"),
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
                | `dose_statistics(value,station_name technique quantity)`
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
            digits={"p25": 2, "Median": 2, "p75": 2},
            widths={"Anode / filter": 135, "Quantity": 160, "n": 50, "p25": 70, "Median": 90, "p75": 70},
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


def _technique(view: View, shown: str, name: str, field: str, unit: str) -> Panel:
    chain = view.chain(
        f"{name} by thickness",
        shown,
        f"""
        | where isnotnull({field}) AND isnotnull(compression_thickness_mm)
        | table compression_thickness_mm {field} technique
        """,
    )
    return panels.scatter(
        f"{name} against compressed thickness",
        chain,
        x="Compressed thickness (mm)",
        y=f"{name} ({unit})",
        of=("compression_thickness_mm", field, "technique"),
        description="By anode and filter.",
    )
