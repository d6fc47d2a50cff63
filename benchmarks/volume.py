"""What the index takes in: GB of events per million instances, by depth and level.

Two archives: the sample hospital as it is, small studies with many dose reports; and a mix as a hospital's
year has it, made of measured means: so many studies, series and instances of each modality (`YEAR`). The
headers of CT, MR and ultrasound are those of real scanners, from the files that pydicom brings; the others
the sample hospital's, which are leaner than real ones.
"""

from __future__ import annotations

import io
import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from benchmarks import archives
from benchmarks.growth import DEPTHS, LIST
from benchmarks.result import Options, Result, Row, Say
from copydicom_app.indexing.checkpoint import Checkpoint
from copydicom_app.indexing.outage import Outage
from copydicom_app.models import Event, Level, Server, as_json
from copydicom_app.orthanc import Orthanc
from copydicom_app.structured_report import LONG_KEYWORDS
from copydicom_app.tags_event import Origin
from copydicom_app.workflows import Plan, index
from testbench.orthanc import OrthancServer
from testbench.sample_data import hospital

WHAT = "volume of the index's input"
UNIT = "GB per million instances"
REAL = {
    "CT": ("CT_small.dcm",),
    "MR": ("MR_small.dcm", "examples_overlay.dcm"),
    "US": ("examples_palette.dcm",),
}
COPIES = 3  # of each real file, as one series
REPORT = "SR"


@dataclass(frozen=True)
class Yearly:
    """A modality's share of a year: studies, series in a study, instances in a series."""

    studies: int
    series: float
    instances: float


# Assumed, not measured: put your own here. Each CT, MG and XA study brings one dose report.
YEAR = {
    "CT": Yearly(30_000, 4, 120),
    "MR": Yearly(15_000, 8, 40),
    "US": Yearly(12_000, 1, 30),
    "DX": Yearly(35_000, 1.5, 1),
    "MG": Yearly(5_000, 4, 1),
    "XA": Yearly(3_000, 8, 2),
}
WITH_REPORT = ("CT", "MG", "XA")


@dataclass
class Means:
    """A sink: bytes of the events, of objects by modality, of dose reports with all that they bring."""

    events: int = 0
    total: int = 0
    reports: int = 0
    of_reports: int = 0
    objects: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def write(self, event: Event) -> None:
        """Count an event, as long as Splunk's stream would hold it."""
        size = len(as_json(event.fields))
        self.events += 1
        self.total += size
        if event.sourcetype.startswith("dicom:dose") or event.fields.get("Modality") == REPORT:
            self.of_reports += size
            self.reports += event.sourcetype == "dicom:instance"
        else:
            self.objects[event.fields.get("Modality", "")].append(size)

    def flush(self) -> None:
        """Nothing is held back."""

    def mean(self, modality: str) -> float:
        """Of one modality's events; of all of them where there is none of it (a study has no Modality)."""
        sizes = self.objects.get(modality) or [size for sizes in self.objects.values() for size in sizes]
        return sum(sizes) / len(sizes)


def run(options: Options, say: Say) -> Result:
    """The newest Orthanc at hand: the events hardly differ."""
    result = Result("volume", "Volume: what the index takes in")
    *_, binary = archives.versions(say)
    sample = list(hospital())
    with OrthancServer("volume", binary=binary) as server:
        server.upload_all(each.data for each in sample)
        for level, depth, means in _runs(server, options, say):
            size = f"sample hospital, {len(sample)} instances"
            result.rows.append(_row(size, server, level, depth, means.total / len(sample) * 1e6 / 1e9))
        for study in server.get("/studies"):
            server.delete(f"/studies/{study}")
        for data in (*(each.data for each in sample if each.modality not in REAL), *real_headers()):
            server.upload(data)
        for level, depth, means in _runs(server, options, say):
            result.rows.append(_row("a year's mix", server, level, depth, of_a_year(means, level)))
    result.rows.sort(key=lambda row: row.group)
    result.notes = [
        "GB (10^9 bytes) of events as sent, which Splunk's licence counts; on disk they are compressed.",
        "The mix, assumed: " + "; ".join(f"{_words(name, year)}" for name, year in YEAR.items()) + ".",
        f"One dose report for each study of {', '.join(WITH_REPORT)}, with an event for each irradiation.",
    ]
    return result


def of_a_year(means: Means, level: str) -> float:
    """GB per million instances of `YEAR`."""
    total = instances = 0.0
    for modality, year in YEAR.items():
        series = year.studies * year.series
        count = {"instance": series * year.instances, "series": series, "study": year.studies}[level]
        total += count * means.mean(modality)
        if modality in WITH_REPORT:
            total += year.studies * means.of_reports / max(1, means.reports)
            instances += year.studies
        instances += series * year.instances
    return total / instances * 1e6 / 1e9


def real_headers() -> Iterator[bytes]:
    """A series of each real file, its UIDs made anew."""
    for names in REAL.values():
        for name in names:
            path = get_testdata_file(name, download=False)
            if not path:
                raise RuntimeError(f"pydicom does not bring {name} any more")
            ds = pydicom.dcmread(str(path))
            for number in range(COPIES):
                ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid(
                    entropy_srcs=[name, str(number)]
                )
                buffer = io.BytesIO()
                ds.save_as(buffer)
                yield buffer.getvalue()


def _runs(server: OrthancServer, options: Options, say: Say) -> Iterator[tuple[str, str, Means]]:
    for level in Level.INSTANCE, Level.SERIES, Level.STUDY:
        for name, depth in options.of(DEPTHS, {"all": "all"}).items():
            means = taken_in(server, level, depth)
            say(f"level = {level.value}, tags = {name}: {means.events} events, {means.total:,} bytes")
            yield level.value, name, means


def taken_in(server: OrthancServer, level: Level, depth: str) -> Means:
    """The engine without Splunk, since a series is to count as quiet at once."""
    keywords = tuple(depth.split(","))
    means, stop = Means(), threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        steps = index(
            Orthanc(Server("bench", server.url, server.username, server.password), stop),
            Plan(level=level, depth=keywords, long=LONG_KEYWORDS, quiet_seconds=0),
            Origin("bench", only=frozenset(keywords) if depth == LIST else None),
            means,
            Checkpoint(Path(folder), "bench"),
            outage=Outage(Path(folder) / "away", stop=stop, went=print, came=print),
            stop=stop,
        )
        deque(steps, maxlen=0)
    return means


def _row(size: str, server: OrthancServer, level: str, depth: str, gigabytes: float) -> Row:
    contender = f"ours, level = {level}, tags = {depth}"
    return Row(WHAT, size, server.version, contender, gigabytes, UNIT, more_is_better=False)


def _words(modality: str, year: Yearly) -> str:
    return f"{year.studies:,} {modality} studies of {year.series:g} series of {year.instances:g}"
