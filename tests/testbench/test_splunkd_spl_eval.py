"""Each operator and function of `eval`, with values from, or worked out by, the page of the Search Reference
that the heading of its table names."""

from __future__ import annotations

import pytest

from testbench.splunkd.chunks import Row, Value
from testbench.splunkd.spl import Pipeline, UnknownSpl

NOW = 1_760_000_000.0  # 2025-10-09 08:53:20 UTC, a Thursday
FIELDS: Row = {
    "a": "3",
    "b": "4.5",
    "name": "Head CT",
    "mv": ["x", "y", "x"],
    "nums": ["1", "20", "3"],
    "empty": "",
    "odd name": "7",
}
COMPARISON = [  # Comparison and Conditional functions
    ('if(a=3, "yes", "no")', "yes"),
    ('if(missing=3, "yes", "no")', "no"),
    ('case(a=1, "one", a=3, "three", true(), "other")', "three"),
    ('case(a=1, "one")', None),
    ('coalesce(missing, name, "z")', "Head CT"),
    ('coalesce(empty, "z")', ""),
    ('if(isnull(empty), "null", "text")', "text"),
    ('if(isnotnull(missing), "there", "not")', "not"),
    ('if(match(name, "^H\\w+\\sCT$"), 1, 0)', "1"),
    ("if(null()=1, 1, 0)", "0"),
    ('if(mv="y", 1, 0)', "1"),
]
OPERATORS = [  # eval, "Operators"; where
    ("a+b", "7.5"),
    ('"a"+"b"', "ab"),
    ('a." of ".b', "3 of 4.5"),
    ('name."-".(a+1)', "Head CT-4"),
    ("2*3+4", "10"),
    ("2+3*4", "14"),
    ("-a+1", "-2"),
    ("(a+1)*2", "8"),
    ("7%4", "3"),
    ("a/0", None),
    ("a+missing", None),
    ("'odd name'*2", "14"),
    ('if("10">"9", "numbers", "texts")', "numbers"),
    ('if("10a">"9a", "numbers", "texts")', "texts"),
    ('if(NOT a=3 OR b<5 AND a>=3, "t", "f")', "t"),
    ('if(a!=3, "t", "f")', "f"),
    ("0.1*3", "0.30000000000000004"),
]
MATHEMATICAL = [  # Mathematical functions; Statistical eval functions
    ("abs(-a)", "3"),
    ("floor(-1.1)", "-2"),
    ("round(3.5)", "4"),
    ("round(-2.5)", "-3"),
    ("round(2.555, 2)", "2.56"),
    ("round(0.285, 2)", "0.29"),
    ("round(missing, 2)", None),
    ("max(1, 3, 6, 7, \"foo\", 4)", "foo"),
]  # fmt: skip
CONVERSION = [  # Conversion functions
    ('tonumber("x")', None),
    ('tonumber("12.50")', "12.5"),
]
TEXT = [  # Text functions
    ("lower(name)", "head ct"),
    ('trim("  x ")', "x"),
    ('substr("string", 1, 3)', "str"),
    ('substr("string", -3)', "ing"),
    ('substr("string", 4)', "ing"),
    ('replace("1/14/2017", "^(\\d{1,2})/(\\d{1,2})/", "\\2/\\1/")', "14/1/2017"),
    ('split("a;b;c", ";")', ["a", "b", "c"]),
    ('split("abc", "")', ["a", "b", "c"]),
]  # fmt: skip
MULTIVALUE = [  # Multivalue eval functions
    ("mvcount(mv)", "3"),
    ("mvcount(a)", "1"),
    ("mvcount(missing)", None),
    ("mvindex(mv, 0)", "x"),
    ("mvindex(mv, 1, 2)", ["y", "x"]),
    ("mvindex(mv, -2)", "y"),
    ("mvindex(mv, 5)", None),
    ('mvjoin(mv, " OR ")', "x OR y OR x"),
    ("mvappend(a, mv, missing)", ["3", "x", "y", "x"]),
    ("mvrange(1, 4)", ["1", "2", "3"]),
    ("mvfilter(nums>2)", ["20", "3"]),
    ('mvfilter(match(mv, "y"))', "y"),
]
TIME = [  # Date and Time functions; Date and time format variables
    ("now()", "1760000000"),
    ('strftime(now(), "%Y-%m-%dT%H:%M:%S.%3N")', "2025-10-09T08:53:20.000"),
    ('strftime(1.25, "%F %T.%6N %z")', "1970-01-01 00:00:01.250000 +0000"),
    ('strftime(1.25, "%A %d %B %j %e %s")', "Thursday 01 January 001  1 1"),
    ('strftime("1760000000", "%I:%M %p, %a %b %y, week %V")', "08:53 AM, Thu Oct 25, week 41"),
    ('strptime("2025-10-09 08:53:20", "%Y-%m-%d %H:%M:%S")', "1760000000"),
    ('strptime("2025-10-09T10:53:20.500+02:00", "%Y-%m-%dT%H:%M:%S.%3N%:z")', "1760000000.5"),
    ('strptime("20251009", "%Y%m%d")', "1759968000"),
    ('strptime("2025-10-09T08:53:20Z", "%Y-%m-%d")', "1759968000"),
    ('strptime("9 Oct 25, 8:53 PM", "%d %b %y, %I:%M %p")', "1760043180"),
    ('strptime("none", "%Y-%m-%d")', None),
    ('relative_time(now(), "-1d@d")', "1759881600"),
    ('strftime(relative_time(now(), "-1mon@mon"), "%F")', "2025-09-01"),
]  # fmt: skip


def evaluated(expression: str) -> Value | None:
    row = Pipeline(lambda: [{**FIELDS, "index": "main"}]).run(f"* | eval r={expression}", now=NOW)[0]
    return row.get("r")


@pytest.mark.parametrize(
    ("expression", "value"),
    [*COMPARISON, *OPERATORS, *MATHEMATICAL, *CONVERSION, *TEXT, *MULTIVALUE, *TIME],
)
def test_an_expression_has_the_value_that_the_manual_gives(expression: str, value: Value | None) -> None:
    assert evaluated(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "nosuch(a)",
        'a LIKE "3%"',
        "if(a=3 XOR b=4.5, 1, 0)",
        "tostring(a)",
        "random()",
        "round(1, 2, 3)",
        "if(a=1, 2)",
        "case(a=1)",
        "lower()",
        "mvfilter(a=b)",
        "a=1",
        "if(a, 1, 2)",
        "lower(mv)",
        "mv+1",
        "study.date",
        'a+"x"',
        'name."-".a+1',
        'strftime(now(), "%Ez")',
        'strptime("1", "%H")',
        'relative_time(now(), "-1fortnight")',
        'match(name, "(")',
        "a +",
        "(a",
        "1 2",
        "lower(a,)",
        '"open',
    ],
)
def test_what_the_evaluator_does_not_know_for_sure_is_refused(expression: str) -> None:
    with pytest.raises(UnknownSpl):
        evaluated(expression)


def test_assignments_see_those_before_them_and_nothing_removes_a_field() -> None:
    row = Pipeline(list).run('| makeresults | eval x=2, y=x*2, "z z"=y+1, x=null(), w=if(y==4, "a,b", "c")')[
        0
    ]
    assert {name: row[name] for name in row if name != "_time"} == {"y": "4", "z z": "5", "w": "a,b"}


def test_an_unknown_function_is_refused_although_no_row_was_found() -> None:
    with pytest.raises(UnknownSpl, match="nosuch"):
        Pipeline(list).run("index=dicom | where nosuch(x)>1")
    with pytest.raises(UnknownSpl, match="nosuch"):
        Pipeline(list).check("index=dicom | stats count | appendpipe [eval y=nosuch(x)]")
