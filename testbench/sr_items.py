"""Content items of a structured report, as plain dictionaries in Orthanc's simplified form.

The writer spells codes, units, dates and value types as a `Dialect` says: no vendor keeps to the standard
in all of them. `dicom_bytes` turns the dictionaries into a DICOM file (needs pydicom; the rest does not).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

Item = dict[str, Any]

# The twins of SNOMED RT codes that the factory writes when a dialect says SCT.
_SCT = {
    "P5-08000": "77477000",
    "P5-40010": "71651007",
    "P5-08001": "116152004",
    "P5-06000": "44491008",
    "P5-0808E": "399331006",
    "R-408C3": "261004008",
    "R-41531": "262202000",
    "G-C0E8": "363703001",
    "G-C171": "272741003",
    "G-C32C": "408730004",
    "G-C340": "410675002",
    "G-C2D0": "363589002",
    "G-A100": "24028007",
    "G-A101": "7771000",
    "T-04000": "76752008",
    "T-04020": "73056007",
    "T-04030": "80248007",
    "T-32000": "80891009",
    "T-D0005": "91723000",
    "T-D0010": "38266002",
    "T-D1100": "69536005",
    "T-D3000": "51185008",
    "T-D4000": "113345001",
    "R-0038D": "373066001",
    "R-10242": "399162004",
    "R-10226": "399368009",
    "F-10450": "102538003",
    "F-10470": "102540008",
    "F-10340": "40199007",
    "C-111A1": "77004003",
    "C-B1031": "35321007",
    "C-10072": "89457008",
    "G-D101": "47625008",
    "R-42806": "304283002",
    "F-61FDB": "349358000",
    "C-120F9": "105830007",
}


@dataclass(frozen=True)
class Dialect:
    """How a vendor writes reports. The default keeps to the standard, in SNOMED RT."""

    name: str = "standard"
    sct: bool = False
    srt_scheme: str = "SRT"
    ucum_scheme: str = "UCUM"
    meanings: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""  # put behind a meaning that has no translation
    units: Mapping[str, tuple[str, float]] = field(default_factory=dict)  # unit: (spelling, factor)
    zone: str = ""  # put behind every date and time
    uids_as_text: bool = False
    no_relationships: bool = False
    no_template: bool = False
    enhanced_sr: bool = False
    title: str = ""
    person_type: str = "PNAME"
    miscoded: Mapping[str, str] = field(default_factory=dict)  # concept: the code that stands for it
    empty: Sequence[str] = ()  # fields that are written without a value
    unreadable: Mapping[str, str] = field(default_factory=dict)  # field: what is written instead
    repeat_source: int = 1  # how often KVP and filters are repeated
    kvp_values: int = 1  # how many values one KVP has
    no_event_uids: bool = False
    same_event_uids: bool = False
    reverse_events: bool = False
    private_items: bool = False
    time_in_113735: bool = False
    omit: Sequence[str] = ()  # fields that are not written at all

    def meaning(self, text: str) -> str:
        """A meaning in the dialect's language."""
        return self.meanings.get(text, text + self.suffix)


def uid(*names: str) -> str:
    """A UID that is the same for the same names (PS3.5, B.2, under the root for UUID-like numbers)."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


class Writer:
    """Makes content items in a dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def code(self, value: str, scheme: str, meaning: str) -> list[Item]:
        """A code sequence of one item; SRT becomes SCT, or another spelling of SRT, as the dialect says."""
        if scheme == "SRT":
            if self.dialect.sct and value in _SCT:
                value, scheme = _SCT[value], "SCT"
            else:
                scheme = self.dialect.srt_scheme
        return [{"CodeMeaning": meaning, "CodeValue": value, "CodingSchemeDesignator": scheme}]

    def item(self, kind: str, concept: tuple[str, str, str], relationship: str = "CONTAINS") -> Item:
        """An item without a value. `concept` is value, scheme, meaning."""
        value, scheme, meaning = concept
        value = self.dialect.miscoded.get(value, value)
        item: Item = {"ConceptNameCodeSequence": self.code(value, scheme, self.dialect.meaning(meaning))}
        if not self.dialect.no_relationships:
            item["RelationshipType"] = relationship
        item["ValueType"] = kind
        return item

    def container(self, concept: tuple[str, str, str], children: Sequence[Item]) -> Item:
        item = self.item("CONTAINER", concept)
        item["ContinuityOfContent"] = "SEPARATE"
        item["ContentSequence"] = list(children)
        return item

    def text(self, concept: tuple[str, str, str], text: str, relationship: str = "CONTAINS") -> Item:
        return {**self.item("TEXT", concept, relationship), "TextValue": text}

    def person(self, concept: tuple[str, str, str], name: str) -> Item:
        return {**self.item(self.dialect.person_type, concept), "PersonName": name}

    def uidref(self, concept: tuple[str, str, str], value: str, relationship: str = "CONTAINS") -> Item:
        if self.dialect.uids_as_text:
            return self.text(concept, value, relationship)
        return {**self.item("UIDREF", concept, relationship), "UID": value}

    def datetime(self, concept: tuple[str, str, str], value: str, relationship: str = "CONTAINS") -> Item:
        """`value` is ISO 8601."""
        written = value.replace("-", "").replace(":", "").replace("T", "") + self.dialect.zone
        return {**self.item("DATETIME", concept, relationship), "DateTime": written}

    def coded(
        self,
        concept: tuple[str, str, str],
        value: tuple[str, str, str],
        relationship: str = "CONTAINS",
        children: Sequence[Item] = (),
    ) -> Item:
        item = self.item("CODE", concept, relationship)
        item["ConceptCodeSequence"] = self.code(value[0], value[1], self.dialect.meaning(value[2]))
        if children:
            item["ContentSequence"] = list(children)
        return item

    def number(
        self,
        concept: tuple[str, str, str],
        value: Optional[float],
        unit: str,
        written: str = "",
        children: Sequence[Item] = (),
    ) -> Item:
        """A NUM in `unit`, or in the dialect's stead for it; `written` replaces the digits; None is empty."""
        item = self.item("NUM", concept)
        spelling, factor = self.dialect.units.get(unit, (unit, 1.0))
        units = [
            {
                "CodeMeaning": spelling,
                "CodeValue": spelling,
                "CodingSchemeDesignator": self.dialect.ucum_scheme,
            }
        ]
        if value is None and not written:
            item["MeasuredValueSequence"] = []
            item["NumericValueQualifierCodeSequence"] = self.code("114010", "DCM", "Value unknown")
        else:
            digits = written or f"{(value or 0.0) * factor:.10g}"
            item["MeasuredValueSequence"] = [{"MeasurementUnitsCodeSequence": units, "NumericValue": digits}]
        if children:
            item["ContentSequence"] = list(children)
        return item

    def image(self, concept: tuple[str, str, str], sop_class: str, instance: str) -> Item:
        reference = {"ReferencedSOPClassUID": sop_class, "ReferencedSOPInstanceUID": instance}
        return {**self.item("IMAGE", concept), "ReferencedSOPSequence": [reference]}


def dicom_bytes(tags: Mapping[str, Any], transfer_syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    """A DICOM file of tags in Orthanc's simplified form; explicit little endian unless said otherwise."""
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = tags["SOPClassUID"]
    meta.MediaStorageSOPInstanceUID = tags["SOPInstanceUID"]
    meta.TransferSyntaxUID = pydicom.uid.UID(transfer_syntax)
    meta.ImplementationClassUID = uid("copydicom", "testbench")
    little = meta.TransferSyntaxUID.is_little_endian
    dataset = FileDataset(
        "", {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=False, is_little_endian=little
    )
    with pydicom.config.disable_value_validation():  # the traps break rules, which is their purpose
        fill(dataset, tags)
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def fill(dataset: Any, tags: Mapping[str, Any]) -> None:
    """Put tags in Orthanc's simplified form into a pydicom dataset (explicit little or big endian)."""
    import pydicom

    for keyword, value in tags.items():
        if isinstance(value, list):
            items = []
            for entry in value:
                item = pydicom.Dataset()
                fill(item, entry)
                items.append(item)
            setattr(dataset, keyword, pydicom.Sequence(items))
        elif keyword == "NumericValue":
            # As bytes, since a DS object would not hold what vendors write.
            padded = value.encode() + b" " * (len(value) % 2)
            tag = pydicom.tag.Tag(keyword)
            dataset._dict[tag] = pydicom.dataelem.RawDataElement(
                tag, "DS", len(padded), padded, 0, False, True
            )
        else:
            setattr(dataset, keyword, value)
