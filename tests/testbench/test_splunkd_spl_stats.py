"""`stats`, `eventstats`, `streamstats`, `chart` and `timechart`: what the Search Reference says, and DuckDB's
arithmetic.
"""

from __future__ import annotations

import random

import duckdb
import pytest

from testbench.splunkd.chunks import Row
from testbench.splunkd.spl import Pipeline, UnknownSpl
from testbench.splunkd.spl.context import TimeRange

DAY = 86_400
ROWS: list[Row] = [
    {"_time": str(0 * DAY + 10), "room": "A", "dose": "5", "proc": "head"},
    {"_time": str(0 * DAY + 20), "room": "B", "dose": "1", "proc": "head"},
    {"_time": str(2 * DAY + 30), "room": "A", "dose": "3", "proc": "chest"},
    {"_time": str(2 * DAY + 40), "room": "A", "dose": "x", "proc": ["chest", "abdomen"]},
    {"_time": str(3 * DAY), "room": "C", "proc": "head"},
    {"_time": str(3 * DAY + 1), "dose": "10"},
]


def run(text: str, rows: list[Row] | None = None, span: TimeRange | None = None) -> list[Row]:
    found = [{"index": "main", **row} for row in (ROWS if rows is None else rows)]
    return list(Pipeline(lambda: found).run(f"* | {text}", span=span, now=10 * DAY))


def stats(function: str) -> object:
    return run(f"stats {function} AS r")[0].get("r")


@pytest.mark.parametrize(
    ("function", "value"),
    [  # Aggregate functions
        ("count", "6"),
        ("count(dose)", "5"),
        ("count(proc)", "6"),
        ("count(eval(dose>2))", "4"),
        ("dc(room)", "3"),
        ("sum(dose)", "19"),
        ("avg(dose)", "4.75"),
        ("min(dose)", "1"),
        ("max(dose)", "x"),
        ("min(eval(tonumber(dose)))", "1"),
        ("median(dose)", "4"),
        ("sum(eval(if(room=\"A\", tonumber(dose)*2, null())))", "16"),
        ("sum(nosuch)", None),
        ("dc(nosuch)", "0"),
        # Event order functions, Multivalue stats and chart functions, Time functions
        ("first(dose)", "5"),
        ("last(dose)", "10"),
        ("values(proc)", ["abdomen", "chest", "head"]),
        ("list(dose)", ["5", "1", "3", "x", "10"]),
        ("earliest(dose)", "5"),
        ("latest(dose)", "10"),
    ],
)  # fmt: skip
def test_a_statistical_function_has_the_value_that_the_manual_gives(function: str, value: object) -> None:
    assert stats(function) == value


def test_percentiles_are_those_that_users_of_splunk_report() -> None:
    reported = ["1.379", "1.276", "1.351", "2.062", "1.465", "3.107", "1.621", "1.901", "1.562", "27.203"]
    row = run("stats perc90(t) exactperc90(t) median(t) perc50(t)", [{"t": one} for one in reported])[0]
    assert float(str(row["perc90(t)"])) == pytest.approx(5.5166)
    assert row["exactperc90(t)"] == "27.203"
    assert float(str(row["median(t)"])) == pytest.approx(float(str(row["perc50(t)"])))


@pytest.mark.parametrize("size", [1, 2, 21, 1000])
def test_the_arithmetic_is_duckdbs(size: int) -> None:
    chosen = random.Random(size)
    values = [round(chosen.lognormvariate(2, 1), 3) for _ in range(size)]
    groups = [chosen.choice("abc") for _ in range(size)]
    rows: list[Row] = [{"g": g, "v": str(v)} for g, v in zip(groups, values, strict=True)]
    ours = run(
        "stats count sum(v) AS s avg(v) AS a min(v) AS lo max(v) AS hi median(v) AS m perc25(v) AS q1 "
        "perc75(v) AS q3 perc95(v) AS p95 dc(v) AS d BY g",
        rows,
    )
    table = duckdb.connect()
    table.execute("CREATE TABLE t (g VARCHAR, v DOUBLE)")
    table.executemany("INSERT INTO t VALUES (?, ?)", list(zip(groups, values, strict=True)))
    theirs = table.execute(
        "SELECT g, count(*), sum(v), avg(v), min(v), max(v), median(v), quantile_cont(v, 0.25),"
        " quantile_cont(v, 0.75), quantile_cont(v, 0.95), count(DISTINCT v) FROM t GROUP BY g ORDER BY g"
    ).fetchall()
    assert [row["g"] for row in ours] == [line[0] for line in theirs]
    for row, line in zip(ours, theirs, strict=True):
        assert [float(str(value)) for name, value in row.items() if name != "g"] == pytest.approx(
            line[1:], abs=1e-9
        )


def test_groups_come_in_the_order_of_their_values_and_need_every_field() -> None:
    rows = run("stats count, sum(dose) AS total BY room proc")
    assert [(row["room"], row["proc"], row["count"], row.get("total")) for row in rows] == [
        ("A", "abdomen", "1", None),
        ("A", "chest", "2", "3"),
        ("A", "head", "1", "5"),
        ("B", "head", "1", "1"),
        ("C", "head", "1", None),
    ]


def test_eventstats_gives_every_row_the_result_of_its_group() -> None:
    rows = run("eventstats max(eval(tonumber(dose))) AS top count AS n BY room | table room dose top n")
    assert [row.get("top") for row in rows] == ["5", "1", "5", "5", None, None]
    assert [row.get("n") for row in rows] == ["3", "1", "3", "3", "1", None]


@pytest.mark.parametrize(
    ("call", "values"),
    [
        ("count AS r", ["1", "2", "3", "4", "5", "6"]),
        ("count AS r BY room", ["1", "1", "2", "3", "1", None]),
        ("sum(dose) AS r", ["5", "6", "9", "9", "9", "19"]),
        ("current=f last(dose) AS r", [None, "5", "1", "3", "x", "x"]),
        ("current=f last(dose) AS r BY room", [None, None, "5", "3", None, None]),
        ("dc(room) AS r", ["1", "2", "2", "2", "3", "3"]),
        ("time_window=2d count AS r", ["1", "2", "1", "2", "3", "4"]),
    ],
)
def test_streamstats_gives_every_row_the_result_up_to_itself(call: str, values: list[str | None]) -> None:
    assert [row.get("r") for row in run(f"streamstats {call}")] == values


def test_chart_makes_a_row_for_each_x_and_a_column_for_each_series() -> None:
    assert run("chart count OVER room BY proc") == [
        {"room": "A", "abdomen": "1", "chest": "2", "head": "1"},
        {"room": "B", "abdomen": "0", "chest": "0", "head": "1"},
        {"room": "C", "abdomen": "0", "chest": "0", "head": "1"},
    ]
    assert run("chart sum(dose) AS s BY room proc") == [
        {"room": "A", "chest": "3", "head": "5"},
        {"room": "B", "head": "1"},
        {"room": "C"},
    ]
    assert run("chart avg(dose) count BY room")[1] == {"room": "B", "avg(dose)": "1", "count": "1"}
    several = run("chart limit=0 count sum(dose) AS s OVER room BY proc")[1]
    assert several == {
        "room": "B",
        "count: abdomen": "0",
        "count: chest": "0",
        "count: head": "1",
        "s: head": "1",
    }


def test_chart_sums_up_the_series_over_its_limit_and_shows_those_without_a_value() -> None:
    rows: list[Row] = [
        {"x": "1", "s": s, "n": n} for s, n in (("a", "1"), ("b", "5"), ("c", "2"), ("d", "9"))
    ]
    rows.append({"x": "2", "n": "4"})
    assert run("chart sum(n) OVER x BY s limit=2", rows) == [
        {"x": "1", "b": "5", "d": "9", "OTHER": "3"},
        {"x": "2", "NULL": "4"},
    ]
    assert run("chart limit=0 sum(n) OVER x BY s", rows)[0] == {
        "x": "1",
        "a": "1",
        "b": "5",
        "c": "2",
        "d": "9",
    }


def test_timechart_shows_every_span_of_the_range() -> None:
    rows = run("timechart span=1d count sum(dose) AS s")
    assert [(row["_time"], row["count"], row.get("s")) for row in rows] == [
        ("0", "2", "6"),
        ("86400", "0", None),
        ("172800", "2", "3"),
        ("259200", "2", "10"),
    ]
    asked = TimeRange(-1 * DAY, 5 * DAY)
    assert [row["_time"] for row in run("timechart span=1d count", span=asked)][:2] == ["-86400", "0"]
    assert run("timechart span=1d count", span=asked)[-1] == {"_time": str(4 * DAY), "count": "0"}
    assert run("timechart span=1d count", []) == []


def test_timechart_splits_by_a_field() -> None:
    rows = run("timechart span=1mon limit=1 count BY room")
    assert rows == [{"_time": "0", "A": "3", "OTHER": "2", "NULL": "1"}]


@pytest.mark.parametrize(
    ("span", "start"),
    [("1h", 1_760_000_000 - 3200), ("15m", 1_759_999_500), ("1d", 1_759_968_000), ("1w@w1", 1_759_708_800),
     ("1w@w0", 1_759_622_400), ("1mon", 1_759_276_800), ("1q", 1_759_276_800), ("1y", 1_735_689_600)],
)  # fmt: skip
def test_a_span_begins_where_the_calendar_says(span: str, start: int) -> None:
    assert run(f"timechart span={span} count", [{"_time": "1760000000.5"}])[0]["_time"] == str(start)


@pytest.mark.parametrize(
    "text",
    [
        "stats",
        "stats nosuch(x)",
        "stats sum(x*2)",
        "stats count(eval(x>1))",
        "stats sum(a*)",
        "stats sum",
        "stats sum(x) AS s count AS s",
        "stats sparkline(count)",
        "stats count BY",
        "stats count allnum=t",
        "stats perc101(x)",
        "stats stdev(x)",
        "stats exactperc99.5(x)",
        "chart count",
        "chart count BY a b c",
        "chart count OVER a BY b format=x",
        "chart count OVER a BY b useother=f",
        "chart count OVER a BY b where count>1",
        "timechart count",
        "timechart span=1w count",
        "timechart span=2d count",
        "timechart span=7h count",
        "timechart span=1d count BY a b",
        "streamstats reset_on_change=t count",
        "streamstats window=2 count",
        "eventstats count BY proc",
    ],
)
def test_what_is_not_known_of_statistics_is_refused(text: str) -> None:
    with pytest.raises(UnknownSpl):
        run(text)


def test_time_windows_need_rows_in_order() -> None:
    with pytest.raises(UnknownSpl, match="order"):
        run("sort 0 room | streamstats time_window=1d count")
