"""The order of rows: `sort`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import Token, tokens
from testbench.splunkd.spl.values import Row, as_number, first, sort_key

SORT_LIMIT = 10_000
ORDERS = ("auto", "num", "str")
Order = tuple[int, float, str]


@dataclass(frozen=True)
class Key:
    """A field to sort by; `order` is `auto`, `num` or `str`."""

    field: str
    down: bool = False
    order: str = "auto"

    def of(self, text: str | None) -> Order:
        if self.order == "str":
            return 1, 0.0, text or ""
        if self.order == "num":
            number = as_number(text)
            return (0, number, "") if number is not None else (1, 0.0, "")
        return sort_key(text)


def sorted_rows(rows: Sequence[Row], keys: Sequence[Key]) -> list[Row]:
    """By the first key, then the next; rows without the field last, either way."""
    result = list(rows)
    for key in reversed(keys):
        there = [row for row in result if first(row, key.field) is not None]
        absent = [row for row in result if first(row, key.field) is None]
        there.sort(key=_by(key), reverse=key.down)
        result = there + absent
    return result


def _by(key: Key) -> Callable[[Row], Order]:
    return lambda row: key.of(first(row, key.field))


def read_keys(name: str, found: list[Token]) -> list[Key]:
    """`-a, +b num(c) "d e"`; a sign may stand apart from its field."""
    keys: list[Key] = []
    sign = ""
    while found:
        token, found = found[0], found[1:]
        if token.is_op(","):
            continue
        if token.kind == "op":
            raise UnknownSpl(f"{name}: {token.text!r} among the fields to sort by")
        text = token.text
        if token.kind == "word" and text[0] in "+-":
            sign, text = text[0], text[1:]
            if not text:
                continue
        if found and found[0].is_op("(") and len(found) > 2 and found[2].is_op(")"):
            if text not in ORDERS:
                raise UnknownSpl(f"{name}: the order {text}()")
            keys.append(Key(found[1].text, sign == "-", text))
            found = found[3:]
        else:
            keys.append(Key(text, sign == "-"))
        sign = ""
    if sign:
        raise UnknownSpl(f"{name}: {sign} without a field")
    return keys


@command("sort", keeps_columns=True)
def sort(text: str, context: Context) -> Step:
    """`sort [N|limit=N] [+|-]field, ...`; N is 10,000 without, 0 is all. `num(f)`, `str(f)` say how."""
    limit = SORT_LIMIT
    match = re.match(r"(?:limit\s*=\s*)?(\d+)(?:\s+|$)", text)
    if match:
        limit, text = int(match[1]), text[match.end() :]
    found = tokens(text)
    if any(token.is_op("=") for token in found) or (found and found[-1].is_word("d", "desc")):
        raise UnknownSpl(f"sort: {text!r}")
    keys = read_keys("sort", found)
    if not keys:
        raise UnknownSpl(f"sort: {text!r}")

    def step(rows: Rows) -> list[Row]:
        result = sorted_rows(rows, keys)
        return result[:limit] if limit else result

    return step
