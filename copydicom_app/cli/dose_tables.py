"""The records of a dose report as tables for a terminal: the study, and a row for each irradiation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from rich.console import Console
from rich.markup import escape
from rich.table import Table

# Of an event the fields that tell most, in the order of columns; those that no event has are left out.
_COLUMNS = (
    "event_index",
    "datetime_started",
    "irradiation_event_type",
    "acquisition_plane",
    "acquisition_protocol",
    "target_region",
    "laterality",
    "image_view",
    "radiopharmaceutical_agent",
    "ctdivol_mGy",
    "dlp_mGycm",
    "ssde_mGy",
    "phantom_cm",
    "dap_Gycm2",
    "rp_dose_mGy",
    "agd_mGy",
    "compression_thickness_mm",
    "administered_activity_MBq",
    "effective_dose_mSv",
    "kvp_kV",
    "xray_tube_current_mA",
    "exposure_time_s",
    "exposure_time_ms",
)
_STUDY = (
    "report_title",
    "modality",
    "patient_id",
    "patient_sex",
    "patient_age",
    "patient_weight_kg",
    "accession_number",
    "study_date",
    "study_time",
    "study_description",
    "procedure_reported",
    "manufacturer",
    "manufacturer_model",
    "station_name",
    "institution_name",
    "n_events",
)
_TOTALS = ("total_", "fluoro_", "acq_", "plane_a_", "plane_b_", "max_")
_NOT_SHOWN = frozenset({"record_type", "dose_source", "event_key", "app_version", "orthanc_server", "level"})


def show(records: Sequence[Mapping[str, Any]], console: Console, everything: bool = False) -> None:
    """Print the study's record, then its events; with `everything` every field of each."""
    if everything:
        for record in records:
            console.rule(f"{record.get('record_type', '')} {record.get('event_index', '')}", align="left")
            _pairs(console, ((name, value) for name, value in record.items() if name not in _NOT_SHOWN))
        return
    study = next((record for record in records if record.get("record_type") == "study"), None)
    events = [record for record in records if record.get("record_type") != "study"]
    if study is not None:
        totals = [name for name in study if name.startswith(_TOTALS)]
        _pairs(console, ((name, study[name]) for name in (*_STUDY, *totals) if name in study))
    if events:
        _events(console, events)
    for record in records:
        for warning in record.get("dose_warnings") or ():
            where = f"event {record['event_index']}" if "event_index" in record else "report"
            console.print(f"[yellow]{where}: {escape(str(warning))}[/]", soft_wrap=True)


def _pairs(console: Console, pairs: Iterable[tuple[str, Any]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, escape(shown(value)))
    console.print(table)
    console.print()


def _events(console: Console, events: Sequence[Mapping[str, Any]]) -> None:
    names = [name for name in _COLUMNS if any(name in event for event in events)]
    days = {str(event["datetime_started"])[:10] for event in events if "datetime_started" in event}
    if len(days) == 1:  # the time of day is enough
        events = [
            {**event, "datetime_started": str(event.get("datetime_started", ""))[11:]} for event in events
        ]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        word, unit = heading(name)
        numbers = any(isinstance(event.get(name), (int, float)) for event in events)
        table.add_column(f"{word}\n[dim]{unit}[/]", justify="right" if numbers else "left", overflow="fold")
    for event in events:
        cells = (shown(event.get(name)) for name in names)
        style = "dim" if event.get("is_localizer") else None
        table.add_row(*map(escape, cells), style=style)
    console.print(table)
    if any(event.get("is_localizer") for event in events):
        console.print("[dim]dim: localizers, which have no CTDIvol[/]")


def heading(field: str) -> tuple[str, str]:
    """A field's name as words, and its unit.

    >>> heading("ctdivol_mGy"), heading("acquisition_protocol")
    (('ctdivol', 'mGy'), ('acquisition protocol', ''))
    """
    if field == "event_index":
        return "#", ""
    name, _, unit = field.rpartition("_")
    if name and (any(letter.isupper() for letter in unit) or unit in ("cm", "mm", "s", "ms")):
        return name.replace("_", " "), unit
    return field.replace("_", " "), ""


def shown(value: Optional[Any]) -> str:
    """A value for a person: numbers with five digits, lists in a line."""
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, value))
    return "" if value is None else str(value)
