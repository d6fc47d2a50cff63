"""Two tables of rows beside each other: what differs, and what is only written differently.

Numbers are compared as numbers, moments as moments, values of one field in their order. What is computed from
when something was indexed, or where a server is, cannot be the same in two Splunks (`_NEVER_EQUAL`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from testbench.real_splunk.rest import Rows

_NEVER_EQUAL = frozenset(["arrived", "cumulative_arrived", "host", "_indextime"])
_SHOWN = 3
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
_MOMENTS_BEGIN, _MILLISECOND = 1e8, 1.1e-3


@dataclass(frozen=True)
class Difference:
    """`what` differs, in words; `notes` are none: rows in another order, numbers written otherwise."""

    what: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def differences(
    expected: Rows, found: Rows, *, comparable: bool = True, made_rows: bool = True
) -> Difference:
    """What of `found` is not as `expected`."""
    what, notes = [], []
    wanted = [name for name in expected.fields if _counts(name)]
    there = [name for name in found.fields if _counts(name)]
    if made_rows:
        missing, more = [n for n in wanted if n not in there], [n for n in there if n not in wanted]
        # A column without any value: some give it, some do not.
        missing = [name for name in missing if comparable and _has(expected, name)]
        more = [name for name in more if comparable and _has(found, name)]
        what += [f"fields that are missing: {', '.join(missing)}"] if missing else []
        what += [f"fields that are not expected: {', '.join(more)}"] if more else []
        if not comparable and expected.rows and found.rows and set(wanted) != set(there):
            what.append(f"other fields: {', '.join(there)} in place of {', '.join(wanted)}")
    if not comparable:
        return Difference(what, notes)
    if len(expected.rows) != len(found.rows):
        what.append(f"{len(found.rows)} rows in place of {len(expected.rows)}")
        return Difference(what, notes)
    if made_rows and not what:
        wrong, written = _rows_differ(expected.rows, found.rows, wanted)
        if wrong:
            again, written_again = _rows_differ(
                _sorted(expected.rows, wanted), _sorted(found.rows, wanted), wanted
            )
            if again:
                what += wrong[:_SHOWN] + (
                    [f"and {len(wrong) - _SHOWN} values more"] if len(wrong) > _SHOWN else []
                )
            else:
                notes.append("the same rows in another order")
                written = written_again
        notes += written[:1]
    return Difference(what, notes)


def _counts(name: str) -> bool:
    return name not in _NEVER_EQUAL and (name == "_time" or not name.startswith("_"))


def _has(rows: Rows, name: str) -> bool:
    return any(row.get(name) not in (None, "", []) for row in rows.rows)


def _rows_differ(
    expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> tuple[list[str], list[str]]:
    wrong, written = [], []
    for number, (one, other) in enumerate(zip(expected, found, strict=True), start=1):
        for name in names:
            ours, theirs = _texts(one.get(name)), _texts(other.get(name))
            if not _equal(ours, theirs):
                wrong.append(f"row {number}, {name}: {_said(theirs)} in place of {_said(ours)}")
            elif ours != theirs and name != "_time":
                written.append(f"{name} is written {_said(theirs)}, expected was {_said(ours)}")
    return wrong, written


def _equal(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return len(ours) == len(theirs) and all(map(_same, ours, theirs))


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = _number(one), _number(other)
    if first is None or second is None:
        return False
    # A moment is a large number, of which a millionth is half an hour.
    relative = 0.0 if min(abs(first), abs(second)) > _MOMENTS_BEGIN else _RELATIVE
    return math.isclose(first, second, rel_tol=relative, abs_tol=_MILLISECOND if not relative else _ABSOLUTE)


def _number(text: str) -> float | None:
    """A number, or a moment as seconds since 1970."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def _texts(value: Any) -> list[str]:
    """The values of a field; an empty one and a missing one are the same."""
    if value in (None, "", []):
        return []
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]


def _sorted(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: [[_key(text) for text in _texts(row.get(name))] for name in names])


def _key(text: str) -> str:
    number = _number(text)
    return text if number is None else f"{number:+.5e}"


def _said(texts: Sequence[str]) -> str:
    return "nothing" if not texts else repr(texts[0] if len(texts) == 1 else list(texts))[:80]
