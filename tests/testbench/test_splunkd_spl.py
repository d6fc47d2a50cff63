"""The SPL evaluator does what Splunk's manual says for the commands it knows, and refuses the others."""

from __future__ import annotations

import json
import random

import pytest

from testbench.splunkd import Splunkd, UnknownSpl
from testbench.splunkd.chunks import Row
from testbench.splunkd.spl import Pipeline
from testbench.splunkd.spl.extraction import Limits, extract_all, extract_path, nodes

DOCUMENTS = [
    {
        "ID": "a1",
        "Modality": "CT",
        "SeriesDescription": "Head 1.0",
        "kVp": 120,
        "Item": [{"Code": "X"}, {"Code": "Y"}],
    },
    {
        "ID": "b2",
        "Modality": "ct",
        "SeriesDescription": "Head 1.0",
        "kVp": "80",
        "Nested": {"Deep": [1, 2.50]},
    },
    {"ID": "c3", "Modality": "MR", "SeriesDescription": 'T1 "axial"', "flag": True, "none": None},
]
MACROS = {"dicom_index": {"definition": "index=dicom"}, "of(1)": {"args": "id", "definition": "ID=$id$"}}


def events() -> list[Row]:
    rows: list[Row] = []
    for number, document in enumerate(DOCUMENTS):
        raw = json.dumps(document)
        internal = {
            "_time": str(1000 - number),
            "_indextime": str(2000 + number),
            "_raw": raw,
            "index": "dicom",
        }
        rows.append({**extract_all(raw, Limits()), **internal})
    return [*rows, {"_time": "1", "_indextime": "1", "_raw": "other", "index": "main"}]


def search(text: str) -> list[Row]:
    return Pipeline(events, MACROS).run(text)


def ids(text: str) -> list[str]:
    return [str(row["ID"]) for row in search(text + " | table ID")]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("", ["a1", "b2", "c3"]),
        ("Modality=CT", ["a1", "b2"]),
        ("Modality=C*", ["a1", "b2"]),
        ("Modality!=CT", ["c3"]),
        ("kVp!=120", ["b2"]),
        ("NOT kVp=120", ["b2", "c3"]),
        ("kVp>=100", ["a1"]),
        ("kVp<100", ["b2"]),
        ('SeriesDescription="head 1.0" kVp=80', ["b2"]),
        ('SeriesDescription="T1 \\"axial\\""', ["c3"]),
        ("ID=a1 OR ID=b2 Modality=CT", ["a1", "b2"]),
        ("ID=c3 OR ID=b2 AND Modality=CT", ["b2"]),
        ("(ID=c3) OR (ID=b2 AND Modality=CT)", ["b2", "c3"]),
        ("ID IN (a1, c3)", ["a1", "c3"]),
        ("Item{}.Code=Y", ["a1"]),
        ("axial", ["c3"]),
        ("axia", []),
        ("axi*", ["c3"]),
        ('"Head 1.0"', ["a1", "b2"]),
        ("earliest=999", ["a1", "b2"]),
        ("latest=999", ["c3"]),
        ("_index_earliest=2001", ["b2", "c3"]),
        ("ID=*", ["a1", "b2", "c3"]),
    ],
)
def test_the_terms_of_a_search_select_events(condition: str, found: list[str]) -> None:
    assert ids(f"index=dicom {condition}") == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("kVp=80 OR kVp=120", ["a1", "b2"]),
        ('kVp>80 AND Modality="CT"', ["a1"]),
        ('Modality="CT"', ["a1"]),
        ("NOT isnull(kVp) AND kVp/2<50", ["b2"]),
        ("kVp!=80", ["a1"]),
        ("'Item{}.Code'=\"Y\"", ["a1"]),
        ('match(SeriesDescription, "^T1")', ["c3"]),
        ("isnull(kVp)", ["c3"]),
    ],
)
def test_where_compares_with_regard_to_case_and_needs_the_field(condition: str, found: list[str]) -> None:
    assert ids(f"index=dicom | where {condition}") == found


def test_a_search_without_an_index_looks_into_main_only() -> None:
    assert [row["_raw"] for row in search("*")] == ["other"]
    assert len(search("index=*")) == 4


def test_macros_are_expanded_with_and_without_arguments() -> None:
    assert ids("`dicom_index` `of(b2)`") == ["b2"]
    with pytest.raises(UnknownSpl, match="not in macros"):
        search("`no_such`")


def test_the_predecessors_searches_hold() -> None:
    rows = search(
        "index=dicom | spath ID | spath SeriesDescription | dedup ID | stats count by SeriesDescription"
    )
    assert rows == [
        {"SeriesDescription": "Head 1.0", "count": "2"},
        {"SeriesDescription": 'T1 "axial"', "count": "1"},
    ]


def test_dedup_keeps_the_newest_and_drops_rows_without_the_field() -> None:
    assert ids("index=dicom | dedup SeriesDescription") == ["a1", "c3"]
    assert ids("index=dicom | dedup 2 SeriesDescription") == ["a1", "b2", "c3"]
    assert ids("index=dicom | dedup kVp") == ["a1", "b2"]


def test_stats_groups_counts_and_measures() -> None:
    rows = search(
        'index=dicom | eval m=lower(Modality) | stats count count(kVp) AS n, dc(ID) avg(kVp) AS "the mean" '
        "sum(kVp) min(kVp) max(kVp) median(kVp) values(SeriesDescription) AS s by m"
    )
    assert rows[0] == {
        "m": "ct", "count": "2", "n": "2", "dc(ID)": "2", "sum(kVp)": "200", "the mean": "100",
        "min(kVp)": "80", "max(kVp)": "120", "median(kVp)": "100", "s": "Head 1.0",
    }  # fmt: skip
    assert rows[1] == {"m": "mr", "count": "1", "n": "0", "dc(ID)": "1", "s": 'T1 "axial"'}


def test_stats_counts_each_of_several_values_and_says_nought_for_nothing() -> None:
    assert search("index=dicom | stats count by Item{}.Code") == [
        {"Item{}.Code": "X", "count": "1"},
        {"Item{}.Code": "Y", "count": "1"},
    ]
    assert search("index=dicom ID=none | stats count") == [{"count": "0"}]


def test_rows_are_sorted_by_number_and_cut() -> None:
    assert ids("index=dicom | sort 0 -kVp") == ["a1", "b2", "c3"]
    assert ids("index=dicom | sort kVp") == ["b2", "a1", "c3"]
    assert ids("index=dicom | sort 0 -Modality, -ID") == ["b2", "c3", "a1"]
    assert ids("index=dicom | sort 1 -ID") == ["c3"]
    assert ids("index=dicom | head 2") == ["a1", "b2"]


def test_fields_are_chosen_left_out_and_renamed() -> None:
    assert search("index=dicom | table Mod*, ID | head 1") == [{"Modality": "CT", "ID": "a1"}]
    assert set(search("index=dicom | fields ID | head 1")[0]) == {"ID", "_raw", "_time"}
    assert "ID" not in search("index=dicom | fields - ID")[0]
    renamed = search(
        'index=dicom | rename ID AS id, Modality AS "the modality" | table id "the modality" | head 1'
    )
    assert renamed == [{"id": "a1", "the modality": "CT"}]


def test_spath_takes_a_path_and_gives_it_another_name() -> None:
    text = "index=dicom ID=b2 | spath output=d path=Nested.Deep{} | spath Nested | spath No.Such | table d N*"
    assert search(text) == [
        {"d": ["1", "2.5"], "Nested": '{"Deep": [1, 2.5]}', "Nested.Deep{}": ["1", "2.5"]},
    ]


def test_json_becomes_fields_by_splunks_names() -> None:
    raw = '{"a": {"b": [1, 2.50, {"c": "x\\u00fc"}]}, "t": true, "n": null, "e": ""}'
    assert extract_all(raw, Limits()) == {
        "a.b{}": ["1", "2.50"], "a.b{}.c": "xü", "t": "true", "n": "null", "e": "",
    }  # fmt: skip
    assert extract_path(raw, "a.b{1}") == "2.50"
    assert extract_path(raw, "a.b{}.c") == "xü"
    assert extract_path(raw, "a") == '{"b": [1, 2.50, {"c": "x\\u00fc"}]}'
    assert extract_path(raw, "a.none") is None
    assert extract_all("plain text", Limits()) == {}


def test_automatic_extraction_stops_at_the_cutoff_and_a_named_path_does_not() -> None:
    raw = json.dumps({"first": "1", "bulk": "x" * 4990, "last": "2"})
    assert extract_all(raw, Limits()) == {"first": "1"}
    assert extract_all(raw, Limits(extraction_cutoff=6000))["last"] == "2"
    assert extract_path(raw, "last") == "2"


def test_a_number_that_the_cutoff_parts_is_no_field() -> None:
    assert extract_all('{"a": 1, "b": 123456}', Limits(extraction_cutoff=17)) == {"a": "1"}


def some_json(chosen: random.Random, depth: int = 0) -> object:
    kind = chosen.random()
    if depth > 3 or kind < 0.4:
        return chosen.choice(["a", 'b"c', "{x", "],", ": 1", "ü", "", 1, 23, True, None])
    if kind < 0.7:
        return {
            chosen.choice("ab") + str(n): some_json(chosen, depth + 1) for n in range(chosen.randint(0, 3))
        }
    return [some_json(chosen, depth + 1) for _ in range(chosen.randint(0, 3))]


def test_wherever_the_cutoff_falls_all_values_before_it_are_fields_and_no_others() -> None:
    chosen = random.Random(6)
    for _ in range(60):
        document = {"k": some_json(chosen), "z": some_json(chosen)}
        raw = json.dumps(document, ensure_ascii=chosen.random() < 0.5, indent=chosen.choice([None, 1]))
        for cutoff in range(1, len(raw) + 2, 2):
            slow: dict[str, list[str]] = {}
            for node in nodes(raw[:cutoff]):
                if node.leaf:
                    slow.setdefault(node.name, []).append(node.text)
            found = extract_all(raw, Limits(extraction_cutoff=cutoff))
            assert {name: [one] if isinstance(one, str) else one for name, one in found.items()} == slow
        for path in ("k", "z", "k.a0", "k{}", "z{1}", "z.b1{}", "k{}.a0"):
            values = extract_path(raw, path)
            by_sign = [node.text for node in nodes(raw) if node.fits(path)]
            assert ([values] if isinstance(values, str) else values or []) == by_sign


def test_automatic_extraction_makes_a_hundred_fields_and_no_more() -> None:
    raw = json.dumps({f"f{n}": n for n in range(150)})
    assert len(extract_all(raw, Limits())) == 100


@pytest.mark.parametrize(
    "text",
    [
        "index=dicom | timechart count",
        "index=dicom | head limit=5",
        "index=dicom | spath input=_raw ID",
        'index=dicom "open',
        "index=dicom kVp>high",
    ],
)
def test_what_is_not_known_raises(text: str) -> None:
    with pytest.raises(UnknownSpl):
        search(text)


def test_a_search_over_indexed_events_ends_in_the_apps_own_command(splunk: Splunkd) -> None:
    splunk.add_server("pacs", base_url="http://127.0.0.1:1")
    splunk.run_input("sdk_input://x", server="pacs")
    result = splunk.search(
        '`dicom_index` sourcetype=dicom:instance | table ID orthanc_id label | sdk dest="a b"'
    )
    assert result.rows == [
        {"ID": f"id{n}", "orthanc_id": f"id{n}", "label": f"study id{n}", "status": "sent to a b"}
        for n in (1, 0)
    ]
    assert (result.error, result.messages) == (None, [])
    assert [row["count"] for row in splunk.search("index=dicom_audit | stats count").rows] == ["2"]
    failed = splunk.search("index=dicom | sdk")
    assert failed.error == 'A value for "dest" is required'
    splunk.assert_no_violations()
