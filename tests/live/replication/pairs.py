"""Two real Orthancs and the engine between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from copydicom_app.models import Outcome, Reference, Server
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.replicate import Replicator
from copydicom_app.replication.transfer import archive
from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance


def config(server: OrthancServer, url: str = "", **keys: Any) -> Server:
    return Server(server.name, url or server.url, server.username, server.password, **keys)


def refs(instances: Iterable[Instance]) -> list[Reference]:
    return [Reference(each.orthanc_id) for each in instances]


def fill(server: OrthancServer, instances: Iterable[Instance]) -> None:
    """Upload them in one archive, which takes Orthanc less time than one by one."""
    stored = server.upload(archive(each.data for each in instances))
    assert {row["Status"] for row in stored} == {"Success"}


@dataclass
class Pair:
    """A source with a cohort, and an empty destination; `restart` makes another destination of it."""

    source: OrthancServer
    dest: OrthancServer
    cohort: list[Instance]
    binary: list[str] | None
    more: list[OrthancServer] = field(default_factory=list)

    def server(self, name: str, **options: Any) -> OrthancServer:
        """One more server of this version, for as long as the test lasts."""
        server = OrthancServer(name, binary=self.binary, **options).start()
        self.more.append(server)
        return server

    def engine(self, *, source_url: str = "", dest_url: str = "", **options: Any) -> Replicator:
        options.setdefault("patience", 20.0)
        return Replicator(
            Orthanc(config(self.source, source_url)), Orthanc(config(self.dest, dest_url)), **options
        )

    def copy(self, wanted: Iterable[Reference], **options: Any) -> list[Outcome]:
        engine = self.engine(**options)
        engine.check()
        return list(engine.outcomes(wanted))

    def held(self) -> set[str]:
        return set(self.dest.get("/instances"))


def statuses(outcomes: Iterable[Outcome]) -> Counter[str]:
    return Counter(outcome.status.value for outcome in outcomes)
