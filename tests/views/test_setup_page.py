"""The set-up page in a browser: the packaged bundle, the stand-in behind Splunk Web's proxy, real Orthanc."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from testbench.faulty_proxy import Fault, FaultyProxy
from testbench.orthanc import OrthancServer, second_orthanc
from testbench.sample_data import make_instances
from testbench.splunkd import Splunkd
from testbench.tls_front import TlsFront, self_signed
from testbench.views.browser import Browser, Engine
from testbench.views.server import ViewServer
from tests.views.accessible import barriers

COUNT = 20
WRONG = "a-wrong-password-Kq7"
ROOT = Path(__file__).resolve().parents[2]
TEST_REPORT = ROOT / "pages" / "src" / "setup" / "TestReport.jsx"


@pytest.fixture(scope="module")
def pacs() -> Iterator[OrthancServer]:
    with OrthancServer("pacs", binary=second_orthanc()[0]) as server:
        server.upload_all(each.data for each in make_instances(COUNT, size=1_000, series_of=5))
        yield server


@pytest.fixture
def splunk(package: Path) -> Iterator[Splunkd]:
    """Just installed: nothing is set up."""
    with Splunkd(package, python=sys.executable) as made:
        yield made
        made.assert_no_violations()
        assert made.rest_scripts.stderr == []


@pytest.fixture
def browser(engine: Engine, splunk: Splunkd) -> Iterator[Browser]:
    with ViewServer(splunk, []) as server, Browser(server, engine) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The set-up page, to which the address of Splunk leads; at the end nothing was on the console."""
    page = browser.page()
    page.set_default_timeout(15_000)
    page.goto(browser.server.uri)
    yield page
    refused = [
        text for text in browser.console(page) if "the server responded with a status of 4" not in text
    ]
    assert refused == []


def opened_again(page: Page, theme: str = "light") -> None:
    page.goto(f"{page.url.partition('?')[0]}?theme={theme}")
    expect(page.get_by_role("heading", name="1. Orthanc servers")).to_be_visible()


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def field(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=re.compile(rf"^{label}"))


def fill(page: Page, **values: str) -> None:
    for label, value in values.items():
        field(page, label).fill(value)


def add_server(splunk: Splunkd, server: OrthancServer, name: str = "pacs") -> None:
    splunk.add_server(name, base_url=server.url, username=server.username, password=server.password)


def conf(splunk: Splunkd, name: str, stanza: str) -> dict[str, str]:
    return splunk.home.confs.local(name).get(stanza, {})


def stored(splunk: Splunkd) -> dict[str, str]:
    entries = splunk.request("GET", "storage/passwords")[1]["entry"]
    return {entry["content"]["username"]: entry["content"]["clear_password"] for entry in entries}


def by_keyboard(page: Page, label: str, role: str = "textbox", key: str = "Tab") -> None:
    """Press Tab until the focus is on what has this label, as somebody without a mouse does."""
    wanted = page.get_by_role(role, name=re.compile(rf"^{re.escape(label)}")).first  # type: ignore[arg-type]
    for _ in range(40):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the Tab key does not lead to {label!r}")


def test_a_server_is_added_and_tested_with_the_keyboard_alone(
    page: Page, splunk: Splunkd, pacs: OrthancServer
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    expect(page).to_have_url(re.compile(r"/app/copydicom_app/setup$"))
    expect(page.get_by_role("heading", name="1. Orthanc servers")).to_be_visible()
    assert barriers(page) == []
    by_keyboard(page, "Add a server", "button")
    page.keyboard.press("Enter")
    expect(field(page, "Name")).to_be_focused()
    for label, text in (
        ("Name", "pacs"),
        ("Address", pacs.url),
        ("User", pacs.username),
        ("Password", WRONG),
    ):
        by_keyboard(page, label)
        page.keyboard.type(text)
    by_keyboard(page, "Test connection", "button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("It refuses the login.")
    assert barriers(page) == []
    by_keyboard(page, "Password", key="Shift+Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type(pacs.password)
    by_keyboard(page, "Test connection", "button")
    page.keyboard.press("Enter")
    report = page.get_by_role("status").filter(has_text="pacs answers.")
    expect(report).to_contain_text(f"Orthanc {pacs.get('/system')['Version']}")
    expect(report).to_contain_text(f"{COUNT} instances")
    told = "MaximumPatientCount" in pacs.get("/system")
    expect(report).to_contain_text(
        "None: it keeps all." if told else "This version of Orthanc does not tell."
    )
    assert conf(splunk, "copydicom_servers", "pacs") == {}, "a test saves something"
    by_keyboard(page, "Save server", "button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Servers")).to_contain_text(pacs.url)
    expect(button(page, "Add a server")).to_be_focused()
    saved = conf(splunk, "copydicom_servers", "pacs")
    assert (saved["base_url"], saved["username"], saved["verify_tls"]) == (pacs.url, pacs.username, "true")
    assert stored(splunk) == {"pacs": pacs.password}
    assert pacs.password not in page.content()
    assert not [text for text in asked if pacs.password in text or WRONG in text or "passwords" in text]


def test_what_is_wrong_with_a_server_is_told_by_kind(
    page: Page, splunk: Splunkd, pacs: OrthancServer, browser: Browser, tmp_path: Path
) -> None:
    authority, server_pem = self_signed(tmp_path)
    port = _free_port()
    front = TlsFront(port, int(pacs.url.rpartition(":")[2]), server_pem)
    try:
        button(page, "Add a server").click()
        button(page, "Test connection").click()
        expect(page.get_by_role("alert")).to_contain_text("Some fields need another look.")
        expect(page.get_by_text("Letters, digits, dot, dash and underscore.")).to_be_visible()
        fill(page, Name="pacs", Address=f"https://127.0.0.1:{port}", User=pacs.username)
        fill(page, Password=pacs.password)
        for address, bundle, said in (
            (f"https://127.0.0.1:{port}", "", "Its certificate is not trusted."),
            (f"https://127.0.0.1:{port}", str(authority), "pacs answers."),
            (browser.server.uri, "", "This is not an Orthanc."),
        ):
            fill(page, Address=address, Certificate=bundle)
            button(page, "Test connection").click()
            expect(page.locator('[data-test="test-report"]')).to_contain_text(said)
    finally:
        front.close()


def test_a_changed_address_asks_for_the_password_again(
    page: Page, splunk: Splunkd, pacs: OrthancServer
) -> None:
    add_server(splunk, pacs)
    opened_again(page)
    button(page, "Edit pacs").click()
    fill(page, Address="https://elsewhere.example:8042")
    button(page, "Save server").click()
    expect(page.get_by_text("Enter the password again")).to_be_visible()
    assert conf(splunk, "copydicom_servers", "pacs")["base_url"] == pacs.url
    fill(page, Password="given again")
    button(page, "Save server").click()
    expect(page.get_by_role("table", name="Servers")).to_contain_text("https://elsewhere.example:8042")
    assert stored(splunk) == {"pacs": "given again"}
    button(page, "Remove server pacs").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Its password goes too.")
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Server pacs is removed.")).to_be_visible()
    assert (splunk.home.confs.local("copydicom_servers"), stored(splunk)) == ({}, {})


def test_an_input_is_added_its_first_events_are_seen_and_the_set_up_is_finished(
    page: Page, splunk: Splunkd, pacs: OrthancServer, browser: Browser
) -> None:
    add_server(splunk, pacs)
    opened_again(page)
    button(page, "Add an input").click()
    fill(page, Name="pacs")
    # a year's mix of docs/scaling.md, GB a million instances
    each = float(_measured("level = instance, tags = all"))
    estimate = page.get_by_role("status", name="Estimate")
    expect(estimate).to_contain_text(f"Backlog: about {COUNT * each:.0f} kB for {COUNT} instances")
    expect(estimate).to_contain_text("An estimate")
    expect(estimate).to_contain_text("Roles that can search dicom: admin, power, user.")
    assert barriers(page) == []
    button(page, "Save input").click()
    expect(page.get_by_text("Choose what becomes of patients")).to_be_visible()
    expect(page.get_by_text("Choose where to begin.")).to_be_visible()
    assert splunk.home.confs.local("inputs") == {}
    page.get_by_role("radio", name=re.compile("^Pseudonyms")).check()
    page.get_by_role("radio", name=re.compile("^With all that it holds")).check()
    page.get_by_role("radio", name=re.compile("^Main tags")).check()
    main = float(_measured("level = instance, tags = main"))
    expect(estimate).to_contain_text(f"about {COUNT * main:.0f} kB")
    button(page, "More").click()
    fill(page, Interval="soon")
    button(page, "Save input").click()
    expect(page.get_by_role("alert")).to_contain_text("interval must be a number of seconds")
    fill(page, Interval="45")
    button(page, "Save input").click()
    row = page.get_by_role("row").filter(has_text="pseudonyms")
    expect(row).to_contain_text("none yet")
    given = conf(splunk, "inputs", "orthanc://pacs")
    assert {
        "server": "pacs",
        "phi": "hash",
        "start": "beginning",
        "tags": "main",
        "interval": "45",
    }.items() <= given.items()

    run = splunk.run_input("orthanc://pacs")
    assert run.exit_code == 0
    button(page, "Look again").click()
    expect(row).to_contain_text(str(COUNT))
    assert barriers(page) == []
    link = urlsplit(row.get_by_role("link").get_attribute("href") or "")
    assert link.path.endswith("/app/copydicom_app/search")
    assert len(splunk.search(f"search {parse_qs(link.query)['q'][0]}").rows) == COUNT
    row.get_by_role("switch").click()
    expect(page.get_by_text("Input pacs is off.")).to_be_visible()
    assert conf(splunk, "inputs", "orthanc://pacs")["disabled"] == "1"

    button(page, "Finish the set-up").click()
    expect(page.get_by_text("The set-up is done.")).to_be_visible()
    page.goto(browser.server.uri)
    expect(page).not_to_have_url(re.compile("setup"))


def test_a_server_that_is_slow_to_find_an_instance_is_told_with_the_way_out(
    page: Page, splunk: Splunkd, pacs: OrthancServer
) -> None:
    with FaultyProxy(pacs.url, slow_seconds=0.2) as proxy:
        proxy.on(lambda asked: Fault.SLOW if re.search(r"/instances/[0-9a-f-]+$", asked.path) else None)
        splunk.add_server("pacs", base_url=proxy.url, username=pacs.username, password=pacs.password)
        opened_again(page)
        button(page, "Test pacs").click()
        expect(page.get_by_text("pacs answers.")).to_be_visible()
        expect(page.get_by_text("To look up one instance takes it")).to_be_visible()
        assert barriers(page) == []
    [section] = re.findall(r"“(Orthanc[^”]+)” in docs/scaling\.md", TEST_REPORT.read_text())
    assert f"### {section}\n" in (ROOT / "docs" / "scaling.md").read_text()


def test_who_may_not_set_up_reads_why_and_an_admin_of_the_app_may(
    page: Page, splunk: Splunkd, browser: Browser, pacs: OrthancServer
) -> None:
    add_server(splunk, pacs)
    splunk.add_user("eve", ("user",))
    splunk.add_user("ada", ("user", "copydicom_admin"))
    browser.server.sign_in("eve")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("ask an admin for the role copydicom_admin")
    expect(page.get_by_role("button")).to_have_count(0)
    browser.server.sign_in("ada")
    opened_again(page, "dark")
    button(page, "Test pacs").click()
    expect(page.get_by_text("pacs answers.")).to_be_visible()
    assert barriers(page) == []
    button(page, "Add an input").click()
    expect(page.get_by_text("your roles may not list roles")).to_be_visible()
    assert barriers(page) == []
    button(page, "Cancel").click()
    button(page, "Finish the set-up").click()
    expect(page.get_by_role("alert")).to_contain_text("only an admin may tell Splunk")
    assert splunk.rest.access.configured is False


def _measured(row: str) -> str:
    text = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    found = re.search(rf"^\| {row} \| ([\d.]+) \|", text, re.M)
    assert found
    return found[1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
