"""Dose by Protocol: the CT page that a physicist audits each quarter."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import frequent, headed, weekly
from dashboards.studio import Panel, View

_IRRADIATIONS = """
`dose_event_search` modality=CT | fields `dose_event_needs` orthanc_server ssde_mGy ct_acquisition_type ct_acquisition_type_code | `dose_event_rows`
| eval modality="CT"
| table _time is_localizer ct_acquisition_type ct_acquisition_type_code study_instance_uid ParentStudy orthanc_server identifier modality site station_name device_name standard_protocol standard_procedure phantom age_band weight_band weight_kg ctdivol_mGy dlp_mGycm ssde_mGy
"""
_STUDIES = """
`dose_study_search` modality=CT | fields `dose_study_needs` | `dose_study_rows` | where dose_kind="CT"
| table _time study_instance_uid identifier site station_name standard_protocol standard_procedure age_band weight_band total_dlp_mGycm
"""
_GROUPS = {
    "protocol, phantom and age band": "standard_protocol phantom age_band",
    "protocol, phantom, age band and station": "standard_protocol phantom age_band station_name",
    "protocol, phantom, age band and weight band": "standard_protocol phantom age_band weight_band",
}
_ACQUISITIONS = {
    "all but localizers": 'is_localizer="false"',
    "spiral": 'ct_acquisition_type_code="116152004" OR ct_acquisition_type="Spiral Acquisition"',
    "all": "isnotnull(is_localizer)",
}
_TOP = frequent("standard_protocol").strip()
_NAMES = """
| rename standard_protocol AS "Protocol", standard_procedure AS "Procedure", phantom AS "Phantom", age_band AS "Age band", weight_band AS "Weight band", station_name AS "Station"
"""
_RATIO = [(1.0, palette.WARN), (2.0, palette.BAD)]

_WIDTHS = {"Protocol": 160, "Procedure": 160, "Phantom": 100, "n": 45, "Source of the DRL": 170}


def view() -> View:
    view = View(
        "dose_by_protocol",
        "Dose by Protocol",
        "CT. Each irradiation counts once, however many reports tell of it; localizers are left out unless they are chosen.",
    )
    inputs.add_time(view)
    irradiations = view.base("irradiations", _IRRADIATIONS)
    menus = (inputs.SITE, inputs.STATION, inputs.PROTOCOL, inputs.AGE)
    chosen = view.chain("acquisitions", irradiations, "| where $acquisitions$")
    shown = inputs.add_menus(view, chosen, menus)
    inputs.add_choice(view, "acquisitions", "Acquisitions", _ACQUISITIONS)
    inputs.add_choice(view, "groups", "One row for each", _GROUPS)
    inputs.add_text(view, "dest", "Copy to (server)", "research")
    studies = view.base("studies", _STUDIES)
    terms = " ".join(f"{menu.field}=${menu.token}|s$" for menu in menus)
    shown_studies = view.chain("shown studies", studies, f"| search {terms}")

    totals = view.chain(
        "totals",
        shown,
        "| stats count AS irradiations dc(study_instance_uid) AS studies dc(standard_protocol) AS protocols"
        " sum(eval(if(isnull(ctdivol_mGy), 1, 0))) AS without | fillnull value=0 without",
    )
    view.row(
        120,
        panels.number("Irradiations", totals, "irradiations"),
        panels.number("Studies", totals, "studies"),
        panels.number("Protocols", totals, "protocols"),
        panels.number(
            "Irradiations without CTDIvol", totals, "without", levels=[(0, palette.GOOD), (1, palette.WARN)]
        ),
    )
    view.row(
        420,
        _statistics(view, shown, "CTDIvol", "ctdivol_mGy", "mGy", 2),
    )
    view.row(
        420,
        _statistics(view, shown, "DLP", "dlp_mGycm", "mGy.cm", 1),
    )
    view.row(
        360,
        panels.table(
            "Total DLP of a study by procedure",
            view.chain(
                "study dlp",
                shown_studies,
                _reference("total_dlp_mGycm", "standard_procedure age_band", "mGy.cm"),
            ),
            digits=_digits("mGy.cm", 1),
            levels={"Median / DRL": _RATIO},
            widths=_widths("mGy.cm"),
            description="What reference levels for a whole examination are compared with: all scans of a study together.",
        ),
    )
    for name, field, unit in (("CTDIvol", "ctdivol_mGy", "mGy"), ("DLP", "dlp_mGycm", "mGy.cm")):
        view.row(380, _spread(view, shown, name, field, unit), _histogram(view, shown, name, field, unit))
        view.row(380, _over_time(view, shown, name, field, unit), _by_weight(view, shown, name, field, unit))
    view.row(
        380,
        panels.table(
            "Irradiations, the highest CTDIvol first",
            view.chain(
                "highest",
                shown,
                """
                | sort 0 - ctdivol_mGy | head 500
                | eval when=strftime(_time, "%Y-%m-%d %H:%M")
                """
                + headed(
                    {
                        "when": "Start",
                        "identifier": "Accession number",
                        "standard_protocol": "Protocol",
                        "phantom": "Phantom",
                        "age_band": "Age band",
                        "weight_kg": "Weight (kg)",
                        "station_name": "Station",
                        "ctdivol_mGy": "CTDIvol (mGy)",
                        "ssde_mGy": "SSDE (mGy)",
                        "dlp_mGycm": "DLP (mGy.cm)",
                        "study_instance_uid": "_study",
                    }
                ),
            ),
            digits={"CTDIvol (mGy)": 2, "SSDE (mGy)": 2, "DLP (mGy.cm)": 1, "Weight (kg)": 0},
            widths={
                "Accession number": 110,
                "Protocol": 140,
                "Phantom": 100,
                "Age band": 75,
                "CTDIvol (mGy)": 95,
                "DLP (mGy.cm)": 105,
            },
            description="Click a row for the study.",
            drilldowns=[drilldowns.to_study()],
            weight=2.8,
        ),
        panels.table(
            "Copy the studies of a protocol",
            view.chain(
                "cohorts",
                shown,
                """
                | stats dc(study_instance_uid) AS studies BY standard_protocol
                | sort 0 standard_protocol
                """
                + headed({"standard_protocol": "Protocol", "studies": "Studies"}),
            ),
            description="Click a row for a dry run in Search, which sends nothing.",
            drilldowns=[
                drilldowns.to_search(
                    "`dose_event_search` modality=CT | `dose_event_rows` | search standard_protocol=$row.Protocol.value|s$"
                    " | dedup ParentStudy | table orthanc_server ParentStudy identifier standard_protocol"
                    " | copydicom dest=$dest$ level=study id=ParentStudy dryrun=true",
                    "$time.earliest$",
                    "$time.latest$",
                )
            ],
        ),
    )
    return view


def _statistics(view: View, shown: str, name: str, field: str, unit: str, digits: int) -> Panel:
    return panels.table(
        f"{name} of an irradiation by protocol",
        view.chain(f"{name} by protocol", shown, _reference(field, "$groups$", unit)),
        digits=_digits(unit, digits),
        levels={"Median / DRL": _RATIO},
        widths=_widths(unit),
        description="Quartiles and the median of an even number are interpolated. The reference level (DRL) is that of the lookup"
        " dose_drl for the protocol, else there is none. Click a row to choose its protocol.",
        drilldowns=[drilldowns.set_tokens(protocol="row.Protocol.value")],
    )


def _reference(field: str, groups: str, unit: str) -> str:
    """Statistics of the field by those groups, its reference level, and the ratio of median and level."""
    return f"""
        | `dose_statistics({field},{groups})`
        | eval {field}=median, modality="CT", standard_protocol=coalesce(standard_protocol, standard_procedure), phantom=coalesce(phantom, "any"), weight_band=coalesce(weight_band, "any"), kept=weight_band
        | `dose_reference({field})`
        | eval weight_band=if(kept="any", null(), kept), reference_source=reference_source." (".reference_year.")"
        | sort 0 standard_protocol phantom age_band
        | table {groups} n min p25 median mean p75 max reference_level reference_ratio reference_source
        {_NAMES.strip()}
        | rename n AS "n", min AS "Min ({unit})", p25 AS "p25 ({unit})", median AS "Median ({unit})", mean AS "Mean ({unit})", p75 AS "p75 ({unit})", max AS "Max ({unit})", reference_level AS "DRL ({unit})", reference_ratio AS "Median / DRL", reference_source AS "Source of the DRL"
        """


def _digits(unit: str, places: int) -> dict[str, int]:
    columns = ("Min", "p25", "Median", "Mean", "p75", "Max", "DRL")
    return {f"{column} ({unit})": places for column in columns} | {"Median / DRL": 2}


def _widths(unit: str) -> dict[str, int]:
    """A long unit in the headers needs room."""
    numbers = [column for column in _digits(unit, 0) if unit in column]
    return _WIDTHS | dict.fromkeys(numbers, 102 if unit == "mGy.cm" else 85)


def _spread(view: View, shown: str, name: str, field: str, unit: str) -> Panel:
    chain = view.chain(
        f"{name} spread",
        shown,
        f"""
        {_TOP}
        | eventstats dc(phantom) AS phantoms BY standard_protocol
        | eval group=if(phantoms>1, standard_protocol.", ".phantom, standard_protocol)
        | `dose_statistics({field},group)`
        | eval "up to min"=min, "min to p25"=p25-min, "p25 to median"=median-p25, "median to p75"=p75-median, "p75 to max"=max-p75
        | sort 0 +group
        | table group {panels.BOX}
        """,
    )
    return panels.box(
        f"Spread of {name}: eight most frequent protocols",
        chain,
        groups="Protocol",
        values=f"{name} ({unit})",
        description="The box goes from p25 to p75 and is parted at the median; paler down to the minimum and up to the maximum.",
    )


def _histogram(view: View, shown: str, name: str, field: str, unit: str) -> Panel:
    """Bins by floor(); the empty ones between are there too, so that the axis is true to scale."""
    chain = view.chain(
        f"{name} histogram",
        shown,
        f"""
        | where isnotnull({field})
        | eventstats max({field}) AS top
        | eval width=case(top<=5, 0.25, top<=10, 0.5, top<=25, 1, top<=50, 2, top<=100, 5, top<=500, 25, top<=1000, 50, top<=2500, 100, true(), 250), place=floor({field}/width)
        | stats count AS n BY place width phantom
        | appendpipe [stats max(place) AS last first(width) AS width first(phantom) AS phantom | eval place=mvrange(0, last+1), n=0 | fields - last | mvexpand place]
        | eval bin=place*width
        | chart limit=0 sum(n) OVER bin BY phantom
        | fillnull value=0
        """,
    )
    return panels.columns(
        f"Histogram of {name}",
        chain,
        x=f"{name} ({unit}), lower end of the bin",
        y="Irradiations",
        stacked=True,
        names=True,
        legend="bottom",
        description="Never compare CTDIvol between the phantoms." if name == "CTDIvol" else "",
    )


def _over_time(view: View, shown: str, name: str, field: str, unit: str) -> Panel:
    chain = view.chain(
        f"{name} over time",
        shown,
        _TOP + weekly(field, "standard_protocol"),
    )
    return panels.line(
        f"Median {name} by week: eight most frequent protocols",
        chain,
        x="Week",
        y=f"Median {name} ({unit})",
    )


def _by_weight(view: View, shown: str, name: str, field: str, unit: str) -> Panel:
    chain = view.chain(
        f"{name} by weight",
        shown,
        f"""
        {_TOP}
        | where isnotnull({field}) AND isnotnull(weight_kg)
        | sort 0 +standard_protocol
        | table weight_kg {field} standard_protocol
        """,
    )
    return panels.scatter(
        f"{name} against the patient's weight",
        chain,
        x="Weight (kg)",
        y=f"{name} ({unit})",
        of=("weight_kg", field, "standard_protocol"),
        description="Irradiations of the eight most frequent protocols whose reports tell the weight.",
    )
