"""Every search that the app ships and its documents show, as it would be run.

    shipped(ROOT)  ->  [Shipped("views", "overview: ds_days", "...", ...), ...]

Views: each data source with those that it goes on from, tokens filled in as the view begins. Saved searches:
with their own time range. Macros: each that begins a search by itself, and those that stand after a pipe,
behind one that they are made for (`OF_MACROS`). Documents: what is fenced as `spl`, and the examples of
searchbnf.conf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from testbench.splunkd.conf import Conf, parse_conf
from testbench.splunkd.spl.macros import expand
from testbench.views.definitions import View, read_views

KINDS = ("views", "saved", "macros", "docs")
_ALL_TIME = ("0", "+2d")
_TOKEN = re.compile(r"\$([A-Za-z_][\w.]*)(?:\|\w+)*\$")
_FENCED = re.compile(r"^```spl\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Where what is there depends on when and how often a bench was used, not on the sample data.
_OF_THE_MOMENT = re.compile(
    r"index=_internal|copydicom:audit|dicom_audit|now\(\)|_index_earliest=-|\| *rest\b"
)
_MOMENTS = (
    ("_index_earliest=-20m@m", "_index_earliest=0"),
    ('relative_time(now(),"-20m@m")', "0"),
    ("relative_time(now(),`dose_alert_max_age`)", "0"),
    ("earliest=`dose_outlier_history`", "earliest=0"),
)
_CHANGES = re.compile(r"\|\s*(copydicom|outputlookup|sendalert|collect|delete)\b")
_MADE_ROWS = re.compile(
    r"\|\s*(stats|chart|timechart|table|top|rare|eventcount|tstats|fields\s+(?!-)|transpose|xyseries)\b"
)
_CT = "`dose_event_search` modality=CT | `dose_event_rows` | `no_localizers`"
_TABLE = " | sort 0 +event_key | table event_key "
# Macros that no view and no saved search shows by themselves.
OF_MACROS = {
    "dose_events": "`dose_events`" + _TABLE + "standard_protocol age_band phantom device_name",
    "dose_studies": "`dose_studies` | sort 0 +study_instance_uid +dose_kind"
    " | table study_instance_uid dose_kind n_events total_dlp_mGycm total_dap_Gycm2",
    "dicom_studies": "`dicom_studies` | sort 0 +StudyInstanceUID"
    " | table StudyInstanceUID modality n_series n_instances n_dose_reports",
    "dicom_series": "`dicom_series` | sort 0 +SeriesInstanceUID"
    " | table SeriesInstanceUID Modality n_instances",
    "dose_statistics": f"{_CT} | `dose_statistics(ctdivol_mGy,standard_protocol phantom age_band)`",
    "dose_outliers": f"{_CT} | `dose_outliers(ctdivol_mGy)`{_TABLE}robust_z group_n group_median group_mad",
    "dose_reference": f"{_CT} | `dose_reference(ctdivol_mGy)`{_TABLE}reference_level reference_ratio",
    "fluoro_cumulative": "`dose_studies` | `fluoro_cumulative`"
    " | `dose_alert_level(cumulative,cumulative_rp_dose_mGy,cumulative_dap_Gycm2)`"
    " | sort 0 +study_instance_uid"
    " | table study_instance_uid cumulative_studies cumulative_rp_dose_mGy over_level",
    "dose_ticket": "`dose_studies` | `dose_ticket` | stats count by ticket_state",
    "dose_filter": "`dose_events` | `dose_filter(*,*,CT,*,*)` | stats count by station_name",
}


@dataclass(frozen=True)
class Shipped:
    """`comparable`: its rows follow from the sample data alone; else only its columns can be compared.

    `made_rows`: it makes rows of its own; events have whatever fields Splunk finds in them.
    """

    kind: str
    name: str
    text: str
    earliest: str = _ALL_TIME[0]
    latest: str = _ALL_TIME[1]
    comparable: bool = True
    made_rows: bool = True


def shipped(root: Path, until: str = "") -> list[Shipped]:
    """All of them that change nothing; what copies is in `at_work`.

    `until` (epoch seconds) ends the range of those that have none of their own. Before the first event was
    made, it leaves out objects without a date, whose time is that of their indexing.
    """
    macros = parse_conf((root / "default" / "macros.conf").read_text(encoding="utf-8"))
    found = [*_of_views(root), *_of_saved(root), *_of_macros(), *_of_docs(root)]
    return [_judged(each, macros, until) for each in found if not _CHANGES.search(each.text)]


def fenced(text: str) -> list[str]:
    """The searches of a document: one a block; a line that is indented goes on from the one before."""
    return [" ".join(block.split()) for block in _FENCED.findall(text)]


def _judged(each: Shipped, macros: Conf, until: str) -> Shipped:
    whole = expand(each.text, macros)
    comparable = each.comparable and not _OF_THE_MOMENT.search(whole)
    latest = until if until and comparable and each.latest == _ALL_TIME[1] else each.latest
    made_rows = bool(_MADE_ROWS.search(whole))
    return replace(each, latest=latest, comparable=comparable, made_rows=made_rows)


def _of_views(root: Path) -> Iterator[Shipped]:
    for view in read_views(root / "default"):
        sources = view.definition["dataSources"]
        tokens = first_tokens(view)
        for name in sources:
            yield Shipped("views", f"{view.name}: {name}", _filled(_whole(sources, name), tokens))


def _filled(text: str, tokens: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda match: tokens.get(match[1], "*"), text)


def first_tokens(view: View) -> dict[str, str]:
    """What a view's inputs say before anybody has touched them; the time range is all of it."""
    tokens = {"time.earliest": _ALL_TIME[0], "time.latest": _ALL_TIME[1]}
    for item in view.definition["inputs"].values():
        options = item["options"]
        items = options.get("items")
        first = items[0]["value"] if isinstance(items, list) and items else "*"
        tokens.setdefault(options["token"], str(options.get("defaultValue", first)))
    return tokens


def _whole(sources: Mapping[str, Any], name: str) -> str:
    options = sources[name]["options"]
    return (_whole(sources, options["extend"]) + "\n" if "extend" in options else "") + str(options["query"])


def _of_saved(root: Path) -> Iterator[Shipped]:
    conf = parse_conf((root / "default" / "savedsearches.conf").read_text(encoding="utf-8"))
    for name, keys in conf.items():
        if name != "default":
            earliest = keys.get("dispatch.earliest_time", _ALL_TIME[0])
            text = keys["search"]
            yield Shipped("saved", name, text, earliest, keys.get("dispatch.latest_time", "now"))
            # What an alert finds depends on when it looks; what it would if all had just arrived does not.
            for moment in _MOMENTS:
                text = text.replace(*moment)
            if name.startswith("Dose alert"):
                yield Shipped("saved", f"{name}, as if all had just arrived", text)


def _of_macros() -> Iterator[Shipped]:
    for name, text in OF_MACROS.items():
        yield Shipped("macros", name, text)


def _of_docs(root: Path) -> Iterator[Shipped]:
    assistant = parse_conf((root / "default" / "searchbnf.conf").read_text(encoding="utf-8"))
    for key, text in assistant["copydicom-command"].items():
        if re.fullmatch(r"example\d+", key):
            yield Shipped("docs", f"search assistant, {key}", text)
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        for number, text in enumerate(fenced(path.read_text(encoding="utf-8")), start=1):
            yield Shipped("docs", f"{path.name}, search {number}", text)
