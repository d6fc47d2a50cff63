"""Let the source send to the destination itself (``method=peer``): no image passes through this machine.

What Orthanc says of such a transfer proves nothing: with the destination down it answers 200 and
`FailedInstancesCount` 0 (1.10.1 and 1.12.7). So the destination is asked again, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from copydicom_app.errors import ConfigurationError, CopydicomError, NotFoundError
from copydicom_app.health import Guard
from copydicom_app.models import Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.resolve import Item
from copydicom_app.replication.transfer import Result


class PeerSender:
    """A Sender by ``/peers/{name}/store``; its `copied` holds only once the destination was asked."""

    together = 100
    aim = 50_000_000  # bytes of one request: it is answered when all are sent
    must_ask_again = True
    if_absent = "the source did not bring it there; the log of the source's Orthanc may tell why"

    def __init__(self, source: Guard, dest: Guard) -> None:
        self._source = source
        self._dest = dest
        self._peer = dest.orthanc.server.peer or dest.name

    def check(self) -> None:
        """Raise unless the source knows the destination as a peer, reaches it, and means the same server."""
        source, dest, peer = self._source.name, self._dest.name, self._peer
        if peer not in self._source(Orthanc.peers):
            raise ConfigurationError(
                f"server {source!r} has no peer {peer!r}: add {dest!r} to OrthancPeers in its configuration, "
                f"or set peer of {dest!r} in copydicom_servers.conf to the name that it has there, or use "
                "method=stream"
            )
        try:
            seen = self._source.orthanc.system_of_peer(peer)
        except CopydicomError as error:
            raise ConfigurationError(
                f"server {source!r} does not reach its peer {peer!r}; check the address and login that it "
                "has for it in OrthancPeers, or use method=stream"
            ) from error
        if seen != self._dest(Orthanc.system):
            raise ConfigurationError(
                f"the peer {peer!r} of server {source!r} is another Orthanc than {dest!r}; nothing was sent"
            )

    def send(self, items: Sequence[Item]) -> list[Result]:
        """See Sender. One that the source lacks would make it refuse all, so these are sorted out then."""
        ids = [item.id for item in items]
        missing: set[str] = set()
        try:
            self._dest.check()
            try:
                size = self._source(partial(Orthanc.send_to_peer, peer=self._peer, ids=ids))
            except NotFoundError:
                missing = set(ids) - self._source(partial(Orthanc.held, ids=ids)).keys()
                left = [id for id in ids if id not in missing]
                size = self._source(partial(Orthanc.send_to_peer, peer=self._peer, ids=left)) if left else 0
        except CopydicomError as error:
            return [Result(Status.FAILED, message=str(error), study=item.study) for item in items]
        share = size // max(1, len(ids) - len(missing))  # Orthanc tells the size of all together
        absent = f"server {self._source.name!r} does not have it"
        return [
            Result(Status.MISSING, message=absent, study=item.study)
            if item.id in missing
            else Result(Status.COPIED, share if item.size is None else item.size, study=item.study)
            for item in items
        ]
