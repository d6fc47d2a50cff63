"""The kinds of panel that the views are made of. An axis has a title, with its unit; a table's headers say theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards import palette
from dashboards.studio import Panel

Options = dict[str, Any]


def number(title: str, source: str, field: str, *, unit: str = "", digits: int = 0, **more: Any) -> Panel:
    """One field of the first row, large; `levels` colours it from certain values on."""
    options: Options = {
        "majorValue": f'> primary | seriesByName("{field}") | firstPoint()',
        "numberPrecision": digits,
        "trendDisplay": "off",
        "sparklineDisplay": "off",
    }
    if unit:
        options["unit"] = unit
    context: dict[str, Any] = {}
    levels: Sequence[tuple[float, str]] = more.pop("levels", ())
    if levels:
        options["majorColor"] = "> majorValue | rangeValue(colourOf)"
        context["colourOf"] = _ranges(levels)
    return Panel("singlevalue", title, source, options=options, context=context, **more)


def table(
    title: str,
    source: str,
    *,
    digits: Mapping[str, int] | None = None,
    levels: Mapping[str, Sequence[tuple[float, str]]] | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
    widths: Mapping[str, int] | None = None,
    rows: int = 15,
    **more: Any,
) -> Panel:
    """A table. Fields that begin with `_` are there for drilldowns and are not shown.

    `digits` after the point by column; `levels` colour a column's cells from certain values on; `words`
    colour them by what they say; `widths` are in proportion to the other columns' 90.
    """
    formats: dict[str, Any] = {}
    context: dict[str, Any] = {}
    for at, (column, places) in enumerate((digits or {}).items()):
        context[f"number{at}"] = {"number": {"thousandSeparated": True, "precision": places}}
        series = f'> table | seriesByName("{column}")'
        formats.setdefault(column, {})["data"] = f"{series} | formatByType(number{at})"
    for at, (column, steps) in enumerate((levels or {}).items()):
        grounds = [(start, palette.behind_text(colour)) for start, colour in steps]
        context[f"level{at}"] = _ranges(grounds, otherwise="transparent")
        formats.setdefault(column, {})["rowBackgroundColors"] = (
            f'> table | seriesByName("{column}") | rangeValue(level{at})'
        )
    for at, (column, colours) in enumerate((words or {}).items()):
        context[f"word{at}"] = [{"match": word, "value": colour} for word, colour in colours.items()]
        formats.setdefault(column, {})["rowColors"] = (
            f'> table | seriesByName("{column}") | matchValue(word{at})'
        )
    for column, width in (widths or {}).items():
        formats.setdefault(column, {})["width"] = width
    options: Options = {
        "count": rows,
        "fontSize": "small",
        "headerVisibility": "fixed",
        "showInternalFields": False,
    }
    if formats:
        options["columnFormat"] = formats
    return Panel("table", title, source, options=options, context=context, **more)


def columns(
    title: str,
    source: str,
    *,
    x: str,
    y: str,
    stacked: bool = False,
    names: bool = False,
    colours: Mapping[str, str] | None = None,
    legend: str = "right",
    more_options: Options | None = None,
    **more: Any,
) -> Panel:
    """Columns over the first field; the other fields are the series. `colours` by series.

    `names`: what stands on the x axis are names, which need room.
    """
    options = _axes(x, y) | {
        "stackMode": "stacked" if stacked else "auto",
        "legendDisplay": legend,
        "legendTruncation": "ellipsisOff",
        "showYAxisWithZero": True,
        "seriesColors": palette.SERIES,
    }
    if names:
        options |= {"xAxisLabelRotation": -45}
    if colours:
        options["seriesColorsByField"] = dict(colours)
    return Panel("column", title, source, options=options | (more_options or {}), **more)


def line(
    title: str,
    source: str,
    *,
    x: str,
    y: str,
    colours: Mapping[str, str] | None = None,
    more_options: Options | None = None,
    **more: Any,
) -> Panel:
    """Lines with a marker at each value; a gap where there is none is bridged."""
    options = _axes(x, y) | {
        "markerDisplay": "filled",
        "nullValueDisplay": "connect",
        "legendDisplay": "bottom",
        "legendTruncation": "ellipsisOff",
        "showYAxisWithZero": True,
        "seriesColors": palette.SERIES,
    }
    if colours:
        options["seriesColorsByField"] = dict(colours)
    return Panel("line", title, source, options=options | (more_options or {}), **more)


def scatter(
    title: str,
    source: str,
    *,
    x: str,
    y: str,
    of: Sequence[str],
    colours: Mapping[str, str] | None = None,
    **more: Any,
) -> Panel:
    """One point a row; `of` names the fields for x, y and the series."""
    options = _axes(x, y) | {
        "x": f'> primary | seriesByName("{of[0]}")',
        "y": f'> primary | seriesByName("{of[1]}")',
        "category": f'> primary | seriesByName("{of[2]}")',
        "markerSize": 5,
        "legendDisplay": "bottom",
        "legendTruncation": "ellipsisOff",
        "showYAxisWithZero": True,
        "seriesColors": palette.SERIES,
    }
    if colours:
        options["seriesColorsByField"] = dict(colours)
    return Panel("scatter", title, source, options=options, **more)


BOX = '"p75 to max" "median to p75" "p25 to median" "min to p25" "up to min"'


def box(title: str, source: str, *, groups: str, values: str, **more: Any) -> Panel:
    """A lying box from p25 to p75 for each group, parted at the median, and paler ones to minimum and maximum.

    Splunk has no box plot. The rows have the group and then the fields of `BOX`: the lengths of bars that are
    stacked, the last one next to the axis; it is painted like the ground, so that the box hangs in the air.
    """
    options = _axes(groups, values) | {
        "stackMode": "stacked",
        "legendDisplay": "bottom",
        "showYAxisWithZero": True,
        "seriesColorsByField": {
            "up to min": "> themes.defaultBackgroundColor",
            "min to p25": "#9AA5B1",
            "p25 to median": palette.BLUE,
            "median to p75": "#8FC1E8",
            "p75 to max": "#9AA5B1",
        },
    }
    return Panel("bar", title, source, options=options, **more)


def punchcard(title: str, source: str, **more: Any) -> Panel:
    """Bubbles by the first field (across), the second (down) and the third (size)."""
    options: Options = {
        "showDynamicBubbleSize": True,
        "bubbleSizeMin": 0.3,
        "showMaxValuePulsation": False,
        "bubbleLabelDisplay": "all",
        "legendDisplay": "off",
        "bubbleColor": "> size | gradient(shades)",
    }
    context = {"shades": {"colors": [palette.GREY, palette.BLUE]}}
    return Panel("punchcard", title, source, options=options, context=context, **more)


def note(text: str, **more: Any) -> Panel:
    """A few words between panels."""
    return Panel("markdown", options={"markdown": text}, **more)


def _axes(x: str, y: str) -> Options:
    return {"xAxisTitleText": x, "yAxisTitleText": y}


def _ranges(levels: Sequence[tuple[float, str]], otherwise: str | None = None) -> list[dict[str, Any]]:
    """Splunk's form of `(from, colour)` in ascending order."""
    found: list[dict[str, Any]] = []
    if otherwise is not None and levels:
        found.append({"to": levels[0][0], "value": otherwise})
    for at, (start, colour) in enumerate(levels):
        entry: dict[str, Any] = {"from": start, "value": colour}
        if at + 1 < len(levels):
            entry["to"] = levels[at + 1][0]
        found.append(entry)
    return found
