"""Run everything that the app ships on a real Splunk, and say what differs from the stand-in.

    python -m testbench.verify_on_splunk --url https://localhost:8089 --insecure

The stand-in indexes the same Orthanc servers with the same input settings; then each search runs on both, and
rows, fields and numbers are compared. Nothing has to be configured for it: that Splunk knows its servers.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3
from rich.console import Console
from rich.progress import track

from testbench.real_splunk import at_work
from testbench.real_splunk.compare import differences
from testbench.real_splunk.prepare import OPERATOR, Passwords
from testbench.real_splunk.report import Finding, Report, Verdict
from testbench.real_splunk.rest import APP, Refused, SplunkRest, Unusable
from testbench.real_splunk.searches import KINDS, Shipped, shipped
from testbench.splunkd import Splunkd

ROOT = Path(__file__).resolve().parents[1]
AT_WORK = ("input", "command", "alert", "endpoints")
SAME, DIFFERENT, WRONG_ARGUMENTS, UNUSABLE = 0, 1, 2, 3
EXAMPLES = """examples:
  docker compose -f testbench/compose.yaml run --rm verify
      the bench, from within

  python -m testbench.verify_on_splunk --insecure --orthanc pacs=http://localhost:8042 \\
      --orthanc research=http://localhost:8043
      the bench, from outside: Splunk's names for the servers are not known here

  SPLUNK_PASSWORD=... python -m testbench.verify_on_splunk --url https://splunk.example:8089 \\
      --ca-bundle ca.pem --read-only --only saved --only macros --json report.json
      a Splunk of your own: nothing is changed there, and nothing is copied

The password comes from SPLUNK_PASSWORD, from --passwords, or is asked for; it is never an argument.
Exit code: 0 nothing differs, 1 something does, 2 wrong arguments, 3 this Splunk cannot be asked."""
_ON_ITS_WAY_SECONDS = 600  # at the most, from an input's clock to the indexer's
# Of an input's stanza, what decides on its events.
_STANZA = ("server", "level", "start", "dose", "dose_from_images", "tags", "exclude_tags", "phi")
_STANZA += ("max_event_bytes", "workers")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = _parser().parse_args(arguments)
    console, aside = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        report = _verified(options, aside)
    except KeyboardInterrupt:
        aside.print("verify: stopped")
        return UNUSABLE
    except (Unusable, Refused) as error:
        aside.print(f"verify: {error}", markup=False, soft_wrap=True)
        return UNUSABLE
    report.show(console)
    if options.json:
        report.write(options.json)
        console.print(f"written to {options.json}")
    return DIFFERENT if report.bad else SAME


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify_on_splunk",
        description=(__doc__ or "").splitlines()[0],
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--url",
        default=os.environ.get("SPLUNK_URL", "https://localhost:8089"),
        help="splunkd's management port",
    )
    add("--user", default="admin", help="a user with list_storage_passwords, such as an admin")
    add("--passwords", type=Path, help="the passwords.json of the bench")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--ca-bundle", help="file with the CA of splunkd's certificate")
    trust.add_argument("--insecure", action="store_true", help="do not check splunkd's certificate")
    add("--only", action="append", choices=(*KINDS, *AT_WORK), help="try only this; may be repeated")
    add("--read-only", action="store_true", help="copy nothing, save nothing")
    where = "where a server is, seen from here; may be repeated"
    add("--orthanc", action="append", default=[], type=_address, metavar="NAME=URL", help=where)
    add("--wait", type=float, default=45.0, help="seconds for which an idle input is watched (default: 45)")
    add("--package", type=Path, help="the package for the stand-in (default: the newest in dist/)")
    add("--json", type=Path, help="write the report to this file too")
    return parser


def _verified(options: argparse.Namespace, aside: Console) -> Report:
    """The report; `aside` is told what is under way."""
    verify: bool | str = options.ca_bundle or not options.insecure
    if options.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    passwords = _read_passwords(options.passwords)
    splunk = SplunkRest(options.url, options.user, _password(options, passwords), verify=verify)
    of = check_usable(splunk)
    where = dict(options.orthanc)
    kinds = options.only or [*KINDS, *AT_WORK]
    package = options.package or newest_package()
    if not package.is_file():
        raise Unusable(f"there is no package {package} for the stand-in; run make package")
    with Splunkd(package, python=sys.executable) as stand_in:
        aside.print("indexing the same servers with the stand-in")
        reference = indexed_alike(splunk, stand_in, where)
        report = Report(of)
        chosen = [each for each in shipped(ROOT, before_indexing(splunk)) if each.kind in kinds]
        for each in track(chosen, "searches", console=aside, transient=True):
            report.findings += whatever_happens(each.kind, each.name, tried(splunk, reference, each))
        for kind, found in _at_work(splunk, reference, options, passwords):
            if kind in kinds:
                aside.print(f"trying the {kind}")
                report.findings += whatever_happens(kind, "all of it", found)
    return report


def _at_work(
    splunk: SplunkRest, reference: SplunkRest, options: argparse.Namespace, passwords: Passwords | None
) -> Iterator[tuple[str, Iterator[Finding]]]:
    """By kind what is yet to be tried."""
    places, copy = at_work.Places(), not options.read_only
    yield "input", at_work.inputs(splunk, reference, options.wait)
    yield "endpoints", at_work.endpoints(splunk, places)
    yield "command", at_work.command(splunk, reference, places, splunk.user, copy)
    if passwords is not None:
        yield "command", _by_the_operator(splunk, reference, passwords.operator, places, copy)
    yield "alert", at_work.alert_action(splunk, places, copy)


def _by_the_operator(
    splunk: SplunkRest, reference: SplunkRest, password: str, places: at_work.Places, copy: bool
) -> Iterator[Finding]:
    operator = splunk.as_user(OPERATOR, password)
    yield from at_work.command(operator, reference, places, OPERATOR, copy)


def whatever_happens(kind: str, name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings; whatever keeps the rest from being found is one too, so that there is a report."""
    try:
        yield from findings
    except (Unusable, Refused) as error:
        yield Finding(kind, name, Verdict.FAILED, (str(error),))
    except Exception as error:
        said = f"an error of this program itself, please report it: {type(error).__name__}: {error}"
        yield Finding(kind, name, Verdict.FAILED, (said,))


def tried(splunk: SplunkRest, reference: SplunkRest, each: Shipped) -> Iterator[Finding]:
    """One search on both."""
    try:
        expected = reference.search(each.text, each.earliest, each.latest)
    except Refused as refused:
        said = f"the stand-in cannot run it: {refused}"
        yield Finding(each.kind, each.name, Verdict.SKIPPED, (said,), each.text)
        return
    try:
        found = splunk.search(each.text, each.earliest, each.latest)
    except Refused as refused:
        yield Finding(each.kind, each.name, Verdict.FAILED, (str(refused),), each.text)
        return
    difference = differences(expected, found, comparable=each.comparable, made_rows=each.made_rows)
    verdict = Verdict.DIFFERS if difference.what else Verdict.NOTED if difference.notes else Verdict.SAME
    yield Finding(each.kind, each.name, verdict, (*difference.what, *difference.notes), each.text)


def check_usable(splunk: SplunkRest) -> dict[str, str]:
    """Which Splunk it is; raises Unusable with the way out where nothing can be verified on it."""
    info = splunk.get("/services/server/info")
    app = splunk.find("configs/conf-app/launcher")
    if app is None:
        raise Unusable(
            f"the app {APP} is not installed on {splunk.url}; install dist/copydicom_app-<version>.spl "
            "(make package) and restart Splunk"
        )
    counted = splunk.search("index=dicom | stats count AS n").rows
    if not counted or int(counted[0]["n"]) == 0:
        raise Unusable(
            "the index dicom is empty, or this user may not search it; add an input and wait for its first "
            "run (index=_internal sourcetype=copydicom:log says how it does)"
        )
    return {
        "Splunk": str(info.get("version", "?")),
        APP: str(app.get("version", "?")),
        "KV store": str(info.get("kvStoreStatus", "?")),
        "events": str(counted[0]["n"]),
    }


def before_indexing(splunk: SplunkRest) -> str:
    """A time in epoch seconds before the first event was made, some moments before it was indexed."""
    found = splunk.search("index=dicom | stats min(_indextime) AS first").rows
    return str(int(float(found[0]["first"])) - _ON_ITS_WAY_SECONDS)


def indexed_alike(splunk: SplunkRest, stand_in: Splunkd, where: Mapping[str, str]) -> SplunkRest:
    """The stand-in with the servers, keys and inputs of a Splunk, each input run once."""
    for name in splunk.names("configs/conf-copydicom_servers"):
        keys = _texts(splunk.get(f"configs/conf-copydicom_servers/{quote(name, safe='')}"))
        url = where.get(name, keys.pop("base_url", ""))
        keys.pop("base_url", None)
        stand_in.add_server(name, base_url=url, password=_secret(splunk, APP, name), **keys)
    for name in ("phi", "anonymize"):
        secret = _secret(splunk, "copydicom_app_keys", name)
        if secret:
            form = {"name": name, "realm": "copydicom_app_keys", "password": secret}
            stand_in.request("POST", "storage/passwords", form)
    names = splunk.names("data/inputs/orthanc")
    if not names:
        raise Unusable("there is no input to compare with; add one under Settings > Data inputs")
    for name in names:
        stanza = _texts(splunk.get(f"data/inputs/orthanc/{quote(name, safe='')}"))
        given = {key: stanza[key] for key in _STANZA if stanza.get(key)}
        run = stand_in.run_input(f"orthanc://{name}", **given)
        if run.exit_code != 0:
            raise Unusable(
                f"the stand-in cannot run the input {name!r} from here: {'; '.join(run.log)}. Say where its "
                f"server is with --orthanc {given.get('server', name)}=URL"
            )
    return SplunkRest(stand_in.rest.uri, "admin", key=stand_in.session_key())


def newest_package() -> Path:
    """The package that `make package` built; raises Unusable when there is none."""
    packages = sorted((ROOT / "dist").glob("copydicom_app-*.spl"), key=lambda path: path.stat().st_mtime)
    if not packages:
        raise Unusable("there is no package for the stand-in; run make package")
    return packages[-1]


def _secret(splunk: SplunkRest, realm: str, name: str) -> str:
    """A stored password, to be used for what it was stored for; empty when there is none."""
    found = splunk.find(f"storage/passwords/{quote(f'{realm}:{name}:', safe='')}")
    return str((found or {}).get("clear_password") or "")


def _texts(content: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a stanza as they stand in the file, without what the REST API adds."""
    return {
        key: str(value)
        for key, value in content.items()
        if isinstance(value, (str, int, float)) and not key.startswith("eai:") and key != "disabled"
    }


def _read_passwords(path: Path | None) -> Passwords | None:
    try:
        return Passwords.read(path) if path else None
    except (OSError, ValueError, TypeError) as error:
        raise Unusable(f"{path} has no passwords of the bench; start it first: docker compose up") from error


def _password(options: argparse.Namespace, passwords: Passwords | None) -> str:
    told = os.environ.get("SPLUNK_PASSWORD")
    if told or passwords is not None:
        return told or (passwords.splunk if passwords else "")
    if sys.stdin.isatty():
        return getpass.getpass(f"password of {options.user} at {options.url}: ")
    raise Unusable(f"no password for user {options.user!r}; give it in SPLUNK_PASSWORD")


def _address(pair: str) -> tuple[str, str]:
    name, _, url = pair.partition("=")
    if not name or "://" not in url:
        raise argparse.ArgumentTypeError(f"{pair!r} is not NAME=URL, such as pacs=http://localhost:8042")
    return name, url


if __name__ == "__main__":
    sys.exit(main())
