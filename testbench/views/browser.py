"""Opens views in headless Chromium and says what was seen there.

    with Browser(server) as browser:
        seen = browser.open("overview")
        assert not seen.problems
        browser.picture(seen.page, Path("overview.png"))

The browser is the machine's own; nothing is downloaded. To load the page costs more than to show a view in
it, since the bundle is large: `show` puts view after view into a page that is loaded.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from playwright.sync_api import ConsoleMessage, Locator, Page, TimeoutError, sync_playwright

from testbench.views.server import LOCALE, ViewServer

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
SIZE = (1400, 900)
SECONDS = 60
QUIET = 400  # milliseconds without a change in the page: charts move for a quarter of a second

PATIENCE = 5  # seconds for icons to vanish, which a panel also shows while it waits for its rows

_SETTLED = """([wanted, quiet]) => {
    const sources = window.seen?.sources ?? {};
    const finished = ([id, consumer]) => ["done", "failed"].includes(sources[id]?.[consumer]?.state);
    return wanted.every(finished) && performance.now() - window.changed > quiet;
}"""
_STILL = "(quiet) => performance.now() - window.changed > quiet"
_WITHOUT_ICONS = """() => document.querySelector(
    '[data-test="status-icon-container"], [data-test="placeholder-icon"], [data-test="spinner"]') === null"""
_PANELS = """() => [...document.querySelectorAll('[data-test="viz-item"]')].map((item) => {
    const has = (name) => item.querySelector(`[data-test="${name}"]`) !== null;
    const drawn = item.querySelector('svg, table, canvas, [data-test="SingleValueWrapper"], p, h1, h2, h3');
    const chart = item.querySelector(".highcharts-container");
    return {
        id: item.dataset.id,
        type: item.dataset.vizType,
        title: item.querySelector('[data-test="viz-title"]')?.innerText ?? "",
        error: has("status-icon-container"),
        placeholder: has("placeholder-icon"),
        empty: drawn === null,
        squeezed: chart !== null && chart.clientWidth < item.clientWidth / 2,
        text: item.innerText,
    };
})"""


def chromium() -> Path | None:
    """The machine's Chromium, or what COPYDICOM_CHROMIUM names; None when there is none."""
    named = os.environ.get("COPYDICOM_CHROMIUM")
    found = (
        named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )
    return Path(found) if found else None


@dataclass(frozen=True)
class Source:
    """What one panel or input got of a data source. `state`: `running`, `done`, `failed`, `never begun`."""

    id: str
    state: str = "never begun"
    fields: list[str] = field(default_factory=list)
    columns: list[list[Any]] = field(default_factory=list)
    message: str = ""


@dataclass(frozen=True)
class Panel:
    """One visualization: what it shows, and the rows of its primary data source."""

    id: str
    type: str
    title: str
    error: bool
    placeholder: bool
    empty: bool
    squeezed: bool
    text: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def without_rows(self) -> bool:
        """No row, or one that only says so ("No administration in this time range")."""
        told = [str(value) for row in self.rows for value in row.values() if value not in (None, "")]
        return not told or (len(told) == 1 and told[0].startswith("No "))

    @property
    def problem(self) -> str | None:
        """Why nobody would call this panel drawn."""
        named = f"{self.title or self.id} ({self.type})"
        if self.error:
            return f"{named}: an error icon: {self.text}"
        if self.placeholder:
            return f"{named}: a placeholder instead of data: {self.text}"
        if self.squeezed:
            return f"{named}: drawn into a corner of its panel"
        return f"{named}: nothing is drawn" if self.empty else None


@dataclass(frozen=True)
class Seen:
    """A view as it stood when its searches were done."""

    name: str
    page: Page
    panels: list[Panel]
    tokens: dict[str, Any]
    links: list[dict[str, Any]]
    sources: dict[str, Source]
    console: list[str]

    def panel(self, title: str) -> Panel:
        """The panel with this title or id."""
        for panel in self.panels:
            if title in (panel.title, panel.id):
                return panel
        raise KeyError(f"{self.name} has no panel {title!r}; it has {[panel.title for panel in self.panels]}")

    @property
    def columns(self) -> dict[str, list[str]]:
        """By panel the columns of its primary data source."""
        return {
            panel.id: self.sources[key].fields
            for panel in self.panels
            if (key := f"{panel.id}-primary") in self.sources
        }

    @property
    def problems(self) -> list[str]:
        """What must not be: error icons, placeholders, empty panels, endless searches, script errors."""
        failed = [
            f"{consumer}: the data source {source.id} failed: {source.message}"
            for consumer, source in self.sources.items()
            if source.state == "failed"
        ]
        late = [
            f"{consumer}: the data source {source.id} was never done (last seen {source.state})"
            for consumer, source in self.sources.items()
            if source.state not in ("done", "failed")
        ]
        panels = [problem for panel in self.panels if (problem := panel.problem)]
        return [*failed, *late, *panels, *(f"console: {text}" for text in self.console)]


class Engine:
    """One running Chromium, for several browsers. A context manager: it ends what it has started."""

    def __init__(self) -> None:
        path = chromium()
        if path is None:
            raise RuntimeError("there is no Chromium on this machine; testbench/install.sh installs it")
        self._playwright = sync_playwright().start()
        self.chromium = self._playwright.chromium.launch(executable_path=str(path), args=list(FLAGS))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.chromium.close()
        self._playwright.stop()


class Browser:
    """Pages that show what a server serves, with cookies of their own, in its own engine or a given one.

    A context manager: it ends what it has started.
    """

    def __init__(self, server: ViewServer, engine: Engine | None = None) -> None:
        self.server = server
        self._own = Engine() if engine is None else None
        running = (engine or self._own).chromium  # type: ignore[union-attr]
        self._context = running.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
        self._context.set_default_timeout(SECONDS * 1000)
        self._console: dict[Page, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._context.close()
        if self._own is not None:
            self._own.close()

    # -- pages ------------------------------------------------------------------------------------------

    def page(self) -> Page:
        """A new page, empty; what its console calls an error is kept."""
        return self._listened(self._context.new_page())

    def console(self, page: Page) -> list[str]:
        """The errors on a page's console."""
        return list(self._console[page])

    def follow(self, page: Page, link: Locator) -> Page:
        """Click on what leads to a new tab; that tab, loaded."""
        with page.context.expect_page() as opened:
            link.click()
        opened.value.wait_for_load_state()
        return self._listened(opened.value)

    def _listened(self, page: Page) -> Page:
        console = self._console[page] = []

        def heard(message: ConsoleMessage) -> None:
            if message.type == "error":
                console.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: console.append(str(error)))
        return page

    def open(self, name: str, theme: str = "light", page: Page | None = None, **tokens: str) -> Seen:
        """Load a view at its address and wait until it is drawn; `tokens` are the `form.` of the address."""
        page = page or self.page()
        self._console[page].clear()
        page.goto(f"{self.server.uri}{self.address(name, **tokens)}&theme={theme}")
        return self.seen(page)

    def show(self, page: Page, name: str, theme: str = "light", **tokens: str) -> None:
        """Put another view, or the same in another theme, into a page that is loaded; `seen` waits for it."""
        view = self.server.shown(name, {"theme": [theme]})
        self._console[page].clear()
        page.evaluate("([view, address]) => window.show(view, address)", [view, self.address(name, **tokens)])

    def address(self, name: str, **tokens: str) -> str:
        """Where a view is, with tokens set."""
        fields = {f"form.{token}": value for token, value in tokens.items()}
        return f"{LOCALE}/app/{self.server.app}/{name}?{urlencode(fields)}"

    def seen(self, page: Page, seconds: float = SECONDS) -> Seen:
        """Wait until all data sources that something shows are done and nothing moves; then look."""
        view = page.evaluate("window.copydicomView")
        wanted = consumers(view["definition"] or {})
        with contextlib.suppress(TimeoutError):
            page.wait_for_function(_SETTLED, arg=[wanted, QUIET], polling=100, timeout=seconds * 1000)
            page.wait_for_function(_WITHOUT_ICONS, polling=100, timeout=PATIENCE * 1000)
            page.wait_for_function(_SETTLED, arg=[wanted, QUIET], polling=100, timeout=seconds * 1000)
        state = page.evaluate("window.seen")
        asked = {
            consumer: Source(id, **state["sources"].get(id, {}).get(consumer, {})) for id, consumer in wanted
        }
        panels = [
            Panel(**found, rows=rows_of(asked.get(f"{found['id']}-primary")))
            for found in page.evaluate(_PANELS)
        ]
        console = list(self._console[page])
        return Seen(view["name"], page, panels, state["tokens"], state["links"], asked, console)

    @staticmethod
    def picture(page: Page, path: Path) -> bytes:
        """Write a PNG of the whole view; its bytes.

        The window grows first: charts that are measured anew while a picture is taken come out empty.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": SIZE[0], "height": height})
        with contextlib.suppress(TimeoutError):
            page.wait_for_function(_STILL, arg=QUIET, polling=100, timeout=PATIENCE * 1000)
        taken = page.screenshot(path=str(path))
        page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        return taken


def consumers(definition: dict[str, Any]) -> list[tuple[str, str]]:
    """Each panel and input with each of its data sources, as the page names them: `ds_a`, `viz_b-primary`."""
    parts = {**definition.get("visualizations", {}), **definition.get("inputs", {})}
    return [
        (source, f"{id}-{name}")
        for id, part in parts.items()
        for name, source in part.get("dataSources", {}).items()
    ]


def rows_of(source: Source | None) -> list[dict[str, Any]]:
    """Columns as rows."""
    if source is None:
        return []
    return [dict(zip(source.fields, values, strict=True)) for values in zip(*source.columns, strict=True)]
