"""Give a DICOM file other identifiers, the same each time and wherever they occur (pure: bytes in and out).

Every UID that names an instance, a series, a frame of reference ... becomes ``2.25.<number>``, a keyed hash
of the old one, at any depth, so that references between files still hold. The accession number is keyed too.
Who has not the key can neither find the old value from the new one nor test a guess. UIDs that DICOM itself
defines, and those of SOP classes and codings, stay.

Encoding: DICOM PS3.5, chapter 7; files: PS3.10, chapter 7.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import uuid
from dataclasses import dataclass

from copydicom_app.errors import SkippableError
from copydicom_app.replication.uid_elements import UID_ELEMENTS

EXPLICIT = "1.2.840.10008.1.2.1"  # Explicit VR Little Endian
_IMPLICIT, _DEFLATED, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
_DICOM_ROOT = "1.2.840.10008."
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_META_LENGTH, _META_INSTANCE, _SYNTAX = 0x00020000, 0x00020003, 0x00020010
_ACCESSION = 0x00080050
# SOP classes, transfer syntaxes, implementations and codings name a kind of thing, not a thing.
_KINDS = frozenset(
    (
        *(0x00020002, _SYNTAX, 0x00020012, 0x00080016, 0x0008001A, 0x0008001B, 0x0008010C, 0x00080117),
        *(0x00080118, 0x00081150, 0x00080062, 0x0008115A, 0x00041510, 0x00041512),
    )
)
_NAMES = {0x00100020: "patient", 0x0020000D: "study", 0x0020000E: "series", 0x00080018: "instance"}
_FACTS = {
    **{_SYNTAX: "syntax", 0x00080016: "sop_class", 0x00080060: "modality", 0x00280301: "burned_in"},
    **_NAMES,
}


class Keys:
    """New identifiers from old ones, by HMAC-SHA-256."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def uid(self, old: str) -> str:
        """A UID of the form ``2.25.<UUID as a decimal>`` (PS3.5, B.2)."""
        return f"2.25.{uuid.UUID(bytes=self._hash('uid', old)[:16], version=4).int}"

    def patient_id(self, old: str) -> str:
        """Sixteen letters and digits."""
        return self._text("patient", old)

    def accession(self, old: str) -> str:
        """Sixteen letters and digits, as many as VR SH allows."""
        return self._text("accession", old)

    def _text(self, kind: str, old: str) -> str:
        return base64.b32encode(self._hash(kind, old.strip())[:10]).decode("ascii")

    def _hash(self, kind: str, old: str) -> bytes:
        return hmac.new(self._key, f"{kind}:{old}".encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class Rekeyed:
    """A file with its new identifiers, and what decides whether it may be sent."""

    dicom: bytes
    orthanc_id: str
    sop_class: str
    modality: str
    burned_in: str


def rekeyed(dicom: bytes, keys: Keys) -> Rekeyed:
    """The same file with keyed identifiers; PatientID is left as it is.

    Raises SkippableError for what cannot be read, and for two rare transfer syntaxes: see `readable`.
    """
    try:
        if dicom[128:132] != b"DICM":
            raise SkippableError("it is no DICOM file, so it cannot be anonymized")
        meta_length = struct.unpack_from("<L", dicom, 140)[0]
        begin = 144 + meta_length
        meta = _Writer(dicom[:begin], keys)
        group = b"".join(meta.elements(144, begin))
        body = _Writer(dicom, keys, implicit=meta.facts.get("syntax") == _IMPLICIT)
        data = b"".join(body.elements(begin, len(dicom)))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise SkippableError("its DICOM encoding cannot be read, so it cannot be anonymized") from error
    facts = body.facts
    names = "|".join(facts.get(name, "") for name in ("patient", "study", "series", "instance"))
    digest = hashlib.sha1(names.encode("latin-1", "replace"), usedforsecurity=False).hexdigest()
    head = dicom[:132] + struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(group))
    return Rekeyed(
        head + group + data,
        "-".join(digest[start : start + 8] for start in range(0, 40, 8)),
        facts.get("sop_class", ""),
        facts.get("modality", ""),
        facts.get("burned_in", ""),
    )


def readable(dicom: bytes) -> bool:
    """Whether `rekeyed` reads its transfer syntax: every one but deflated and big endian."""
    for syntax in (_DEFLATED, _BIG):
        value = _padded(syntax, b"\0")
        if struct.pack("<HH2sH", 2, 0x10, b"UI", len(value)) + value in dicom[:2048]:
            return False
    return True


class _Writer:
    """Reads a data set element by element and hands out what shall stand there.

    Where it is `implicit`, elements name no VR: the dictionary knows the UIDs, and a sequence shows itself.
    """

    def __init__(self, data: bytes, keys: Keys, implicit: bool = False) -> None:
        self._data = data
        self._keys = keys
        self._implicit = implicit
        self._depth = 0
        self.place = 0
        self.facts: dict[str, str] = {}

    def elements(self, begin: int, end: int) -> list[bytes]:
        """The elements from `begin` to `end`, or to the end of an item of undefined length."""
        out: list[bytes] = []
        self.place = begin
        while self.place < end:
            start = self.place
            group, element = struct.unpack_from("<HH", self._data, start)
            tag = group << 16 | element
            if tag == _ITEM_END:
                self.place += 8
                break
            vr, length, value = self._implicit_head(tag, start) if self._implicit else self._head(start)
            if vr == b"SQ":
                out += self._sequence(start, value, length)
            elif length == _UNDEFINED:
                out.append(self._fragments(start, value, vr))
            else:
                self.place = value + length
                if self.place > end:
                    raise struct.error("an element is longer than the file")
                out.append(self._element(tag, vr, start, value))
        return out

    def _head(self, start: int) -> tuple[bytes, int, int]:
        """The VR of the element at `start`, the length of its value, and where that begins."""
        vr = self._data[start + 4 : start + 6]
        if not (vr.isalpha() and vr.isupper()):
            raise struct.error("no value representation")
        if vr in _LONG:
            return vr, struct.unpack_from("<L", self._data, start + 8)[0], start + 12
        return vr, struct.unpack_from("<H", self._data, start + 6)[0], start + 8

    def _implicit_head(self, tag: int, start: int) -> tuple[bytes, int, int]:
        """The same, as far as it matters here: UI, SH, SQ or UN."""
        length, value = struct.unpack_from("<L", self._data, start + 4)[0], start + 8
        if tag in UID_ELEMENTS:
            return b"UI", length, value
        if tag == _ACCESSION:
            return b"SH", length, value
        # pixel data is never encapsulated here
        items = length == _UNDEFINED or self._is_items(value, value + length)
        return b"SQ" if items else b"UN", length, value

    def _is_items(self, place: int, end: int) -> bool:
        """Whether items fill the value; one of undefined length settles it, as no other value holds that."""
        if place == end:
            return False
        while place + 8 <= end:
            group, element, size = struct.unpack_from("<HHL", self._data, place)
            if group << 16 | element != _ITEM:
                return False
            if size == _UNDEFINED:
                return True
            place += 8 + size
        return place == end

    def _element(self, tag: int, vr: bytes, start: int, value: int) -> bytes:
        content = self._data[value : self.place]
        if vr == b"UI" and tag not in _KINDS:
            old = content.decode("ascii").rstrip("\0 ")
            content = _padded("\\".join(map(self._uid, old.split("\\"))), b"\0")
        elif tag == _ACCESSION and content.strip(b" \0"):
            content = _padded(self._keys.accession(content.decode("latin-1").rstrip("\0 ")), b" ")
        if tag in _FACTS and not self._depth:
            self.facts[_FACTS[tag]] = content.decode("latin-1").strip("\0 ")
        if self._implicit and vr in (b"UI", b"SH"):
            return self._data[start : start + 4] + struct.pack("<L", len(content)) + content
        if vr in (b"UI", b"SH"):
            return self._data[start : start + 6] + struct.pack("<H", len(content)) + content
        return self._data[start : self.place]

    def _uid(self, old: str) -> str:
        return old if not old or old.startswith(_DICOM_ROOT) else self._keys.uid(old)

    def _sequence(self, start: int, value: int, length: int) -> list[bytes]:
        """The items with defined lengths, whatever they had."""
        end = len(self._data) if length == _UNDEFINED else value + length
        items: list[bytes] = []
        self.place = value
        self._depth += 1
        while self.place < end:
            group, element, size = struct.unpack_from("<HHL", self._data, self.place)
            tag = group << 16 | element
            self.place += 8
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM:
                raise struct.error("no item")
            until = end if size == _UNDEFINED else self.place + size
            item = b"".join(self.elements(self.place, until))
            items.append(struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item)
        self._depth -= 1
        head = 4 if self._implicit else 8
        return [self._data[start : start + head], struct.pack("<L", sum(map(len, items))), *items]

    def _fragments(self, start: int, value: int, vr: bytes) -> bytes:
        """Encapsulated pixel data, as it stands."""
        if vr not in (b"OB", b"OW"):
            raise struct.error("a sequence in disguise")
        self.place = value
        while True:
            group, element, size = struct.unpack_from("<HHL", self._data, self.place)
            self.place += 8 + size
            if group << 16 | element == _SEQUENCE_END:
                return self._data[start : self.place]
            if self.place > len(self._data):
                raise struct.error("fragments without an end")


def _padded(text: str, filler: bytes) -> bytes:
    value = text.encode("latin-1")
    return value + filler * (len(value) % 2)
