"""Outliers: what of dose somebody should look at, why, and what became of it."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import headed, or_say
from dashboards.studio import View

# Irradiations (record_type event) and, made of them and of the reports, one row a study (total).
_ROWS = """
`dose_study_search` | fields `dose_study_needs` | `dose_latest` | `dose_labels`
| appendpipe [`dose_by_study` | eval record_type="total"]
| where record_type="total" OR (record_type="event" AND is_localizer="false")
| eval value=tonumber(case(record_type="total", null(), dose_kind="CT", ctdivol_mGy, modality="MG", agd_mGy, dose_kind="NM", administered_activity_MBq, modality="DX", dap_Gycm2))
| eval quantity=case(dose_kind="CT", "CTDIvol (mGy)", modality="MG", "AGD (mGy)", dose_kind="NM", "activity (MBq)", true(), "DAP (Gy.cm2)")
| table _time record_type study_instance_uid identifier modality dose_kind site station_name device_name standard_protocol standard_procedure phantom age_band weight_band patient_key arrived dose_check ctdivol_mGy total_dlp_mGycm total_rp_dose_mGy total_dap_Gycm2 quantity value
"""
# Each pipe in brackets adds the rows for one reason.
_REASONS = """
| appendpipe [where record_type="event" | `dose_robust_z(value)`
    | where group_n>=$smallest$ AND robust_z>$z$
    | eval reason="outlier", detail=quantity." ".round(value, 2).", median of ".group_n.": ".round(group_median, 2).", robust z ".round(robust_z, 1)]
| appendpipe [where dose_kind="CT" AND isnull(reason)
    | eval drl_metric=if(record_type="total", "total_dlp_mGycm", "ctdivol_mGy"), drl_value=tonumber(if(record_type="total", total_dlp_mGycm, ctdivol_mGy))
    | `dose_reference_rows`
    | where reference_ratio>$factor$
    | eval reason="over reference level", detail=if(record_type="total", "DLP of the study ", "CTDIvol ").round(drl_value, 1).", level ".reference_level." ".reference_unit]
| appendpipe [where record_type="total" AND isnull(reason)
    | `dose_alert_level(study,total_rp_dose_mGy,total_dap_Gycm2)`
    | where isnotnull(over_level)
    | eval reason="over dose level", detail=over_level]
| appendpipe [where record_type="total" AND isnull(reason)
    | `fluoro_cumulative`
    | where cumulative_studies>1
    | `dose_alert_level(cumulative,cumulative_rp_dose_mGy,cumulative_dap_Gycm2)`
    | where isnotnull(over_level)
    | eval reason="over dose level in 12 weeks", detail=over_level]
| appendpipe [where record_type="total" AND isnull(reason) AND isnotnull(dose_check)
    | eval reason="dose check", detail=mvjoin(dose_check, "; ")]
| where isnotnull(reason)
| stats min(_time) AS _time values(reason) AS reason values(detail) AS detail first(identifier) AS identifier first(modality) AS modality first(standard_procedure) AS standard_procedure first(device_name) AS device_name first(age_band) AS age_band BY study_instance_uid
| `dose_ticket`
| search ticket_state=$state|s$
"""
_STATES = {"open": palette.BAD, "reviewed": palette.WARN, "justified": palette.GOOD}
_ALERTS = "as in the alerts"


def view() -> View:
    view = View(
        "outliers",
        "Outliers",
        "Studies with a dose that somebody should look at, the reasons, and what became of each.",
    )
    inputs.add_time(view)
    menus = (inputs.SITE, inputs.STATION, inputs.MODALITY, inputs.PROTOCOL, inputs.AGE)
    shown = inputs.add_menus(view, view.base("rows", _ROWS), menus)
    states = {"All": "*"} | {state: state for state in _STATES}
    inputs.add_choice(view, "state", "Ticket", states)
    inputs.add_choice(
        view, "z", "Robust z above", {_ALERTS: "`dose_outlier_z`", "3.5": "3.5", "3.0": "3.0", "2.5": "2.5"}
    )
    inputs.add_choice(
        view,
        "smallest",
        "In groups of at least",
        {_ALERTS: "`dose_outlier_min_n`", "10": "10", "5": "5", "3": "3"},
    )
    inputs.add_choice(
        view,
        "factor",
        "Times the reference level",
        {_ALERTS: "`dose_alert_drl_factor`", "1": "1", "1.5": "1.5", "2": "2"},
    )
    found = view.chain("found", shown, _REASONS)

    counts = view.chain(
        "counts",
        found,
        """
        | stats count AS studies sum(eval(if(ticket_state="open", 1, 0))) AS open sum(eval(if(ticket_state="reviewed", 1, 0))) AS reviewed sum(eval(if(ticket_state="justified", 1, 0))) AS justified
        | fillnull value=0 open reviewed justified
        """,
    )
    view.row(
        120,
        panels.number("Studies to look at", counts, "studies"),
        panels.number("Open", counts, "open", levels=[(0, palette.GOOD), (1, palette.BAD)]),
        panels.number("Reviewed", counts, "reviewed"),
        panels.number("Justified", counts, "justified"),
    )
    view.row(
        460,
        panels.table(
            "Studies, the open ones first",
            view.chain(
                "list",
                found,
                """
                | eval place=case(ticket_state="open", 1, ticket_state="reviewed", 2, true(), 3), when=strftime(_time, "%Y-%m-%d %H:%M")
                | sort 0 +place, -_time
                """
                + or_say("when", "Nothing to look at in this time range")
                + headed(
                    {
                        "when": "Start",
                        "identifier": "Accession number",
                        "modality": "Modality",
                        "standard_procedure": "Procedure",
                        "device_name": "Device",
                        "age_band": "Age band",
                        "reason": "Reason",
                        "detail": "Detail",
                        "ticket_state": "Ticket",
                        "ticket_comment": "Comment",
                        "ticket_reviewer": "Reviewer",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            words={"Ticket": _STATES},
            widths={
                "Accession number": 110,
                "Modality": 105,
                "Procedure": 130,
                "Device": 120,
                "Age band": 75,
                "Reason": 130,
                "Detail": 220,
                "Ticket": 85,
                "Comment": 150,
                "Reviewer": 105,
            },
            description="Outliers are far above the median of their modality, protocol, phantom and age band, in units of the"
            " median absolute deviation; levels are those of the lookups dose_drl and dose_alert_levels; 12 weeks add up within the time range. Click a row for its ticket.",
            drilldowns=[drilldowns.to_ticket()],
            rows=20,
        ),
    )
    view.row(
        340,
        panels.columns(
            "Studies by week and reason",
            view.chain("by week", found, "| mvexpand reason | timechart span=1w@w1 limit=0 count BY reason"),
            x="Week of the study",
            y="Studies",
            stacked=True,
            description="A study with two reasons counts for both.",
        ),
        panels.scatter(
            "Each irradiation against the median of its group",
            view.chain(
                "robust",
                shown,
                """
                | where record_type="event"
                | `dose_robust_z(value)`
                | where group_n>1 AND group_median>0
                | eval ratio=round(value/group_median, 3), robust_z=round(robust_z, 2)
                | table ratio robust_z modality
                """,
            ),
            x="Dose / median of the group",
            y="Robust z",
            of=("ratio", "robust_z", "modality"),
            colours=palette.MODALITIES,
            description="CTDIvol, AGD, activity, or DAP of radiographs. Groups of two and more.",
        ),
    )
    return view
