"""Expressions of `where` and `eval`, as functions of a row.

Source: Splunk Search Reference, `eval` ("Usage", "Operators") and "Evaluation functions". A field whose name
holds other signs than letters, digits and `_` stands in single quotes; an unquoted dot joins texts. A field
that is absent is nothing, an empty text is a text.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.functions import FUNCTIONS
from testbench.splunkd.spl.functions.multivalue import values_of
from testbench.splunkd.spl.operators import COMPARISONS, arithmetic, compare, truth
from testbench.splunkd.spl.syntax import Token, tokens
from testbench.splunkd.spl.values import Result, Row, one_or_many

Expression = Callable[[Row], Result]
LAZY = ("case", "if", "mvfilter", "now")

__all__ = ["LAZY", "Expression", "Result", "parse_expression"]


def parse_expression(text: str, now: float | None = None) -> Expression:
    """The expression; `now` is what `now()` gives, the present moment when it is None."""
    if "now" not in text:
        return parsed(text, 0.0)
    return parsed(text, time.time() if now is None else now)


@functools.lru_cache(4096)  # views and macros ask for the same ones again and again
def parsed(text: str, now: float) -> Expression:
    parser = _Parser(tokens(text, arithmetic=True), now)
    expression = parser.either()
    if parser.left:
        raise UnknownSpl(f"expression: cannot read from {parser.left[0].text!r} on in {text!r}")
    return expression


class _Parser:
    """`fields` are the names of the fields that were read so far."""

    def __init__(self, found: list[Token], now: float) -> None:
        self.left = found
        self.now = now
        self.fields: list[str] = []

    def either(self) -> Expression:
        return self._logic("or", lambda: self._logic("and", self._negation))

    def _peek(self, *texts: str) -> bool:
        return bool(self.left) and self.left[0].is_op(*texts)

    def _take(self, text: str | None = None) -> Token:
        if not self.left or (text is not None and not self._peek(text)):
            raise UnknownSpl(f"expression: expected {text or 'a value'}, found {self.left[:1]}")
        token, self.left = self.left[0], self.left[1:]
        return token

    def _logic(self, word: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self.left and self.left[0].is_word(word):
            self._take()
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        join = any if word == "or" else all
        return lambda row: join(truth(one(row)) for one in parts)

    def _negation(self) -> Expression:
        if self.left and self.left[0].is_word("not"):
            self._take()
            inner = self._negation()
            return lambda row: not truth(inner(row))
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        if self._peek(*COMPARISONS):
            operator, right = self._take().text, self._sum()
            return lambda row: compare(operator, left(row), right(row))
        return left

    def _sum(self) -> Expression:
        return self._chain(("+", "-", "."), lambda: self._chain(("*", "/", "%"), self._unary))

    def _chain(self, operators: tuple[str, ...], part: Callable[[], Expression]) -> Expression:
        expression = part()
        while self._peek(*operators):
            token = self._take()
            if token.text == "." and token.glued and self.left and self.left[0].glued:
                self._refuse_dotted_name()
            expression = _binary(token.text, expression, part())
        return expression

    def _refuse_dotted_name(self) -> None:
        """`a.b` joins two fields; whoever writes it nearly always means the field 'a.b'."""
        if (
            self.left[0].kind == "word"
            and not (len(self.left) > 1 and self.left[1].is_op("("))
            and self._after_word
        ):
            raise UnknownSpl(f"expression: .{self.left[0].text} is read as two fields; quote 'the.field'")

    def _unary(self) -> Expression:
        if self._peek("-"):
            self._take()
            return _binary("-", lambda row: 0.0, self._unary())
        return self._value()

    def _value(self) -> Expression:
        token = self._take()
        self._after_word = token.kind == "word" and not self._peek("(")
        if token.kind == "op":
            if token.text != "(":
                raise UnknownSpl(f"expression: {token.text!r} where a value should be")
            inner = self.either()
            self._take(")")
            self._after_word = False
            return inner
        if token.kind == "number":
            number = float(token.text)
            return lambda row: number
        if token.kind == "quoted":
            return lambda row: token.text
        if token.kind == "word" and self._peek("("):
            call = self._call(token.text.lower())
            self._after_word = False
            return call
        name = token.text
        self.fields.append(name)
        return lambda row: row.get(name)

    def _arguments(self) -> list[Expression]:
        self._take("(")
        given: list[Expression] = []
        while not self._peek(")"):
            given.append(self.either())
            if not self._peek(")"):
                self._take(",")
                if self._peek(")"):
                    raise UnknownSpl("expression: a comma before )")
        self._take(")")
        return given

    def _call(self, name: str) -> Expression:
        before = len(self.fields)
        given = self._arguments()
        if name in LAZY:
            return self._lazy(name, given, list(dict.fromkeys(self.fields[before:])))
        if name not in FUNCTIONS:
            raise UnknownSpl(f"the function {name}()")
        function = FUNCTIONS[name]
        if not function.least <= len(given) <= function.most:
            raise UnknownSpl(f"{name}() with {len(given)} arguments")
        call = function.call
        if len(given) == 1:
            only = given[0]
            return lambda row: call(only(row))
        return lambda row: call(*[one(row) for one in given])

    def _lazy(self, name: str, given: list[Expression], fields: list[str]) -> Expression:
        match (name, len(given)):
            case ("if", 3):
                return lambda row: given[1](row) if truth(given[0](row)) else given[2](row)
            case ("case", size) if size and size % 2 == 0:
                return _first_of(list(zip(given[::2], given[1::2], strict=True)))
            case ("now", 0):
                moment = float(int(self.now))
                return lambda row: moment
            case ("mvfilter", 1) if len(fields) == 1:
                return _filter(given[0], fields[0])
            case _:
                raise UnknownSpl(f"{name}() with {len(given)} arguments of {len(fields)} fields")


def _binary(operator: str, left: Expression, right: Expression) -> Expression:
    return lambda row: arithmetic(operator, left(row), right(row))


def _first_of(pairs: list[tuple[Expression, Expression]]) -> Expression:
    """The second of the first pair whose condition holds."""

    def result(row: Row) -> Result:
        for holds, then in pairs:
            if truth(holds(row)):
                return then(row)
        return None

    return result


def _filter(holds: Expression, name: str) -> Expression:
    """`mvfilter(...)`: the values of the one field that the condition names, for which it holds."""

    def result(row: Row) -> Result:
        return one_or_many([one for one in values_of(row.get(name)) if truth(holds({**row, name: one}))])

    return result
