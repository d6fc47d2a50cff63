"""Commands that filter, shape and join rows, by their pages in the Search Reference; macros."""

from __future__ import annotations

import pytest

from testbench.splunkd.chunks import Row
from testbench.splunkd.spl import Pipeline, UnknownSpl, known
from testbench.splunkd.spl.pipeline import Rows

ROWS: list[Row] = [
    {"id": "1", "room": "A", "dose": "10", "kv_a": "80", "kv_b": "120", "note": "kV=80; mA=200"},
    {"id": "2", "room": "B", "dose": "9", "kv_a": "100", "tags": ["x", "y"], "note": "kV=100; mA=5; mA=6"},
    {"id": "3", "room": "A", "dose": "200", "kv_b": "90"},
    {"id": "4", "room": "A", "dose": "abc", "note": ""},
]
MACROS = {
    "room_a": {"definition": "room=A"},
    "both(2)": {"args": "field, value", "definition": '`same($field$)` $field$="$value$"'},
    "same(1)": {"args": "x", "definition": "$x$=*"},
    "positive(1)": {"args": "n", "definition": "head $n$", "validation": "$n$>0"},
    "age": {"definition": '"id>" . (1+1)', "iseval": "1"},
    "twice(1)": {"args": "f", "definition": "eval twice='$f$'*2"},
    "endless": {"definition": "`endless`"},
}


def run(text: str) -> Rows:
    rows = [{"index": "main", "_time": "5", **row} for row in ROWS]
    return Pipeline(lambda: rows, MACROS).run(f"* | {text} | fields - index _time", now=1000.0)


def column(text: str, name: str) -> list[object]:
    return [row.get(name) for row in run(text)]


def ids(text: str) -> list[object]:
    return column(text, "id")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("search room=A dose>5", ["1", "3"]),
        ("search room=a", ["1", "3", "4"]),
        ("search room IN (a, C) NOT id=3", ["1", "4"]),
        ('where room="a"', []),
        ("where dose>9", ["1", "3", "4"]),
        ("where tonumber(dose)>9", ["1", "3"]),
        ('where NOT note="x"', ["1", "2", "3", "4"]),
        ("head 2", ["1", "2"]),
        ("sort 0 dose", ["2", "1", "3", "4"]),
        ("sort 0 - dose", ["4", "3", "1", "2"]),
        ("sort 0 str(dose)", ["1", "3", "2", "4"]),
        ("sort 0 -num(dose), id", ["4", "3", "1", "2"]),
        ("sort 0 room, -id", ["4", "3", "1", "2"]),
        ("sort 0 kv_b", ["3", "1", "2", "4"]),
        ("sort 2 -id", ["4", "3"]),
        ("sort limit=1 id", ["1"]),
        ("dedup room", ["1", "2"]),
        ("dedup 2 room", ["1", "2", "3"]),
        ("dedup room sortby -id", ["4", "2"]),
        ("dedup kv_a", ["1", "2"]),
        ("mvexpand tags", ["1", "2", "2", "3", "4"]),
        ("`twice(id)` | where twice=4", ["2"]),
        ("search `room_a` `both(id,3)`", ["3"]),
        ("search [search id>2 | table id]", ["3", "4"]),
        ("search [search id=none | table id]", []),
        ("search NOT [search id=2 OR id=3 | fields id]", ["1", "4"]),
        ("``` a | comment ``` head 1", ["1"]),
    ],
)  # fmt: skip
def test_rows_are_chosen_and_ordered(text: str, found: list[str]) -> None:
    assert ids(text) == found


def test_fields_are_named_chosen_and_filled() -> None:
    assert run("table id kv_* nosuch | head 1").columns == ["id", "kv_a", "kv_b", "nosuch"]
    assert run("fields id, kv_* | head 1")[0] == {"id": "1", "kv_a": "80", "kv_b": "120"}
    assert run("fields - kv_* note dose tags | head 1")[0] == {"id": "1", "room": "A"}
    assert run('rename kv_* AS "kV *", id AS room | head 1 | table room "kV a"')[0] == {
        "room": "1",
        "kV a": "80",
    }
    assert column("fillnull value=- kv_a new | table id kv_a new", "kv_a") == ["80", "100", "-", "-"]
    assert column("fillnull", "kv_b") == ["120", "0", "90", "0"]
    assert column("fillnull", "note")[3] == ""


def test_fields_are_made_of_fields() -> None:
    assert column('rex field=note "mA=(?<mA>\\d+)"', "mA") == ["200", "5", None, None]
    rows = run("foreach kv_* [eval <<FIELD>>='<<FIELD>>'/10, new_<<MATCHSTR>>=1] | head 1")
    assert rows[0].items() >= {"kv_a": "8", "kv_b": "12", "new_a": "1", "new_b": "1"}.items()
    assert column("foreach id dose [eval <<FIELD>>_2=tonumber('<<FIELD>>')*2]", "dose_2") == [
        "20",
        "18",
        "400",
        None,
    ]


def test_tables_are_turned() -> None:
    assert list(run("stats count BY room id | xyseries room id count | head 1")) == [
        {"room": "A", "1": "1", "3": "1", "4": "1"}
    ]
    assert run("stats count sum(dose) AS s BY room id | xyseries room id count s").columns[:3] == [
        "room", "count: 1", "count: 2",
    ]  # fmt: skip


def test_rows_of_other_searches_are_appended() -> None:
    assert column('table id dose | appendpipe [stats sum(dose) AS dose | eval id="all"]', "dose")[-1] == "219"
    assert Pipeline(list).run("| makeresults", now=1000.5)[0] == {"_time": "1000"}


def test_a_chained_search_goes_on_from_rows_and_their_columns() -> None:
    base = Rows([{"a": "1"}, {"a": "2"}], ["a", "empty"])
    pipeline = Pipeline(list)
    assert list(pipeline.run("| where a>1", base=base)) == [{"a": "2"}]
    assert pipeline.run("where a>5", base=base).columns == ["a", "empty"]
    assert pipeline.run("search a=1 | eval b=a", base=base)[0] == {"a": "1", "b": "1"}
    assert pipeline.run("", base=base) is base


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("`nosuch`", "not in macros.conf"),
        ("`twice(a, b)`", "not in macros.conf"),
        ("`endless`", "without end"),
        ("`positive(1)`", "validation"),
        ("search `age`", "iseval"),
        ("search id=1 or id=2", "or"),
        ("search id::1", "::"),
        ("search TERM(x)", "TERM"),
        ("search (id=1", "not closed"),
        ("search id=", "expected"),
        ("dedup", "dedup"),
        ("dedup id keepempty=t", "="),
        ("dedup id sortby", "dedup"),
        ("head 10 keeplast=t", "head"),
        ("head count<5", "head"),
        ("sort ip(a)", "ip"),
        ("sort dose desc", "sort"),
        ("rename a b", "rename"),
        ("rename a* AS b", r"\*"),
        ("rex mode=sed \"s/a/b/\"", "mode"),
        ("rex \"no group\"", "group"),
        ("mvexpand a b", "mvexpand"),
        ("appendpipe [nosuch]", "nosuch"),
        ("makeresults", "behind"),
        ("inputlookup x.csv", "behind"),
        ("foreach a [eval <<NOSUCH>>=1]", "foreach"),
        ("foreach mode=multivalue a [eval b=1]", "list of fields"),
        ("xyseries a b", "xyseries"),
        ("lookup nosuch a", "no lookups"),
        ("join id [search x]", "the command join"),
        ("append [search x]", "the command append"),
        ("search [where x=1]", "begins with where"),
        ("outputlookup x.csv", "the command outputlookup"),
        ("map search=x", "the command map"),
        ("tstats count", "the command tstats"),
        ("search [search id=1", "bracket"),
        ("eval a=1,", "eval"),
        ("where", "where|value"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnknownSpl, match=reason):
        run(text)


def test_what_is_known_is_told() -> None:
    found = known()
    assert {"stats", "timechart", "lookup", "foreach"} <= set(found.commands)
    assert not {"join", "map", "tstats", "collect", "sendemail"} & set(found.commands)
    assert found.commands["streamstats"] == {"current", "time_window"}
    assert {"if", "strftime", "mvfilter"} <= found.functions
    assert {"avg", "perc", "latest"} <= found.statistics
