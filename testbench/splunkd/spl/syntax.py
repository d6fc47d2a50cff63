"""From the text of a search to its commands and their words.

Source: Splunk Search Manual, "About the search language" and "Add comments to searches": commands are parted
by `|`, a text in double quotes is one word, a subsearch stands in square brackets, a comment between three
backticks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from testbench.splunkd.spl.errors import UnknownSpl

_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|(["()\[\]|,])', re.DOTALL)
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|```.*?```', re.DOTALL)


@dataclass(frozen=True)
class Token:
    """A word, a text in `"quotes"` or `'quotes'`, an operator or a `[subsearch]`.

    `glued`: no white space before it.
    """

    kind: str
    text: str
    glued: bool = False

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.lower() in words

    def is_op(self, *signs: str) -> bool:
        return self.kind == "op" and self.text in signs


@dataclass(frozen=True)
class Command:
    """One command of a pipeline: its name and the text after it."""

    name: str
    text: str


def without_comments(search: str) -> str:
    return _COMMENT.sub(lambda match: match[1] or " ", search)


def split_pipeline(search: str, implicit: bool = True) -> list[Command]:
    """The commands. With `implicit`, a search that begins without `|` begins with the command `search`."""
    parts = split_at(search, "|")
    if parts and parts[0].strip():
        head = parts[0].strip()
        if implicit:
            parts[0] = head if re.match(r"search\b(?!\s*=)", head) else f"search {head}"
    else:
        parts = parts[1:]
    commands = []
    for part in parts:
        match = re.match(r"([A-Za-z_]\w*)(?![\w=])", part.strip())
        if match is None:
            raise UnknownSpl(f"no command: {part.strip()!r}")
        commands.append(Command(match[1].lower(), part.strip()[match.end() :].strip()))
    return commands


def split_at(text: str, sign: str) -> list[str]:
    """The parts between `sign` (`|` or `,`), where it stands outside of quotes, parentheses and brackets."""
    parts, start, depth = [], 0, 0
    for at, one in unquoted(text):
        if one in "([":
            depth += 1
        elif one in ")]":
            depth -= 1
            if depth < 0:
                raise UnknownSpl(f"{one!r} closes nothing in {text[max(0, at - 30) : at + 1]!r}")
        elif one == sign and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    if depth:
        raise UnknownSpl(f"a bracket is not closed in {text[start : start + 60].strip()!r}")
    return [*parts, text[start:]]


def unquoted(text: str) -> list[tuple[int, str]]:
    """The brackets, bars and commas outside of double quotes, each with its place.

    Raises for a quotation mark that is not closed.
    """
    found = [(match.start(), match[1]) for match in _SIGNS.finditer(text) if match[1]]
    if any(sign == '"' for _, sign in found):
        raise UnknownSpl("a quotation mark is not closed")
    return found


def closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` closes."""
    depth = 0
    for at, one in unquoted(text[start:]):
        depth += (one in "([") - (one in ")]")
        if depth == 0:
            return start + at
    raise UnknownSpl(f"a bracket is not closed in {text[start : start + 60]!r}")


def has_subsearch(text: str) -> bool:
    return any(one == "[" for _, one in unquoted(text))


def unescape(text: str) -> str:
    r"""The text of a quoted literal: `\"` and `\\` lose their backslash, any other keeps it (`\d`)."""
    return re.sub(r'\\(["\\])', r"\1", text)


def tokens(text: str, arithmetic: bool = False) -> list[Token]:
    """The words and operators; `arithmetic` parts words at `+ - * / %`, as an expression needs it."""
    found: list[Token] = []
    at = 0
    pattern = _EXPRESSION if arithmetic else _PLAIN
    while text[at:].strip():
        match = pattern.match(text, at)
        if match is None or match.lastgroup is None:
            raise UnknownSpl(f"cannot read {text[at : at + 30]!r}")
        kind, raw = match.lastgroup, match[match.lastgroup]
        value = unescape(raw[1:-1]) if kind == "quoted" else raw[1:-1] if kind == "single" else raw
        found.append(Token(kind, value, glued=match.start(kind) == at and at > 0))
        at = match.end()
    return found


_QUOTES = r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<single>\'[^\']*\')'
_PLAIN = re.compile(_QUOTES + r"|(?P<op>!=|<=|>=|==|[=<>(),])|(?P<word>[^\s\"'=<>!(),]+))", re.DOTALL)
_EXPRESSION = re.compile(
    _QUOTES + r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w])|(?P<op>!=|<=|>=|==|[=<>(),+\-*/%.])"
    r"|(?P<word>[A-Za-z_][\w:]*(?:\{\})?))",
    re.DOTALL,
)


def arguments(text: str) -> tuple[list[str], list[str]]:
    """What a custom command gets as `args` (without quotes) and `raw_args` (with them)."""
    raw = re.findall(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+', text)
    plain = [
        re.sub(r'"((?:[^"\\]|\\.)*)"', lambda match: re.sub(r"\\(.)", r"\1", match[1]), word) for word in raw
    ]
    return plain, raw


def options(found: list[Token], known: Mapping[str, str]) -> tuple[dict[str, str], list[Token]]:
    """The `name=value` of a command, with the defaults of the others, and the other tokens.

    Unknown names raise. A quoted or negative value is taken as it is.
    """
    values = dict(known)
    rest: list[Token] = []
    at = 0
    while at < len(found):
        if found[at].kind == "word" and at + 2 < len(found) and found[at + 1].is_op("="):
            name = found[at].text.lower()
            if name not in known:
                raise UnknownSpl(f"the option {name}=")
            if found[at + 2].kind == "op":
                raise UnknownSpl(f"the option {name}= without a value")
            values[name] = found[at + 2].text
            at += 3
        else:
            rest.append(found[at])
            at += 1
    return values, rest


def flag(values: Mapping[str, str], name: str) -> bool:
    """A truth value among options. Raises for what is none."""
    known = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    if values[name].lower() not in known:
        raise UnknownSpl(f"{name}={values[name]} is no truth value")
    return known[values[name].lower()]


def whole(values: Mapping[str, str], name: str) -> int:
    if not re.fullmatch(r"\d+", values[name]):
        raise UnknownSpl(f"{name}={values[name]} is no whole number")
    return int(values[name])


def names(found: list[Token]) -> list[str]:
    """A list of fields, parted by commas or white space."""
    for token in found:
        if token.kind == "op" and token.text != ",":
            raise UnknownSpl(f"{token.text!r} in a list of fields")
    return [token.text for token in found if token.kind != "op"]
