"""Of Data Quality: names that no lookup knows, and levels in the lookups that cannot be used."""

from __future__ import annotations

from dashboards import panels
from dashboards.spl import headed, or_say
from dashboards.studio import View

_LEVELS = """
| inputlookup dose_drl | eval lookup_name="dose_drl", name=standard_name
| inputlookup append=t dose_alert_levels | eval lookup_name=coalesce(lookup_name, "dose_alert_levels"), name=coalesce(name, "all (".scope.")")
| `dose_unit_factor(unit,metric,unit_factor)`
| eval why=case(isnull(tonumber(level)), "it has no level", isnull(unit_factor), "the unit does not fit the metric")
| where isnotnull(why)
| sort 0 +lookup_name, +modality, +name, +metric
"""


def add_rows(view: View, records: str, images: str) -> None:
    """`records` and `images` are searches of irradiations and reports, and of studies by their images."""
    view.row(
        340,
        panels.table(
            "Devices that dose_device_map does not know",
            view.chain(
                "devices",
                images,
                """
                | where device_mapped="no"
                | stats count AS studies max(_time) AS latest BY station_name modality manufacturer_model site
                | sort 0 -studies, +station_name
                | eval latest=strftime(latest, "%Y-%m-%d")
                """
                + or_say("station_name", "All devices are in the lookup")
                + headed(
                    {
                        "station_name": "Station",
                        "modality": "Modality",
                        "manufacturer_model": "Model",
                        "site": "Site",
                        "studies": "Studies",
                        "latest": "Latest study",
                    }
                ),
            ),
            widths={"Modality": 105, "Model": 130, "Site": 130},
            description="Add them to the lookup, so that rooms and names are yours.",
        ),
        panels.table(
            "Protocols and procedures that no map knows",
            view.chain(
                "protocols",
                records,
                """
                | where record_type="event" AND is_localizer="false"
                | eval name=mvappend(if(protocol_mapped="no", "protocol: ".protocol_name, null()), if(procedure_mapped="no", "procedure: ".procedure_name, null()))
                | where isnotnull(name)
                | mvexpand name
                | stats count AS n dc(study_instance_uid) AS studies values(station_name) AS stations BY name modality
                | eval stations=mvjoin(stations, ", ")
                | sort 0 -studies, +name
                """
                + or_say("name", "All names are in the lookups")
                + headed(
                    {
                        "name": "Name",
                        "modality": "Modality",
                        "stations": "Stations",
                        "n": "Irradiations",
                        "studies": "Studies",
                    }
                ),
            ),
            widths={"Name": 230, "Modality": 105, "Irradiations": 125},
            description="A name that dose_protocol_map or dose_procedure_map does not know counts as its own standard name.",
        ),
    )
    view.row(
        260,
        panels.table(
            "Reference and alert levels that are not used",
            view.base(
                "levels",
                _LEVELS
                + or_say("why", "Every level can be used")
                + headed(
                    {
                        "lookup_name": "Lookup",
                        "modality": "Modality",
                        "name": "Standard name",
                        "metric": "Metric",
                        "level": "Level",
                        "unit": "Unit",
                        "why": "Why",
                    }
                ),
            ),
            widths={"Standard name": 170, "Metric": 150, "Why": 170},
            description="A level may be in another unit than its metric, such as cGy.cm2 for total_dap_Gycm2: it is converted.",
        ),
    )
