"""Lookups: CSV files of the app and collections of the KV store, by their definitions in transforms.conf.

Source: `transforms.conf.spec`, "Lookup tables"; Splunk Knowledge Manager Manual, "Configure CSV lookups" and
"Configure KV Store lookups". Geospatial, external and time-based lookups, `filter` and CIDR are refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbench.splunkd.conf import AppConfs
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Row, number_text, wildcard

Line = dict[str, str]
MAX_MATCHES = 1000
_KEYS = frozenset(
    [
        "filename",
        "external_type",
        "collection",
        "fields_list",
        "case_sensitive_match",
        "match_type",
        "min_matches",
        "max_matches",
        "default_match",
        "batch_index_query",
        "allow_caching",
    ]
)
_LOOKUP_KEYS = frozenset({"filename", "external_type", "collection", "external_cmd"})
_TYPE = re.compile(r"(\w+)\(([^)]*)\)")


@dataclass(frozen=True)
class Table:
    """The rows of a lookup and how they are compared. Empty cells are absent."""

    name: str
    fields: tuple[str, ...]
    lines: list[Line]
    case_sensitive: bool = True
    wildcards: frozenset[str] = frozenset()
    min_matches: int = 0
    max_matches: int = MAX_MATCHES
    default: str = ""
    _found: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Line]] = field(default_factory=dict)
    _indexes: dict[tuple[str, ...], dict[tuple[str, ...], list[Line]]] = field(default_factory=dict)

    def matching(self, wanted: Mapping[str, Sequence[str]]) -> list[Line]:
        """The lines in which each field has one of the values, in their order, as many as may be."""
        key = tuple((name, tuple(values)) for name, values in wanted.items())
        if key not in self._found:
            self._found[key] = self._matching(wanted)
        return self._found[key]

    def _matching(self, wanted: Mapping[str, Sequence[str]]) -> list[Line]:
        plain = tuple(sorted(name for name in wanted if name not in self.wildcards))
        index = self._index(plain)
        found: list[Line] = []
        for key in _combinations([wanted[name] for name in plain]):
            found += index.get(tuple(map(self._key, key)), [])
        patterns = [name for name in wanted if name in self.wildcards]
        kept = [line for line in found if all(self._fits(line, name, wanted[name]) for name in patterns)]
        return kept[: self.max_matches]

    def _index(self, names: tuple[str, ...]) -> dict[tuple[str, ...], list[Line]]:
        if names not in self._indexes:
            made: dict[tuple[str, ...], list[Line]] = {}
            for line in self.lines:
                if all(name in line for name in names):
                    made.setdefault(tuple(self._key(line[name]) for name in names), []).append(line)
            self._indexes[names] = made
        return self._indexes[names]

    def _key(self, text: str) -> str:
        return text if self.case_sensitive else text.lower()

    def _fits(self, line: Line, name: str, values: Sequence[str]) -> bool:
        if name not in line:
            return False
        pattern = wildcard(line[name], ignore_case=not self.case_sensitive)
        return any(pattern.fullmatch(one) for one in values)


def _combinations(values: list[Sequence[str]]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for some in values:
        found = [(*before, one) for before in found for one in some]
    return found


@dataclass
class Lookups:
    """The app's lookups. `collection` gives the documents of a collection of the KV store."""

    confs: AppConfs
    collection: Callable[[str], list[dict[str, Any]]]
    _cache: dict[str, tuple[int, list[str], list[Line]]] = field(default_factory=dict)

    def definitions(self) -> dict[str, dict[str, str]]:
        """The stanzas of transforms.conf that are lookups."""
        stanzas = self.confs.read("transforms")
        return {
            name: keys for name, keys in stanzas.items() if name != "default" and _LOOKUP_KEYS & set(keys)
        }

    def definition(self, name: str) -> dict[str, str]:
        """By its name, or the file itself. Raises UnknownSpl."""
        found = self.definitions().get(name)
        if found is None:
            if not name.endswith(".csv"):
                raise UnknownSpl(f"the lookup {name} is not in transforms.conf")
            found = {"filename": name}
        unknown = set(found) - _KEYS
        if unknown:
            raise UnknownSpl(f"transforms.conf: [{name}] {sorted(unknown)}")
        return found

    def table(self, name: str) -> Table:
        keys = self.definition(name)
        if keys.get("external_type", "") == "kvstore":
            fields, lines = self._documents(name, keys)
        elif "external_type" in keys or "filename" not in keys:
            raise UnknownSpl(f"transforms.conf: the kind of lookup of [{name}]")
        else:
            fields, lines = self._file(keys["filename"])
        return Table(
            name,
            tuple(fields),
            lines,
            case_sensitive=keys.get("case_sensitive_match", "true").lower() in ("true", "1"),
            wildcards=_wildcards(name, keys.get("match_type", "")),
            min_matches=int(keys.get("min_matches", "0")),
            max_matches=int(keys.get("max_matches", MAX_MATCHES)),
            default=keys.get("default_match", ""),
        )

    def path(self, filename: str) -> Path:
        if Path(filename).name != filename:
            raise UnknownSpl(f"the lookup file {filename}")
        return self.confs.app_dir / "lookups" / filename

    def _file(self, filename: str) -> tuple[list[str], list[Line]]:
        path = self.path(filename)
        if not path.is_file():
            raise UnknownSpl(f"the lookup file lookups/{filename} does not exist")
        stamp = path.stat().st_mtime_ns
        cached = self._cache.get(filename)
        if cached is None or cached[0] != stamp:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file, strict=True)
                lines = [{name: text for name, text in line.items() if text} for line in reader]
                cached = self._cache[filename] = (stamp, list(reader.fieldnames or ()), lines)
        return cached[1], cached[2]

    def _documents(self, name: str, keys: Mapping[str, str]) -> tuple[list[str], list[Line]]:
        fields = [part.strip() for part in keys.get("fields_list", "").split(",") if part.strip()]
        if not fields or "collection" not in keys:
            raise UnknownSpl(f"transforms.conf: [{name}] needs collection and fields_list")
        if keys["collection"] not in self.confs.read("collections"):
            raise UnknownSpl(f"the collection {keys['collection']} is not in collections.conf")
        lines = []
        for document in self.collection(keys["collection"]):
            texts = {one: _text(document[one]) for one in fields if document.get(one) is not None}
            lines.append({one: text for one, text in texts.items() if text})
        return fields, lines


def _wildcards(name: str, text: str) -> frozenset[str]:
    found = _TYPE.findall(text)
    if any(kind not in ("WILDCARD", "EXACT") for kind, _ in found) or (text.strip() and not found):
        raise UnknownSpl(f"transforms.conf: [{name}] match_type = {text}")
    return frozenset(one.strip() for kind, one in found if kind == "WILDCARD")


def _text(value: Any) -> str:
    """A value of a document as a field's: numbers plain, truth values as 1 and 0."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return number_text(float(value))
    if not isinstance(value, str):
        raise UnknownSpl(f"a list or an object in a collection: {value!r}")
    return value


def as_row(line: Line) -> Row:
    return dict(line)
