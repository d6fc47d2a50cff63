"""What the search and the REST handler ``copydicom/transfer`` say to each other, as JSON, both ways.

A request is a bounded batch: at most `MOST_REFERENCES` in `MOST_BYTES`. The handler begins nothing
new after `BEGIN_SECONDS`, so its answer may have fewer outcomes than the request had references; the rest is
asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from copydicom_app.errors import ConfigurationError
from copydicom_app.models import Level, Outcome, Reference, Status
from copydicom_app.splunk.options import Options

PATH = "copydicom/transfer"
MOST_REFERENCES = 5_000
MOST_BYTES = 2_000_000  # of a request's body
BEGIN_SECONDS = 20.0  # after which no further reference is begun
LAST_SECONDS = 1800.0  # after which what is under way is stopped, such as a study of very many instances


@dataclass(frozen=True)
class TransferRequest:
    """`args` are the options as the search wrote them; an empty `source` only asks for the destination.

    `search` names the Trail of a search that comes in several requests; without it each is one of its own.
    """

    args: tuple[str, ...]
    source: str = ""
    references: tuple[Reference, ...] = ()
    search: str = ""
    sid: str = ""
    app: str = ""
    limit: int = 0

    def encode(self) -> bytes:
        """The body of the request."""
        refs = [[ref.id, ref.level.value, ref.series, ref.study] for ref in self.references]
        said = {
            "args": self.args,
            "source": self.source,
            "references": refs,
            "search": self.search,
            "sid": self.sid,
            "app": self.app,
            "limit": self.limit,
        }
        return json.dumps(said, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, body: str) -> TransferRequest:
        """Read a body, trusting nothing in it; raises ConfigurationError."""
        if len(body) > MOST_BYTES:
            raise ConfigurationError(f"a request may have {MOST_BYTES} bytes at most; send several")
        try:
            said = json.loads(body)
            refs = tuple(_reference(*row) for row in said.get("references", ()))
            request = cls(
                args=tuple(str(arg) for arg in said["args"]),
                source=str(said.get("source", "")),
                references=refs,
                search=str(said.get("search", "")),
                sid=str(said.get("sid", "")),
                app=str(said.get("app", "")),
                limit=int(said.get("limit", 0)),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigurationError(
                'the body must be JSON such as {"args": ["dest=research"], "source": "pacs", '
                '"references": [["<id>", "instance", "", ""]]}'
            ) from error
        if len(refs) > MOST_REFERENCES:
            raise ConfigurationError(f"a request may have {MOST_REFERENCES} references at most; send several")
        return request

    @property
    def options(self) -> Options:
        """The options, checked; raises ConfigurationError."""
        return Options.of(self.args)


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome for the answer; counts of nothing are left out."""
    counts = {status.value: outcome.count(status) for status in Status if outcome.count(status)}
    return {
        "id": outcome.ref,
        "status": outcome.status.value,
        "bytes": outcome.bytes,
        "message": outcome.message,
        **counts,
    }


def outcome_of_json(said: Mapping[str, Any]) -> Outcome:
    """The outcome that an answer tells."""
    counts = {status.value: int(said.get(status.value, 0)) for status in Status}
    return Outcome(
        str(said["id"]),
        Status(said["status"]),
        bytes=int(said["bytes"]),
        message=str(said["message"]),
        **counts,
    )


def _reference(id: Any, level: Any, series: Any = "", study: Any = "") -> Reference:
    return Reference(str(id), Level(level), str(series), str(study))
