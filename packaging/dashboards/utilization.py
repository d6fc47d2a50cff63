"""Utilization: how many examinations, where and when, and how long a room stands empty between two."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import headed
from dashboards.studio import View

_STUDIES = """
`dicom_studies`
| eval day=substr(StudyDateTime, 1, 10), minutes=(study_end-study_start)/60
| eval room=if(room="unknown", station_name, room)
| table _time day StudyInstanceUID identifier StudyDescription modality site room station_name device_name study_start study_end minutes n_series n_instances orthanc_server ParentStudy
"""
# The gap between the end of an examination and the start of the next in the same room, on the same day.
_GAPS = """
| sort 0 +study_start
| streamstats current=f last(study_end) AS end_before last(day) AS day_before BY site room
| eval gap=if(day=day_before AND study_start>=end_before, (study_start-end_before)/60, null())
"""


def view() -> View:
    view = View(
        "utilization",
        "Utilization",
        "Examinations by modality, station and room, by the date and time of the study.",
    )
    inputs.add_time(view)
    menus = (inputs.SITE, inputs.STATION, inputs.MODALITY)
    shown = inputs.add_menus(view, view.base("studies", _STUDIES), menus)
    inputs.add_text(view, "dest", "Copy to (server)", "research")

    totals = view.chain(
        "totals",
        shown,
        """
        | eval all="all" | `dose_median(minutes,all,median_minutes)`
        | stats count AS studies dc(day) AS days dc(room) AS rooms first(median_minutes) AS minutes
        | eval by_day=if(days>0, studies/days, 0)
        """,
    )
    view.row(
        120,
        panels.number("Studies", totals, "studies"),
        panels.number("Days with studies", totals, "days"),
        panels.number("Studies a day", totals, "by_day", digits=1),
        panels.number("Rooms", totals, "rooms"),
        panels.number("Median length of a study", totals, "minutes", unit="min", digits=1),
    )
    view.row(
        360,
        panels.columns(
            "Studies by modality and day of StudyDateTime",
            view.chain(
                "by day",
                shown,
                "| where isnotnull(day) | chart limit=0 count OVER day BY modality",
            ),
            x="Day of the study",
            y="Studies",
            stacked=True,
            names=True,
            colours=palette.MODALITIES,
            description="Days without a study are left out, and so are studies without a date.",
        ),
    )
    view.row(
        360,
        panels.columns(
            "Studies by station",
            view.chain("by station", shown, "| chart limit=0 count OVER station_name BY modality"),
            x="Station",
            y="Studies",
            stacked=True,
            names=True,
            colours=palette.MODALITIES,
        ),
        panels.columns(
            "Studies by hour of the day",
            view.chain(
                "by hour",
                shown,
                """
                | eval hour=strftime(_time, "%H")
                | chart limit=0 count OVER hour BY modality
                """,
            ),
            x="Hour of the day, when the study began",
            y="Studies",
            stacked=True,
            colours=palette.MODALITIES,
        ),
    )
    view.row(
        380,
        panels.table(
            "Rooms: how busy, and the gap between two examinations",
            view.chain(
                "rooms",
                shown,
                f"""
                {_GAPS.strip()}
                | `dose_median(minutes,room device_name,median_minutes)` | `dose_median(gap,room device_name,median_gap)`
                | stats count AS studies dc(day) AS days first(median_minutes) AS minutes count(gap) AS gaps first(median_gap) AS gap min(gap) AS shortest BY room device_name
                | eval by_day=studies/days
                | sort 0 +room
                """
                + headed(
                    {
                        "room": "Room",
                        "device_name": "Device",
                        "studies": "Studies",
                        "days": "Days with studies",
                        "by_day": "Studies a day",
                        "minutes": "Median length (min)",
                        "gaps": "Turn-arounds",
                        "gap": "Median turn-around (min)",
                        "shortest": "Shortest turn-around (min)",
                    }
                ),
            ),
            digits={
                "Studies a day": 1,
                "Median length (min)": 1,
                "Median turn-around (min)": 0,
                "Shortest turn-around (min)": 0,
            },
            widths={
                "Device": 130,
                "Turn-arounds": 110,
                "Median turn-around (min)": 105,
                "Shortest turn-around (min)": 105,
            },
            description="Length: first to last object. Turn-around: to the next study in the room on the same day; empty where there was none.",
            weight=2,
        ),
        panels.table(
            "Copy the studies of a procedure",
            view.chain(
                "procedures",
                shown,
                """
                | stats count AS studies sum(n_instances) AS instances BY StudyDescription modality
                | sort 0 -studies, +StudyDescription
                """
                + headed(
                    {
                        "StudyDescription": "Study description",
                        "modality": "Modality",
                        "studies": "Studies",
                        "instances": "Instances",
                    }
                ),
            ),
            widths={"Study description": 150, "Modality": 105, "Instances": 105},
            description="Click a row for a dry run in Search, which sends nothing.",
            drilldowns=[
                drilldowns.to_search(
                    "`dicom_studies` | search StudyDescription=$row.Study description.value|s$"
                    " | table orthanc_server ParentStudy identifier StudyDescription"
                    " | copydicom dest=$dest$ level=study id=ParentStudy dryrun=true",
                    "$time.earliest$",
                    "$time.latest$",
                )
            ],
        ),
    )
    return view
