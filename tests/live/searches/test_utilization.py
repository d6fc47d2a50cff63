"""Utilization: studies of a room, how long they take, and how long it stands empty between two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from testbench.splunkd import Splunkd
from testbench.views.definitions import read_view
from testbench.views.running import panels

ROOT = Path(__file__).resolve().parents[3]
VIEW = read_view(ROOT / "default/data/ui/views/utilization.xml")
DEVICES = """station_name,device_serial_number,manufacturer_model,site,room,device_name
CT1,*,*,North,CT,CT North
CT2,*,*,South,CT,CT South
"""


@pytest.fixture
def splunk(package: Path) -> Iterator[Splunkd]:
    """An empty index, and two rooms of one name at two sites."""
    with Splunkd(package) as made:
        (made.home.app_dir / "lookups" / "dose_device_map.csv").write_text(DEVICES)
        yield made


def examine(splunk: Splunkd, study: str, station: str, day: str, *times: str) -> None:
    """Instances of a study, made at these times; each is indexed twice."""
    for time in times:
        at = datetime.fromisoformat(f"{day}T{time}:00").replace(tzinfo=timezone.utc)
        fields = {
            "ID": f"{study}-{time}",
            "level": "instance",
            "orthanc_server": "pacs",
            "StudyInstanceUID": study,
            "SeriesInstanceUID": f"{study}.1",
            "StudyDateTime": f"{day}T{times[0]}:00",
            "Modality": "CT",
            "StationName": station,
        }
        for _ in range(2):
            splunk.index_event(fields, sourcetype="dicom:instance", at=at.timestamp())


def test_the_turn_around_of_a_room_is_from_the_end_of_a_study_to_the_next_of_the_day(splunk: Splunkd) -> None:
    examine(splunk, "1.1", "CT1", "2026-03-02", "08:00", "08:10", "08:20")
    examine(splunk, "1.2", "CT1", "2026-03-02", "08:50", "09:00")
    examine(splunk, "1.3", "CT1", "2026-03-02", "09:20", "09:50")
    examine(splunk, "1.4", "CT1", "2026-03-03", "07:00")
    examine(splunk, "2.1", "CT2", "2026-03-02", "08:30", "08:40")  # the other site's room of that name
    shown = panels(VIEW, splunk.search, {"time.earliest": "0", "time.latest": "now"})
    rooms = {row["Device"]: row for row in shown["Rooms: how busy, and the gap between two examinations"]}
    north, south = rooms["CT North"], rooms["CT South"]
    assert (north["Studies"], north["Days with studies"], north["Studies a day"]) == ("4", "2", "2")
    assert (north["Turn-arounds"], north["Shortest turn-around (min)"]) == ("2", "20")
    assert (north["Median turn-around (min)"], north["Median length (min)"]) == ("25", "15")
    assert (south["Turn-arounds"], south["Studies"]) == ("0", "1")
    assert shown["Studies by modality and day of StudyDateTime"] == [
        {"day": "2026-03-02", "CT": "4"},
        {"day": "2026-03-03", "CT": "1"},
    ]
