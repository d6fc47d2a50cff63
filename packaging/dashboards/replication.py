"""Replication: who sent what where, how much, and what failed. From the audit trail."""

from __future__ import annotations

from dashboards import drilldowns, inputs, palette, panels
from dashboards.spl import headed, or_say
from dashboards.studio import View

# The event's own field `source` (the server that was copied from) hides behind Splunk's `source`, the file.
_COPIES = """
`audit_events`
| spath output=from_server path=source
| eval from_server=coalesce(from_server, "unknown"), profile=if(isnull(profile) OR profile="", "none", profile)
| table _time user sid app from_server dest method profile study copied present conflict missing failed bytes result
"""
_RESULTS = {
    "copied": palette.GREEN,
    "present": palette.BLUE,
    "missing": palette.OLIVE,
    "failed": palette.RED,
    "conflict": palette.ROSE,
    "cancelled": palette.GREY,
}
_DESTINATION = inputs.Menu("dest", "Destination", "dest")
_USER = inputs.Menu("user", "User", "user")


def view() -> View:
    view = View(
        "replication",
        "Replication",
        "What was copied to other Orthanc servers, by the audit trail: one entry a study and search.",
    )
    inputs.add_time(view)
    shown = inputs.add_menus(view, view.base("copies", _COPIES), (_DESTINATION, _USER))

    totals = view.chain(
        "totals",
        shown,
        """
        | stats count AS studies dc(sid) AS searches sum(copied) AS copied sum(failed) AS failed sum(missing) AS missing sum(bytes) AS bytes
        | eval gigabytes=bytes/1000000000, unsent=failed+missing
        | fillnull value=0 copied unsent gigabytes
        """,
    )
    view.row(
        120,
        panels.number("Searches that copied", totals, "searches"),
        panels.number("Studies", totals, "studies"),
        panels.number("Instances copied", totals, "copied"),
        panels.number("Sent", totals, "gigabytes", unit="GB", digits=3),
        panels.number("Failed or missing", totals, "unsent", levels=[(0, palette.GOOD), (1, palette.BAD)]),
    )
    view.row(
        340,
        panels.columns(
            "Studies by day and result",
            view.chain("by day", shown, "| timechart span=1d limit=0 count BY result"),
            x="Day",
            y="Studies",
            stacked=True,
            colours=_RESULTS,
        ),
        panels.columns(
            "Rate: volume sent by day and destination",
            view.chain(
                "rate",
                shown,
                "| eval megabytes=bytes/1000000 | timechart span=1d limit=0 sum(megabytes) BY dest",
            ),
            x="Day",
            y="Sent (MB a day)",
            stacked=True,
        ),
    )
    view.row(
        240,
        panels.table(
            "Who sent what where",
            view.chain(
                "routes",
                shown,
                """
                | stats dc(sid) AS searches count AS studies sum(copied) AS copied sum(present) AS present sum(missing) AS missing sum(failed) AS failed sum(conflict) AS conflict sum(bytes) AS bytes max(_time) AS latest BY user from_server dest method profile
                | sort 0 -latest
                | eval latest=strftime(latest, "%Y-%m-%d %H:%M"), megabytes=bytes/1000000
                """
                + headed(
                    {
                        "user": "User",
                        "from_server": "From",
                        "dest": "To",
                        "method": "Method",
                        "profile": "Anonymized by",
                        "searches": "Searches",
                        "studies": "Studies",
                        "copied": "Copied",
                        "present": "Present before",
                        "missing": "Missing",
                        "failed": "Failed",
                        "conflict": "Conflict",
                        "megabytes": "Sent (MB)",
                        "latest": "Latest",
                    }
                ),
            ),
            digits={"Sent (MB)": 2},
            levels={
                "Failed": [(1.0, palette.BAD)],
                "Conflict": [(1.0, palette.WARN)],
            },
            widths={"Anonymized by": 125, "Searches": 105, "Conflict": 95, "Missing": 95},
            description="Counts are instances but for searches and studies.",
        ),
    )
    view.row(
        300,
        panels.table(
            "Searches, the latest first",
            view.chain(
                "searches",
                shown,
                """
                | stats min(_time) AS start max(_time) AS end count AS studies sum(copied) AS copied sum(present) AS present sum(failed) AS failed sum(bytes) AS bytes values(result) AS results values(dest) AS dest BY sid user
                | sort 0 -start
                | eval when=strftime(start, "%Y-%m-%d %H:%M:%S"), megabytes=bytes/1000000, results=mvjoin(results, ", "), dest=mvjoin(dest, ", ")
                """
                + headed(
                    {
                        "when": "Start",
                        "user": "User",
                        "dest": "To",
                        "studies": "Studies",
                        "copied": "Copied",
                        "present": "Present before",
                        "failed": "Failed",
                        "megabytes": "Sent (MB)",
                        "results": "Results",
                        "sid": "Search (sid)",
                    }
                ),
            ),
            digits={"Sent (MB)": 2},
            widths={"Start": 130, "Search (sid)": 170},
        ),
    )
    view.row(
        300,
        panels.table(
            "Failures",
            view.chain(
                "failures",
                shown,
                """
                | where failed>0 OR missing>0 OR conflict>0 OR result="cancelled"
                | sort 0 -_time
                | eval when=strftime(_time, "%Y-%m-%d %H:%M")
                """
                + or_say("when", "No failure in this time range")
                + headed(
                    {
                        "when": "Time",
                        "user": "User",
                        "from_server": "From",
                        "dest": "To",
                        "study": "Study (Orthanc ID)",
                        "failed": "Failed",
                        "missing": "Missing",
                        "conflict": "Conflict",
                        "result": "Result",
                    }
                ),
            ),
            widths={"Time": 120, "Study (Orthanc ID)": 300},
            words={"Result": {name: _RESULTS[name] for name in ("failed", "missing", "conflict")}},
            description="Click a row: Search opens with a dry run for the study, which sends nothing.",
            drilldowns=[
                drilldowns.to_search(
                    '| makeresults | eval ID=$row.Study (Orthanc ID).value|s$, level="study"'
                    " | copydicom source=$row.From.value$ dest=$row.To.value$ dryrun=true"
                )
            ],
        ),
    )
    return view
