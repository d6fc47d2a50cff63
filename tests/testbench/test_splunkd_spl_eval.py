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
    ("nullif(a, 3)", None),
    ("nullif(a, 4)", "3"),
    ('validate(isnotnull(a), "no a", a>5, "a is small")', "a is small"),
    ('validate(a=3, "wrong")', None),
    ('if(in(name, "MR", "Head CT"), 1, 0)', "1"),
    ('if(name IN ("MR", "head ct"), 1, 0)', "0"),
    ('if(like(name, "Head%"), 1, 0)', "1"),
    ('if(name LIKE "_ead CT", 1, 0)', "1"),
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
    ('if(a=3 XOR b=4.5, "one", "both")', "both"),
    ('if(NOT a=3 OR b<5 AND a>=3, "t", "f")', "t"),
    ('if(a!=3, "t", "f")', "f"),
    ("0.1*3", "0.30000000000000004"),
]
MATHEMATICAL = [  # Mathematical functions; Statistical eval functions
    ("abs(-a)", "3"),
    ("ceiling(1.9)", "2"),
    ("ceil(-1.9)", "-1"),
    ("floor(-1.1)", "-2"),
    ("round(3.5)", "4"),
    ("round(-2.5)", "-3"),
    ("round(2.555, 2)", "2.56"),
    ("round(0.285, 2)", "0.29"),
    ("round(missing, 2)", None),
    ("exp(0)", "1"),
    ("ln(1)", "0"),
    ("log(1000)", "3"),
    ("log(8, 2)", "3"),
    ("log(-1)", None),
    ("pow(2, 10)", "1024"),
    ("sqrt(9)", "3"),
    ("sqrt(-1)", None),
    ("exact(3.14*2)", "6.28"),
    ("max(1, 3, 6, 7, \"foo\", 4)", "foo"),
    ("min(5, 3, missing, 4)", "3"),
]  # fmt: skip
CONVERSION = [  # Conversion functions
    ('tonumber("0A4", 16)', "164"),
    ('tonumber("x")', None),
    ('tonumber("12.50")', "12.5"),
    ('tostring(12345.6789, "commas")', "12,345.68"),
    ('tostring(1234567, "commas")', "1,234,567"),
    ('tostring(15, "hex")', "0xF"),
    ('tostring(615, "duration")', "00:10:15"),
    ('tostring(90061, "duration")', "1+01:01:01"),
    ("tostring(1==1)", "True"),
    ('printf("%.2f mGy of %d%%, %s", b, 90, name)', "4.50 mGy of 90%, Head CT"),
    ('typeof(12).typeof("string").typeof(1==2).typeof(badfield)', "NumberStringBooleanInvalid"),
]
TEXT = [  # Text functions
    ("len(name)", "7"),
    ("lower(name)", "head ct"),
    ("upper(name)", "HEAD CT"),
    ('substr("string", 1, 3)', "str"),
    ('substr("string", -3)', "ing"),
    ('substr("string", 4)', "ing"),
    ('replace("1/14/2017", "^(\\d{1,2})/(\\d{1,2})/", "\\2/\\1/")', "14/1/2017"),
    ('trim("  ZZZZabcZZ ", " Z")', "abc"),
    ('ltrim("  x ")', "x "),
    ('rtrim(" x  ")', " x"),
    ('split("a;b;c", ";")', ["a", "b", "c"]),
    ('split("abc", "")', ["a", "b", "c"]),
    ('urldecode("http%3A%2F%2Fwww.splunk.com%2Fdownload%3Fr%3Dheader")',
     "http://www.splunk.com/download?r=header"),
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
    ("mvdedup(mv)", ["x", "y"]),
    ("mvsort(nums)", ["1", "20", "3"]),
    ("mvappend(a, mv, missing)", ["3", "x", "y", "x"]),
    ("mvzip(mv, nums)", ["x,1", "y,20", "x,3"]),
    ('mvzip(mv, nums, "|")', ["x|1", "y|20", "x|3"]),
    ('mvfind(mv, "^y$")', "1"),
    ('mvfind(mv, "z")', None),
    ("mvfilter(nums>2)", ["20", "3"]),
    ('mvfilter(match(mv, "y"))', "y"),
    ("mvmap(nums, nums*10)", ["10", "200", "30"]),
    ("mvmap(nums, if(nums>2, nums, null()))", ["20", "3"]),
    ("mvrange(1, 11, 2)", ["1", "3", "5", "7", "9"]),
    ('mvrange(0, 172800, "1d")', ["0", "86400"]),
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
DOCUMENTS = [  # JSON functions; Cryptographic functions
    ('json_extract("{\\"a\\": {\\"b\\": [1, \\"x\\"]}}", "a.b{1}")', "x"),
    ('json_extract("{\\"a\\": {\\"b\\": 1}}", "a")', '{"b": 1}'),
    ('json_extract("no json", "a")', None),
    ('md5("Hello World!")', "ed076287532e86365e841e92bfc50d8c"),
    ('sha256("abc")', "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
]


def evaluated(expression: str) -> Value | None:
    row = Pipeline(lambda: [{**FIELDS, "index": "main"}]).run(f"* | eval r={expression}", now=NOW)[0]
    return row.get("r")


@pytest.mark.parametrize(
    ("expression", "value"),
    [*COMPARISON, *OPERATORS, *MATHEMATICAL, *CONVERSION, *TEXT, *MULTIVALUE, *TIME, *DOCUMENTS],
)
def test_an_expression_has_the_value_that_the_manual_gives(expression: str, value: Value | None) -> None:
    assert evaluated(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "nosuch(a)",
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
        'tostring(a, "roman")',
        'printf("%d", name)',
        'printf("%s")',
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
