"""``method=peer``: the source sends to the destination itself, and only the destination's word counts."""

from __future__ import annotations

import pytest

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Level, Reference
from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance, make_instances
from tests.live.replication.pairs import Pair, fill, refs, statuses


@pytest.fixture
def peers(pair: Pair) -> tuple[Pair, list[Instance]]:
    """A pair whose source knows the destination."""
    cohort = list(make_instances(150, size=3_000, name="peer"))
    pair.source = pair.server("pacs", peers={"research": pair.dest})
    fill(pair.source, cohort)
    return pair, cohort


def test_peers_transfer_what_is_missing_to_the_byte(peers: tuple[Pair, list[Instance]]) -> None:
    pair, cohort = peers
    pair.dest.upload(cohort[0].data)
    outcomes = pair.copy(refs(cohort), method="peer")
    assert statuses(outcomes) == {"copied": 149, "present": 1}
    assert sum(outcome.bytes for outcome in outcomes) == sum(len(each.data) for each in cohort[1:])
    for each in cohort:
        assert pair.dest.content(f"/instances/{each.orthanc_id}/file") == each.data
    assert statuses(pair.copy(refs(cohort), method="peer")) == {"present": 150}


def test_a_level_by_peer_is_one_row(peers: tuple[Pair, list[Instance]]) -> None:
    pair, _ = peers
    (outcome,) = pair.copy([Reference(pair.source.get("/patients")[0], Level.PATIENT)], method="peer")
    assert outcome.copied == 150
    assert outcome.status.value == "copied"


def test_one_that_the_source_lacks_is_missing_and_does_not_stop_the_rest(
    peers: tuple[Pair, list[Instance]],
) -> None:
    pair, cohort = peers
    ghost = next(make_instances(1, name="ghost"))
    outcomes = pair.copy(refs([*cohort[:20], ghost]), method="peer")
    assert statuses(outcomes) == {"copied": 20, "missing": 1}


def test_what_did_not_arrive_is_not_called_copied(
    peers: tuple[Pair, list[Instance]], tmp_path: object
) -> None:
    """Orthanc answers 200 and no failed instance when its peer filtered everything out."""
    pair, cohort = peers
    script = f"{tmp_path}/filter.lua"
    with open(script, "w") as file:  # noqa: PTH123
        file.write("function ReceivedInstanceFilter(dicom)\n return dicom.InstanceNumber ~= '3'\nend\n")
    pair.dest = pair.server("choosy", config={"LuaScripts": [script]})
    knows = pair.server("knows", peers={"choosy": pair.dest})
    fill(knows, cohort[:10])
    pair.source = knows
    outcomes = pair.copy(refs(cohort[:10]), method="peer")
    assert statuses(outcomes) == {"copied": 9, "failed": 1}
    assert "did not bring it" in outcomes[2].message


def test_a_source_that_does_not_know_the_destination_is_told_how(pair: Pair) -> None:
    with pytest.raises(ConfigurationError, match="add 'research' to OrthancPeers"):
        pair.engine(method="peer").check()


def test_a_peer_that_is_another_server_is_refused_before_anything_is_sent(pair: Pair) -> None:
    other: OrthancServer = pair.server("other")
    pair.source = pair.server("pacs", peers={"research": other})
    with pytest.raises(ConfigurationError, match="is another Orthanc than 'research'"):
        pair.engine(method="peer").check()


def test_a_peer_that_the_source_does_not_reach_is_told(pair: Pair) -> None:
    gone = pair.server("gone")
    pair.source = pair.server("pacs", peers={"research": gone})
    gone.kill()
    with pytest.raises(ConfigurationError, match="does not reach its peer 'research'"):
        pair.engine(method="peer").check()
