"""`search/jobs` and `search/v2/jobs`: make a job, ask for its state, read its rows, control it, export.

Source: Splunk REST API Reference, "Search endpoints". What was taken from it, since clients stumble there:

- a search begins with the command `search` or with `|`; `index=dicom` alone is an unknown command, 400
- a job is made with 201 and its id; `exec_mode=blocking` answers when it is done, `oneshot` with rows, 200
- `results` of a job that still runs is 204 without a body; `results_preview` is always 200
- a page has 100 rows unless `count` says otherwise, 0 means all
- v2 takes a post-process `search=` by POST only; v1 by GET too
- another user's job is as unknown as one that never was: 404, `Unknown sid.`

A parameter that is not in the lists below is refused with 400 and is a violation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from testbench.splunkd import atom
from testbench.splunkd.jobs import Job, JobStore, Outcome
from testbench.splunkd.request import NotStoodIn, Refused, Request
from testbench.splunkd.result_formats import Page, csv_text, document, export_lines, field_names
from testbench.splunkd.spl.values import Row

PAGE = 100


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CREATE = _words(
    """search earliest_time latest_time index_earliest index_latest now time_format output_time_format
    exec_mode output_mode id sid timeout max_time max_count status_buckets rf adhoc_search_level preview label
    provenance auto_cancel auto_pause auto_finalize_ec check_risky_command sample_ratio namespace
    enable_lookups search_mode required_field_list reload_macros postprocess_searches
    force_bundle_replication spawn_process"""
)
_READ = _words(
    """count offset search output_mode f field_list show_metadata add_summary_to_metadata segmentation
    max_lines time_format output_time_format truncation_mode earliest_time latest_time preview progress
    requestTotalCount
    check_risky_command"""
)
_EXPORT = (_CREATE - {"exec_mode", "id"}) | _READ
_LIST = _words("id count offset search sort_key sort_dir output_mode")
_CONTROL = _words("action ttl priority output_mode")
_DONE = {
    "pause": "Search job paused.",
    "unpause": "Search job continued.",
    "finalize": "Search job finalized.",
    "cancel": "Search job cancelled.",
    "touch": "Search job touched.",
    "setttl": "The ttl of the search job was changed to {ttl}.",
    "setpriority": "The search job's priority was changed to {priority}.",
    "enablepreview": "Search result preview was enabled.",
    "disablepreview": "Search result preview was disabled.",
    "save": "Search job saved.",
    "unsave": "Search job unsaved.",
}
_FORMATS = ("json", "json_cols", "json_rows", "csv")
# What makes rows of its own of events; before such a search is done, `export` sends what it has so far.
_TRANSFORMING = re.compile(r"\|\s*(?:stats|chart|timechart|top|rare|eventcount|tstats)\b")


class Jobs:
    """The endpoints over a store of jobs. `report` hears what a caller may not ask."""

    def __init__(self, store: JobStore, report: Callable[[str], None]) -> None:
        self._store, self._report = store, report

    def __call__(self, request: Request) -> atom.Response:
        v2 = request.parts[1] == "v2"
        rest = request.parts[3:] if v2 else request.parts[2:]
        match (request.method, rest):
            case ("POST", ()):
                return self._create(request)
            case ("GET", ()):
                return self._list(request)
            case ("GET" | "POST", ("export",)):
                return self._export(request)
            case ("GET", (sid,)):
                self._known(request, _LIST)
                return atom.single(f"search/jobs/{sid}", _entry(self._job(request, sid)), request.as_json)
            case ("DELETE", (sid,)):
                self._store.remove(self._job(request, sid))
                return atom.message(200, _DONE["cancel"], "INFO", request.as_json)
            case ("POST", (sid, "control")):
                return self._control(request, self._job(request, sid))
            case ("GET" | "POST", (sid, ("results" | "results_preview" | "events") as what)):
                if v2 and request.method == "GET" and request.fields.get("search"):
                    raise NotStoodIn(f"a post-process search by GET {request.path}: v2 takes it by POST", 400)
                return self._rows(request, self._job(request, sid), what)
            case _:
                raise NotStoodIn(f"{request.method} {request.path}")

    # -- making and listing ---------------------------------------------------------------------------

    def _create(self, request: Request) -> atom.Response:
        request.require("search")
        self._known(request, _CREATE | _READ if request.fields.get("exec_mode") == "oneshot" else _CREATE)
        search = _search_text(request)
        mode = request.fields.get("exec_mode", "normal")
        if mode == "oneshot":
            outcome = self._store.run_now(search, request.user, request.fields)
            return self._page(request, outcome, outcome.rows, None, preview=False)
        if mode not in ("normal", "blocking"):
            raise Refused(400, f"Invalid value ({mode}) for exec_mode.")
        given = {
            name: value for name, value in request.fields.items() if name not in ("search", "output_mode")
        }
        job = self._store.create(search, request.user, request.app, given)
        if mode == "blocking":
            job.wait()
        if request.as_json:
            return atom.json_response(201, {"sid": job.sid})
        xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<response>\n  <sid>{job.sid}</sid>\n</response>\n'
        return atom.Response(201, xml.encode())

    def _list(self, request: Request) -> atom.Response:
        self._known(request, _LIST)
        if request.fields.get("search"):
            raise NotStoodIn("search/jobs filtered by search=", 400)
        asked = request.every("id")
        jobs = [job for job in self._store.all(request.user) if not asked or job.sid in asked]
        offset, count = request.page(len(jobs))
        found = [_entry(job) for job in jobs[offset : offset + count]]
        return atom.feed("search/jobs", found, len(jobs), offset, count, request.as_json)

    def _job(self, request: Request, sid: str) -> Job:
        job = self._store.find(sid, request.user)
        if job is None:
            raise Refused(404, "Unknown sid.", "FATAL")
        return job

    def _control(self, request: Request, job: Job) -> atom.Response:
        self._known(request, _CONTROL)
        action = request.need("action")
        if action not in _DONE:
            raise Refused(400, f"Invalid value ({action}) for action.")
        if action in ("setttl", "setpriority"):
            name = action.removeprefix("set")
            setattr(job, name, int(request.need(name)))
        elif action in ("pause", "unpause"):
            job.paused = action == "pause"
        elif action in ("save", "unsave"):
            job.saved = action == "save"
        elif action == "finalize":
            job.wait()
            job.finalized = True
        elif action == "touch":
            job.touched += 1
        elif action == "cancel":
            self._store.remove(job)
        text = _DONE[action].format(ttl=job.ttl, priority=job.priority)
        return atom.message(200, text, "INFO", request.as_json)

    # -- rows -----------------------------------------------------------------------------------------

    def _rows(self, request: Request, job: Job, what: str) -> atom.Response:
        self._known(request, _READ)
        if what != "results_preview" and not job.done:
            return atom.Response(204, b"")
        outcome, post = job.outcome, request.fields.get("search", "").strip()
        if not post or not job.done or job.failed:
            return self._page(request, outcome, outcome.rows, None, preview=not job.done)
        post = post if post.startswith("|") or post.split()[0] == "search" else f"| {post}"
        outcome = self._store.run_now(post, job.owner, job.request, outcome)
        return self._page(request, outcome, outcome.rows, len(outcome.rows), preview=False)

    def _page(
        self, request: Request, outcome: Outcome, rows: list[Row], total: int | None, preview: bool
    ) -> atom.Response:
        mode = request.fields.get("output_mode", "xml")
        if mode not in _FORMATS:
            raise NotStoodIn(
                f"output_mode={mode} of {request.path}: ask for one of {', '.join(_FORMATS)}", 400
            )
        failure = [{"type": "FATAL", "text": outcome.error}] if outcome.error is not None else []
        messages = [*failure, *({"type": kind, "text": text} for kind, text in outcome.messages)]
        if failure and not rows:
            return atom.json_response(400, {"messages": messages})
        offset, count = int(request.fields.get("offset", 0)), int(request.fields.get("count", PAGE))
        shown = rows[offset : offset + count] if count > 0 else rows[offset:]
        names = request.every("f") or outcome.fields or field_names(rows)
        if mode == "csv":
            return atom.Response(200, csv_text(shown, names).encode(), "text/csv; charset=UTF-8")
        page = Page(shown, names, offset, total, preview, messages)
        metadata = request.fields.get("show_metadata", "").lower() in ("true", "1")
        return atom.json_response(200, document(mode, page, metadata))

    def _export(self, request: Request) -> atom.Response:
        request.require("search")
        self._known(request, _EXPORT)
        mode = request.fields.get("output_mode", "xml")
        if mode not in ("json", "csv"):
            raise NotStoodIn(f"output_mode={mode} of {request.path}: ask for json or csv", 400)
        search = _search_text(request)
        outcome = self._store.run_now(search, request.user, request.fields)
        if outcome.error is not None and not outcome.rows:
            raise Refused(400, outcome.error, "FATAL")
        if mode == "csv":
            return atom.Response(200, csv_text(outcome.rows, field_names(outcome.rows)).encode(), "text/csv")
        lines: list[str] = []
        if _TRANSFORMING.search(search) and request.fields.get("preview", "1").lower() not in ("0", "false"):
            lines += export_lines(outcome.rows[: len(outcome.rows) // 2], preview=True)
        lines += export_lines(outcome.rows, preview=False)
        said = [{"type": kind, "text": text} for kind, text in outcome.messages]
        if outcome.error is not None:
            said.insert(0, {"type": "FATAL", "text": outcome.error})
        if said:
            lines.append(json.dumps({"preview": False, "messages": said}))
        return atom.Response(200, ("\n".join(lines) + "\n").encode(), "application/json; charset=UTF-8")

    def _known(self, request: Request, names: frozenset[str]) -> None:
        unknown = sorted(set(request.fields) - names)
        if unknown:
            self._report(f"{request.method} {request.path} with parameters that it does not take: {unknown}")
            raise Refused(400, f'Argument "{unknown[0]}" is not supported by this handler.')


class _JobEntry(atom.Entry):
    """Named by its search and addressed by its id, unlike other objects of the API."""

    @property
    def href(self) -> str:
        return f"/services/search/jobs/{self.content['sid']}"


def _entry(job: Job) -> atom.Entry:
    published = datetime.fromtimestamp(job.created, UTC).isoformat(timespec="milliseconds")
    return _JobEntry(
        job.search, "search/jobs", job.content(), job.owner.name, job.app, "global", published=published
    )


def _search_text(request: Request) -> str:
    """The search, which begins with a command: 400 for one that begins with a condition, as in Splunk."""
    text = request.need("search").strip()
    first = re.match(r"([^\s|=(\"'\[`]*)(\s*=)?", text)
    if not text.startswith("|") and (first is None or first[1].lower() != "search" or first[2]):
        raise Refused(400, f"Unknown search command '{first[1] if first else text}'.", "FATAL")
    return text
