"""Health: whether the inputs keep up, how fast they are, and what went wrong. From the app's own log."""

from __future__ import annotations

from dashboards import inputs, palette, panels
from dashboards.spl import headed, or_say
from dashboards.studio import View

_LINES = """
`feed_log`
| rex field=_raw "^\\S+ \\S+ (?<log_level>[A-Z]+) "
| table _time _raw host input server message log_level state instances events bytes seconds per_second failed lag lag_seconds walking error
"""


def view() -> View:
    view = View(
        "health",
        "Health",
        "The inputs: how far behind their servers, how fast, and their errors. Needs the right to search _internal,"
        " which Splunk keeps for 30 days by default.",
    )
    inputs.add_time(view, "-7d@h,now")
    lines = view.base("lines", _LINES)
    shown = inputs.add_menus(
        view, lines, (inputs.Menu("input", "Input", "input"), inputs.Menu("host", "Splunk host", "host"))
    )
    feeds = view.chain("feeds", shown, "| `feed_health_rows`")

    counts = view.chain(
        "counts",
        feeds,
        """
        | stats count AS inputs sum(instances) AS instances sum(bytes) AS bytes max(lag_seconds) AS lag sum(errors) AS errors sum(failed) AS failed
        | eval megabytes=bytes/1000000, lag_minutes=lag/60
        | fillnull value=0 instances megabytes lag_minutes errors failed
        """,
    )
    bad = [(0, palette.GOOD), (1, palette.BAD)]
    view.row(
        120,
        panels.number("Inputs", counts, "inputs"),
        panels.number("Instances read", counts, "instances"),
        panels.number("Events written", counts, "megabytes", unit="MB", digits=1),
        panels.number(
            "Greatest lag",
            counts,
            "lag_minutes",
            unit="min",
            digits=1,
            levels=[(0, palette.GOOD), (15, palette.WARN), (60, palette.BAD)],
        ),
        panels.number("Instances that fail", counts, "failed", levels=bad),
        panels.number("Errors", counts, "errors", levels=bad),
    )
    view.row(
        300,
        panels.table(
            "Inputs",
            view.chain(
                "inputs",
                feeds,
                """
                | sort 0 +input, +host
                | eval news=strftime(last_news, "%Y-%m-%d %H:%M"), silent_hours=silent_seconds/3600, lag_minutes=lag_seconds/60
                | eval condition=case(errors>0 OR failed>0, "errors", silent_seconds>`feed_silent_seconds`, "silent", lag_seconds>`feed_lag_seconds` AND walking!="true", "lagging", walking="true", "first walk", true(), "well")
                """
                + headed(
                    {
                        "input": "Input",
                        "host": "Splunk host",
                        "server": "Server",
                        "condition": "Condition",
                        "news": "Latest news",
                        "silent_hours": "Since then (h)",
                        "lag": "Lag (changes)",
                        "lag_minutes": "Lag (min)",
                        "instances": "Instances",
                        "events": "Events",
                        "per_second": "Instances/s",
                        "failed": "Failing",
                        "errors": "Errors",
                        "last_error": "Latest error",
                    }
                ),
            ),
            digits={"Since then (h)": 1, "Lag (min)": 1, "Instances/s": 1},
            widths={
                "Condition": 110,
                "Latest news": 95,
                "Lag (changes)": 105,
                "Instances": 105,
                "Instances/s": 120,
                "Latest error": 190,
            },
            words={
                "Condition": {
                    "well": palette.GOOD,
                    "first walk": palette.BLUE,
                    "lagging": palette.WARN,
                    "silent": palette.WARN,
                    "errors": palette.BAD,
                }
            },
            description="An input without anything new writes nothing and so is silent: where nights are idle, that is well."
            " Limits are the macros feed_silent_seconds and feed_lag_seconds.",
        ),
    )
    view.row(
        340,
        panels.line(
            "Lag of each input",
            view.chain(
                "lag",
                shown,
                """
                | where message="indexed"
                | eval lag_minutes=lag_seconds/60
                | timechart span=1h limit=0 max(lag_minutes) BY input
                | eval "alert from"=`feed_lag_seconds`/60
                """,
            ),
            x="Hour",
            y="Lag (min)",
            colours={"alert from": palette.BAD},
            description="How old the newest change is that was read, when the server has more; 0 when all was read.",
        ),
        panels.line(
            "Rate of each input while it reads",
            view.chain(
                "rate",
                shown,
                """
                | where message="indexed"
                | timechart span=1h limit=0 avg(per_second) BY input
                """,
            ),
            x="Hour",
            y="Instances per second",
        ),
    )
    view.row(
        340,
        panels.columns(
            "Instances read by hour",
            view.chain(
                "instances",
                shown,
                """
                | where message="indexed"
                | timechart span=1h limit=0 sum(instances) BY input
                """,
            ),
            x="Hour",
            y="Instances",
            stacked=True,
        ),
        panels.table(
            "Errors and warnings",
            view.chain(
                "errors",
                shown,
                """
                | where log_level!="INFO"
                | stats count AS n max(_time) AS latest BY log_level input host message
                | sort 0 -latest
                | eval latest=strftime(latest, "%Y-%m-%d %H:%M")
                """
                + or_say("latest", "No error and no warning in this time range")
                + headed(
                    {
                        "latest": "Latest",
                        "log_level": "Level",
                        "input": "Input",
                        "host": "Splunk host",
                        "message": "Message",
                        "n": "Times",
                    }
                ),
            ),
            widths={"Level": 85, "Message": 260},
            words={"Level": {"ERROR": palette.BAD, "FATAL": palette.BAD, "WARN": palette.WARN}},
        ),
    )
    return view
