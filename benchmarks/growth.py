"""What an instance costs as the archive grows: ours at three depths, and the floor, which is Orthanc's part.

The cost is wall time of reading, Python's start left out. A run that has not read all after some seconds is
stopped: the cost is that of what it has read. What was under way then is lost, which counts where an
archive gives two series in that time: such a run is made again, and given longer.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import archives
from benchmarks import peers_of_indexing as peers
from benchmarks.packaged_input import PackagedInput
from benchmarks.result import Options, Result, Row, Say
from benchmarks.rounds import Sample, in_turns
from testbench.orthanc import OrthancServer
from testbench.sample_data import make_instances

NOTE = (
    "Milliseconds of wall time for one instance, Python's start left out; Orthanc with SQLite, instances of "
    "10 KB in series of {}."
)
NOTE_ARRIVALS = "*What arrives*: {} new instances, followed through the change log."
WHAT = "cost of one instance"
SECONDS = 20.0
LONGER = 60.0  # for what has not read FEW in that time
FEW = 200
ARRIVALS = 1_000  # in twenty series: some times what the start of a run varies by
# Four that Orthanc keeps in no database, two that it does.
LIST = "Modality,StudyDate,KVP,ConvolutionKernel,SliceThickness,PatientPosition"
DEPTHS = {"all": "all", "main": "main", "a list of six": LIST}
ARRIVING = "ours, what arrives, tags = all"
FLOOR = "floor: libcurl, all tags"


def run(options: Options, say: Say) -> Result:
    """Both versions, 1.12 with the proposed index too; 100,000 resident instances only when asked."""
    result = Result("growth", "Growth: the cost of an instance as the archive grows")
    sizes = options.of((2_000, 20_000, 100_000) if options.big else (2_000, 20_000), (200, 400))
    for binary, indexed in archives.kinds(say):
        for size in sizes:
            with archives.archive(binary, size, say, indexed) as server:
                name = archives.named(server, indexed)
                say(f"Orthanc {name}, {size:,} instances")
                result.rows += rows(server, name, size, options, say)
    result.notes = [NOTE.format(archives.SERIES_OF), NOTE_ARRIVALS.format(ARRIVALS), archives.NOTE_INDEX]
    return result


def rows(server: OrthancServer, name: str, size: int, options: Options, say: Say) -> Iterator[Row]:
    """The costs at one size; `name` is the server's, with its version."""
    seconds = options.of(SECONDS, 5.0)
    batches = iter(range(1_000))
    with PackagedInput({"pacs": server}) as packaged:
        following = packaged.stanza()
        packaged.run("pacs", stanza=following, start="now").sample()
        start = statistics.median(packaged.run("pacs", start="now").seconds for _ in range(3))

        def measured(**parameters: str) -> Sample:
            sample = packaged.run("pacs", seconds=seconds, **parameters).sample()
            if sample.count < FEW and sample.seconds > seconds:
                sample = packaged.run("pacs", seconds=LONGER, **parameters).sample()
            return _without(start, sample)

        def reading(depth: str) -> Sample:
            return measured(tags=depth)

        def arriving() -> Sample:
            new = make_instances(ARRIVALS, archives.SIZE, archives.SERIES_OF, f"growth {next(batches)}")
            archives.fill(server, new, say)
            return measured(stanza=following, start="now")

        contenders: dict[str, Callable[[], Sample]] = {
            f"ours, tags = {title}": partial(reading, depth) for title, depth in DEPTHS.items()
        }
        contenders[ARRIVING] = arriving
        if peers.available("floor_2"):
            contenders[FLOOR] = partial(peers.contend, "floor_2", server, seconds / 2)
        found = in_turns(contenders, options.rounds or options.of(2, 1), say, budget=200)
    for contender, samples in found.items():
        costs = [sample.seconds / sample.count * 1000 for sample in samples if sample.count]
        if not costs:
            say(f"{contender}: nothing was read in {seconds:.0f} s")
            continue
        cpu = [(sample.server_cpu or 0) / sample.count * 1000 for sample in samples if sample.count]
        yield Row(
            WHAT,
            f"{size:,} resident",
            name,
            contender,
            statistics.median(costs),
            "ms",
            len(costs),
            min(costs),
            max(costs),
            more_is_better=False,
            server_ms=statistics.median(cpu),
            beside="tags = all",
        )


def _without(start: float, sample: Sample) -> Sample:
    """The reading alone: a run without news takes `start` seconds."""
    seconds = max(0.001, sample.seconds - start)
    return Sample(sample.count, seconds, sample.client_cpu, sample.server_cpu, sample.peak_mb)
