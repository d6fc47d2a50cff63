"""``copydicom dose``: one dose report at the console."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

import click

from copydicom_app.addresses import without_anything_like_logins
from copydicom_app.cli import options as opt
from copydicom_app.cli.dicom_file import simplified_tags
from copydicom_app.cli.servers import Servers
from copydicom_app.dose.report import flatten_dose_report, image_dose, is_dose_report
from copydicom_app.errors import ConfigurationError, NotFoundError
from copydicom_app.orthanc import Orthanc
from copydicom_app.structured_report import LONG_KEYWORDS

# What a person copies: an address of the REST API, or of Orthanc Explorer in the browser's bar.
_PLACE = re.compile(
    r"(?P<server>.+?)/(?:(?:app/)?explorer\.html#)?"
    r"(?P<level>instance|series|study|instances|studies)(?:/|\?uuid=)(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{8}){4})\b"
)


@click.command(
    epilog="""\b
Examples:
  copydicom dose report.dcm
  copydicom dose http://orthanc:orthanc@localhost:8042/instances/5bb1b4ae-44ea3e12-9ab5e7f4-5e80dbef-b9fbec93
  copydicom dose pacs/studies/0f1f4a54-7e2f6b12-3d3f2d0c-2b3c1c79-a1b2c3d4 --json | jq .dlp_mGycm"""
)
@click.argument("report", metavar="FILE|URL", envvar="COPYDICOM_REPORT")
@opt.option("--all", "everything", is_flag=True, help="Every field, and not only those that tell most.")
@opt.option("--json", "as_json", is_flag=True, help="A line of JSON for the study and for each irradiation.")
@opt.config
@opt.ca_bundle
@opt.insecure
def dose(
    report: str,
    everything: bool,
    as_json: bool,
    config: Optional[Path],
    ca_bundle: Optional[str],
    insecure: bool,
) -> int:
    """Show a dose report: the study with its totals, and each irradiation.

    FILE is a DICOM file, or Orthanc's JSON of its tags (- for standard input); URL an instance, series or
    study of an Orthanc, as its REST API or Orthanc Explorer has it. Of an image that tells its dose itself
    that is shown.
    """
    servers = Servers(config, ca_bundle or "", insecure)
    reports = [records for tags in _tags(report, servers) if (records := _records(tags))]
    if not reports:
        click.echo("there is no dose report, nor an image that tells its dose", err=True)
        return 1
    for records in reports:
        if as_json:
            for record in records:
                click.echo(json.dumps(record))
            continue
        from rich.console import Console

        from copydicom_app.cli.dose_tables import show

        show(records, Console(highlight=False), everything)
    return 0


def _records(tags: Mapping[str, Any]) -> list[dict[str, Any]]:
    if is_dose_report(tags):
        return flatten_dose_report(tags)
    record = image_dose(tags, {})
    return [record] if record is not None else []


def _tags(text: str, servers: Servers) -> Iterator[Mapping[str, Any]]:
    place = _PLACE.match(text)
    if place and not os.path.exists(text):  # noqa: PTH110 (pathlib raises for what is too long for a name)
        yield from _of_orthanc(Orthanc(servers.find(place["server"], "src")), place["level"], place["id"])
        return
    if "://" in text:
        raise ConfigurationError(
            "the address does not name an instance, series or study; it ends, for example, with "
            "/instances/<Orthanc id>"
        )
    yield _of_file(text)


def _of_orthanc(orthanc: Orthanc, level: str, id: str) -> Iterator[Mapping[str, Any]]:
    orthanc.system()
    try:
        if level.startswith("instance"):
            yield orthanc.instance_tags(id, LONG_KEYWORDS)
            return
        series = [id]
        if level != "series":
            found = orthanc.series_of_study(id)
            series = [each["ID"] for each in found if each["MainDicomTags"].get("Modality") == "SR"]
        for each in series:
            yield from orthanc.series_tags(each, LONG_KEYWORDS).values()
    except NotFoundError as error:
        raise ConfigurationError(f"server {orthanc.server.name!r} does not have {id}") from error


def _of_file(name: str) -> Mapping[str, Any]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        shown = without_anything_like_logins(name)
        raise ConfigurationError(f"{shown} cannot be read ({error.strerror})") from error
    if data.lstrip()[:1] != b"{":
        return simplified_tags(data, name)
    try:
        tags = json.loads(data)
    except ValueError as error:
        raise ConfigurationError(f"{name} begins like JSON and is none") from error
    return tags if isinstance(tags, dict) else {}
