"""Search jobs: a search that runs in a thread of its own, its state and its rows until someone cancels it.

Source: Splunk REST API Reference, "Search endpoints", `search/jobs/{search_id}`: the names of the properties
and of the dispatch states. A job that has failed is done too, and says so in its messages.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.values import Row
from testbench.splunkd.users import User

TTL = 600
WORKERS = 2
# The text of a search, who runs it, what bounds it in time, and the rows that it goes on from (a post-process
# search; else None) -> its rows, its messages, its error.
Run = Callable[[str, User, Mapping[str, str], "Outcome | None"], "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What a search gave. `error` when Splunk would call it failed; the rows until then are kept.

    `fields` are its columns in their order, those without a value in any row too.
    """

    rows: list[Row] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    error: str | None = None
    fields: list[str] = field(default_factory=list)


@dataclass
class Job:
    """One search. `request` is what the caller gave when he made it, without the search itself."""

    sid: str
    search: str
    owner: User
    app: str
    request: dict[str, str]
    created: float = field(default_factory=time.time)
    ended: float | None = None
    finalized: bool = False
    paused: bool = False
    saved: bool = False
    ttl: int = TTL
    priority: int = 5
    outcome: Outcome = field(default_factory=Outcome)
    future: Future[None] | None = None
    touched: int = 0

    @property
    def done(self) -> bool:
        return self.ended is not None

    @property
    def failed(self) -> bool:
        return self.outcome.error is not None

    @property
    def state(self) -> str:
        if self.failed:
            return "FAILED"
        if self.done:
            return "DONE"
        return "PAUSE" if self.paused else "RUNNING"

    @property
    def messages(self) -> list[dict[str, str]]:
        """Its messages, the reason of a failure first."""
        failure = [("FATAL", self.outcome.error)] if self.outcome.error is not None else []
        return [{"type": kind, "text": text} for kind, text in [*failure, *self.outcome.messages]]

    def wait(self) -> None:
        """Until it is done, however it ends."""
        if self.future is not None:
            self.future.result()

    def content(self) -> dict[str, Any]:
        """The properties that `search/jobs/{sid}` shows."""
        count = len(self.outcome.rows)
        return {
            "defaultSaveTTL": "604800",
            "defaultTTL": str(TTL),
            "delegate": "",
            "dispatchState": self.state,
            "doneProgress": 1.0 if self.done else 0.0,
            "dropCount": 0,
            "earliestTime": self.request.get("earliest_time", ""),
            "eventAvailableCount": count,
            "eventCount": count,
            "eventSearch": self.search,
            "isDone": self.done,
            "isFailed": self.failed,
            "isFinalized": self.finalized,
            "isPaused": self.paused,
            "isPreviewEnabled": self.request.get("preview", "true").lower() in ("true", "1"),
            "isRealTimeSearch": False,
            "isSaved": self.saved,
            "isSavedSearch": False,
            "isZombie": False,
            "label": self.request.get("label", ""),
            "latestTime": self.request.get("latest_time", ""),
            "messages": self.messages,
            "priority": self.priority,
            "request": {"search": self.search, **self.request},
            "resultCount": count if self.done else 0,
            "resultIsStreaming": False,
            "resultPreviewCount": count,
            "runDuration": round((self.ended or time.time()) - self.created, 3),
            "scanCount": count,
            "searchEarliestTime": self.request.get("earliest_time", ""),
            "searchLatestTime": self.request.get("latest_time", ""),
            "sid": self.sid,
            "ttl": self.ttl,
        }


class JobStore:
    """The jobs of all users. `unknown` hears of a search that only the stand-in could not run."""

    def __init__(self, run: Run, unknown: Callable[[str], None]) -> None:
        self._run, self._unknown = run, unknown
        self._jobs: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="search")

    def close(self) -> None:
        """No new job; those that have not begun never will."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def create(self, search: str, owner: User, app: str, request: dict[str, str]) -> Job:
        """Start a search and return at once."""
        given = request.pop("id", "")
        sid = given or f"{time.time():.0f}.{next(self._numbers)}"
        job = Job(sid, search, owner, app, request, ttl=int(request.get("timeout") or TTL))
        with self._lock:
            self._jobs[sid] = job
        job.future = self._pool.submit(self._execute, job)
        return job

    def run_now(
        self, search: str, owner: User, request: Mapping[str, str], base: Outcome | None = None
    ) -> Outcome:
        """A search without a job, or one over the rows of another: what it gave."""
        try:
            return self._run(search, owner, request, base)
        except UnknownSpl as unknown:
            self._unknown(f"the search {search!r}: {unknown}")
            return Outcome(error=f"Error in the search: {unknown}")
        except Exception as error:
            self._unknown(f"the search {search!r} made the stand-in fail: {error!r}")
            return Outcome(error=f"the stand-in failed: {error!r}")

    def _execute(self, job: Job) -> None:
        outcome = self.run_now(job.search, job.owner, job.request)
        job.outcome, job.ended = outcome, time.time()

    def find(self, sid: str, user: User) -> Job | None:
        """The job, when it is the user's own or the user may see everybody's."""
        with self._lock:
            job = self._jobs.get(sid)
        return job if job is not None and self._visible(job, user) else None

    def all(self, user: User) -> list[Job]:
        """The jobs that the user may see, the newest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if self._visible(job, user)]

    def remove(self, job: Job) -> None:
        """The job is gone; a search that runs is not stopped, its rows are dropped."""
        if job.future is not None:
            job.future.cancel()
        with self._lock:
            self._jobs.pop(job.sid, None)

    @staticmethod
    def _visible(job: Job, user: User) -> bool:
        return job.owner.name == user.name or user.can("admin_all_objects")
