"""The ticket of a study: from Outliers and back, its history, two reviewers at once, who may only read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from testbench.splunkd import Splunkd
from testbench.views.browser import Browser, Engine, Panel
from testbench.views.hospital import time_of
from testbench.views.server import LOCALE, ViewServer
from tests.views.accessible import barriers


@pytest.fixture
def reviewers(engine: Engine, hospital: Splunkd) -> Iterator[tuple[Browser, Browser, Browser]]:
    """Two who may write tickets, each signed in for themselves, and one who may only read; none is there."""
    for name, roles in (("pam", ("power",)), ("paul", ("power",)), ("rita", ("user",))):
        hospital.add_user(name, roles)
    servers = [ViewServer(hospital, [], user) for user in ("pam", "paul", "rita")]
    browsers = [Browser(server, engine) for server in servers]
    yield browsers[0], browsers[1], browsers[2]
    for browser, server in zip(browsers, servers, strict=True):
        browser.close()
        server.close()
    for collection in ("dose_tickets", "dose_ticket_history"):
        hospital.request("DELETE", f"storage/collections/data/{collection}")


def outliers(dashboards: Browser, page: Page) -> Panel:
    """The table of *Outliers*, searched anew."""
    dashboards.show(page, "tiny")
    dashboards.show(page, "outliers", **time_of("outliers"))
    return dashboards.seen(page).panel("Studies, the open ones first")


def opened(browser: Browser, uid: str, theme: str = "light") -> Page:
    page = browser.page()
    page.set_default_timeout(15_000)
    page.goto(f"{browser.server.uri}{LOCALE}/app/copydicom_app/ticket?form.study={uid}&theme={theme}")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    return page


def write(page: Page, state: str, comment: str) -> None:
    page.get_by_role("radio", name=re.compile(f"^{state}")).check()
    page.get_by_role("textbox", name="Comment").fill(comment)
    page.get_by_role("button", name="Save ticket").click()


def documents(hospital: Splunkd, collection: str) -> list[dict[str, Any]]:
    return hospital.rest.kvstore.documents("copydicom_app", collection)


def test_an_outlier_is_clicked_its_ticket_closed_and_outliers_says_so(
    dashboards: Browser, page: Page, hospital: Splunkd, reviewers: tuple[Browser, Browser, Browser]
) -> None:
    listed = outliers(dashboards, page)
    accession = str(listed.rows[0]["Accession number"])
    assert listed.rows[0]["Ticket"] == "open"
    ticket = dashboards.follow(page, page.get_by_text(accession, exact=True).first)
    uid = str(listed.rows[0]["_study"])
    assert f"form.study={uid}" in ticket.url
    expect(ticket.get_by_role("heading", level=2)).to_have_text(f"{accession}: Open")
    expect(ticket.get_by_text(str(listed.rows[0]["Device"]))).to_be_visible()
    ticket.close()

    ticket = opened(reviewers[0], uid)
    ticket.get_by_role("radio", name=re.compile("^Justified")).check()
    ticket.get_by_role("button", name="Save ticket").click()
    expect(ticket.get_by_text("Say why")).to_be_visible()
    write(ticket, "Justified", "Trauma, three phases; <b>seen</b> with the radiologist.")
    expect(ticket.get_by_text("Saved as justified by pam.")).to_be_visible()
    history = ticket.get_by_role("table", name="History")
    expect(history.get_by_role("row")).to_have_count(2)
    expect(history).to_contain_text("<b>seen</b>")
    assert barriers(ticket) == []
    (kept,) = documents(hospital, "dose_tickets")
    assert (kept["_key"], kept["state"], kept["reviewer"]) == (uid, "justified", "pam")
    assert kept["identifier"] == accession
    assert [one["state"] for one in documents(hospital, "dose_ticket_history")] == ["justified"]

    listed = outliers(dashboards, page)
    (row,) = [row for row in listed.rows if row["Accession number"] == accession]
    assert (row["Ticket"], row["Reviewer"]) == ("justified", "pam")


def test_of_two_reviewers_at_once_the_second_reads_the_first_before_writing(
    hospital: Splunkd, reviewers: tuple[Browser, Browser, Browser]
) -> None:
    uid = "1.2.3.4"
    first, second = opened(reviewers[0], uid), opened(reviewers[1], uid, "dark")
    write(first, "Reviewed", "Protocol corrected.")
    expect(first.get_by_text("Saved as reviewed by pam.")).to_be_visible()
    write(second, "Justified", "Large patient.")
    alert = second.get_by_role("alert")
    expect(alert).to_contain_text("Not saved: meanwhile pam has set this ticket to Reviewed.")
    expect(second.get_by_role("table", name="History")).to_contain_text("Protocol corrected.")
    expect(second.get_by_role("textbox", name="Comment")).to_have_value("Large patient.")
    assert [one["reviewer"] for one in documents(hospital, "dose_tickets")] == ["pam"]
    assert barriers(second) == []
    second.get_by_role("button", name="Save ticket").click()
    expect(second.get_by_text("Saved as justified by paul.")).to_be_visible()
    assert [one["reviewer"] for one in documents(hospital, "dose_ticket_history")] == ["pam", "paul"]
    (kept,) = documents(hospital, "dose_tickets")
    assert (kept["state"], kept["reviewer"]) == ("justified", "paul")


def test_a_write_that_fails_half_way_is_told_and_can_be_repeated(
    hospital: Splunkd, reviewers: tuple[Browser, Browser, Browser]
) -> None:
    page = opened(reviewers[0], "1.2.3.6")
    page.route("**/dose_tickets/batch_save*", lambda route: route.abort())
    write(page, "Reviewed", "The line breaks here.")
    expect(page.get_by_role("alert")).to_contain_text("Not saved as a whole")
    assert documents(hospital, "dose_tickets") == []
    expect(page.get_by_role("heading", level=2)).to_have_text("1.2.3.6: Reviewed")  # the history has it
    page.unroute("**/dose_tickets/batch_save*")
    page.get_by_role("button", name="Save ticket").click()
    expect(page.get_by_text("Saved as reviewed by pam.")).to_be_visible()
    assert [one["state"] for one in documents(hospital, "dose_tickets")] == ["reviewed"]
    assert len(documents(hospital, "dose_ticket_history")) == 2


def test_who_may_only_read_tickets_is_told_so_and_a_page_without_a_study_leads_to_outliers(
    hospital: Splunkd, reviewers: tuple[Browser, Browser, Browser]
) -> None:
    page = opened(reviewers[2], "1.2.3.5")
    write(page, "Justified", "I am not allowed to.")
    expect(page.get_by_role("alert")).to_contain_text("your roles may read tickets and not write them")
    assert documents(hospital, "dose_ticket_history") == documents(hospital, "dose_tickets") == []
    page.goto(f'{reviewers[2].server.uri}{LOCALE}/app/copydicom_app/ticket?form.study=" OR index=*')
    expect(page.get_by_role("link", name="Outliers")).to_be_visible()
