"""The engine with Splunk's settings: servers and passwords, profile, ledger, the trail of the search."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Optional

from splunklib import client

from copydicom_app.models import Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.anonymize import Profile
from copydicom_app.replication.budget import Budget
from copydicom_app.replication.rekey import Keys
from copydicom_app.replication.replicate import GRACE, Replicator
from copydicom_app.splunk.audit import Audit
from copydicom_app.splunk.config import server_named
from copydicom_app.splunk.kvstore import KvLedger
from copydicom_app.splunk.options import Options
from copydicom_app.splunk.profiles import profile_named
from copydicom_app.splunk.trail import STALE_SECONDS, Trail, close_stale

_NOTE_SECONDS = 2.0  # between two notes of how far a search is
_NOTE_SHARE = 20  # times as long as a note takes, so that it costs a twentieth of the time at most


class Engines:
    """Makes an engine for each source of a search; `service` must be allowed to read the passwords."""

    def __init__(
        self,
        service: client.Service,
        options: Options,
        budget: Budget,
        stop: threading.Event,
        grace: float = GRACE,
    ) -> None:
        self._service, self._options, self._budget = service, options, budget
        self._stop, self._grace = stop, grace
        self._dest_server: Server = server_named(service, options.dest)
        self._dest: Optional[Orthanc] = None
        self._anonymize: Optional[tuple[Profile, Keys]] = None
        if options.anonymize:
            self._anonymize = profile_named(service, options.anonymize)

    def reach_dest(self) -> Orthanc:
        """The destination, asked once whether it is there; raises what makes every copy impossible."""
        if self._dest is None:
            dest = Orthanc(self._dest_server, self._stop)
            dest.system()
            self._dest = dest
        return self._dest

    def engine(self, source: str) -> Replicator:
        """An engine that is known to work; raises what makes every copy from this source impossible."""
        dest = self.reach_dest()
        engine = Replicator(
            Orthanc(server_named(self._service, source), self._stop),
            dest,
            dry_run=self._options.dryrun,
            verify=self._options.verify,
            method=self._options.method,
            anonymize=self._anonymize,
            ledger=KvLedger(self._service, dest.server.name, self._options.anonymize),
            jobs=self._options.jobs,
            budget=self._budget,
            stop=self._stop,
            grace=self._grace,
        )
        engine.check()
        return engine


class LocalCopies:
    """Copies in this process, for a person who may read the passwords.

    Writes the trail at the end, and before that notes how far it is, so that a kill leaves a trail too.
    """

    def __init__(self, engines: Engines, audit: Optional[Audit]) -> None:
        self._engines, self._audit = engines, audit
        self._made: dict[str, Replicator] = {}
        self._trail: Optional[Trail] = None
        self._note_at = 0.0
        self._ended = threading.Event()

    def reach_dest(self) -> None:
        """See Engines; the trail begins here."""
        if self._audit is not None and self._trail is None:
            close_stale()
            self._trail = Trail.begin()
            self._trail.of(self._audit.constant)
            threading.Thread(target=self._still_there, args=(self._trail,), daemon=True).start()
        self._engines.reach_dest()

    def progressed(self) -> None:
        """Note how far it is, unless that was done a moment ago."""
        begun = time.monotonic()
        if self._trail is not None and begun >= self._note_at:
            with contextlib.suppress(OSError):  # the end will tell
                self._note()
            ended = time.monotonic()
            self._note_at = ended + max(_NOTE_SECONDS, _NOTE_SHARE * (ended - begun))

    def _note(self) -> None:
        if self._trail is not None:
            self._trail.note({source: engine.studies for source, engine in self._made.items()})

    def _still_there(self, trail: Trail) -> None:
        while not self._ended.wait(STALE_SECONDS / 4):
            trail.touch()

    def engine(self, source: str) -> Replicator:
        """See Engines."""
        self._made[source] = self._engines.engine(source)
        return self._made[source]

    def cancel(self) -> None:
        """Nothing beyond the `stop` that the engines know."""

    def finish(self, cancelled: bool) -> None:
        """Write what became of every study."""
        self._ended.set()
        if self._trail is not None:
            self._note()
            self._trail.close(cancelled)
            self._trail = None
        if self._audit is not None:
            self._audit.close()
            self._audit = None
