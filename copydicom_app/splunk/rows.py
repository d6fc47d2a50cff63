"""The rows of a search, as the command and the alert action get them: what they name, and their outcome."""

from __future__ import annotations

import sys
from collections import defaultdict

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Level, Outcome, Reference, Status, is_orthanc_id
from copydicom_app.splunk.chunked import picked
from copydicom_app.splunk.options import Options, parse_level

Wanted = dict[str, list[tuple[int, Reference]]]


def read_rows(body: bytes, options: Options) -> tuple[Wanted, list[list[Outcome]]]:
    """What the rows of a CSV name, by source; and a place for the outcomes of each, filled for bad ones."""
    wanted: defaultdict[str, list[tuple[int, Reference]]] = defaultdict(list)
    settled: list[list[Outcome]] = []
    fields = [options.id, "orthanc_server", "level", "ParentSeries", "ParentStudy"]
    for number, (ids, servers, levels, series, study) in enumerate(picked(body, fields)):
        settled.append([])
        try:
            source, level = _meant(options, ids, servers, levels)
        except ConfigurationError as error:
            settled[-1].append(Outcome.of_instance("", Status.FAILED, message=str(error)))
            continue
        parents = sys.intern(_only(series)), sys.intern(_only(study))
        for id in ids:
            wanted[source].append((number, Reference(id, level, *parents)))
    return wanted, settled


def merged(outcomes: list[Outcome]) -> Outcome:
    """Several outcomes as one: the worst status with its message, the counts added up."""
    if len(outcomes) == 1:
        return outcomes[0]
    worst = max(outcomes, key=lambda outcome: outcome.status.severity)
    sums = {status.value: sum(outcome.count(status) for outcome in outcomes) for status in Status}
    return Outcome(
        worst.ref,
        worst.status,
        bytes=sum(outcome.bytes for outcome in outcomes),
        message=worst.message,
        **sums,
    )


def _meant(options: Options, ids: list[str], servers: list[str], levels: list[str]) -> tuple[str, Level]:
    """The source and the level of a row; raises ConfigurationError with what it lacks."""
    source = options.source or "".join(servers[:1])
    if not source:
        raise ConfigurationError(
            "the row names no source; add source=<server> or keep the field orthanc_server"
        )
    if not ids:
        raise ConfigurationError(f"the row has no value in the field {options.id}")
    level = options.level or parse_level("".join(levels[:1]), "the row's field level")
    return source, level or Level.INSTANCE


def _only(values: list[str]) -> str:
    """The one value of a field, when it is one and an Orthanc id."""
    return values[0] if len(values) == 1 and is_orthanc_id(values[0]) else ""
