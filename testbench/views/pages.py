"""Pictures of the app's own pages: the set-up page with a server tested, and the ticket of an outlier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect

from testbench.splunkd import Splunkd
from testbench.views.browser import Browser
from testbench.views.server import LOCALE

SIZE = {"width": 1160, "height": 700}
COMMENT = "Trauma, three phases as the surgeon asked; discussed with the radiologist."
_HIGHEST = (
    "search `dose_study_search` modality=CT record_type=study | sort 1 -total_dlp_mGycm"
    " | table study_instance_uid"
)


def set_up(splunk: Splunkd) -> None:
    """Inputs as a person would have added them while both servers were up; and the set-up finished."""
    for name, phi in (("pacs", "keep"), ("clinic", "hash")):
        keys = {"server": name, "phi": phi, "start": "beginning"}
        splunk.home.confs.update("inputs", f"orthanc://{name}", keys)
    splunk.request("POST", f"apps/local/{splunk.home.app}", {"configured": "true"})


def take_pages(browser: Browser, folder: Path, themes: tuple[str, ...] = ("light", "dark")) -> Iterator[Path]:
    """`<folder>/setup-<theme>.png` and `ticket-<theme>.png`. The ticket is closed on the way."""
    splunk = browser.server.splunk
    uid = str(splunk.search(_HIGHEST).rows[0]["study_instance_uid"])
    for theme in themes:
        page = _page(browser, f"setup?theme={theme}")
        page.get_by_role("button", name="Test pacs").click()
        expect(page.get_by_text("pacs answers.")).to_be_visible(timeout=20_000)
        expect(page.get_by_text("…")).to_have_count(0, timeout=20_000)
        yield _taken(browser, page, folder / f"setup-{theme}.png")
        page = _page(browser, f"ticket?form.study={uid}&theme={theme}")
        if page.get_by_text("Nobody has written").is_visible():
            page.get_by_role("radio", name=re.compile("^Justified")).check()
            page.get_by_role("textbox", name="Comment").fill(COMMENT)
            page.get_by_role("button", name="Save ticket").click()
            expect(page.get_by_text("Saved as justified")).to_be_visible()
        expect(page.get_by_text("Procedure")).to_be_visible(timeout=20_000)
        yield _taken(browser, page, folder / f"ticket-{theme}.png")


def _page(browser: Browser, address: str) -> Page:
    page = browser.page()
    page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    page.goto(f"{browser.server.uri}{LOCALE}/app/{browser.server.app}/{address}")
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    return page


def _taken(browser: Browser, page: Page, path: Path) -> Path:
    browser.picture(page, path)
    page.close()
    return path
