"""The evaluator knows the SPL that is shipped and shown, a few everyday words beside it, and no other."""

from __future__ import annotations

import ast
import contextlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from testbench.real_splunk.searches import fenced
from testbench.splunkd.conf import AppConfs
from testbench.splunkd.spl import Pipeline, UnknownSpl, aggregations, expressions, known
from testbench.splunkd.spl.commands import COMMANDS
from testbench.splunkd.spl.lookups import Lookups
from testbench.views.definitions import read_views

ROOT = Path(__file__).resolve().parents[2]
APP = AppConfs(ROOT)

# What somebody who looks at the index for the first time types, whether or not the app itself needs it.
EVERYDAY_COMMANDS = "search spath dedup stats table head sort eval where rename fields timechart"
EVERYDAY_STATISTICS = "count dc sum avg min max median perc exactperc values list earliest latest"

# Where searches stand in the text of programs: what searches the index, fills the demo, or asks a test's
# question of what is shipped.
PROGRAMS = (
    "copydicom_app/splunk/exported.py",
    "testbench/demo.py",
    "testbench/views/hospital.py",
    "tests/views/test_views.py",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests/live").rglob("test_*.py"))),
)
_BEGINS = re.compile(r"(search )?index=|`\w+`|\| (makeresults|inputlookup|metadata)\b")
_TOKEN = re.compile(r"\$([A-Za-z_][^$|\"`]*?)(?:\|\w+)*\$")


@dataclass
class Used:
    """The words of some searches, as the evaluator reads them."""

    commands: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    functions: set[str] = field(default_factory=set)
    statistics: set[str] = field(default_factory=set)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Used:
    """Notes each command with its options, each function and each statistic that is read from now on."""
    noted = Used()
    expressions.parsed.cache_clear()

    def command(name: str, text: str) -> None:
        options = COMMANDS[name].options
        noted.commands[name] |= {one for one in options if re.search(rf"\b{one}\s*=", text, re.IGNORECASE)}

    for name, spec in list(COMMANDS.items()):

        def read(text: str, context: object, name: str = name, spec: object = spec) -> object:
            command(name, text)
            return spec.read(text, context)  # type: ignore[attr-defined]

        monkeypatch.setitem(COMMANDS, name, replace(spec, read=read))
    call, aggregation = expressions._Parser._call, aggregations._aggregation

    def noted_call(parser: expressions._Parser, name: str) -> object:
        noted.functions.add(name)
        return call(parser, name)

    def noted_aggregation(text: str, at: int, context: object) -> object:
        head = aggregations._HEAD.match(text, at)
        if head is not None:
            noted.statistics.add(re.sub(r"[\d.]+$", "", head[1].lower()))
        return aggregation(text, at, context)  # type: ignore[arg-type]

    monkeypatch.setattr(expressions._Parser, "_call", noted_call)
    monkeypatch.setattr(aggregations, "_aggregation", noted_aggregation)
    return noted


def of_the_views() -> Iterator[str]:
    """Each search of a view, a chain behind events, and the searches of its links."""
    for view in read_views(ROOT / "default"):
        for source in view.definition["dataSources"].values():
            query = _TOKEN.sub("1", source["options"]["query"])
            yield f"index=dicom {query}" if source["type"] == "ds.chain" else query
        for panel in view.definition["visualizations"].values():
            for handler in panel.get("eventHandlers", ()):
                url = handler["options"].get("url", "")
                yield from parse_qs(urlsplit(_TOKEN.sub("1", url)).query).get("q", ())


def of_the_confs(pipeline: Pipeline) -> Iterator[str]:
    """Saved searches, the search assistant's examples, and every macro: alone, or behind events."""
    yield from (keys["search"] for keys in APP.read("savedsearches").values() if "search" in keys)
    for keys in APP.read("searchbnf").values():
        yield from (text for key, text in keys.items() if re.fullmatch(r"example\d", key))
    for name, keys in APP.read("macros").items():
        values = ["a" for one in keys.get("args", "").split(",") if one]
        call = f"`{name.partition('(')[0]}({','.join(values)})`" if values else f"`{name}`"
        expanded = pipeline.expanded(call)
        if expanded.startswith("index="):
            yield call
        elif expanded.split()[0] in COMMANDS:  # the others are values
            yield f"index=dicom | {call}"


def of_the_pages() -> Iterator[str]:
    """What the documents show, and what the app's own pages ask."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        yield from fenced(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "pages" / "src").rglob("*.js*")):
        code = path.read_text(encoding="utf-8")
        for _ in range(2):  # what is filled in may be a text with something filled in
            code = re.sub(r"\$\{[^{}]*\}", "a", code)
        yield from (text for text in re.findall(r"`([^`]*)`", code) if _BEGINS.match(text))


def of_the_programs() -> Iterator[str]:
    """The strings that begin as a search does; what only goes on with one stands behind events here."""
    for name in PROGRAMS:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        parts = {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        parts |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            text = "" if id(node) in parts else _text(node).strip()
            if _BEGINS.match(text):
                yield text
            elif re.match(rf"\| ({'|'.join(COMMANDS)})\b", text):
                yield f"index=dicom {text}"


def _text(node: ast.AST) -> str:
    """A string, or one with places to fill in, in which `1` stands."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "1" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_the_evaluator_knows_what_is_shipped_and_the_everyday_words_and_no_more(used: Used) -> None:
    pipeline = Pipeline(
        list,
        APP.read("macros"),
        external_names=frozenset(name for name in APP.read("commands") if name != "default"),
        lookups=Lookups(APP, lambda name: []),
    )
    for text in (*of_the_views(), *of_the_confs(pipeline), *of_the_pages()):
        pipeline.check(text)
    for text in of_the_programs():
        with contextlib.suppress(
            UnknownSpl
        ):  # a test may ask for what is not there, to see that it is refused
            pipeline.check(text)
    words = known()
    assert {*words.commands} == {*used.commands} | {*EVERYDAY_COMMANDS.split()}
    assert words.functions == used.functions
    assert words.statistics == used.statistics | {*EVERYDAY_STATISTICS.split()}
    unused = {name: options - used.commands[name] for name, options in words.commands.items()}
    assert not any(unused.values()), unused
