"""What a search makes of an event: the fields that props.conf, transforms.conf, eventtypes.conf and tags.conf
say.

Source: Splunk Knowledge Manager Manual, "The sequence of search-time operations": EXTRACT, REPORT, automatic
extraction (KV_MODE), FIELDALIAS, EVAL, LOOKUP, event types, tags; `props.conf.spec`, `transforms.conf.spec`.
A key that is not known raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from testbench.splunkd.conf import Conf, Stanza
from testbench.splunkd.spl.commands.lookups import checked, looked_up, read_call
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.expressions import Expression, parse_expression
from testbench.splunkd.spl.extraction import Limits, extract_all
from testbench.splunkd.spl.lookups import Lookups
from testbench.splunkd.spl.operators import regex
from testbench.splunkd.spl.search_terms import INTERNAL, parse_terms
from testbench.splunkd.spl.syntax import tokens
from testbench.splunkd.spl.values import Row, Value, all_values, first, from_result, one_or_many

_ALIAS = re.compile(r'("[^"]+"|\S+)\s+as\s+("[^"]+"|\S+)', re.IGNORECASE)
_IN_FIELD = re.compile(r"(.*\S)\s+in\s+(\w+)\s*", re.DOTALL)
_PAIR = re.compile(r'(?<![\w.:-])([A-Za-z_][\w.:-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]+))')
_FORMAT = re.compile(r"(\S+?)::(\S+)")
_TRANSFORM_KEYS = frozenset({"REGEX", "FORMAT", "SOURCE_KEY", "MV_ADD", "CLEAN_KEYS", "KEEP_EMPTY_VALS"})
_TRUE = ("1", "true", "t", "yes", "enabled")
Step = Callable[[Row], Row]
"""What an operation adds to a row."""


class SearchTime:
    """The operations for the events of one sourcetype, source and host."""

    def __init__(self, props: Stanza, transforms: Conf, limits: Limits) -> None:
        self._limits = limits
        self._mode = props.get("KV_MODE", "auto").lower()
        if self._mode not in ("json", "none", "auto"):
            raise UnknownSpl(f"props.conf: KV_MODE = {self._mode}")
        self._extracts = [_extract(text) for key, text in sorted(props.items()) if key.startswith("EXTRACT-")]
        for key, text in sorted(props.items()):
            if key.startswith("REPORT-"):
                names = [part.strip() for part in text.split(",") if part.strip()]
                self._extracts += [_report(name, transforms) for name in names]
        self._aliases = [
            _aliases(text) for key, text in sorted(props.items()) if key.startswith("FIELDALIAS-")
        ]
        self._calculated = {
            key.removeprefix("EVAL-"): parse_expression(text)
            for key, text in props.items()
            if key.startswith("EVAL-")
        }
        self.lookups = [text for key, text in sorted(props.items()) if key.startswith("LOOKUP-")]
        changed = INTERNAL & set(self._calculated)
        if changed:
            raise UnknownSpl(f"props.conf: EVAL- of {sorted(changed)}")

    def fields(self, internal: Row) -> Row:
        """All fields but those of lookups, event types and tags."""
        raw = str(internal["_raw"])
        row = dict(internal)
        for extract in self._extracts:
            row.update(extract(row))
        for name, value in self._automatic(raw).items():
            row.setdefault(name, value)
        for aliases in self._aliases:
            row.update({new: row[old] for old, new in aliases if old in row})
        return {**row, **_results(self._calculated, row)}

    def _automatic(self, raw: str) -> Row:
        if self._mode == "none":
            return {}
        if self._mode == "json" or raw.lstrip()[:1] in ("{", "["):
            return extract_all(raw, self._limits)
        found: Row = {}
        for name, quoted, plain in _PAIR.findall(raw):
            if len(found) < self._limits.kv_limit:
                found.setdefault(name, plain or re.sub(r'\\(["\\])', r"\1", quoted))
        return found


def _extract(text: str) -> Step:
    """`EXTRACT-x = <regex> [in <field>]`: the named groups of the first match."""
    named = _IN_FIELD.fullmatch(text)
    pattern, source = (regex(named[1]), named[2]) if named else (regex(text), "_raw")
    if not pattern.groupindex:
        raise UnknownSpl(f"props.conf: EXTRACT without a named group: {text!r}")

    def step(row: Row) -> Row:
        match = pattern.search(first(row, source) or "")
        return {name: value for name, value in (match.groupdict() if match else {}).items() if value}

    return step


def _report(name: str, transforms: Conf) -> Step:
    """`REPORT-x = <stanza of transforms.conf>`: every match, by named groups or by FORMAT (`name::$1`,
    `$1::$2`).
    """
    keys = transforms.get(name)
    if keys is None or "REGEX" not in keys or set(keys) - _TRANSFORM_KEYS:
        raise UnknownSpl(f"transforms.conf: [{name}] {sorted(set(keys or ()) - _TRANSFORM_KEYS)}")
    pattern, source = regex(keys["REGEX"]), keys.get("SOURCE_KEY", "_raw")
    pairs = _FORMAT.findall(keys.get("FORMAT", ""))
    several = keys.get("MV_ADD", "false").lower() in _TRUE
    if not pairs and not pattern.groupindex:
        raise UnknownSpl(f"transforms.conf: [{name}] needs FORMAT or named groups")

    def step(row: Row) -> Row:
        found: dict[str, list[str]] = {}
        for match in pattern.finditer(first(row, source) or ""):
            made = [(_group(one, match), _group(two, match)) for one, two in pairs]
            for field, value in made or [(one, two or "") for one, two in match.groupdict().items()]:
                if value:
                    found.setdefault(re.sub(r"\W", "_", field), []).append(value)
        return {field: _some(values, several) for field, values in found.items()}

    return step


def _group(text: str, match: re.Match[str]) -> str:
    return re.sub(r"\$(\d)", lambda number: match[int(number[1])] or "", text).strip('"')


def _some(values: list[str], several: bool) -> Value:
    return values if several and len(values) > 1 else values[0]


def _aliases(text: str) -> list[tuple[str, str]]:
    pairs = [(old.strip('"'), new.strip('"')) for old, new in _ALIAS.findall(text)]
    if not pairs or _ALIAS.sub("", text).strip(" ,"):
        raise UnknownSpl(f"props.conf: the alias {text!r}")
    if INTERNAL & {new for _, new in pairs}:
        raise UnknownSpl(f"props.conf: an alias to a field that every event has: {text!r}")
    return pairs


def _results(calculated: Mapping[str, Expression], row: Row) -> Row:
    """Each EVAL-<field> sees the row as it was before any of them."""
    values = {name: from_result(expression(row)) for name, expression in calculated.items()}
    return {name: value for name, value in values.items() if value is not None}


def automatic_lookups(texts: list[str], lookups: Lookups) -> Step:
    """`LOOKUP-x = <name> f AS g OUTPUT a AS b`, one after the other."""
    calls = [read_call(tokens(text)) for text in texts]

    def step(row: Row) -> Row:
        added: Row = {}
        for call in calls:
            table = lookups.table(call.table)
            added.update(looked_up({**row, **added}, call, table, checked(call, table)))
        return added

    return step


def event_types(stanzas: Conf, tag_stanzas: Conf) -> Step | None:
    """The fields `eventtype` and `tag`; None when the app has no event types."""
    found = {
        name: parse_terms(keys.get("search", ""), 0.0).holds
        for name, keys in stanzas.items()
        if name != "default" and keys.get("disabled", "0").lower() not in _TRUE
    }
    tags = _tags(tag_stanzas)
    if not found and not tags:
        return None

    def step(row: Row) -> Row:
        types = [name for name, holds in found.items() if holds(row)]
        known = {**row, "eventtype": types}
        tagged = [
            tag
            for (field, value), names in tags.items()
            if value in all_values(known, field)
            for tag in names
        ]
        values = {"eventtype": one_or_many(types), "tag": one_or_many(sorted(set(tagged)))}
        return {name: value for name, value in values.items() if value is not None}

    return step


def _tags(stanzas: Conf) -> dict[tuple[str, str], list[str]]:
    """`[field=value]` with `tag = enabled`."""
    tags: dict[tuple[str, str], list[str]] = {}
    for stanza, keys in stanzas.items():
        field, equals, value = stanza.partition("=")
        if equals:
            tags[field, value] = [name for name, state in keys.items() if state.lower() in _TRUE]
    return tags
