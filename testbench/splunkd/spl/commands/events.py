"""`metadata`: what an index holds by source, sourcetype or host, without its events."""

from __future__ import annotations

from testbench.splunkd.spl.commands.registry import command
from testbench.splunkd.spl.context import Context, Rows, Step
from testbench.splunkd.spl.errors import UnknownSpl
from testbench.splunkd.spl.syntax import options, tokens
from testbench.splunkd.spl.values import Row, as_number, number_text

METADATA = {"type": "", "index": ""}
_KINDS = {"sources": "source", "sourcetypes": "sourcetype", "hosts": "host"}


@command("metadata", METADATA, generating=True)
def metadata(text: str, context: Context) -> Step:
    """One row for each source (sourcetype, host) of an index. Source: Search Reference, "metadata".

    `firstTime` and `lastTime` are times of events, `recentTime` is when the latest arrived.
    """
    values, rest = options(tokens(text), METADATA)
    kind, index = _KINDS.get(values["type"]), values["index"]
    if rest or kind is None or not index.replace("_", "").replace("-", "").isalnum():
        raise UnknownSpl(f"metadata: {text!r}, expected type=sources|sourcetypes|hosts index=<one index>")
    events = context.compile(f"search index={index}", True)

    def step(rows: Rows) -> list[Row]:
        found: dict[str, list[tuple[float, float]]] = {}
        for row in events(Rows()):
            times = as_number(str(row["_time"])) or 0.0, as_number(str(row["_indextime"])) or 0.0
            found.setdefault(str(row[kind]), []).append(times)
        return [
            {
                "firstTime": number_text(float(int(min(at for at, _ in times)))),
                "lastTime": number_text(float(int(max(at for at, _ in times)))),
                "recentTime": number_text(max(arrived for _, arrived in times)),
                kind: name,
                "totalCount": number_text(float(len(times))),
                "type": values["type"],
            }
            for name, times in sorted(found.items())
        ]

    return step
