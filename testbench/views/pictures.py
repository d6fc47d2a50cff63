"""Pictures of views, in light and dark, and what was wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from testbench.views.browser import Browser, Seen
from testbench.views.hospital import time_of

THEMES = ("light", "dark")


def take(
    browser: Browser, names: Iterable[str], folder: Path, themes: Iterable[str] = THEMES
) -> Iterator[tuple[Path, Seen]]:
    """`<folder>/<view>-<theme>.png` for each, one after the other in one page; what was seen beside each."""
    page = None
    for name in names:
        for theme in themes:
            if page is None:
                page = browser.open(name, theme).page
            browser.show(page, name, theme, **time_of(name))
            seen = browser.seen(page)
            path = folder / f"{name}-{theme}.png"
            browser.picture(page, path)
            yield path, seen
