"""The searches that we show people run: those of the search assistant, of README and of docs/copydicom.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbench.orthanc import OrthancServer
from testbench.sample_data import hospital
from testbench.splunkd import Splunkd
from testbench.splunkd.conf import parse_conf

ROOT = Path(__file__).resolve().parents[2]


def of_the_assistant() -> dict[str, str]:
    stanza = parse_conf((ROOT / "default/searchbnf.conf").read_text())["copydicom-command"]
    return {f"searchbnf {key}": text for key, text in stanza.items() if re.fullmatch(r"example\d", key)}


def of_the_page(path: str, heading: str) -> dict[str, str]:
    """The indented blocks below a heading; what goes on in a deeper indented line is one search."""
    section = (ROOT / path).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = [re.sub(r"\n {6}", " ", block) for block in re.findall(r"(?:^ {4}.*\n)+", section, re.MULTILINE)]
    return {
        f"{path} {n}": text.strip() for n, text in enumerate("\n".join(blocks).splitlines()) if text.strip()
    }


SHOWN = {
    **of_the_assistant(),
    **of_the_page("README.md", "Search"),
    **of_the_page("docs/copydicom.md", "Examples"),
}


@pytest.fixture(scope="module")
def splunkd(package: Path) -> Iterator[Splunkd]:
    """A hospital that is indexed, an empty destination, an operator who reads no password."""
    with OrthancServer("pacs") as pacs, OrthancServer("research") as research, Splunkd(package) as made:
        for each in hospital():
            pacs.upload(each.data)
        for name, server in (("pacs", pacs), ("research", research)):
            made.add_server(name, base_url=server.url, username=server.username, password=server.password)
        key = {
            "name": "anonymize",
            "realm": "copydicom_app_keys",
            "password": "a long and random key, for good",
        }
        made.request("POST", "storage/passwords", key)
        made.add_user("ann", ("user", "copydicom_operator"))
        made.run_input("orthanc://pacs", server="pacs")
        numbers = made.search("index=dicom AccessionNumber=* | dedup AccessionNumber | head 3").rows
        cohort = made.home.app_dir / "lookups" / "cohort.csv"
        cohort.parent.mkdir(exist_ok=True)
        cohort.write_text("AccessionNumber\n" + "".join(f"{row['AccessionNumber']}\n" for row in numbers))
        yield made
        made.assert_no_violations()


@pytest.mark.parametrize("text", SHOWN.values(), ids=SHOWN.keys())
def test_a_search_that_we_show_finds_something_and_fails_at_nothing(splunkd: Splunkd, text: str) -> None:
    result = splunkd.search(text, user="ann")
    assert result.error is None
    assert result.rows
    statuses = {row["copydicom_status"] for row in result.rows if "copydicom_status" in row}
    assert statuses <= {"copied", "present", "planned"}
    assert ("| copydicom" in text) == bool(statuses)
