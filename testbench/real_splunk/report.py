"""What was found on a Splunk, for a person at a terminal and as JSON for a machine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Verdict(StrEnum):
    """From best to worst."""

    SAME = "same"
    NOTED = "noted"  # the same in another order, or numbers written otherwise
    SKIPPED = "skipped"
    DIFFERS = "differs"
    FAILED = "failed"

    @property
    def bad(self) -> bool:
        return self in (Verdict.DIFFERS, Verdict.FAILED)


_COLOURS = {"same": "green", "noted": "cyan", "skipped": "dim", "differs": "yellow", "failed": "red"}


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. `said`: what differs or failed, why it was skipped. `search`: what ran."""

    kind: str
    name: str
    verdict: Verdict
    said: Sequence[str] = field(default_factory=tuple)
    search: str = ""


@dataclass
class Report:
    """All findings, and of which Splunk they are."""

    of: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)

    @property
    def bad(self) -> list[Finding]:
        """What differs or failed."""
        return [each for each in self.findings if each.verdict.bad]

    def counts(self) -> dict[str, Counter[str]]:
        """How many of each kind came to what, in the order in which they were tried."""
        found: dict[str, Counter[str]] = {}
        for each in self.findings:
            found.setdefault(each.kind, Counter())[each.verdict.value] += 1
        return found

    def show(self, console: Console) -> None:
        """A table of counts, then whatever is not simply the same, the worst last."""
        about = "  ".join(f"{key} {value}" for key, value in self.of.items())
        table = Table(title=escape(about), title_justify="left", box=None, header_style="bold")
        table.add_column("tried")
        for verdict in Verdict:
            table.add_column(verdict.value, justify="right", style=_COLOURS[verdict.value])
        for kind, counts in self.counts().items():
            table.add_row(kind, *(str(counts[verdict.value] or "") for verdict in Verdict))
        console.print(table)
        for verdict in (Verdict.NOTED, Verdict.SKIPPED, Verdict.DIFFERS, Verdict.FAILED):
            for each in self.findings:
                if each.verdict is verdict:
                    colour = _COLOURS[verdict.value]
                    console.print(f"\n[{colour}]{verdict.value}[/]  {escape(f'{each.kind}: {each.name}')}")
                    for line in each.said:
                        console.print(f"    {escape(line)}")
                    if verdict.bad and each.search:
                        console.print(
                            f"    {escape(' '.join(each.search.split()))}", style="dim", soft_wrap=True
                        )
        console.print(f"\n{self.closing_line()}")

    def closing_line(self) -> str:
        """One sentence."""
        tried = len([each for each in self.findings if each.verdict is not Verdict.SKIPPED])
        if not self.bad:
            return f"{tried} things tried: nothing differs from the stand-in"
        return f"{tried} things tried: {len(self.bad)} differ from the stand-in or failed"

    def write(self, path: Path) -> None:
        """As JSON: `of`, `closing_line`, `findings`."""
        document = {
            "of": dict(self.of),
            "closing_line": self.closing_line(),
            "findings": [asdict(each) for each in self.findings],
        }
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
