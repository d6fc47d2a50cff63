"""Expressions of `where` and `eval`, as functions of a row.

Source: Splunk Search Reference, "Evaluation functions". A value is None, a number, a truth value, a text or
several texts. A field named in a comparison that is absent makes the comparison false, not an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import Token, tokens
from testbench.splunkd.spl.values import Row, Value, as_number, number_text

Result = None | bool | float | str | list[str]
Expression = Callable[[Row], Result]


def parse_expression(text: str) -> Expression:
    parser = _Parser(tokens(text, arithmetic=True))
    expression = parser.either()
    if parser.left:
        raise UnknownSpl(f"expression: cannot read from {parser.left[0].text!r} on")
    return expression


def to_value(result: Result) -> Value | None:
    """What `eval` stores; None removes the field."""
    if isinstance(result, bool):
        raise UnknownSpl("eval: a truth value cannot be stored in a field")
    return number_text(result) if isinstance(result, float) else result


def _number(result: Result) -> float | None:
    if isinstance(result, bool):
        raise UnknownSpl("expression: a truth value as a number")
    return as_number(result) if isinstance(result, str) else result if isinstance(result, float) else None


def _text(result: Result) -> str | None:
    if isinstance(result, list):
        return result[0] if result else None
    return number_text(result) if isinstance(result, float) else None if result is None else str(result)


def _compare(operator: str, left: Result, right: Result) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, list) and operator in ("=", "=="):
        return any(_compare(operator, one, right) for one in left)
    one, other = _number(left), _number(right)
    if one is not None and other is not None:
        return _ordered(operator, one, other)
    return _ordered(operator, _text(left) or "", _text(right) or "")


def _ordered(operator: str, left: float | str, right: float | str) -> bool:
    order = (left > right) - (left < right)  # type: ignore[operator]
    wanted = {"=": (0,), "==": (0,), "!=": (-1, 1), "<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (0, 1)}
    return order in wanted[operator]


def _arithmetic(operator: str, left: Result, right: Result) -> Result:
    one, other = _number(left), _number(right)
    if operator in ("+", ".") and (one is None or other is None or operator == "."):
        first, second = _text(left), _text(right)
        return None if first is None or second is None else first + second
    if one is None or other is None or (operator in "/%" and other == 0):
        return None
    match operator:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/":
            return one / other
        case _:
            return math.fmod(one, other)


def _round(number: Result, digits: Result = 0.0) -> Result:
    value, places = _number(number), _number(digits)
    if value is None or places is None:
        return None
    return float(math.floor(abs(value) * 10**places + 0.5) / 10**places * (1 if value >= 0 else -1))


def _like(text: Result, pattern: Result) -> Result:
    body = re.escape(_text(pattern) or "").replace("%", ".*").replace("_", ".")
    value = _text(text)
    return value is not None and re.fullmatch(body, value, re.DOTALL) is not None


def _floor(number: Result) -> Result:
    value = _number(number)
    return None if value is None else float(math.floor(value))


def _lower(text: Result) -> Result:
    value = _text(text)
    return None if value is None else value.lower()


def _count(value: Result) -> Result:
    return None if value is None else float(len(value)) if isinstance(value, list) else 1.0


def _match(text: Result, pattern: Result) -> Result:
    value = _text(text)
    return value is not None and re.search(_text(pattern) or "", value) is not None


FUNCTIONS: dict[str, Callable[..., Result]] = {
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "floor": _floor,
    "isnotnull": lambda value: value is not None,
    "isnull": lambda value: value is None,
    "like": _like,
    "lower": _lower,
    "match": _match,
    "mvcount": _count,
    "null": lambda: None,
    "round": _round,
    "tonumber": _number,
    "tostring": _text,
}


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.left = found

    def either(self) -> Expression:
        return self._logic("or", lambda: self._logic("and", self._negation))

    def _peek(self, *texts: str) -> bool:
        return bool(self.left) and self.left[0].kind == "op" and self.left[0].text in texts

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
        return lambda row: join(bool(one(row)) for one in parts)

    def _negation(self) -> Expression:
        if self.left and self.left[0].is_word("not"):
            self._take()
            inner = self._negation()
            return lambda row: not inner(row)
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        if self._peek("=", "==", "!=", "<", ">", "<=", ">="):
            operator, right = self._take().text, self._sum()
            return lambda row: _compare(operator, left(row), right(row))
        return left

    def _sum(self) -> Expression:
        return self._chain(("+", "-", "."), lambda: self._chain(("*", "/", "%"), self._unary))

    def _chain(self, operators: tuple[str, ...], part: Callable[[], Expression]) -> Expression:
        expression = part()
        while self._peek(*operators):
            expression = _binary(self._take().text, expression, part())
        return expression

    def _unary(self) -> Expression:
        if self._peek("-"):
            self._take()
            return _binary("-", lambda row: 0.0, self._unary())
        return self._value()

    def _value(self) -> Expression:
        token = self._take()
        if token.kind == "op":
            if token.text != "(":
                raise UnknownSpl(f"expression: {token.text!r} where a value should be")
            inner = self.either()
            self._take(")")
            return inner
        if token.kind == "number":
            number = float(token.text)
            return lambda row: number
        if token.kind == "quoted":
            return lambda row: token.text
        if token.kind == "word" and self._peek("("):
            return self._call(token.text)
        return lambda row: row.get(token.text) or None

    def _call(self, name: str) -> Expression:
        self._take("(")
        given: list[Expression] = []
        while not self._peek(")"):
            given.append(self.either())
            if not self._peek(")"):
                self._take(",")
        self._take(")")
        if name == "if" and len(given) == 3:
            return lambda row: given[1](row) if given[0](row) else given[2](row)
        if name not in FUNCTIONS:
            raise UnknownSpl(f"the function {name}()")
        function = FUNCTIONS[name]
        return lambda row: function(*(one(row) for one in given))


def _binary(operator: str, left: Expression, right: Expression) -> Expression:
    return lambda row: _arithmetic(operator, left(row), right(row))
