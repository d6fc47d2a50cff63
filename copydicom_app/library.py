"""The verbs of the command line as functions: each gives an iterator of Outcome and prints nothing.

    >>> from copydicom_app import replicate
    >>> for outcome in replicate(src="http://orthanc:orthanc@localhost:8042",
    ...                          dest="http://orthanc:orthanc@localhost:8043"):  # doctest: +SKIP
    ...     print(outcome.ref, outcome.status.value, outcome.copied)

Servers are named by a URL, or by a `Server` where more is to be said of them. What makes all of it impossible
(a server that cannot be reached, a refused login) is raised by the call itself, as an error of
`copydicom_app.errors`; what goes wrong with one study or instance is its outcome. Nothing is done before the
iterator is read.

`stop` ends an iterator early: what is in flight is finished and told. `tell` hears what a person should know,
`gauge` counts instances while outcomes are held back. Memory is bounded however much there is to do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, Optional, Union

from copydicom_app.differences import Difference, differences
from copydicom_app.ends import (
    Address,
    Tell,
    both_ends,
    engine_between,
    moment,
    server_at,
    sink_to,
    splunkd_at,
    with_jobs,
)
from copydicom_app.errors import ConfigurationError
from copydicom_app.events import events_of
from copydicom_app.gauge import Gauge
from copydicom_app.health import PATIENCE
from copydicom_app.indexing.changes import begin
from copydicom_app.indexing.completing import Completing
from copydicom_app.indexing.reading import reader
from copydicom_app.models import Level, Outcome, Parents, Reference, Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError, stoppable
from copydicom_app.replication.cancelled import begun
from copydicom_app.replication.everything import Everything
from copydicom_app.replication.following import FOLLOWERS_PATIENCE, Follower
from copydicom_app.replication.ledger import Ledger
from copydicom_app.replication.spool import Spool
from copydicom_app.shaping import Shaping
from copydicom_app.structured_report import LONG_KEYWORDS
from copydicom_app.tags_event import OURS, Origin, zone_named

_KEPT = 100_000  # references that failed before a run begins to follow


def _silent(text: str) -> None:
    pass


def replicate(
    src: Address,
    dest: Address,
    *,
    level: Union[Level, str] = Level.SERIES,
    since: Union[datetime, str, None] = None,
    dry_run: bool = False,
    verify: bool = False,
    jobs: Optional[int] = None,
    method: str = "stream",
    watch: bool = False,
    ledger: Optional[Ledger] = None,
    stop: Optional[threading.Event] = None,
    tell: Tell = _silent,
    gauge: Optional[Gauge] = None,
) -> Iterator[Outcome]:
    """Copy all that `dest` does not have yet. One Outcome for each series (or study, ... as `level` says).

    `since` (with a zone, or of this machine's) takes only what grew since then. With `watch` the iterator
    goes on with what arrives, instance by instance, until `stop` is set.

        >>> outcomes = list(replicate("http://orthanc:orthanc@localhost:8042",
        ...                           "http://orthanc:orthanc@localhost:8043", dry_run=True))
        >>> sum(outcome.planned for outcome in outcomes)
        4
    """
    stop, gauge = stop or threading.Event(), gauge or Gauge()
    patience = FOLLOWERS_PATIENCE if watch else PATIENCE
    source, engine, target = engine_between(
        src, dest, jobs, stop, gauge, dry_run, verify, method, ledger, patience
    )
    everything = Everything(source, Level(level), moment(since), stop)
    # Noted first, so that nothing falls between listing and following.
    position = stoppable(partial(begin, source, "now"), stop) if watch else None
    gauge.total = everything.count()

    def outcomes() -> Iterator[Outcome]:
        failed: list[Reference] = []
        try:
            for outcome in begun(engine.outcomes(everything.references())):
                if position is not None and outcome.status is Status.FAILED and len(failed) < _KEPT:
                    failed.append(
                        Reference(outcome.ref, Level(level))
                    )  # once more, when the servers are well
                else:
                    yield outcome
            if position is not None:
                follower = Follower(source, target, engine, stop, tell)
                yield from follower.copied(failed)
                yield from follower.outcomes(position)
        except StoppedError:
            return

    return outcomes()


def conditional_replicate(
    src: Address,
    index: Address,
    query: str,
    dest: Address,
    *,
    id: str = "ID",
    level: Union[Level, str, None] = None,
    dry_run: bool = False,
    verify: bool = False,
    jobs: Optional[int] = None,
    method: str = "stream",
    ledger: Optional[Ledger] = None,
    stop: Optional[threading.Event] = None,
    tell: Tell = _silent,
    gauge: Optional[Gauge] = None,
) -> Iterator[Outcome]:
    """Copy what a search of Splunk names and `dest` does not have yet. One Outcome for each id that it names.

    The rows' field `id` holds Orthanc ids or DICOM UIDs; of what level, `level` says or the row's own field
    `level`, else they are instances. The search is run to its end before anything is copied.
    """
    from copydicom_app.splunk.client import Found

    stop, gauge = stop or threading.Event(), gauge or Gauge()
    splunkd = splunkd_at(index, stop, tell)
    _, engine, _ = engine_between(src, dest, jobs, stop, gauge, dry_run, verify, method, ledger)
    wanted = Found(splunkd, query, id, Level(level) if level else None)

    def outcomes() -> Iterator[Outcome]:
        try:
            with Spool(wanted.references()) as spool:
                gauge.total = spool.instances
                yield from begun(engine.outcomes(spool))
        except StoppedError:
            return

    return outcomes()


def replicate_tags(
    src: Address,
    index: Optional[Address] = None,
    hec: Optional[Address] = None,
    *,
    out: Optional[BinaryIO] = None,
    index_name: str = "dicom",
    jobs: int = 3,
    watch: bool = False,
    stop: Optional[threading.Event] = None,
    tell: Tell = _silent,
    gauge: Optional[Gauge] = None,
) -> Iterator[Outcome]:
    """Send to `hec` the tags and dose events that `index` does not hold yet. One Outcome for each study.

    They are the events of the modular input. With `out`, a binary file, they are written there, a line of
    JSON each, instead; without `index` all of them. With `watch` the iterator goes on with what arrives until
    `stop` is set.
    """
    from copydicom_app.splunk.client import IndexOverRest

    stop, gauge = stop or threading.Event(), gauge or Gauge()
    orthanc = Orthanc(with_jobs(server_at(src, "src"), jobs), stop)
    orthanc.system()
    if out is None and (hec is None or index is None):
        raise ConfigurationError(
            "replicate_tags needs the search API of Splunk (--index) and its HTTP Event Collector "
            "(--hec); --out writes "
            "to a file instead"
        )
    held = IndexOverRest(splunkd_at(index, stop, tell), index_name) if index is not None else None
    sink = sink_to(out, hec, index_name, orthanc, stop)
    origin = Origin(orthanc.server.name, zone_named(orthanc.server.timezone))
    shaping = Shaping(orthanc, Level.INSTANCE, origin, time.time)
    reads = reader(orthanc, ("all",), LONG_KEYWORDS, jobs)

    def completing() -> Completing:
        return Completing(
            orthanc, held, sink, reads, shaping.instance, workers=jobs, stop=stop, tell=tell, gauge=gauge
        )

    def outcomes() -> Iterator[Outcome]:
        try:
            while not stop.is_set():
                position = stoppable(partial(begin, orthanc, "now"), stop) if watch else None
                run = completing()
                yield from run.outcomes()
                if position is None:
                    return
                yield from run.followed(position)
        except StoppedError:
            return

    return outcomes()


def check(
    src: Address,
    dest: Address,
    *,
    level: Union[Level, str] = Level.SERIES,
    size_only: bool = False,
    jobs: int = 4,
    stop: Optional[threading.Event] = None,
    gauge: Optional[Gauge] = None,
) -> Iterator[Difference]:
    """What is missing or different at the other end, an item for each series (or study, ...). Reads only.

    MD5 sums are compared, or only sizes with `size_only`.
    """
    stop, gauge = stop or threading.Event(), gauge or Gauge()
    source, target = both_ends(src, dest, jobs, stop)
    source.system()
    target.system()

    def found() -> Iterator[Difference]:
        try:
            yield from differences(
                source, target, Level(level), size_only=size_only, workers=jobs, stop=stop, gauge=gauge
            )
        except StoppedError:
            return

    return found()


def simplify(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Orthanc's simplified tags of an instance as an event holds them: in the order of search, without nulls.

    The content of a structured report hangs under its title instead of ContentSequence.

        >>> simplify({"SOPInstanceUID": "1.2", "Modality": "CT", "PixelData": None})
        {'Modality': 'CT', 'SOPInstanceUID': '1.2'}
    """
    event = next(events_of("", tags, Parents("", "", ""), Origin("", max_event_bytes=1 << 62), 0.0))
    return {key: value for key, value in event.fields.items() if key not in OURS}
