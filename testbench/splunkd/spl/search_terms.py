"""The condition of the `search` command, as a function of a row.

Source: Splunk Search Reference, `search`: terms side by side are joined by AND; NOT binds before OR, OR
before AND; `field=value` ignores case, `*` stands for any text; `field!=value` needs the field to be
there, `NOT field=value` does not; a bare word is looked for in `_raw`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import Token, tokens
from testbench.splunkd.spl.values import Row, all_values, as_number, first, wildcard

Predicate = Callable[[Row], bool]
_COMPARISONS = ("=", "!=", "<", ">", "<=", ">=")
_TIMES = {
    "earliest": ("_time", ">="),
    "latest": ("_time", "<"),
    "_index_earliest": ("_indextime", ">="),
    "_index_latest": ("_indextime", "<"),
}


def parse_terms(text: str) -> Predicate:
    """The condition; an empty text is true for all."""
    parser = _Parser(tokens(text))
    predicate = parser.conjunction() if parser.left else _true
    if parser.left:
        raise UnknownSpl(f"search: cannot read from {parser.left[0].text!r} on")
    return predicate


def _true(row: Row) -> bool:
    return True


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.left = found

    def conjunction(self) -> Predicate:
        parts = [self._disjunction()]
        while self.left and self.left[0].text != ")":
            if self.left[0].kind == "word" and self.left[0].text == "AND":
                self.left = self.left[1:]
            parts.append(self._disjunction())
        return lambda row: all(part(row) for part in parts)

    def _disjunction(self) -> Predicate:
        parts = [self._term()]
        while self.left and self.left[0].kind == "word" and self.left[0].text == "OR":
            self.left = self.left[1:]
            parts.append(self._term())
        return lambda row: any(part(row) for part in parts)

    def _take(self, text: str | None = None) -> Token:
        if not self.left or (text is not None and self.left[0].text != text):
            raise UnknownSpl(f"search: expected {text or 'a term'}, found {self.left[:1]}")
        token, self.left = self.left[0], self.left[1:]
        return token

    def _term(self) -> Predicate:
        token = self._take()
        if token.kind == "word" and token.text == "NOT":
            negated = self._term()
            return lambda row: not negated(row)
        if token.kind == "op" and token.text == "(":
            inner = self.conjunction()
            self._take(")")
            return inner
        if token.kind == "op":
            raise UnknownSpl(f"search: {token.text!r} where a term should be")
        if self.left and self.left[0].kind == "op" and self.left[0].text in _COMPARISONS:
            operator, value = self._take().text, self._take()
            if value.kind == "op":
                raise UnknownSpl(f"search: no value after {token.text}{operator}")
            return _comparison(token.text, operator, value.text)
        if len(self.left) > 1 and self.left[0].is_word("in") and self.left[1].text == "(":
            return self._in(token.text)
        if "::" in token.text or token.text in ("TERM", "CASE"):
            raise UnknownSpl(f"search: {token.text}")
        return _free_text(token.text)

    def _in(self, name: str) -> Predicate:
        self.left = self.left[2:]
        choices: list[Predicate] = []
        while (token := self._take()).text != ")":
            if token.text != ",":
                choices.append(_comparison(name, "=", token.text))
        return lambda row: any(choice(row) for choice in choices)


def _comparison(name: str, operator: str, value: str) -> Predicate:
    if name in _TIMES:
        if operator != "=":
            raise UnknownSpl(f"search: {name}{operator}")
        if value == "now":
            return _true
        field, operator = _TIMES[name]
        if as_number(value) is None:
            raise UnknownSpl(f"search: the relative time {name}={value}")
        return _ordered(field, operator, value)
    if operator in ("=", "!="):
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
