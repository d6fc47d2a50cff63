"""What is at both ends of a verb of the library: servers, the engine, Splunk's search API and HEC.

All of it is tried before it is handed out, so that a verb fails at once when it cannot work at all.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Callable, Optional, Union

from copydicom_app.addresses import is_loopback, server_of_url
from copydicom_app.errors import ConfigurationError
from copydicom_app.gauge import Gauge
from copydicom_app.health import PATIENCE
from copydicom_app.indexing.completing import ConfirmingSink
from copydicom_app.models import Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.budget import Budget
from copydicom_app.replication.ledger import Ledger
from copydicom_app.replication.replicate import Replicator

if TYPE_CHECKING:
    from copydicom_app.splunk.client import Splunkd

Address = Union[str, Server]
Tell = Callable[[str], None]


def server_at(address: Address, what: str) -> Server:
    """The server that an argument named `what` means."""
    return server_of_url(address, what) if isinstance(address, str) else address


def with_jobs(server: Server, jobs: Optional[int]) -> Server:
    """The server with as many connections as `jobs` want."""
    return replace(server, max_connections=max(server.max_connections, jobs)) if jobs else server


def both_ends(
    src: Address, dest: Address, jobs: Optional[int], stop: threading.Event
) -> tuple[Orthanc, Orthanc]:
    """Source and destination, which must not be the same."""
    source, target = (
        with_jobs(server_at(address, what), jobs) for address, what in ((src, "src"), (dest, "dest"))
    )
    if source.base_url.rstrip("/") == target.base_url.rstrip("/"):
        raise ConfigurationError(
            f"src and dest are the same Orthanc, {source.name!r}; name another destination"
        )
    return Orthanc(source, stop), Orthanc(target, stop)


def engine_between(
    src: Address,
    dest: Address,
    jobs: Optional[int],
    stop: threading.Event,
    gauge: Gauge,
    dry_run: bool,
    verify: bool,
    method: str,
    ledger: Optional[Ledger],
    patience: float = PATIENCE,
) -> tuple[Orthanc, Replicator, Orthanc]:
    """Source, an engine that is known to work, and destination."""
    if method not in ("stream", "peer"):
        raise ConfigurationError(f"method must be stream or peer, not {method!r}")
    source, target = both_ends(src, dest, jobs, stop)
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
        patience=patience,
        gauge=gauge,
        by_study=False,
    )
    engine.check()
    return source, engine, target


def splunkd_at(address: Address, stop: threading.Event, tell: Tell) -> Splunkd:
    """A splunkd that answers and lets us in."""
    from copydicom_app.splunk.client import Splunkd

    splunkd = Splunkd(splunk_server_at(address, "index"), stop, tell)
    splunkd.check()
    return splunkd


def splunk_server_at(address: Address, what: str) -> Server:
    """Splunk comes with a certificate of its own making: on this machine it is taken as it is."""
    server = server_at(address, what)
    local = isinstance(address, str) and is_loopback(server)
    return replace(server, verify_tls=False) if local else server


def sink_to(
    out: Optional[BinaryIO],
    hec: Optional[Address],
    index_name: str,
    orthanc: Orthanc,
    stop: threading.Event,
) -> ConfirmingSink:
    """Where events go: a file, or a HEC that takes the token."""
    from copydicom_app.splunk.envelopes import Envelopes, LineSink
    from copydicom_app.splunk.hec import HecSink

    source = f"orthanc://{orthanc.server.name}"
    if out is not None or hec is None:
        assert out is not None
        return LineSink(out, Envelopes(index_name, source, orthanc.host))
    sink = HecSink(
        splunk_server_at(hec, "hec"), index=index_name, source=source, host=orthanc.host, stop=stop
    )
    sink.check()
    return sink


def moment(since: Union[datetime, str, None]) -> Optional[datetime]:
    """A moment with a zone; one that names none is this machine's time."""
    if isinstance(since, str):
        try:
            since = datetime.fromisoformat(since.replace("Z", "+00:00"))
        except ValueError as error:
            raise ConfigurationError(
                f"since must be a date or moment such as 2026-01-31 or 2026-01-31T10:00, not {since!r}"
            ) from error
    return since.astimezone() if since is not None else None
