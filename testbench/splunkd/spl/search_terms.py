"""The condition of the `search` command, as a function of a row.

Source: Splunk Search Reference, `search`: terms side by side are joined by AND; NOT binds before OR, OR
before AND; `field=value` ignores case, `*` stands for any text; `field!=value` needs the field to be
there, `NOT field=value` does not; a bare word is looked for in `_raw`. Operators are in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from testbench.splunkd.spl.context import TimeRange
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.relative_time import parse_time
from testbench.splunkd.spl.syntax import Token, tokens
from testbench.splunkd.spl.values import Row, all_values, as_number, first, wildcard

Predicate = Callable[[Row], bool]
INTERNAL = frozenset({"_time", "_indextime", "_raw", "host", "source", "sourcetype", "index"})
_COMPARISONS = ("=", "!=", "<", ">", "<=", ">=")
_TIMES = {
    "earliest": "earliest",
    "latest": "latest",
    "_index_earliest": "index_earliest",
    "_index_latest": "index_latest",
}


@dataclass(frozen=True)
class Term:
    """A part of a condition, and the fields that it looks at. `parts` are those of an AND."""

    holds: Predicate
    fields: frozenset[str] = frozenset()
    parts: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Terms:
    """A whole condition; `early` is what of it can be decided on the fields in `INTERNAL` alone."""

    holds: Predicate
    early: Predicate
    fields: frozenset[str]
    times: dict[str, float] = field(default_factory=dict)

    def time_range(self, asked: TimeRange, now: float) -> TimeRange:
        """In-search times win over those asked for; of a pair the other end is then 0 or now.

        Source: Search Manual, "Specify time modifiers in your search"; Time modifiers: "If you don't specify
        latest, now() is used".
        """
        found = TimeRange(asked.earliest, asked.latest, asked.index_earliest, asked.index_latest)
        if "earliest" in self.times:
            found.earliest, found.latest = self.times["earliest"], self.times.get("latest", now)
        elif "latest" in self.times:
            found.earliest, found.latest = 0.0, self.times["latest"]
        found.index_earliest = self.times.get("index_earliest", found.index_earliest)
        found.index_latest = self.times.get("index_latest", found.index_latest)
        return found


def parse_terms(text: str, now: float) -> Terms:
    """The condition; an empty text is true for all."""
    parser = _Parser(tokens(text), now)
    term = parser.conjunction() if parser.left else Term(_true)
    if parser.left:
        raise UnknownSpl(f"search: cannot read from {parser.left[0].text!r} on")
    early = [one.holds for one in _conjuncts(term) if one.fields and one.fields <= INTERNAL]
    return Terms(term.holds, lambda row: all(holds(row) for holds in early), term.fields, parser.times)


def _conjuncts(term: Term) -> list[Term]:
    return [one for part in term.parts for one in _conjuncts(part)] if term.parts else [term]


def _true(row: Row) -> bool:
    return True


def _false(row: Row) -> bool:
    return False


class _Parser:
    """`guarded` counts the NOT and OR around a term: a time has no meaning within."""

    def __init__(self, found: list[Token], now: float) -> None:
        self.left = found
        self.now = now
        self.times: dict[str, float] = {}
        self.guarded = 0

    def conjunction(self) -> Term:
        parts = [self._disjunction()]
        while self.left and not self.left[0].is_op(")"):
            if self.left[0].kind == "word" and self.left[0].text == "AND":
                self._take()
            parts.append(self._disjunction())
        if len(parts) == 1:
            return parts[0]
        tests = [one.holds for one in parts]
        return Term(lambda row: all(holds(row) for holds in tests), _fields(parts), tuple(parts))

    def _disjunction(self) -> Term:
        before = dict(self.times)
        parts = [self._term()]
        while self.left and self.left[0].kind == "word" and self.left[0].text == "OR":
            self._take()
            self.guarded += 1
            parts.append(self._term())
            self.guarded -= 1
        if len(parts) == 1:
            return parts[0]
        if self.times != before:
            raise UnknownSpl("search: a time within OR")
        tests = [one.holds for one in parts]
        return Term(lambda row: any(holds(row) for holds in tests), _fields(parts))

    def _take(self, text: str | None = None) -> Token:
        if not self.left or (text is not None and self.left[0].text != text):
            raise UnknownSpl(f"search: expected {text or 'a term'}, found {self.left[:1]}")
        token, self.left = self.left[0], self.left[1:]
        return token

    def _term(self) -> Term:
        token = self._take()
        if token.kind == "word" and token.text == "NOT":
            if len(self.left) > 1 and self.left[0].is_op("(") and self.left[1].is_op(")"):
                self.left = self.left[2:]
                return Term(_false)
            self.guarded += 1
            negated = self._term()
            self.guarded -= 1
            return Term(lambda row: not negated.holds(row), negated.fields)
        if token.is_op("("):
            inner = self.conjunction()
            self._take(")")
            return inner
        if token.kind == "op":
            raise UnknownSpl(f"search: {token.text!r} where a term should be")
        if self.left and self.left[0].is_op(*_COMPARISONS):
            operator, value = self._take().text, self._take()
            if value.kind == "op":
                raise UnknownSpl(f"search: no value after {token.text}{operator}")
            return self._comparison(token.text, operator, value.text)
        if len(self.left) > 1 and self.left[0].is_word("in") and self.left[1].is_op("("):
            return self._in(token.text)
        if "::" in token.text or token.text in ("TERM", "CASE") or token.is_word("and", "or", "not"):
            raise UnknownSpl(f"search: {token.text}")
        return Term(_free_text(token.text), frozenset({"_raw"}))

    def _in(self, name: str) -> Term:
        self.left = self.left[2:]
        choices: list[Predicate] = []
        while (token := self._take()).text != ")" or token.kind != "op":
            if not token.is_op(","):
                choices.append(_comparison(name, "=", token.text))
        return Term(lambda row: any(choice(row) for choice in choices), frozenset({name}))

    def _comparison(self, name: str, operator: str, value: str) -> Term:
        if name in _TIMES:
            if operator != "=" or self.guarded:
                raise UnknownSpl(f"search: {name}{operator} within NOT or OR, or not equal")
            self.times[_TIMES[name]] = parse_time(value, self.now)
            return Term(_true)
        return Term(_comparison(name, operator, value), frozenset({name}))


def _fields(parts: list[Term]) -> frozenset[str]:
    return frozenset().union(*(one.fields for one in parts))


def _comparison(name: str, operator: str, value: str) -> Predicate:
    if operator in ("=", "!="):
        if "*" not in value:
            plain = value.lower()
            if operator == "=":
                return lambda row: any(one.lower() == plain for one in all_values(row, name))
            return lambda row: any(one.lower() != plain for one in all_values(row, name))
        pattern = wildcard(value)
        if operator == "=":
            return lambda row: any(pattern.fullmatch(one) for one in all_values(row, name))
        return lambda row: any(not pattern.fullmatch(one) for one in all_values(row, name))
    return _ordered(name, operator, value)


def _ordered(name: str, operator: str, value: str) -> Predicate:
    number = as_number(value)
    if number is None:
        raise UnknownSpl(f"search: {name}{operator}{value} compares texts")
    limit = number
    compare: dict[str, Callable[[float], bool]] = {
        "<": lambda one: one < limit,
        ">": lambda one: one > limit,
        "<=": lambda one: one <= limit,
        ">=": lambda one: one >= limit,
    }
    holds = compare[operator]

    def predicate(row: Row) -> bool:
        numbers = [as_number(one) for one in all_values(row, name)]
        return any(holds(one) for one in numbers if one is not None)

    return predicate


def _free_text(word: str) -> Predicate:
    """A word of the raw text, from one breaker to the next, without regard to case."""
    if word == "*":
        return _true
    body = r"[^\s]*".join(re.escape(part) for part in word.split("*"))
    pattern = re.compile(rf"(?<![A-Za-z0-9]){body}(?![A-Za-z0-9])", re.IGNORECASE)
    return lambda row: pattern.search(first(row, "_raw") or "") is not None
