"""The sample hospital, indexed once, and one browser that shows the views over it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from testbench.orthanc import OrthancServer, second_orthanc
from testbench.splunkd import Splunkd
from testbench.views.browser import Browser, Engine, chromium
from testbench.views.definitions import View, read_view, read_views
from testbench.views.hospital import fill, index
from testbench.views.server import BUNDLE, ViewServer

ROOT = Path(__file__).resolve().parents[2]
TINY = Path(__file__).parent / "tiny.xml"


@pytest.fixture(scope="session")
def package() -> Path:
    """The package as `make package` builds it from the files as they are."""
    done = subprocess.run(
        [sys.executable, "packaging/build.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ROOT / done.stdout.split()[0]


@pytest.fixture(scope="session")
def page_is_built() -> None:
    """Skip, with the reason, where there is no browser or no page; in CI that is a failure."""
    reason = None
    if chromium() is None:
        reason = "no Chromium on this machine: testbench/install.sh python3 views"
    elif not (BUNDLE / "page.js").is_file():
        reason = "the page is not built: make build/views/ready"
    if reason is not None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="session")
def pacs() -> Iterator[OrthancServer]:
    """The hospital's archive, once `hospital` has filled it."""
    with OrthancServer("pacs", binary=second_orthanc()[0]) as server:
        yield server


@pytest.fixture(scope="session")
def hospital(package: Path, pacs: OrthancServer) -> Iterator[Splunkd]:
    """The stand-in with the app installed and the hospital indexed; at the end no rule was broken."""
    with (
        OrthancServer("research", binary=second_orthanc()[0]) as research,
        Splunkd(package, python=sys.executable) as splunk,
    ):
        fill(splunk, pacs, research)
        yield splunk
        splunk.assert_no_violations()


@pytest.fixture(scope="session")
def hospital_of(package: Path, pacs: OrthancServer, hospital: Splunkd) -> Iterator[Callable[[str], Splunkd]]:
    """The same as an input with that `phi` indexed it, but for copies and the health of inputs."""
    made = {"keep": hospital}

    def of(phi: str) -> Splunkd:
        if phi not in made:
            made[phi] = Splunkd(package, python=sys.executable)
            made[phi].add_server("pacs", base_url=pacs.url, username=pacs.username, password=pacs.password)
            index(made[phi], phi)
        return made[phi]

    yield of
    others = [splunk for splunk in made.values() if splunk is not hospital]
    try:
        for splunk in others:
            splunk.assert_no_violations()
    finally:
        for splunk in others:
            splunk.close()


@pytest.fixture(scope="session")
def views() -> list[View]:
    """The app's own views."""
    return read_views(ROOT / "default")


@pytest.fixture(scope="session")
def engine(page_is_built: None) -> Iterator[Engine]:
    """One Chromium for all."""
    with Engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def dashboards(engine: Engine, hospital: Splunkd, views: list[View]) -> Iterator[Browser]:
    """One browser over the app's views and the tests' own small one."""
    with ViewServer(hospital, [*views, read_view(TINY)]) as server, Browser(server, engine) as browser:
        yield browser


@pytest.fixture(scope="session")
def page(dashboards: Browser) -> Page:
    """The page in which view after view is shown: to load one takes longer than most tests."""
    return dashboards.open("tiny").page
