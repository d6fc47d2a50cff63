"""The searches that we show people run: those of the search assistant, of README and of docs/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbench.orthanc import OrthancServer
from testbench.real_splunk.searches import fenced
from testbench.splunkd import Splunkd, Trigger
from testbench.splunkd.conf import parse_conf
from testbench.views.hospital import COHORT, fill

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Splunk's own events, which the stand-in does not write.
SPLUNKS_OWN = re.compile(r"sourcetype=(splunkd|scheduler)\b")


def of_the_assistant() -> dict[str, str]:
    stanza = parse_conf((ROOT / "default/searchbnf.conf").read_text())["copydicom-command"]
    return {f"searchbnf {key}": text for key, text in stanza.items() if re.fullmatch(r"example\d", key)}


SHOWN = of_the_assistant() | {
    f"{path.name} {number}": text
    for path in PAGES
    for number, text in enumerate(fenced(path.read_text(encoding="utf-8")), start=1)
}


@pytest.fixture(scope="module")
def splunkd(package: Path) -> Iterator[Splunkd]:
    """A hospital that is indexed and copied from, an input in trouble, a refusal, a run of the alert action,
    an operator who reads no password.
    """
    with OrthancServer("pacs") as pacs, OrthancServer("research") as research, Splunkd(package) as made:
        fill(made, pacs, research)
        key = {
            "name": "anonymize",
            "realm": "copydicom_app_keys",
            "password": "a long and random key, for good",
        }
        made.request("POST", "storage/passwords", key)
        made.add_user("ann", ("user", "copydicom_operator"))
        found = made.search(f"{COHORT} | table ID orthanc_server").rows
        assert (
            made.run_alert_action(
                "copydicom_replicate", found, Trigger({"dest": "research"}, "ann")
            ).exit_code
            == 0
        )
        assert made.search(f"{COHORT} | copydicom dest=nowhere", user="ann").error is not None
        numbers = made.search("index=dicom AccessionNumber=* | dedup AccessionNumber | head 3").rows
        cohort = made.home.app_dir / "lookups" / "cohort.csv"
        cohort.parent.mkdir(exist_ok=True)
        cohort.write_text("AccessionNumber\n" + "".join(f"{row['AccessionNumber']}\n" for row in numbers))
        yield made
        made.assert_no_violations()


@pytest.mark.parametrize("text", SHOWN.values(), ids=SHOWN.keys())
def test_a_search_that_we_show_finds_something_and_fails_at_nothing(splunkd: Splunkd, text: str) -> None:
    copies = "| copydicom" in text
    result = splunkd.search(text, user="ann" if copies else "admin")
    assert result.error is None
    assert result.rows or SPLUNKS_OWN.search(text)
    statuses = {row["copydicom_status"] for row in result.rows if "copydicom_status" in row}
    assert statuses <= {"copied", "present", "planned"}
    assert copies == bool(statuses)


def test_every_page_that_shows_searches_is_looked_at() -> None:
    assert {
        "README.md",
        "copydicom.md",
        "dashboards.md",
        "scaling.md",
        "security.md",
        "troubleshooting.md",
    } <= {name.split()[0] for name in SHOWN}
    # An indented search would be run by nobody.
    for path in PAGES:
        blocks = re.findall(r"^ {4}(?:index=|\| |`dose_).*$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert not blocks or path.name == "fields.md", f"{path.name}: fence it as spl: {blocks[0]}"
