"""A structured report's content tree, read from Orthanc's simplified tags. Pure.

`read` turns the dictionary of ``GET /instances/{id}/tags?simplify`` (or of the bulk routes) into a tree
of frozen `ContentItem`s (PS3.3, C.17.3); `find` asks it for items by code. Real files break every rule of
the standard, so nothing here raises: an item that could not be read stays in the tree and says in
`problems` what was wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Optional

from copydicom_app.codes import NO_CODE, Code, key

LONG_KEYWORDS = (
    "TextValue",
    "NumericValue",
    "FloatingPointValue",
    "CodeMeaning",
    "LongCodeValue",
    "URNCodeValue",
    "PersonName",
)
"""What to name in Orthanc's ``ignore-length=``: it withholds values of more than 256 characters."""

IGNORE_LENGTH = "ignore-length=" + ",".join(LONG_KEYWORDS)
"""The same as a piece of a query. Its commas must stay as they are: Orthanc answers 500 to ``%2C``."""

MAX_DEPTH = 60
"""Levels of nesting that are read; the deepest template in use has eight."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")
_NUMBER_AND_UNIT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%][\w./%]*)$")
_REFERENCES = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM"})
_OTHER_SPELLINGS = {"PERSON NAME": "PNAME", "DATE TIME": "DATETIME"}


class Reference(NamedTuple):
    """An instance that an IMAGE, COMPOSITE or WAVEFORM item refers to."""

    sop_class: str
    uid: str


class ContentItem(NamedTuple):
    """One content item.

    `value` depends on `kind`: TEXT, PNAME, UIDREF, DATE, TIME and DATETIME have the string as written;
    NUM the readable numbers, a tuple (empty when there is none); CODE a `Code`; IMAGE, COMPOSITE and
    WAVEFORM the instances referred to, a tuple of `Reference`; SCOORD and TCOORD the graphic or range
    type; anything without a value None.
    """

    name: Code
    kind: str
    value: Any = None
    unit: Optional[Code] = None
    qualifier: Optional[Code] = None
    relationship: str = ""
    children: tuple[ContentItem, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def number(self) -> Optional[float]:
        """A NUM's value, the mean of several; None when it has none."""
        if self.kind != "NUM" or not self.value:
            return None
        return float(sum(self.value) / len(self.value))

    @property
    def text(self) -> str:
        """The value for people: a code's meaning, the string as written; "" when there is none."""
        if isinstance(self.value, Code):
            return self.value.text
        if isinstance(self.value, tuple):
            return "\\".join(part.uid if isinstance(part, Reference) else str(part) for part in self.value)
        return self.value if isinstance(self.value, str) else ""

    @property
    def label(self) -> str:
        """What the item is called in a warning."""
        return self.name.text or f"unnamed {self.kind or 'item'}"


def is_structured_report(tags: Mapping[str, Any]) -> bool:
    """Whether the instance has an SR content tree (PS3.3, C.17.3)."""
    titled = isinstance(tags.get("ConceptNameCodeSequence"), list) and _text(tags.get("ValueType")) != ""
    return titled or isinstance(tags.get("ContentSequence"), list)


def read(tags: Mapping[str, Any]) -> ContentItem:
    """The root of the content tree; its `name` is the document's title."""
    problems: list[str] = []
    title = _code(tags.get("ConceptNameCodeSequence"))
    if not title:
        problems.append("the report has no title")
    children = _children(tags, problems, depth=0)
    return ContentItem(title, "CONTAINER", children=children, problems=tuple(problems))


def find(
    item: ContentItem,
    name: Code | str | None = None,
    kind: Optional[str] = None,
    relationship: Optional[str] = None,
    recursive: bool = True,
) -> Iterator[ContentItem]:
    """The items below `item` that fit all that is given, in document order.

    `name` is a `Code`, or a short name as `copydicom_app.codes.key` takes it:
    ``find(root, "113830")`` is every DCM Mean CTDIvol.
    """
    wanted = key(name) if isinstance(name, str) else name.key if name is not None else None
    for child in item.children:
        if (
            (wanted is None or child.name.key == wanted)
            and (kind is None or child.kind == kind)
            and (relationship is None or child.relationship == relationship)
        ):
            yield child
        if recursive:
            yield from find(child, name, kind, relationship)


def problems_of(item: ContentItem) -> Iterator[str]:
    """What could not be read in the item and below it, each with the name of the item."""
    for problem in item.problems:
        yield f"{item.label}: {problem}"
    for child in item.children:
        yield from problems_of(child)


def _children(holder: Mapping[str, Any], problems: list[str], depth: int) -> tuple[ContentItem, ...]:
    sequence = holder.get("ContentSequence")
    if sequence is None:
        return ()
    if not isinstance(sequence, list):
        problems.append("its content is no sequence")
        return ()
    if depth >= MAX_DEPTH:
        problems.append(f"content nested deeper than {MAX_DEPTH} levels was left out")
        return ()
    items = []
    for element in sequence:
        if isinstance(element, Mapping):
            items.append(_item(element, depth + 1))
        else:
            problems.append("an item of its content is no item")
    return tuple(items)


def _item(element: Mapping[str, Any], depth: int) -> ContentItem:
    problems: list[str] = []
    name = _code(element.get("ConceptNameCodeSequence"))
    kind = _kind(element, problems)
    if not name and kind not in _REFERENCES and "ReferencedContentItemIdentifier" not in element:
        problems.append("no concept name")
    value, unit, qualifier = _value(element, kind, problems)
    return ContentItem(
        name,
        kind,
        value,
        unit,
        qualifier,
        _text(element.get("RelationshipType")),
        _children(element, problems, depth),
        tuple(problems),
    )


def _kind(element: Mapping[str, Any], problems: list[str]) -> str:
    """The value type; where it is absent or illegal the value that is there tells."""
    written = _text(element.get("ValueType")).upper()
    kind = _OTHER_SPELLINGS.get(written, written)
    if kind in _READERS or kind in _REFERENCES or kind in ("NUM", "CODE", "CONTAINER"):
        return kind
    for keyword, meant in _KIND_OF_KEYWORD.items():
        if keyword in element:
            problems.append(f"value type '{written[:20]}' read as {meant}")
            return meant
    if "ReferencedContentItemIdentifier" not in element:
        problems.append(f"unknown value type '{written[:20]}'")
    return kind


def _value(
    element: Mapping[str, Any], kind: str, problems: list[str]
) -> tuple[Any, Optional[Code], Optional[Code]]:
    if kind == "NUM":
        return _measurement(element, problems)
    if kind == "CODE":
        code = _code(element.get("ConceptCodeSequence"))
        if not code:
            problems.append("no code")
        return code, None, None
    if kind in _REFERENCES:
        return _references(element, problems), None, None
    keyword = _READERS.get(kind, "")
    if not keyword:
        return None, None, None
    if keyword not in element:
        # The value stands under another type's keyword, as UIDs typed TEXT do (GE surgery).
        keyword = next((other for other in _KIND_OF_KEYWORD if isinstance(element.get(other), str)), keyword)
    raw = element.get(keyword)
    if raw is None:
        withheld = keyword in element
        problems.append("withheld by Orthanc: too long or binary" if withheld else "no value")
        return "", None, None
    return _text(raw), None, None


def _measurement(
    element: Mapping[str, Any], problems: list[str]
) -> tuple[tuple[float, ...], Optional[Code], Optional[Code]]:
    """The numbers, unit and qualifier of a NUM (PS3.3, C.18.1); an empty one is legal and has a qualifier."""
    qualifier = _code(element.get("NumericValueQualifierCodeSequence")) or None
    measured = [
        entry for entry in _sequence(element.get("MeasuredValueSequence")) if isinstance(entry, Mapping)
    ]
    if not measured and isinstance(element.get("NumericValue"), (str, int, float)):
        measured = [element]
    numbers: list[float] = []
    unit: Optional[Code] = None
    for entry in measured:
        here = _code(entry.get("MeasurementUnitsCodeSequence")) or None
        if unit is not None and here is not None and here != unit:
            problems.append(f"a further value in another unit ({here.text[:20]}) was left out")
            continue
        unit = unit or here
        raw = entry.get("NumericValue")
        if raw in (None, "", []):
            raw = entry.get("FloatingPointValue")
        numbers.extend(_numbers(raw, unit, problems))
    if not numbers and not problems:
        problems.append(f"no value ({qualifier.text})" if qualifier else "no value")
    return tuple(numbers), unit, qualifier


def _numbers(raw: object, unit: Optional[Code], problems: list[str]) -> Iterator[float]:
    if isinstance(raw, bool) or raw is None:
        return
    parts: Sequence[object] = raw if isinstance(raw, list) else str(raw).split("\\")
    for part in parts:
        word = str(part).strip("\0 ")
        if not word:
            continue
        if not _NUMBER.match(word):
            with_unit = _NUMBER_AND_UNIT.match(word)
            if not with_unit or unit is None or with_unit[2] not in (unit.value, unit.meaning):
                problems.append(f"'{word[:40]}' is not a number")
                continue
            word = with_unit[1]
        number = float(word)
        if abs(number) < float("inf"):
            yield number
        else:
            problems.append(f"'{word[:40]}' is not a number")


def _references(element: Mapping[str, Any], problems: list[str]) -> tuple[Reference, ...]:
    references = [
        Reference(_text(entry.get("ReferencedSOPClassUID")), _text(entry.get("ReferencedSOPInstanceUID")))
        for entry in _sequence(element.get("ReferencedSOPSequence"))
        if isinstance(entry, Mapping)
    ]
    if not references:
        # Some vendors write the UID of the image as text, or under UID.
        references = [Reference("", _text(element.get("TextValue")) or _text(element.get("UID")))]
    if not any(reference.uid for reference in references):
        problems.append("refers to no instance")
    return tuple(reference for reference in references if any(reference))


def _code(sequence: object) -> Code:
    """The first item of a code sequence (PS3.3, 8.8); `NO_CODE` when there is none."""
    for entry in _sequence(sequence):
        if isinstance(entry, (dict, Mapping)):
            value = (
                _text(entry.get("CodeValue"))
                or _text(entry.get("LongCodeValue"))
                or _text(entry.get("URNCodeValue"))
            )
            meaning = _text(entry.get("CodeMeaning"))
            if value or meaning:
                return _made(value, _text(entry.get("CodingSchemeDesignator")), meaning)
    return NO_CODE


# A report repeats some hundred codes thousands of times.
_made = lru_cache(maxsize=4096)(Code)


def _sequence(value: object) -> Sequence[object]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Mapping) else ()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip("\0 \t\r\n")
    if isinstance(value, list):
        return "\\".join(_text(part) for part in value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return ""


# Where each value type keeps its value (PS3.3, table C.17.3-5 and C.18).
_READERS = {
    "TEXT": "TextValue",
    "PNAME": "PersonName",
    "UIDREF": "UID",
    "DATETIME": "DateTime",
    "DATE": "Date",
    "TIME": "Time",
    "SCOORD": "GraphicType",
    "SCOORD3D": "GraphicType",
    "TCOORD": "TemporalRangeType",
    "TABLE": "",
}
_KIND_OF_KEYWORD = {
    "TextValue": "TEXT",
    "PersonName": "PNAME",
    "UID": "UIDREF",
    "DateTime": "DATETIME",
    "Date": "DATE",
    "Time": "TIME",
    "MeasuredValueSequence": "NUM",
    "ConceptCodeSequence": "CODE",
    "ReferencedSOPSequence": "IMAGE",
    "ContentSequence": "CONTAINER",
}
