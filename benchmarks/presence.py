"""Knowing what is there: 10,000 references of which 9,000 are, and how that grows with the destination.

Ours is beside a listing of ``/instances`` at both ends, as the predecessor does it (both ends are the same
archive here), and a request for each id on one connection (of 200 ids, scaled).
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from benchmarks import archives
from benchmarks import peers_of_replication as peers
from benchmarks.replication import config
from benchmarks.result import Options, Result, Row, Say, Target
from benchmarks.rounds import Sample, in_turns
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.presence import Presence
from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance, make_instances

OURS, WITH_SERIES = "ours, rows without their series", "ours, rows that tell their series"
LISTING, EACH = "listing both ends", "a request each"
ASKED = 200  # of the references, by a request each


def run(options: Options, say: Say) -> Result:
    """Archives of 2,000, of which fewer references can be there, of 20,000 and of 50,000 instances."""
    result = Result("presence", "Presence: to know which of a cohort's instances are there")
    for binary in archives.versions(say):
        for resident, asked in options.of(
            ((2_000, 2_000), (20_000, 10_000), (50_000, 10_000)), ((200, 100),)
        ):
            with archives.archive(binary, resident, say) as server:
                rows = list(compare(server, resident, asked, options, say))
            result.rows += rows
            if not options.quick:
                result.targets += _targets(rows)
    result.notes = [
        "Nine tenths of the references are there. Orthanc with SQLite, instances in series of 50."
    ]
    return result


def compare(server: OrthancServer, resident: int, asked: int, options: Options, say: Say) -> Iterator[Row]:
    """The rounds on one archive."""
    there = list(islice(make_instances(resident, archives.SIZE, archives.SERIES_OF), asked * 9 // 10))
    strangers = list(make_instances(asked // 10, 2_500, archives.SERIES_OF, "stranger"))
    cohort = [each.orthanc_id for each in (*there, *strangers)]
    present = {each.orthanc_id for each in there}
    parents = dict(zip(cohort, _series([*there, *strangers]), strict=True))

    def ours(series_of: dict[str, str]) -> Sample:
        client = Orthanc(config(server))
        begin = time.perf_counter()
        if Presence(client).held(series_of) != present:
            raise RuntimeError("presence is wrong")
        return Sample(asked, time.perf_counter() - begin)

    def listing() -> Sample:
        begin = time.perf_counter()
        here, far = (set(peers.listed(server)) for _ in range(2))
        if (here & far & set(cohort)) != present:
            raise RuntimeError("the listing is wrong")
        return Sample(asked, time.perf_counter() - begin)

    def each() -> Sample:
        some = cohort[:: max(1, asked // ASKED)]
        begin = time.perf_counter()
        peers.each_asked(server, some)
        return Sample(asked, (time.perf_counter() - begin) * asked / len(some))

    contenders: dict[str, Callable[[], Sample]] = {
        OURS: lambda: ours(dict.fromkeys(cohort, "")),
        WITH_SERIES: lambda: ours(parents),
        LISTING: listing,
        EACH: each,
    }
    found = in_turns(contenders, options.rounds or options.of(3, 1), say, budget=120)
    for name, samples in found.items():
        seconds = [sample.seconds for sample in samples]
        yield Row(
            f"to know {asked:,} references",
            f"{resident:,} resident",
            server.version,
            name,
            statistics.median(seconds),
            "s",
            len(seconds),
            min(seconds),
            max(seconds),
            more_is_better=False,
        )


def _series(instances: Sequence[Instance]) -> Iterator[str]:
    """The Orthanc id of the series of each: what a row's ParentSeries tells."""
    for each in instances:
        text = "|".join((each.patient_id, each.study_uid, each.series_uid))
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        yield "-".join(digest[start : start + 8] for start in range(0, 40, 8))


def _targets(rows: Sequence[Row]) -> Iterator[Target]:
    seconds = {row.contender: row.value for row in rows}
    here = f"{rows[0].orthanc}, {rows[0].size}"
    for name in (OURS, WITH_SERIES):
        yield Target(f"{here}: {LISTING} / {name}", seconds[LISTING] / seconds[name], 1.0)
        yield Target(f"{here}: {EACH} / {name}", seconds[EACH] / seconds[name], 1.0)
