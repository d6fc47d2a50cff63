"""What changes something, tried as a person uses it: input, command, alert action and endpoints.

Each function yields findings and raises nothing that one of them could say. Copies go from `pacs` to
`research`, whose names `Places` has; a copy that is there already is as good as a new one.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from testbench.real_splunk.compare import differences
from testbench.real_splunk.report import Finding, Verdict
from testbench.real_splunk.rest import APP, Refused, Rows, SplunkRest

ACTION = "copydicom_replicate"
_COUNTS = ("copied", "present", "missing", "failed", "bytes")
# copydicom_message is empty where all went well, and a column without a value may be left out.
_FIELDS = {f"copydicom_{name}" for name in ("status", *_COUNTS)}
_ARRIVES_SECONDS = 90.0  # until a line of a file is found by a search


@dataclass(frozen=True)
class Places:
    """Where copies come from and go to, and which instances: a search that gives their events."""

    source: str = "pacs"
    dest: str = "research"
    cohort: str = 'index=dicom sourcetype=dicom:instance SeriesDescription="Dose Record"'

    @property
    def rows(self) -> str:
        """The rows that are copied."""
        found = f'{self.cohort} orthanc_server="{self.source}"'
        return f"{found} | dedup ID | sort 0 +ID | table ID orthanc_server level"


def inputs(splunk: SplunkRest, reference: SplunkRest, wait: float) -> Iterator[Finding]:
    """Every input: as many events of each kind as the stand-in has, none twice, no more after a while."""
    for name in splunk.names("data/inputs/orthanc"):
        of_it = f'index=* source="orthanc://{name}"'
        yield _compared(splunk, reference, "input", f"{name}: events", f"{of_it} | stats count by sourcetype")
        twice = f"{of_it} sourcetype=dicom:instance | stats count by ID | where count>1 | stats count AS n"
        yield _expected(splunk, "input", f"{name}: nothing is there twice", twice, "n", "0")
        told = f'index=_internal sourcetype=copydicom:log component=input input="{name}" message=indexed'
        told += " | stats count AS n"
        yield _expected(
            splunk, "input", f"{name}: its log is in _internal", told, "n", lambda text: int(text) > 0
        )
        if wait > 0:
            yield _idle(splunk, name, of_it, wait)


def _idle(splunk: SplunkRest, name: str, of_it: str, wait: float) -> Finding:
    def count() -> str:
        rows = splunk.search(f"{of_it} | stats count AS n").rows
        return str(rows[0]["n"]) if rows else "0"

    what = f"{name}: {wait:.0f} s later nothing more is there"
    try:
        before = count()
        time.sleep(wait)
        after = count()
    except Refused as refused:
        return Finding("input", what, Verdict.FAILED, (str(refused),))
    said = () if before == after else (f"{before} events, then {after}, though nothing new arrived",)
    return Finding("input", what, Verdict.DIFFERS if said else Verdict.SAME, said)


def command(
    splunk: SplunkRest, reference: SplunkRest, places: Places, who: str, copy: bool
) -> Iterator[Finding]:
    """`| copydicom`: a dry run, for real, once more, refused, and what the trail says of it."""
    dryrun = f"{places.rows} | copydicom dest={places.dest} dryrun=true"
    yield _compared(splunk, reference, "command", f"{who}: a dry run", dryrun)
    for text, words in (
        ("dest=nowhere-at-all", "is not in copydicom_servers.conf"),
        (f"dest={places.dest} logging_configuration=/tmp/x", "is not an option of copydicom"),
    ):
        yield _refusal(
            splunk, f"{who}: {text.split()[-1]} is refused", f"{places.rows} | copydicom {text}", words
        )
    if not copy:
        yield Finding("command", f"{who}: copying", Verdict.SKIPPED, ("nothing is copied (--read-only)",))
        return
    for what, allowed in (("a copy", {"copied", "present"}), ("the copy once more", {"present"})):
        yield _copied(splunk, f"{who}: {what}", f"{places.rows} | copydicom dest={places.dest}", allowed)
    trail = f'index=dicom_audit sourcetype=copydicom:audit dest="{places.dest}" user="{splunk.user}"'
    trail += " | stats count AS n"
    yield _expected(splunk, "command", f"{who}: the trail has it", trail, "n", lambda text: int(text) > 0)


def _copied(splunk: SplunkRest, what: str, search: str, allowed: set[str]) -> Finding:
    try:
        before = splunk.search(search.rpartition("|")[0])
        found = splunk.search(search)
    except Refused as refused:
        return Finding("command", what, Verdict.FAILED, (str(refused),), search)
    statuses = Counter(str(row.get("copydicom_status", "no status")) for row in found.rows)
    said = []
    if [row.get("ID") for row in before.rows] != [row.get("ID") for row in found.rows]:
        said.append(
            f"{len(found.rows)} rows, or in another order, in place of the {len(before.rows)} that came"
        )
    if not set(found.fields) >= _FIELDS:
        said.append(f"fields that are missing: {', '.join(sorted(_FIELDS - set(found.fields)))}")
    if not set(statuses) <= allowed or not statuses:
        worst = [str(row.get("copydicom_message")) for row in found.rows if row.get("copydicom_message")]
        said.append(
            f"{dict(statuses)} in place of {sorted(allowed)}; for example: {(worst or ['nothing'])[0]}"
        )
    return Finding("command", what, Verdict.DIFFERS if said else Verdict.SAME, tuple(said), search)


def alert_action(splunk: SplunkRest, places: Places, copy: bool) -> Iterator[Finding]:
    """A saved search with the action, run as the scheduler would; it is deleted afterwards."""
    what = "a saved search copies what it found"
    if not copy:
        yield Finding("alert", what, Verdict.SKIPPED, ("nothing is copied (--read-only)",))
        return
    name = f"copydicom verify {uuid.uuid4().hex[:8]}"
    path = f"/servicesNS/{quote(splunk.user, safe='')}/{APP}/saved/searches"
    keys = {
        "name": name,
        "search": places.rows,
        "dispatch.earliest_time": "0",
        "dispatch.latest_time": "+2d",
        "alert_type": "always",
        "actions": ACTION,
        f"action.{ACTION}": "1",
        f"action.{ACTION}.param.dest": places.dest,
    }
    try:
        splunk.ask("POST", path, keys)
        try:
            answer = splunk.ask("POST", f"{path}/{quote(name, safe='')}/dispatch", {"trigger_actions": "1"})
            splunk.results(str(answer.get("sid", "")))
            told = f'index=_internal sourcetype=copydicom:log component=alert_action search="{name}"'
            told += ' | rex field=_raw "^\\S+ \\S+ (?<level>[A-Z]+) " | table level message'
            yield _told(splunk, what, told)
        finally:
            splunk.ask("DELETE", f"{path}/{quote(name, safe='')}", {})
    except Refused as refused:
        yield Finding("alert", what, Verdict.FAILED, (str(refused),), places.rows)


def _told(splunk: SplunkRest, what: str, search: str) -> Finding:
    found = _arrived(splunk, search, lambda rows: bool(rows.rows))
    if not found.rows:
        said = f"its log has no line {_ARRIVES_SECONDS:.0f} s later; see sendmodalert in splunkd.log"
        return Finding("alert", what, Verdict.FAILED, (said,), search)
    wrong = [str(row.get("message")) for row in found.rows if row.get("level") != "INFO"]
    return Finding("alert", what, Verdict.FAILED if wrong else Verdict.SAME, tuple(wrong), search)


def endpoints(splunk: SplunkRest, places: Places) -> Iterator[Finding]:
    """`copydicom/test` answers for a server; the others are there, and refuse what is no server's name."""
    what = f"copydicom/test of {places.source}"
    try:
        found = splunk.ask("POST", "copydicom/test", {}, document={"name": places.source})
        said = () if found.get("ok") else (str(found.get("message")),)
        yield Finding("endpoints", what, Verdict.FAILED if said else Verdict.SAME, said)
    except Refused as refused:
        yield Finding("endpoints", what, Verdict.FAILED, (_missing_handler(refused),))
    for path, document in (
        ("copydicom/transfer", {"args": ["dest=../../system"], "source": places.source, "references": []}),
        ("copydicom/server", {"name": "../../system", "base_url": "http://127.0.0.1:9", "new": True}),
    ):
        what = f"{path} refuses what is no name of a server"
        try:
            splunk.ask("POST", path, {}, document=document)
            yield Finding("endpoints", what, Verdict.FAILED, ("it took it",))
        except Refused as refused:
            said = () if "no name of a server" in str(refused) else (_missing_handler(refused),)
            yield Finding("endpoints", what, Verdict.FAILED if said else Verdict.SAME, said)


def _missing_handler(refused: Refused) -> str:
    if refused.status == 404:
        return "splunkd does not know the endpoint (HTTP 404): restart Splunk once after the installation"
    return f"HTTP {refused.status}: {refused}"


# -- one search -------------------------------------------------------------------------------------------


def _compared(splunk: SplunkRest, reference: SplunkRest, kind: str, what: str, search: str) -> Finding:
    try:
        found = differences(reference.search(search), splunk.search(search))
    except Refused as refused:
        return Finding(kind, what, Verdict.FAILED, (str(refused),), search)
    verdict = Verdict.DIFFERS if found.what else Verdict.NOTED if found.notes else Verdict.SAME
    return Finding(kind, what, verdict, (*found.what, *found.notes), search)


def _expected(
    splunk: SplunkRest, kind: str, what: str, search: str, name: str, wanted: str | Callable[[str], bool]
) -> Finding:
    """One row whose field is as it should be; a while is given for what is on its way to the index."""

    def right(rows: Rows) -> bool:
        text = str(rows.rows[0].get(name, "")) if rows.rows else ""
        return text == wanted if isinstance(wanted, str) else bool(text) and wanted(text)

    try:
        found = _arrived(splunk, search, right)
    except Refused as refused:
        return Finding(kind, what, Verdict.FAILED, (str(refused),), search)
    if right(found):
        return Finding(kind, what, Verdict.SAME, (), search)
    said = f"{name} is {found.rows[0].get(name) if found.rows else 'not there'}"
    return Finding(kind, what, Verdict.DIFFERS, (said,), search)


def _refusal(splunk: SplunkRest, what: str, search: str, words: str) -> Finding:
    try:
        found = splunk.search(search)
    except Refused as refused:
        if words in str(refused):
            return Finding("command", what, Verdict.SAME, (), search)
        return Finding(
            "command", what, Verdict.DIFFERS, (f"it says {refused}, and not '... {words}'",), search
        )
    if any(words in message for message in found.messages):
        return Finding("command", what, Verdict.SAME, (), search)
    return Finding("command", what, Verdict.FAILED, ("it ran",), search)


def _arrived(splunk: SplunkRest, search: str, enough: Callable[[Rows], bool]) -> Rows:
    """The rows of a search once they are enough, or after a while whatever they are."""
    end = time.monotonic() + _ARRIVES_SECONDS
    while True:
        found = splunk.search(search)
        if enough(found) or time.monotonic() > end:
            return found
        time.sleep(2)
