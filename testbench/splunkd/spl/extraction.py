"""Fields out of JSON: Splunk's automatic extraction (`KV_MODE = json`) and `spath`.

Source: `props.conf.spec` (KV_MODE), `limits.conf.spec` (`[spath] extraction_cutoff`, `[kv] limit`), Search
Reference, `spath`: a nested key is `a.b`, the items of a list are `a{}`, so several values get one name.
The extraction of everything reads the first 5,000 characters only; a path named in `spath` reads all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Row, Value

Step = str | int
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
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
    found: dict[str, list[str]] = {}
    start = _space(text, 0)
    if text[start : start + 1] not in ("{", "["):
        return {}
    for node in nodes(text[: limits.extraction_cutoff]):
        if node.leaf and node.name and (node.name in found or len(found) < limits.kv_limit):
            found.setdefault(node.name, []).append(node.text)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def extract_path(text: str, path: str) -> Value | None:
    """What `spath path=...` finds: values, or the raw text of an object; None when there is nothing."""
    wanted = _steps(path)
    found = [node.text for node in nodes(text) if _fits(node.path, wanted)]
    if not found:
        return None
    return found if len(found) > 1 else found[0]


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
