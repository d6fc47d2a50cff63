"""The dashboards where an input takes the patients out: what can be told is told, and what cannot says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from testbench.splunkd import Splunkd
from testbench.views.definitions import View
from testbench.views.hospital import OF_NOW, time_of
from testbench.views.running import panels, says_nothing

CUMULATIVE = "Dose of a patient over 12 weeks"
SECRETS = ("Иванова", "Peñalosa", "Haddad", "P1333", "P1444", "P1518")
# Copies are by Orthanc's ids, and the study's own page needs one, in each mode.
FOUND = "`dose_study_search` modality=XA | head 1 | table study_instance_uid"


def shown(view: View, splunk: Splunkd) -> dict[str, list[dict[str, object]]]:
    study = str(splunk.search(FOUND).rows[0]["study_instance_uid"])
    found = panels(view, splunk.search, {**time_of(view.name), "study": study})
    return {title: [dict(row) for row in rows] for title, rows in found.items()}


@pytest.mark.parametrize("phi", ["keep", "hash", "drop"])
def test_every_panel_of_every_view_has_something_to_show(
    hospital_of: Callable[[str], Splunkd], views: list[View], phi: str
) -> None:
    splunk = hospital_of(phi)
    empty, told = [], {}
    for view in (view for view in views if phi == "keep" or view.name not in OF_NOW):
        for title, rows in shown(view, splunk).items():
            empty += [f"{view.name}: {title}"] if says_nothing(rows) else []
            told[title] = rows
            if phi != "keep":
                assert not any(secret in str(rows) for secret in SECRETS), title
    assert empty == []
    patients = [str(row["Patient"]) for row in told[CUMULATIVE]]
    if phi == "drop":
        assert len(patients) == 1
        assert patients[0].startswith("No PatientID in these events")
    else:
        assert len(set(patients)) == len(patients) > 2
        assert max(int(str(row["Studies in 12 weeks"])) for row in told[CUMULATIVE]) == 3


def test_doses_are_the_same_in_each_mode(hospital_of: Callable[[str], Splunkd], views: list[View]) -> None:
    """Numbers of protocols and studies hang on no patient; under `drop` no site's name is left either."""
    (view,) = (view for view in views if view.name == "dose_by_protocol")
    kept, hashed, dropped = (shown(view, hospital_of(phi)) for phi in ("keep", "hash", "drop"))
    for title in ("CTDIvol of an irradiation by protocol", "Total DLP of a study by procedure"):
        assert kept[title] == hashed[title] == dropped[title]
