"""Search macros: what stands between backticks is replaced from macros.conf before a search is read.

Source: `macros.conf.spec`; Splunk Knowledge Manager Manual, "Define search macros": `name` or `name(2)` by
the number of arguments. `validation`, and `iseval` for a definition that is an expression, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import split_at, unescape

Macros = Mapping[str, Mapping[str, str]]
DEPTH = 10
_CALL = re.compile(r"`([^`]+)`")


def expand(search: str, macros: Macros, depth: int = 0) -> str:
    """The search with each `` `name` `` and `` `name(a, b)` `` replaced, those within definitions too."""
    if depth > DEPTH:
        raise UnknownSpl("macros that name each other without end")
    return _CALL.sub(lambda match: expand(definition(match[1], macros), macros, depth + 1), search)


def definition(call: str, macros: Macros) -> str:
    """The text for one call, `name` or `name(a, b)`."""
    name, _, rest = call.strip().partition("(")
    name = name.strip()
    given = _arguments(rest.strip().removesuffix(")")) if rest else []
    stanza = macros.get(f"{name}({len(given)})" if given else name)
    if stanza is None or not name:
        raise UnknownSpl(f"the macro `{call}` is not in macros.conf")
    arguments = [part.strip() for part in stanza.get("args", "").split(",") if part.strip()]
    if len(arguments) != len(given):
        raise UnknownSpl(f"macros.conf: [{name}({len(given)})] names {len(arguments)} args")
    values = dict(zip(arguments, given, strict=True))
    if "validation" in stanza or stanza.get("iseval", "0") != "0":
        raise UnknownSpl(f"macros.conf: validation or iseval of [{name}]")
    return _filled(stanza.get("definition", ""), values)


def _arguments(text: str) -> list[str]:
    """Values between commas; quotes around one are taken off, and a `name=` in front of it."""
    values = []
    for part in split_at(text, ","):
        value = part.strip()
        if re.fullmatch(r'"(?:[^"\\]|\\.)*"', value, re.DOTALL):
            value = unescape(value[1:-1])
        values.append(value)
    return values


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${name}$", value)
    return text
