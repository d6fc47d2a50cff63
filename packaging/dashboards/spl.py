"""Pieces of SPL that the views share: the columns of a table, what to say when it is empty, several quantities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def headed(columns: Mapping[str, str]) -> str:
    """The columns of a table in their order: field to header. A header with `_` first is not shown."""
    pairs = [(field, header) for field, header in columns.items() if field != header]
    names = ", ".join(f"{field} AS {_quoted(header)}" for field, header in pairs)
    return f"\n| table {' '.join(columns)}\n| rename {names}"


def statistics(unit: str = "") -> dict[str, str]:
    """The columns that `dose_statistics` makes."""
    after = f" ({unit})" if unit else ""
    names = ("min", "p25", "median", "mean", "p75", "max")
    return {"n": "n"} | {
        name: (name if name == "p25" or name == "p75" else name.capitalize()) + after for name in names
    }


def or_say(field: str, words: str) -> str:
    """One row with these words where there is none: an empty panel does not tell whether it has failed."""
    return f'\n| appendpipe [stats count AS rows | where rows=0 | eval {field}="{words}" | fields {field}]'


def each_quantity(names: Iterable[str], **values: Mapping[str, str]) -> str:
    """A row for each quantity of a row: `quantity` has its name, each of `values` its number by that name."""
    names = list(names)
    lines = [f'\n| eval quantity=split("{";".join(names)}", ";")', "| mvexpand quantity"]
    for field, by_name in values.items():
        cases = ", ".join(f'quantity="{name}", {by_name[name]}' for name in names if name in by_name)
        lines.append(f"| eval {field}=tonumber(case({cases}))")
    return "\n".join(lines)


def medians_of(group: str) -> str:
    """One row with the median of `value` in each group, a column each."""
    return f"""
| `dose_statistics(value,{group})`
| eval all="all"
| xyseries all {group} median
"""


def frequent(field: str) -> str:
    """The rows of its eight most frequent values: a chart with more lines cannot be read."""
    return f"""
| eventstats count AS many BY {field}
| sort 0 - many, {field}
| streamstats dc({field}) AS rank
| where rank<=8
"""


def weekly(metric: str, by: str) -> str:
    """The median of each week (from Monday on) and group, as columns over `_time`."""
    return f"""
| eval _time=relative_time(_time, "@w1")
| `dose_statistics({metric},_time {by})`
| xyseries _time {by} median
| sort 0 +_time
"""


def chosen(menus: Iterable[tuple[str, str]]) -> str:
    """The rows that fit the menus, pairs of field and token; `*` in a token stands for all."""
    return "| search " + " ".join(f"{field}=${token}|s$" for field, token in menus)


def _quoted(header: str) -> str:
    return header if header.startswith("_") else f'"{header}"'
