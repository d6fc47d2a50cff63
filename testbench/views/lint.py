"""What Splunk's own schema does not see in a view: names that lead nowhere, and SPL that cannot run.

    problems(view, surroundings)  ->  ["overview: ds_x extends ds_y, which is not there", ...]

A definition that passes Splunk's schema may still name a search, a token, a macro or a view that does not
exist; Splunk shows an empty panel then. Sources: Splunk, "Dashboard Studio": data sources, tokens, dynamic
options syntax, drilldowns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from testbench.splunkd.spl import UnknownSpl
from testbench.views.definitions import View
from testbench.views.fields import unknown_fields

# What changes something when it runs; Splunk asks before a dashboard runs them (commands.conf: is_risky).
_RISKY = """collect delete dump map mcollect meventcollect outputcsv outputlookup outputtext run
runshellscript script sendalert sendemail tscollect copydicom"""
RISKY = frozenset(_RISKY.split())
HANDLERS = {"drilldown.customUrl": "url", "drilldown.setToken": "tokens", "drilldown.setTimeRange": ""}
# Dynamic options: what selects from a search's rows, and what makes colours and texts of it.
_SELECTORS = """
    seriesByName seriesByIndex seriesByType seriesByTypes seriesByPrioritizedTypes firstPoint lastPoint
    pointByIndex delta min max sum mean percentChange frame frameBySeriesNames frameBySeriesIndexes
    frameBySeriesTypes frameWithoutSeriesNames frameBySeriesIndexRange renameSeries prepend append objects
    rangeValue matchValue gradient pick formatByType multiFormat type maxContrast getField getType
"""
SELECTORS = frozenset(_SELECTORS.split())
AXES = {"splunk.column", "splunk.bar", "splunk.line", "splunk.area", "splunk.scatter", "splunk.bubble"}
UNIT = re.compile(r"_(mGycm|mGy|Gycm2|MBq|mSv|kVp|mA|mm|cm|kg|s)\b")
_TOKEN = re.compile(r"\$([A-Za-z_][^$|\"`]*?)(?:\|\w+)*\$")
_HELD = re.compile(r"^(row|click|trellis|env)\.|^(name|value|result\..*)$")


@dataclass(frozen=True)
class Surroundings:
    """What is there beside the view. `check` raises UnknownSpl for a search that cannot be run, or whose
    macros or lookups are not there; `expanded`
    writes its macros out. `options` are those of each visualization, as Splunk's schemas name them."""

    views: Collection[str]
    check: Callable[[str], None]
    expanded: Callable[[str], str]
    fields: Collection[str]
    options: Mapping[str, Collection[str]] = field(default_factory=dict)


def problems(view: View, around: Surroundings) -> list[str]:
    """All that is wrong with a view, each with its name and the part that has it."""
    return [f"{view.name}: {problem}" for problem in _problems(view.definition, around)]


def _problems(definition: Mapping[str, Any], around: Surroundings) -> Iterator[str]:
    yield from _sources(definition, around)
    yield from _tokens(definition)
    yield from _panels(definition, around)
    for name, item in {**definition["visualizations"], **definition["inputs"]}.items():
        yield from _expressions(name, item)


def _sources(definition: Mapping[str, Any], around: Surroundings) -> Iterator[str]:
    sources = definition["dataSources"]
    used = {source["options"].get("extend") for source in sources.values()}
    for kind in ("visualizations", "inputs"):
        for name, item in definition[kind].items():
            for source in item.get("dataSources", {}).values():
                used.add(source)
                if source not in sources:
                    yield f"{name} shows {source}, which is not there"
    for name, source in sources.items():
        base = source["options"].get("extend")
        if source["type"] == "ds.chain" and base not in sources:
            yield f"{name} extends {base}, which is not there"
        if not _has_its_bases(sources, name):
            continue
        if name not in used:
            yield f"{name} is shown nowhere"
        yield from (f"{name}: {problem}" for problem in _search(_whole(sources, name), around))


def _has_its_bases(sources: Mapping[str, Any], name: str) -> bool:
    base = sources[name]["options"].get("extend")
    return base is None or (base in sources and _has_its_bases(sources, base))


def _whole(sources: Mapping[str, Any], name: str) -> str:
    """A chain's search with those that it goes on from."""
    options = sources[name]["options"]
    return (_whole(sources, options["extend"]) + "\n" if "extend" in options else "") + options["query"]


def _search(spl: str, around: Surroundings, risky: bool = False) -> Iterator[str]:
    """What a search has that cannot be run, or that is not there."""
    plain = _TOKEN.sub("1", spl)
    try:
        expanded = around.expanded(plain)
        around.check(plain)
    except UnknownSpl as error:
        yield f"the search cannot be run: {error}"
        return
    commands = set(re.findall(r"(?:^|[|\[])\s*([a-z]+)", _without_strings(expanded)))
    if commands & RISKY and not risky:
        yield f"a panel must not run {', '.join(sorted(commands & RISKY))}"
    for name in sorted(unknown_fields(expanded, around.fields)):
        yield f"no event and no command gives the field {name}"


def _tokens(definition: Mapping[str, Any]) -> Iterator[str]:
    inputs = {name: item["options"]["token"] for name, item in definition["inputs"].items()}
    given = {*inputs.values(), *definition.get("defaults", {}).get("tokens", {}).get("default", {})}
    for item in definition["visualizations"].values():
        for handler in item.get("eventHandlers", ()):
            given |= {token["token"] for token in handler.get("options", {}).get("tokens", ())}
    asked = {token.partition(".")[0] for token in _asked(definition) if not _HELD.match(token)}
    yield from (f"${token}$ is given by nothing" for token in sorted(asked - given))
    for name, token in inputs.items():
        if token not in asked:
            yield f"{name} changes nothing: nobody asks for ${token}$"


def _asked(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _asked(each)
    elif isinstance(value, list):
        for each in value:
            yield from _asked(each)
    elif isinstance(value, str):
        yield from _TOKEN.findall(value)


def _panels(definition: Mapping[str, Any], around: Surroundings) -> Iterator[str]:
    for name, panel in definition["visualizations"].items():
        kind, options = panel["type"], panel.get("options", {})
        if around.options and kind not in around.options:
            yield f"{name}: there is no visualization {kind}"
        elif around.options:
            unknown = set(options) - set(around.options[kind])
            yield from (f"{name}: {kind} has no option {option}" for option in sorted(unknown))
        if kind in AXES:
            yield from (f"{name}: {problem}" for problem in _axes(definition, panel))
        for handler in panel.get("eventHandlers", ()):
            yield from (f"{name}: {problem}" for problem in _leads(handler, around))


def _axes(definition: Mapping[str, Any], panel: Mapping[str, Any]) -> Iterator[str]:
    options = panel.get("options", {})
    titles = [options.get("xAxisTitleText", ""), options.get("yAxisTitleText", "")]
    if not all(titles):
        yield "an axis has no title"
    source = definition["dataSources"].get(panel.get("dataSources", {}).get("primary"), {})
    if UNIT.search(source.get("options", {}).get("query", "")) and not any("(" in title for title in titles):
        yield "no axis names a unit"


def _leads(handler: Mapping[str, Any], around: Surroundings) -> Iterator[str]:
    kind, options = handler["type"], handler.get("options", {})
    if kind not in HANDLERS:
        yield f"there is no drilldown {kind}"
        return
    if HANDLERS[kind] and not options.get(HANDLERS[kind]):
        yield f"{kind} needs {HANDLERS[kind]}"
        return
    if kind == "drilldown.customUrl":
        url = urlsplit(options["url"])
        target = re.fullmatch(r"/app/\w+/(\w+)", url.path)
        if not target:
            yield f"{options['url']} leads out of the app"
        elif target[1] == "search":
            spl = parse_qs(_TOKEN.sub("1", url.query)).get("q", [""])[0]
            yield from (f"its drilldown: {problem}" for problem in _search(unquote(spl), around, risky=True))
            if "copydicom" in spl and "dryrun=true" not in spl:
                yield "its drilldown copies at once: it must begin with dryrun=true"
        elif target[1] not in around.views:
            yield f"there is no view {target[1]}"


def _expressions(name: str, item: Mapping[str, Any]) -> Iterator[str]:
    """`> primary | seriesByName("x") | ...`: what it begins with, and each function of it, is there."""
    context = {**item.get("context", {}), **dict.fromkeys(("themes", "table", "size"))}
    known = {"primary", *item.get("dataSources", {}), *item.get("options", {}), *context}
    for text in _dynamic(item):
        first, *rest = (part.strip() for part in _without_strings(text[1:]).split("|"))
        begins = re.match(r"(\w+)(\()?", first)
        if begins is None or (begins[2] is None and begins[1] not in known):
            yield f"{name}: {text!r} begins with what is not there"
        for part in [first, *rest] if begins and begins[2] else rest:
            call = re.fullmatch(r"(\w+)\(([^()]*)\)", part)
            if call is None or call[1] not in SELECTORS:
                yield f"{name}: {text!r} has {part!r}, which is no function of dynamic options"
            else:
                missing = set(re.findall(r"[A-Za-z_]\w*", call[2])) - known - {"true", "false"}
                yield from (f"{name}: {text!r} names {each}, which is not there" for each in sorted(missing))


def _dynamic(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _dynamic(each)
    elif isinstance(value, list):
        for each in value:
            yield from _dynamic(each)
    elif isinstance(value, str) and value.startswith(">"):
        yield value


def _without_strings(text: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
