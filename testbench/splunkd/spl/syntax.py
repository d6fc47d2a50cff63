"""From the text of a search to its commands and their words.

Source: Splunk Search Manual, "About the search language" and "Use search macros": commands are parted by
`|`, a text in double quotes is one word, a macro stands between backticks. Subsearches are not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from testbench.splunkd.spl.errors import UnknownSpl

_MACRO = re.compile(r"`([^`]*)`")
MACRO_DEPTH = 10


@dataclass(frozen=True)
class Token:
    """A word, a text in `"quotes"` or `'quotes'`, or an operator. `glued`: no white space before it."""

    kind: str
    text: str
    glued: bool = False

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.lower() in words


@dataclass(frozen=True)
class Command:
    """One command of a pipeline: its name and the text after it."""

    name: str
    text: str


def expand_macros(search: str, macros: Mapping[str, Mapping[str, str]], depth: int = 0) -> str:
    """The search with each `` `name` `` and `` `name(a, b)` `` replaced from macros.conf."""
    if depth > MACRO_DEPTH:
        raise UnknownSpl("macros that name each other without end")

    def replace(match: re.Match[str]) -> str:
        name, _, rest = match[1].strip().partition("(")
        values = [part.strip().strip('"') for part in rest.rstrip(")").split(",")] if rest else []
        stanza = macros.get(f"{name}({len(values)})" if values else name)
        if stanza is None:
            raise UnknownSpl(f"the macro `{match[1]}` is not in macros.conf")
        if stanza.get("iseval", "0").lower() in ("1", "true"):
            raise UnknownSpl(f"the macro `{name}` is an eval expression")
        text = stanza.get("definition", "")
        names = [part.strip() for part in stanza.get("args", "").split(",") if part.strip()]
        for argument, value in zip(names, values, strict=True):
            text = text.replace(f"${argument}$", value)
        return expand_macros(text, macros, depth + 1)

    return _MACRO.sub(replace, search)


def split_pipeline(search: str) -> list[Command]:
    """The commands; a search that does not begin with `|` begins with the command `search`."""
    parts = _split(search)
    if parts and parts[0].strip():
        first = parts[0].strip()
        parts[0] = first if re.match(r"search\b(?!\s*=)", first) else f"search {first}"
    else:
        parts = parts[1:]
    commands = []
    for part in parts:
        name, _, text = part.strip().partition(" ")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise UnknownSpl(f"no command: {part.strip()!r}")
        commands.append(Command(name.lower(), text.strip()))
    return commands


def _split(search: str) -> list[str]:
    parts, start, quoted, at = [], 0, False, 0
    while at < len(search):
        sign = search[at]
        if sign == "\\":
            at += 1
        elif sign == '"':
            quoted = not quoted
        elif sign == "[" and not quoted:
            raise UnknownSpl("subsearches")
        elif sign == "|" and not quoted:
            parts.append(" ".join(search[start:at].split("\n")))
            start = at + 1
        at += 1
    if quoted:
        raise UnknownSpl("a quotation mark is not closed")
    return [*parts, " ".join(search[start:].split("\n"))]


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
        value = re.sub(r"\\(.)", r"\1", raw[1:-1]) if kind == "quoted" else raw
        value = raw[1:-1] if kind == "single" else value
        found.append(Token(kind, value, glued=match.start(kind) == at and at > 0))
        at = match.end()
    return found


_QUOTES = r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<single>\'[^\']*\')'
_PLAIN = re.compile(_QUOTES + r"|(?P<op>!=|<=|>=|==|[=<>(),])|(?P<word>[^\s\"'=<>!(),]+))")
_EXPRESSION = re.compile(
    _QUOTES + r"|(?P<op>!=|<=|>=|==|[=<>(),+\-*/%.])"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>[A-Za-z_][\w:]*(?:\{\})?(?:\.[A-Za-z_]\w*(?:\{\})?)*))"
)


def arguments(text: str) -> tuple[list[str], list[str]]:
    """What a custom command gets as `args` (without quotes) and `raw_args` (with them)."""
    raw = re.findall(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+', text)
    plain = [
        re.sub(r'"((?:[^"\\]|\\.)*)"', lambda match: re.sub(r"\\(.)", r"\1", match[1]), word) for word in raw
    ]
    return plain, raw


def options(found: list[Token], known: Mapping[str, str]) -> tuple[dict[str, str], list[Token]]:
    """The leading and trailing `name=value` of a command, and the other tokens. Unknown names raise."""
    values = dict(known)
    rest: list[Token] = []
    at = 0
    while at < len(found):
        if found[at].kind == "word" and at + 2 < len(found) and found[at + 1].text == "=":
            name = found[at].text.lower()
            if name not in known:
                raise UnknownSpl(f"the option {name}=")
            values[name] = found[at + 2].text
            at += 3
        else:
            rest.append(found[at])
            at += 1
    return values, rest


def names(found: list[Token]) -> list[str]:
    """A list of fields, parted by commas or white space."""
    for token in found:
        if token.kind == "op" and token.text != ",":
            raise UnknownSpl(f"{token.text!r} in a list of fields")
    return [token.text for token in found if token.kind != "op"]
