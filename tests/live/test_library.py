"""The examples of README, docs/command-line.md and the library's docstrings run as they stand there."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydicom_app import library
from testbench.dose_reports import DIALECTS, Study, ct_report
from testbench.dose_samples import LOCALIZER, SPIRAL
from testbench.orthanc import OrthancServer
from testbench.sample_data import make_instances
from testbench.splunkd import Splunkd

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def places(package: Path) -> Iterator[dict[str, str]]:
    """The addresses of the examples, and where the servers are; three images and a dose report of CT."""
    with (
        OrthancServer("pacs") as pacs,
        OrthancServer("research") as research,
        OrthancServer("other") as other,
        Splunkd(package, https=True) as splunk,
    ):
        report = ct_report(Study("library"), (LOCALIZER, SPIRAL), DIALECTS["standard"])
        for data in (*(each.data for each in make_instances(3, 2_000, 3)), report.dicom()):
            pacs.upload(data)
        splunk.sessions.set_password("admin", "changeme")
        found = {
            f"http://orthanc:orthanc@localhost:{port}": server.url.replace(
                "://", f"://{server.username}:{server.password}@"
            )
            for port, server in ((8042, pacs), (8043, research), (8044, other))
        }
        found["https://admin:changeme@localhost:8089"] = splunk.rest.uri.replace("://", "://admin:changeme@")
        token = splunk.hec.token()
        done = list(
            library.replicate_tags(
                found["http://orthanc:orthanc@localhost:8042"],
                found["https://admin:changeme@localhost:8089"],
                splunk.hec.url(token),
            )
        )
        assert sum(outcome.copied for outcome in done) == 4
        yield found


def section(path: str, title: str) -> str:
    return (ROOT / path).read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


def texts() -> dict[str, str]:
    """What is shown, by where it is."""
    return {
        "replicate": str(library.replicate.__doc__),
        "simplify": str(library.simplify.__doc__),
        "docs/command-line.md": section("docs/command-line.md", "The library"),
        "README.md": section("README.md", "Without Splunk"),
    }


@pytest.mark.parametrize("where", texts())
def test_the_examples_of_the_library_run_as_they_stand_there(where: str, places: dict[str, str]) -> None:
    text = texts()[where]
    for written, real in places.items():
        text = text.replace(written, real)
    assert not re.search(r"://localhost:8\d{3}", text)
    example = doctest.DocTestParser().get_doctest(text, vars(library).copy(), where, None, None)
    assert example.examples
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)
