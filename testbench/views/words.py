"""What Splunk's packages say against a view: its schema, its names of options, methods, commands, functions.

    words = Words.of(page)          # a page of the renderer, loaded
    problems(view, words, views, expanded)  ->  ["overview: viz_01: splunk.table has no option colour", ...]

`lint` needs no browser and looks for names that lead nowhere; what only Splunk knows, or what only rows show
(`missing_columns`), is here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from playwright.sync_api import Page

from testbench.splunkd.spl.syntax import split_pipeline, tokens
from testbench.views.definitions import View

# `$name$`, `$row.Study (UID).value|s|u$`.
TOKEN = re.compile(r"\$([A-Za-z_][^$|\n]*)(?:\|[a-z]+)*\$")
# After these a search gives the fields that they name; behind others a chain sees `_time`, `_raw`, not much.
_NAMING = """stats chart timechart top rare table fields tstats inputlookup makeresults transpose xyseries"""
NAMING = frozenset(_NAMING.split())
CHARTS = {"splunk.area", "splunk.bar", "splunk.bubble", "splunk.column", "splunk.line", "splunk.scatter"}
BY_NUMBERS = {"splunk.bubble", "splunk.scatter"}
# What an axis may count or compare without a unit.
_COUNTED = re.compile(
    r"\b(Studies|Series|Instances|Irradiations|Radiographs|Exposures|Administrations|Warnings|Errors|Searches"
    r"|Patients|z|median|ratio)\b",
    re.IGNORECASE,
)
_COLUMN = re.compile(r"""seriesByName\(\s*["']([^"']+)["']\s*\)|frameBySeriesNames\(([^)]*)\)""")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_OPERATORS = frozenset(["and", "or", "not", "xor", "in", "like"])


@dataclass(frozen=True)
class Words:
    """`vocabulary()` of the page, and the page's answers about a definition and about an expression.

    `visualizations` and `inputs`: by type the names of the options. `commands`: by name `options` and
    `functions` (regular expressions).
    """

    visualizations: Mapping[str, Sequence[str]]
    inputs: Mapping[str, Sequence[str]]
    dataSources: Sequence[str]
    eventHandlers: Sequence[str]
    commands: Mapping[str, Mapping[str, Sequence[str]]]
    schema_problems: Callable[[dict[str, Any]], list[str]]
    expression_problem: Callable[[str, list[str]], str | None]

    @classmethod
    def of(cls, page: Page) -> Self:
        """Ask a loaded page; it goes on answering."""
        return cls(
            **page.evaluate("schema.vocabulary()"),
            schema_problems=lambda definition: list(
                page.evaluate("definition => schema.problemsOf(definition)", definition)
            ),
            expression_problem=lambda text, names: page.evaluate(
                "([text, names]) => schema.expressionProblem(text, names)", [text, names]
            ),
        )


def problems(
    view: View, words: Words, views: Mapping[str, View], expanded: Callable[[str], str]
) -> list[str]:
    """All that Splunk's packages say against it. `views`: where links lead; `expanded` writes macros out."""
    definition = view.definition
    found = [f"Splunk's schema: {problem}" for problem in words.schema_problems(definition)]
    found += _parts(definition, words)
    found += [f"{id}: {problem}" for id, link in _links(definition) for problem in _tokens_of(link, views)]
    found += _searches(definition, words, expanded)
    return [f"{view.name}: {problem}" for problem in found]


def missing_columns(definition: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> list[str]:
    """What panels name of their rows and their searches do not give. `columns` by panel, as they came."""
    found = []
    for id, panel in definition.get("visualizations", {}).items():
        if id not in columns:
            continue
        options, handlers = panel.get("options", {}), panel.get("eventHandlers", [])
        source = definition.get("dataSources", {}).get(panel.get("dataSources", {}).get("primary"), {})
        query = str(source.get("options", {}).get("query", ""))
        named = {column for text in _texts(options) for column in _columns_of(text)}
        # A format may be of a column that an input brings: then the search names it.
        named |= {name for name in options.get("columnFormat", {}) if name not in query}
        clicked = [name for text in _texts(handlers) for name in TOKEN.findall(unquote(text))]
        clicked += [token.get("key", "") for one in handlers for token in one["options"].get("tokens", [])]
        named |= {
            key.removeprefix("row.").removesuffix(".value") for key in clicked if key.startswith("row.")
        }
        found += [
            f"{id} ({panel.get('title', '')}) names the column {name!r}, which its search does not give; "
            f"it gives {list(columns[id])}"
            for name in sorted(named - set(columns[id]))
        ]
    return found


def _columns_of(expression: str) -> list[str]:
    if not expression.lstrip().startswith(">"):
        return []
    found = []
    for one, several in _COLUMN.findall(expression):
        found += [one] if one else re.findall(r"""["']([^"']+)["']""", several)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _parts(definition: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Types, options, expressions and axes of panels and inputs; what is in the layout."""
    layout = definition.get("layout", {})
    laid = {*(item["item"] for item in layout.get("structure", [])), *layout.get("globalInputs", [])}
    panels, inputs = definition.get("visualizations", {}), definition.get("inputs", {})
    yield from (f"the layout has {id}, which is not there" for id in sorted(laid - {*panels, *inputs}))
    for known, parts in ((words.visualizations, panels), (words.inputs, inputs)):
        for id, part in parts.items():
            if id not in laid:
                yield f"{id} is not in the layout"
            if part["type"] not in known:
                yield f"{id} is of the unknown type {part['type']}"
                continue
            options = known[part["type"]]
            unknown = [name for name in part.get("options", {}) if name not in options]
            yield from (f"{id}: {part['type']} has no option {name}" for name in unknown)
            yield from _expressions(id, part, options, words)
            yield from _axes(id, part)
            for handler in part.get("eventHandlers", []):
                if handler["type"] not in words.eventHandlers:
                    yield f"{id} has a drilldown {handler['type']}, which the viewer does not know"


def _expressions(id: str, part: Mapping[str, Any], options: Sequence[str], words: Words) -> Iterator[str]:
    names = [*part.get("dataSources", {}), *options, *part.get("context", {})]
    for text in _texts([part.get("options", {}), part.get("context", {})]):
        if text.lstrip().startswith(">"):
            problem = words.expression_problem(TOKEN.sub("0", text), names)
            if problem is not None:
                yield f"{id}: {text!r}: {problem}"


def _axes(id: str, part: Mapping[str, Any]) -> Iterator[str]:
    """A unit in parentheses, or after `per`, on each axis of numbers that are no counts."""
    if part["type"] not in CHARTS:
        return
    for name in ("xAxisTitleText", "yAxisTitleText"):
        title = part.get("options", {}).get(name, "")
        numbers = name == "yAxisTitleText" or part["type"] in BY_NUMBERS
        if numbers and not re.search(r"\(.+\)| per ", title) and not _COUNTED.search(title):
            yield f"{id} ({part.get('title', '')}): no unit in {name} {title!r}"


def _links(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for id, part in definition.get("visualizations", {}).items():
        for handler in part.get("eventHandlers", []):
            if handler.get("options", {}).get("url"):
                yield id, handler["options"]["url"]


def _tokens_of(link: str, views: Mapping[str, View]) -> Iterator[str]:
    """The `form.` of a link that the view behind it has no input for."""
    parts = urlsplit(link)
    name = parts.path.rpartition("/")[2]
    if name not in views:
        return
    given: set[str] = set()
    for one in views[name].definition.get("inputs", {}).values():
        token = one["options"]["token"]
        given |= {f"{token}.earliest", f"{token}.latest"} if one["type"] == "input.timerange" else {token}
    for key in parse_qs(parts.query, keep_blank_values=True):
        if key.startswith("form.") and key.removeprefix("form.") not in given:
            yield f"its link sets {key}, and {name} has no such input"


def _searches(definition: Mapping[str, Any], words: Words, expanded: Callable[[str], str]) -> Iterator[str]:
    """Commands and functions that Splunk's dictionary lacks; base searches that name no fields."""
    sources = definition.get("dataSources", {})
    extended = {one.get("options", {}).get("extend") for one in sources.values()}
    for id, source in sources.items():
        if source["type"] not in words.dataSources:
            yield f"{id} is of the unknown type {source['type']}"
        text = expanded(TOKEN.sub("1", str(source.get("options", {}).get("query", ""))))
        follows = "extend" in source.get("options", {})
        commands = split_pipeline(text, implicit=not follows)
        for one in commands:
            if one.name not in words.commands:
                yield f"{id}: Splunk has no command {one.name}"
            elif one.name in ("eval", "where"):
                known = [name for each in ("eval", "where") for name in words.commands[each]["functions"]]
                yield from (
                    f"{id}: Splunk's {one.name} has no function {called}()"
                    for called in _called(one.text)
                    if not any(re.fullmatch(name, called) for name in known)
                )
        if id in extended and not follows and not {one.name for one in commands} & NAMING:
            yield f"{id} is a base search and names no fields: the chains behind it would not see them"


def _called(text: str) -> Iterator[str]:
    for one, after in itertools.pairwise(tokens(text, arithmetic=True)):
        if one.kind == "word" and after.is_op("(") and one.text.lower() not in _OPERATORS:
            yield one.text.lower()
