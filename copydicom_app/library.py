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
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Callable, Optional, Union

from copydicom_app.addresses import is_loopback, server_of_url
from copydicom_app.differences import Difference, differences
from copydicom_app.errors import ConfigurationError
from copydicom_app.events import events_of
from copydicom_app.gauge import Gauge
from copydicom_app.indexing.changes import begin
from copydicom_app.indexing.completing import Completing, ConfirmingSink
from copydicom_app.indexing.reading import reader
from copydicom_app.models import Level, Outcome, Parents, Reference, Server, Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.parallel import StoppedError, stoppable
from copydicom_app.replication.budget import Budget
from copydicom_app.replication.everything import Everything
from copydicom_app.replication.following import Follower
from copydicom_app.replication.ledger import Ledger
from copydicom_app.replication.replicate import Replicator
from copydicom_app.replication.spool import Spool
from copydicom_app.shaping import Shaping
from copydicom_app.structured_report import LONG_KEYWORDS
from copydicom_app.tags_event import OURS, Origin, zone_named

if TYPE_CHECKING:
    from copydicom_app.splunk.client import Splunkd

_KEPT = 100_000  # references that failed before a run begins to follow

Address = Union[str, Server]
Tell = Callable[[str], None]


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
    source, engine, target = _engine(src, dest, jobs, stop, gauge, dry_run, verify, method, ledger)
    everything = Everything(source, Level(level), _moment(since), stop)
    # Noted first, so that nothing falls between listing and following.
    position = stoppable(partial(begin, source, "now"), stop) if watch else None
    gauge.total = everything.count()

    def outcomes() -> Iterator[Outcome]:
        failed: list[Reference] = []
        try:
            for outcome in engine.outcomes(everything.references()):
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
    splunkd = _splunkd(index, stop, tell)
    _, engine, _ = _engine(src, dest, jobs, stop, gauge, dry_run, verify, method, ledger)
    wanted = Found(splunkd, query, id, Level(level) if level else None)

    def outcomes() -> Iterator[Outcome]:
        try:
            with Spool(wanted.references()) as spool:
                gauge.total = spool.instances
                yield from engine.outcomes(spool)
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
    orthanc = Orthanc(_with_jobs(_server(src, "src"), jobs), stop)
    orthanc.system()
    if out is None and (hec is None or index is None):
        raise ConfigurationError(
            "replicate_tags needs the search API of Splunk (--index) and its HTTP Event Collector "
            "(--hec); --out writes "
            "to a file instead"
        )
    held = IndexOverRest(_splunkd(index, stop, tell), index_name) if index is not None else None
    sink = _sink(out, hec, index_name, orthanc, stop)
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
    source, target = _two(src, dest, jobs, stop)
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


# What the verbs share


def _server(address: Address, what: str) -> Server:
    return server_of_url(address, what) if isinstance(address, str) else address


def _with_jobs(server: Server, jobs: Optional[int]) -> Server:
    return replace(server, max_connections=max(server.max_connections, jobs)) if jobs else server


def _two(src: Address, dest: Address, jobs: Optional[int], stop: threading.Event) -> tuple[Orthanc, Orthanc]:
    source, target = (
        _with_jobs(_server(address, what), jobs) for address, what in ((src, "src"), (dest, "dest"))
    )
    if source.base_url.rstrip("/") == target.base_url.rstrip("/"):
        raise ConfigurationError(
            f"src and dest are the same Orthanc, {source.name!r}; name another destination"
        )
    return Orthanc(source, stop), Orthanc(target, stop)


def _engine(
    src: Address,
    dest: Address,
    jobs: Optional[int],
    stop: threading.Event,
    gauge: Gauge,
    dry_run: bool,
    verify: bool,
    method: str,
    ledger: Optional[Ledger],
) -> tuple[Orthanc, Replicator, Orthanc]:
    if method not in ("stream", "peer"):
        raise ConfigurationError(f"method must be stream or peer, not {method!r}")
    source, target = _two(src, dest, jobs, stop)
    engine = Replicator(
        source,
        target,
        dry_run=dry_run,
        verify=verify,
        jobs=jobs,
        method=method,
        budget=Budget(target.server.max_instances),
        ledger=ledger,
        stop=stop,
        gauge=gauge,
        by_study=False,
    )
    engine.check()
    return source, engine, target


def _splunkd(address: Address, stop: threading.Event, tell: Tell) -> Splunkd:
    from copydicom_app.splunk.client import Splunkd

    splunkd = Splunkd(_splunk_server(address, "index"), stop, tell)
    splunkd.check()
    return splunkd


def _splunk_server(address: Address, what: str) -> Server:
    """Splunk comes with a certificate of its own making: on this machine it is taken as it is."""
    server = _server(address, what)
    local = isinstance(address, str) and is_loopback(server)
    return replace(server, verify_tls=False) if local else server


def _sink(
    out: Optional[BinaryIO],
    hec: Optional[Address],
    index_name: str,
    orthanc: Orthanc,
    stop: threading.Event,
) -> ConfirmingSink:
    from copydicom_app.splunk.envelopes import Envelopes, LineSink
    from copydicom_app.splunk.hec import HecSink

    source = f"orthanc://{orthanc.server.name}"
    if out is not None or hec is None:
        assert out is not None
        return LineSink(out, Envelopes(index_name, source, orthanc.host))
    sink = HecSink(_splunk_server(hec, "hec"), index=index_name, source=source, host=orthanc.host, stop=stop)
    sink.check()
    return sink


def _moment(since: Union[datetime, str, None]) -> Optional[datetime]:
    """A moment with a zone; one that names none is this machine's time."""
    if isinstance(since, str):
        try:
            since = datetime.fromisoformat(since.replace("Z", "+00:00"))
        except ValueError as error:
            raise ConfigurationError(
                f"since must be a date or moment such as 2026-01-31 or 2026-01-31T10:00, not {since!r}"
            ) from error
    return since.astimezone() if since is not None else None
