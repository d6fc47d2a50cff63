"""What a search tells of the index, and when it is not to be believed."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from copydicom_app.errors import ConfigurationError, RetriableError
from copydicom_app.indexing.backfill import Indexed
from copydicom_app.models import Level
from copydicom_app.splunk.index_search import IndexSearch


class Service:
    """Answers a search with these lines."""

    def __init__(self, *lines: dict[str, Any]) -> None:
        self.lines = lines
        self.searches: list[str] = []

    def post(self, path: str, search: str, **options: str) -> Any:
        self.searches.append(search)
        body = "\n".join(map(json.dumps, self.lines)) + "\n"
        return type("Answer", (), {"body": io.BytesIO(body.encode())})


def search(*lines: dict[str, Any], level: Level = Level.INSTANCE) -> tuple[IndexSearch, Service]:
    service = Service(*lines)
    return IndexSearch(service, "dicom", "pacs", level, clock=lambda: 0), service


ROW = {"sourcetype": "dicom:dose:study", "ID": "a", "keys": "0", "n_events": "4"}


def test_rows_are_what_the_index_has_and_previews_are_not() -> None:
    index, service = search(
        {"preview": True, "offset": 0, "lastrow": True, "result": {**ROW, "ID": "b"}},
        {"preview": False, "offset": 0, "lastrow": True, "result": ROW},
    )
    assert index.of_studies(["s", "t"]) == {("dicom:dose:study", "a"): Indexed(0, 4)}
    assert 'orthanc_server="pacs"' in service.searches[0]
    assert 'ParentStudy IN ("s", "t")' in service.searches[0]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [{"preview": False, "offset": 0, "result": ROW}],
        [{"preview": True, "lastrow": True}],
        [{"preview": False, "lastrow": True}, {"messages": [{"type": "WARN", "text": "peer idx2 is down"}]}],
    ],
    ids=["nothing", "broken off", "a preview only", "a peer is away"],
)
def test_a_search_that_may_not_have_seen_all_is_an_error(lines: list[dict[str, Any]]) -> None:
    index, _ = search(*lines)
    with pytest.raises(RetriableError, match=r"broke off|may be incomplete.*idx2 is down"):
        index.of_studies(["s"])


def test_an_index_where_nothing_of_the_server_is_found_is_told_with_the_way_out() -> None:
    index, _ = search({"preview": False, "offset": 0, "lastrow": True, "result": {"count": "0"}})
    with pytest.raises(ConfigurationError, match="search peers of this forwarder"):
        index.check()
