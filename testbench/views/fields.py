"""The fields that a search asks for, and those that events, lookups and its own commands give it.

A reading of the text, not of its meaning: a name counts as given when it is given anywhere in the search.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from pydicom.datadict import keyword_dict

from copydicom_app.dose.fields import FIELDS
from testbench.splunkd.spl import known

INTERNAL = "_time _raw _indextime index host source sourcetype linecount splunk_server ID level"
TAGS = (
    "orthanc_server ParentSeries ParentStudy ParentPatient StudyDateTime SeriesDateTime time_source"
    " app_version InstanceCreationDateTime instances series bytes modalities revision last_arrival"
)
AUDIT = (
    "time user sid app source dest study method profile copied present conflict missing failed bytes result"
    " reason dryrun search level"
)
LOG = (
    "component input server message instances events bytes seconds per_second failed lag lag_seconds walking"
    " error state changes repeated tags phi"
)
# Words of the language beside commands, options and functions.
WORDS = (
    "AS BY OVER AND OR NOT IN XOR WHERE OUTPUT OUTPUTNEW span limit useother usenull as by over and or not"
    " in where output outputnew true false null auto num str desc asc now earliest latest sortby"
)
_GIVEN = (
    re.compile(r"\b(?:AS|as)\s+\"?([\w.{} ]+?)\"?(?=[\s,|\]]|$)"),
    re.compile(r"(?<![\w.])'?([A-Za-z_][\w.{}]*)'?\s*=(?!=)"),
    re.compile(r"\(\?<(\w+)>"),
)


def event_fields(default: Path, lookups: Path) -> frozenset[str]:
    """Every field that an event or a lookup of the app may have, by the conf files in `default`."""
    names = {*" ".join((INTERNAL, TAGS, AUDIT, LOG)).split(), *(each.name for each in FIELDS), *keyword_dict}
    names |= set(re.findall(r" AS (\w+)", (default / "props.conf").read_text(encoding="utf-8")))
    for line in re.findall(r"fields_list = (.*)", (default / "transforms.conf").read_text(encoding="utf-8")):
        names |= set(line.replace(" ", "").split(","))
    for path in lookups.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as table:
            names |= set(next(csv.reader(table)))
    return frozenset(names)


def unknown_fields(spl: str, fields: Collection[str]) -> set[str]:
    """The names in a search (macros written out) that nothing gives."""
    language = _language()
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', " ", spl)
    bare = re.sub(r"\b(?:(?:input)?lookup\s+(?:append=\w+\s+)?\w+|index=\w+|copydicom\b)", " ", bare)
    given = {name.strip() for pattern in _GIVEN for name in pattern.findall(spl)}
    asked = set(re.findall(r"(?<![\w.$'\-:@/*<(?])'?([A-Za-z_]\w*)'?(?![\w(*:/.\-])", bare))
    asked |= set(re.findall(r"[(,]\s*'?([A-Za-z_]\w*)'?\s*[,)]", bare))
    return {
        name
        for name in asked - language - given - set(fields)
        if not re.fullmatch(r"[A-Z]{2,3}|dicom\w*|\d\w*|[dfhmstwy]", name)
    }


def _language() -> set[str]:
    words = known()
    options: Mapping[str, frozenset[str]] = words.commands
    return {*WORDS.split(), *options, *words.functions, *words.statistics}.union(*options.values())
