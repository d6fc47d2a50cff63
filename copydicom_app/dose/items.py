"""One part of a dose report, its items found by concept, and the fields filled from them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Optional

from copydicom_app.codes import Code, Key, key
from copydicom_app.dose.concept_names import NAMES, known_by_name
from copydicom_app.dose.fields import FIELDS, TEMPLATE_UNITS
from copydicom_app.dose.units import convert, has_no_unit, tidy
from copydicom_app.structured_report import ContentItem
from copydicom_app.times import iso_from_dt, offset_from_dt

MAX_TEXT = 1000
MAX_WARNINGS = 20

_STARTS = frozenset({"datetime_started", "administration_start", "irradiation_start"})

SHUTTERS = tuple(key(f"99PHI-IXR-XPER:{code}") for code in ("006", "007", "008", "009"))
"""Philips' distances of the shutters from the middle of the field, at 1 m: bottom, left, right, top."""

_KNOWN = frozenset(NAMES).union(SHUTTERS, *(field.codes for field in FIELDS))


class Rule(NamedTuple):
    """What is needed of a `Field` to fill it, worked out once."""

    name: str
    kind: str
    codes: tuple[Key, ...]
    unit: str
    stem: str


def rules(record: str, *hows: str) -> tuple[Rule, ...]:
    """The fields of a record that are found in one of these ways (the table's column "how")."""
    return tuple(
        Rule(field.name, field.how.split()[-1], field.codes, field.unit, field.stem)
        for field in FIELDS
        if field.record == record and field.how in hows
    )


class Part:
    """Items by concept, from one or several branches of the tree, at any depth.

    Containers whose concept is in `apart` are kept in `apart`, unopened: their content has its own rules.
    """

    def __init__(self, items: Iterable[ContentItem], apart: frozenset[Key] = frozenset()) -> None:
        self.apart: list[ContentItem] = []
        self._by_code: dict[Key, list[ContentItem]] = {}
        self._by_name: dict[Key, list[ContentItem]] = {}
        self._add(items, apart)

    def _add(self, items: Iterable[ContentItem], apart: frozenset[Key]) -> None:
        for item in items:
            code = item.name.key
            if code in apart:
                self.apart.append(item)
                continue
            if code in _KNOWN:
                self._by_code.setdefault(code, []).append(item)
            else:
                meant = known_by_name(item.name)
                if meant is not None:
                    self._by_name.setdefault(meant, []).append(item)
            if item.children:
                self._add(item.children, apart)

    def has(self, codes: Iterable[Key]) -> bool:
        """Whether there is an item of any of these concepts: most fields are not in a given report."""
        return any(code in self._by_code or code in self._by_name for code in codes)

    def all(self, codes: Iterable[Key]) -> Iterator[list[ContentItem]]:
        """The items of each concept in turn; by code first, and by name where no item has the code."""
        codes = tuple(codes)
        for code in codes:
            if code in self._by_code:
                yield self._by_code[code]
        for code in codes:
            if code in self._by_name:
                yield self._by_name[code]

    def first(self, *codes: Key) -> Optional[ContentItem]:
        """The first item that has a value of one of these concepts."""
        for items in self.all(codes):
            for item in items:
                if item.text:
                    return item
        return None

    def text(self, *codes: Key) -> str:
        """The first value, as text; "" when there is none."""
        item = self.first(*codes)
        return item.text if item else ""

    def code(self, *codes: Key) -> Optional[Code]:
        """The first value that is a code."""
        for items in self.all(codes):
            for item in items:
                if isinstance(item.value, Code) and item.value:
                    return item.value
        return None


def fill(record: dict[str, Any], part: Part, wanted: Iterable[Rule], warnings: list[str]) -> None:
    """Puts the wanted fields that the part has into the record; what is there already stays."""
    for rule in wanted:
        if not part.has(rule.codes) or rule.name in record:
            continue
        if rule.kind in ("num", "src", "srcb"):
            put_number(record, rule, part.all(rule.codes), warnings)
        elif rule.kind == "code":
            code = part.code(*rule.codes)
            if code and code.value:
                record[rule.name] = code.key.value
        elif rule.kind == "time":
            _put_time(record, rule, part, warnings)
        else:
            text = part.text(*rule.codes)
            if text:
                record[rule.name] = text[:MAX_TEXT]


def put_number(
    record: dict[str, Any], rule: Rule, groups: Iterable[list[ContentItem]], warnings: list[str]
) -> None:
    """A number in the field's unit, and `<field>_n` when it is the mean of several.

    In a unit that cannot be converted it is kept as ``<stem>_raw`` and ``<stem>_raw_unit``, with a warning.
    """
    for items in groups:
        values = list(_converted(record, rule, items, warnings))
        if values:
            mean = tidy(sum(values) / len(values)) if len(values) > 1 else values[0]
            record[rule.name] = int(mean) if rule.unit == "1" and mean.is_integer() else mean
            if len(values) > 1:
                record[f"{rule.name}_n"] = len(values)
            return


def _converted(
    record: dict[str, Any], rule: Rule, items: list[ContentItem], warnings: list[str]
) -> Iterator[float]:
    for item in items:
        if item.kind != "NUM" or not item.value:
            continue
        unit = item.unit
        if rule.unit not in ("", "1") and (unit is None or not unit):
            unit = Code(TEMPLATE_UNITS.get(rule.name, rule.unit), "UCUM")
            warnings.append(f"{item.label}: no unit, read as {unit.value}")
        for value in item.value:
            converted = convert(value, unit, rule.unit)
            if converted is not None:
                yield converted
            else:
                _keep_raw(record, rule, item, value, warnings)


def _keep_raw(
    record: dict[str, Any], rule: Rule, item: ContentItem, value: float, warnings: list[str]
) -> None:
    spelled = (item.unit.value or item.unit.meaning) if item.unit else ""
    record.setdefault(f"{rule.stem}_raw", value)
    record.setdefault(f"{rule.stem}_raw_unit", spelled)
    what = "without a unit" if has_no_unit(item.unit) else f"in '{spelled[:20]}'"
    warnings.append(f"{item.label}: {what}, not in {rule.unit or 'a plain number'}; kept as {rule.stem}_raw")


def _put_time(record: dict[str, Any], rule: Rule, part: Part, warnings: list[str]) -> None:
    """The clock as ISO 8601; a start's zone, if it names one, is the record's `timezone_offset`."""
    for items in part.all(rule.codes):
        for item in items:
            written = item.text.replace(" ", "")
            moment = iso_from_dt(written)
            if moment is not None:
                record[rule.name] = moment
                offset = offset_from_dt(written)
                if offset and rule.name in _STARTS:
                    record["timezone_offset"] = offset
                return
            if written:
                warnings.append(f"{item.label}: '{written[:30]}' is no date and time")


def put_warnings(record: dict[str, Any], warnings: Iterable[str]) -> None:
    """`dose_warnings`: each once, with how often it occurred; the field is absent when there are none."""
    counts: dict[str, int] = {}
    for warning in warnings:
        counts[warning] = counts.get(warning, 0) + 1
    lines = [text if n == 1 else f"{text} (x{n})" for text, n in counts.items()]
    if len(lines) > MAX_WARNINGS:
        lines = [*lines[: MAX_WARNINGS - 1], f"and {len(lines) - MAX_WARNINGS + 1} more"]
    if lines:
        record["dose_warnings"] = lines
