"""Fields out of JSON: Splunk's automatic extraction (`KV_MODE = json`) and `spath`.

Source: `props.conf.spec` (KV_MODE), `limits.conf.spec` (`[spath] extraction_cutoff`, `[kv] limit`), Search
Reference, `spath`: a nested key is `a.b`, the items of a list are `a{}`, so several values get one name.
The extraction of everything reads the first 5,000 characters only; a path named in `spath` reads all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Row, Value

Step = str | int
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_VALUES = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*:)?|"|[-\dtfn][\w.+-]*', re.DOTALL)
_SPACE = re.compile(r"\s*")
_PART = re.compile(r"([^.{}]+)((?:\{\d*\})*)(?:\.|$)")


@dataclass(frozen=True)
class Limits:
    """limits.conf, which an app may not ship.

    That `[kv] limit` counts for JSON too is the careful reading of "automatic key-value extraction":
    a field that is found here is found there.
    """

    extraction_cutoff: int = 5000
    kv_limit: int = 100


class _End(Exception):
    """The text ends, or is no JSON, from here on."""


@dataclass(frozen=True)
class Node:
    """A value and where it hangs; `leaf` is False for the raw text of an object or a list."""

    path: tuple[Step, ...]
    text: str
    leaf: bool

    @property
    def name(self) -> str:
        return field_name(self.path)

    def fits(self, path: str) -> bool:
        """Whether it is at the path of an `spath`."""
        return _fits(self.path, _steps(path))


def field_name(path: tuple[Step, ...]) -> str:
    """`("a", 0, "b")` is `a{}.b`."""
    name = ""
    for step in path:
        name += "{}" if isinstance(step, int) else ("." if name else "") + step
    return name


def nodes(text: str) -> Iterator[Node]:
    """All values in the order of their ends; stops without a word where the JSON stops."""
    try:
        yield from _Scanner(text).value(())
    except _End:
        return


def extract_all(text: str, limits: Limits) -> Row:
    """What the automatic extraction makes of an event; nothing when it is no JSON object."""
    start = _space(text, 0)
    if text[start : start + 1] not in ("{", "["):
        return {}
    found: dict[str, list[str]] = {}
    for name, value in _leaves(text, limits.extraction_cutoff):
        if name in found:
            found[name].append(value)
        elif name and len(found) < limits.kv_limit:
            found[name] = [value]
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _leaves(text: str, cutoff: int) -> Iterable[tuple[str, str]]:
    """Names and texts up to the cutoff: by Python's JSON reader where it can read, else sign by sign."""
    try:
        document = _DECODER.decode(text)
    except ValueError:
        return ((node.name, node.text) for node in nodes(text[:cutoff]) if node.leaf)
    leaves: list[tuple[str, str]] = []
    _flat(document, "", leaves)
    return leaves if len(text) <= cutoff else leaves[: _whole_values(text, cutoff)]


def _whole_values(text: str, cutoff: int) -> int:
    """How many strings, numbers and words, keys apart, end before the cutoff."""
    found = _VALUES.findall(text, 0, cutoff)
    if '"' in found:
        found = found[: found.index('"')]  # from there on a string that goes on behind the cutoff
    elif found and text[:cutoff].rstrip().endswith(found[-1]):
        beyond = text[len(text[:cutoff].rstrip()) :].lstrip()[:1]
        if beyond == ":" or (found[-1][0] != '"' and not text[cutoff - 1].isspace()):
            found.pop()  # a key, or a number that may go on
    return len([one for one in found if one[-1] != ":"])


def _flat(value: Any, name: str, leaves: list[tuple[str, str]]) -> None:
    """Add the leaves below a value in their order."""
    if isinstance(value, str):
        leaves.append((name, value))
    elif isinstance(value, _Members):
        start = f"{name}." if name else ""
        for key, member in value:
            if isinstance(member, str):
                leaves.append((start + key, member))
            else:
                _flat(member, start + key, leaves)
    elif isinstance(value, list):
        for item in value:
            _flat(item, name + "{}", leaves)
    else:
        leaves.append((name, _WORDS[value]))


class _Members(list[tuple[str, Any]]):
    """An object with all its keys, also those that it has twice."""


def _constant(text: str) -> str:
    raise ValueError(f"{text} is no JSON")


_WORDS = {True: "true", False: "false", None: "null"}
_DECODER = json.JSONDecoder(
    object_pairs_hook=_Members, parse_float=str, parse_int=str, parse_constant=_constant, strict=False
)


def extract_path(text: str, path: str) -> Value | None:
    """What `spath path=...` finds: values, or the raw text of an object; None when there is nothing."""
    wanted = _steps(path)
    found = _reached(text, wanted)
    if found is None:
        found = [node.text for node in nodes(text) if node.fits(path)]
    if not found:
        return None
    return found if len(found) > 1 else found[0]


def _reached(text: str, wanted: list[Step | None]) -> list[str] | None:
    """The leaves at a path by Python's JSON reader; None when it is no JSON, or raw text is wanted."""
    try:
        values: list[Any] = [_DECODER.decode(text)]
    except ValueError:
        return None
    for step in wanted:
        below: list[Any] = []
        for value in values:
            if isinstance(value, _Members):
                below += [member for key, member in value if key == step]
            elif isinstance(value, list) and not isinstance(step, str):
                below += value if step is None else value[step : step + 1]
        values = below
    if any(isinstance(value, list) for value in values):
        return None
    return [value if isinstance(value, str) else _WORDS[value] for value in values]


def _steps(path: str) -> list[Step | None]:
    """The keys and indexes of a path; None is any index."""
    steps: list[Step | None] = []
    at = 0
    while at < len(path):
        match = _PART.match(path, at)
        if match is None or match.end() == at:
            raise UnknownSpl(f"spath: the path {path!r}")
        steps.append(match[1])
        steps += [int(index) if index else None for index in re.findall(r"\{(\d*)\}", match[2])]
        at = match.end()
    return steps


def _fits(path: tuple[Step, ...], wanted: list[Step | None]) -> bool:
    if len(path) != len(wanted):
        return False
    return all(
        isinstance(step, int) if want is None else step == want
        for step, want in zip(path, wanted, strict=True)
    )


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


class _Scanner:
    """Reads JSON from the left and hands out what is complete; `_End` is raised where it stops being JSON."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def value(self, path: tuple[Step, ...]) -> Iterator[Node]:
        sign = self._sign()
        start = self.at
        if sign in "{[":
            yield from self._container(path, "}" if sign == "{" else "]")
            yield Node(path, self.text[start : self.at], leaf=False)
        elif sign == '"':
            yield Node(path, self._string(), leaf=True)
        else:
            yield Node(path, self._match(_SCALAR), leaf=True)

    def _container(self, path: tuple[Step, ...], closing: str) -> Iterator[Node]:
        self.at += 1
        number = 0
        while self._sign() != closing:
            if number:
                self._skip(",")
            step: Step = number
            if closing == "}":
                self._sign()
                step = self._string()
                self._skip(":")
            yield from self.value((*path, step))
            number += 1
        self.at += 1

    def _sign(self) -> str:
        self.at = _space(self.text, self.at)
        if self.at >= len(self.text):
            raise _End
        return self.text[self.at]

    def _skip(self, sign: str) -> None:
        if self._sign() != sign:
            raise _End
        self.at += 1

    def _string(self) -> str:
        try:
            return str(json.loads(self._match(_STRING), strict=False))
        except ValueError as error:
            raise _End from error

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None or (pattern is _SCALAR and match.end() == len(self.text)):
            raise _End  # a number at the very end may have been cut
        self.at = match.end()
        return match[0]
