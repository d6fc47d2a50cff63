"""The demo's last step: pictures of all views and pages, then these themselves at a local address."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path

from rich.console import Console

from testbench.orthanc import OrthancServer
from testbench.splunkd import Splunkd
from testbench.views.definitions import read_views
from testbench.views.hospital import add_what_is_rare
from testbench.views.server import ViewServer


def show(splunk: Splunkd, pacs: OrthancServer, console: Console, folder: Path, until_stopped: bool) -> None:
    """Take a picture of each view in light and dark; with `until_stopped` serve them until Ctrl-C.

    SystemExit, with what was wrong, when a view is not drawn whole.
    """
    from testbench.views.browser import Browser  # needs playwright, which only those who look need
    from testbench.views.pages import set_up, take_pages
    from testbench.views.pictures import take

    add_what_is_rare(splunk, pacs)
    set_up(splunk)
    views = read_views(splunk.home.app_dir / "default")
    with ViewServer(splunk, views) as server:
        began, problems, count = time.monotonic(), [], 0
        with Browser(server) as browser:
            for path, seen in take(browser, [view.name for view in views], folder):
                count += 1
                problems += [f"{path.name}: {problem}" for problem in seen.problems]
            count += len(list(take_pages(browser, folder)))
        if problems:
            raise SystemExit("demo: a view is not drawn whole\n" + "\n".join(problems))
        seconds = time.monotonic() - began
        console.print(f"{count} pictures of {len(views)} views and two pages in {folder}, in {seconds:.0f} s")
        if until_stopped:
            console.print(f"\nThe dashboards are at {server.uri} until Ctrl-C")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
