"""Source: Splunk Search Reference, "Text functions"."""

from __future__ import annotations

import re

from testbench.splunkd.spl.functions.function import of, on_texts
from testbench.splunkd.spl.operators import regex
from testbench.splunkd.spl.values import Result, as_text, number_of, one_or_many


def _substr(text: Result, start: Result, length: Result = None) -> Result:
    """From `start`, the first sign is 1, a negative one counts from the end; for `length` signs or to the
    end.
    """
    value, begin, size = as_text(text), number_of(start), number_of(length)
    if value is None or begin is None:
        return None
    at = int(begin) - 1 if begin > 0 else max(0, len(value) + int(begin)) if begin < 0 else 0
    return value[at:] if size is None else value[at : at + max(0, int(size))]


def _replace(text: str, pattern: str, given: str) -> str:
    r"""Every match; `\1` in what is put there stands for a group."""

    def put(match: re.Match[str]) -> str:
        return re.sub(r"\\(\d)", lambda group: match[int(group[1])] or "", given)

    return regex(pattern).sub(put, text)


def _split(text: str, separator: str) -> Result:
    return one_or_many(text.split(separator) if separator else list(text))


TEXTS = {
    "lower": on_texts(str.lower, 1),
    "replace": on_texts(_replace, 3),
    "split": on_texts(_split, 2),
    "substr": of(_substr, 2, 3),
    "trim": on_texts(lambda text: text.strip(" \t"), 1),
}
