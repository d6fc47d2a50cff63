"""The content tree and its nested form: what the predecessor wrote, and whatever a file may hold."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydicom_app.codes import Code
from copydicom_app.dose import flatten_dose_report, is_dose_report
from copydicom_app.nested_report import nested
from copydicom_app.structured_report import MAX_DEPTH, find, problems_of, read
from testbench.dose_reports import DIALECTS, Study, ct_report, projection_report

SPIRAL = {
    "ct_acquisition_type": "Spiral Acquisition",
    "ctdivol_mGy": 30.0,
    "dlp_mGycm": 640.0,
    "kvp_kV": 120.0,
}
SCOUT = {"ct_acquisition_type": "Constant Angle Acquisition", "kvp_kV": 120.0}
FLUORO = {"irradiation_event_type": "Fluoroscopy", "dap_Gycm2": 0.0, "kvp_kV": 77.0}


def num(value: Any, unit: str = "mGy", code: str = "113830", meaning: str = "Mean CTDIvol") -> dict[str, Any]:
    units = [{"CodeValue": unit, "CodingSchemeDesignator": "UCUM", "CodeMeaning": unit}]
    measured = [{"NumericValue": value, "MeasurementUnitsCodeSequence": units}]
    return item("NUM", code, meaning, MeasuredValueSequence=measured)


def item(kind: str, code: str, meaning: str, scheme: str = "DCM", **value: Any) -> dict[str, Any]:
    name = {"CodeValue": code, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}
    return {"ConceptNameCodeSequence": [name], "ValueType": kind, **value}


def report(*content: Any, title: str = "X-Ray Radiation Dose Report", code: str = "113701") -> dict[str, Any]:
    name = {"CodeValue": code, "CodingSchemeDesignator": "DCM", "CodeMeaning": title}
    return {"ConceptNameCodeSequence": [name], "ValueType": "CONTAINER", "ContentSequence": list(content)}


# ---------------------------------------------------------------- codes and the tree


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Code("P5-08000", "SRT"), Code("77477000", "SCT")),
        (Code("R-10242", "SNM3"), Code("399162004", "SCT")),
        (Code("T-D4000", "SCT"), Code("113345001", "SCT")),
        (Code("111642", "SRT"), Code("111642", "DCM")),
        (Code("mGy", "UCM"), Code("mGy", "UCUM")),
        (Code("113733", ""), Code("113733", "DCM")),
    ],
)
def test_codes_that_mean_the_same_are_equal(one: Code, other: Code) -> None:
    assert one == other
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Code("113733", "DCM", "KVP"), Code("113733", "99ACME", "KVP")),
        (Code("1", "99A", "same"), Code("2", "99A", "same")),
        (Code("G-A100", "SRT"), Code("7771000", "SCT")),
    ],
)
def test_codes_of_another_scheme_or_value_differ_whatever_their_meaning(one: Code, other: Code) -> None:
    assert one != other


def test_find_asks_by_code_kind_and_relationship() -> None:
    tags = report(
        num("1.5"),
        item("CONTAINER", "113829", "CT Dose", ContentSequence=[num("2.5")]),
        item("CODE", "G-C171", "Laterality", "SRT", RelationshipType="HAS CONCEPT MOD"),
    )
    root = read(tags)
    assert [found.number for found in find(root, "113830")] == [1.5, 2.5]
    assert [found.number for found in find(root, "113830", recursive=False)] == [1.5]
    assert [found.name.meaning for found in find(root, Code("272741003", "SCT"))] == ["Laterality"]
    assert [found.name.meaning for found in find(root, relationship="HAS CONCEPT MOD")] == ["Laterality"]
    assert len(list(find(root, kind="NUM"))) == 2


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("1.6e-005", (1.6e-05,)),
        ("80\\82", (80.0, 82.0)),
        (["80", "82"], (80.0, 82.0)),
        (" 11912 s", (11912.0,)),
        (3.5, (3.5,)),
        ("0", (0.0,)),
    ],
)
def test_numbers_are_read_as_vendors_write_them(written: Any, numbers: tuple[float, ...]) -> None:
    (found,) = read(report(num(written, unit="s"))).children
    assert found.value == numbers
    assert not found.problems


@pytest.mark.parametrize("written", ["10.50/ 15.00", "nan", "inf", "1,5", "", None, "1e999"])
def test_what_is_no_number_is_named(written: Any) -> None:
    (found,) = read(report(num(written))).children
    assert found.number is None
    assert found.problems


@pytest.mark.parametrize(
    "broken",
    [
        item("PERSON NAME", "113870", "Person Name", PersonName="Roe^Richard"),
        item("HAS CONCEPT MOD", "121106", "Comment", TextValue="text"),
        item("CODE", "123014", "Target Region", ConceptCodeSequence=[]),
        item("CONTAINER", "113829", "CT Dose"),
        item("IMAGE", "113795", "Acquired Image"),
        item("TEXT", "121106", "Comment", TextValue=None),
        item("NUM", "113830", "Mean CTDIvol", MeasuredValueSequence=[]),
        item("DATETIME", "111526", "DateTime Started", DateTime="0"),
        {"ValueType": "TEXT", "TextValue": "nameless"},
        {},
        "not an item",
        None,
    ],
)
def test_an_illegal_item_does_not_take_the_others_with_it(broken: Any) -> None:
    tags = report(num("1.5"), broken, num("2.5"))
    assert next(found.number for found in find(read(tags), "113830")) == 1.5
    assert [found.number for found in find(read(tags), "113830")][-1] == 2.5
    flatten_dose_report(tags)
    assert json.loads(json.dumps(nested(tags)[1]))


def test_the_kind_of_an_illegal_item_is_told_by_its_value() -> None:
    tags = report(item("PERSON NAME", "113870", "Person Name", PersonName="Roe^Richard"))
    (person,) = read(tags).children
    assert (person.kind, person.text) == ("PNAME", "Roe^Richard")
    (uid,) = read(report(item("UIDREF", "113769", "Irradiation Event UID", TextValue="1.2.3"))).children
    assert uid.text == "1.2.3"


# ---------------------------------------------------------------- the nested form


# The keys of the predecessor's published form of its sample, below the title: a CT report with a spiral
# and a localizer, whose source parameters stand beside the acquisition's (its own file is not copied here).
SAMPLE_KEYS = {
    "CT Accumulated Dose Data.CT Dose Length Product Total",
    "CT Accumulated Dose Data.Total Number of Irradiation Events",
    *(
        f"CT Acquisition{{}}.{path}"
        for path in (
            "CT Acquisition Parameters.Exposure Time",
            "CT Acquisition Parameters.Nominal Single Collimation Width",
            "CT Acquisition Parameters.Nominal Total Collimation Width",
            "CT Acquisition Parameters.Number of X-Ray Sources",
            "CT Acquisition Parameters.Scanning Length",
            "CT Acquisition Type",
            "CT Dose.CTDIw Phantom Type",
            "CT Dose.DLP",
            "CT Dose.Mean CTDIvol",
            "CT X-Ray Source Parameters.Exposure Time per Rotation",
            "CT X-Ray Source Parameters.Identification of the XRay Source",
            "CT X-Ray Source Parameters.KVP",
            "CT X-Ray Source Parameters.Maximum X-Ray Tube Current",
            "CT X-Ray Source Parameters.X-Ray Tube Current",
            "Irradiation Event UID",
            "Target Region",
        )
    ),
    "ContentDateTime",
    "Device Observer UID",
    "End of X-Ray Irradiation",
    "Observer Type",
    "Procedure reported",
    "Scope of Accumulation",
    "Source of Dose Information",
    "Start of X-Ray Irradiation",
}


def like_the_sample() -> dict[str, Any]:
    """A report with the structure of the predecessor's sample: same concepts, own values."""

    def code(name: str, meaning: str, *children: Any) -> dict[str, Any]:
        return item(
            "CODE", "1", name, ConceptCodeSequence=[{"CodeMeaning": meaning}], ContentSequence=[*children]
        )

    def box(name: str, *children: Any) -> dict[str, Any]:
        return item("CONTAINER", "2", name, ContentSequence=[*children])

    def numbers(*names: str) -> list[dict[str, Any]]:
        return [num("1.0", meaning=name) for name in names]

    acquisition = box(
        "CT Acquisition",
        code("Target Region", "Lumbar spine"),
        code("CT Acquisition Type", "Spiral Acquisition"),
        item("UIDREF", "113769", "Irradiation Event UID", UID="1.2.3"),
        box(
            "CT Acquisition Parameters",
            *numbers("Exposure Time", "Scanning Length", "Nominal Single Collimation Width"),
            *numbers("Nominal Total Collimation Width", "Number of X-Ray Sources"),
        ),
        box(
            "CT X-Ray Source Parameters",
            item("TEXT", "113832", "Identification of the XRay Source", TextValue="1"),
            *numbers("KVP", "Maximum X-Ray Tube Current", "X-Ray Tube Current", "Exposure Time per Rotation"),
        ),
        box("CT Dose", *numbers("Mean CTDIvol", "DLP"), code("CTDIw Phantom Type", "Acme phantom, 32 cm")),
    )
    content = [
        code("Procedure reported", "Computed Tomography XRay", code("Has Intent", "Diagnostic Intent")),
        code("Observer Type", "Device"),
        item("UIDREF", "121012", "Device Observer UID", UID="1.2"),
        item("DATETIME", "113809", "Start of X-Ray Irradiation", DateTime="20180112000000"),
        item("DATETIME", "113810", "End of X-Ray Irradiation", DateTime="20180112000000"),
        code("Scope of Accumulation", "STUDY", item("UIDREF", "110180", "Study Instance UID", UID="1.2")),
        box(
            "CT Accumulated Dose Data",
            *numbers("Total Number of Irradiation Events", "CT Dose Length Product Total"),
        ),
        acquisition,
        acquisition,
        code("Source of Dose Information", "Automated Data Collection"),
    ]
    return {**report(*content), "ContentDate": "20180607", "ContentTime": "22222.111111"}


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{prefix}.{name}" if prefix else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from paths(inner, prefix + "{}")
    else:
        yield prefix


def test_the_predecessors_sample_has_its_keys_and_no_others_but_ours() -> None:
    title, content = nested(like_the_sample())
    assert title == "X-Ray Radiation Dose Report"
    added = {"_unit", "_details"}
    kept = {p for p in paths(content) if not any(f"{end}" in p for end in added)}
    assert kept == SAMPLE_KEYS
    assert content["ContentDateTime"] == "2018-06-07T22:22:02.111111"
    assert content["Start of X-Ray Irradiation"] == "2018-01-12T00:00:00"
    assert content["Procedure reported"] == "Computed Tomography XRay"
    assert content["CT Acquisition"][0]["CT Dose"]["Mean CTDIvol"] == 1.0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_dashboards_path_resolves_for_one_event_as_for_many(n: int) -> None:
    title, content = nested(ct_report(Study("nested"), [SPIRAL] * n).tags)
    assert {title: content}["X-Ray Radiation Dose Report"]["CT Acquisition"] == content["CT Acquisition"]
    assert [a["CT Dose"]["Mean CTDIvol"] for a in content["CT Acquisition"]] == [30.0] * n
    _, content = nested(projection_report(Study("nested"), [FLUORO] * n).tags)
    assert [e["Dose Area Product"] for e in content["Irradiation Event X-Ray Data"]] == [0.0] * n


def test_an_acquisition_without_dose_does_not_shift_the_lists_that_searches_zip() -> None:
    _, content = nested(ct_report(Study("nested"), [SCOUT, SPIRAL]).tags)
    scout, spiral = content["CT Acquisition"]
    assert (scout["CT Dose"], scout["_ctdi_imputed"]) == ({"Mean CTDIvol": 0}, True)
    assert "_ctdi_imputed" not in spiral


@pytest.mark.parametrize("title", ["X-ray Radiation Dose Report", "Strahlendosisbericht"])
def test_the_title_of_a_dose_report_has_one_spelling(title: str) -> None:
    assert nested(report(title=title))[0] == "X-Ray Radiation Dose Report"
    assert nested(report(title="X-ray Radiation Dose Report", code="1"))[0] == "X-Ray Radiation Dose Report"
    assert nested(report(title="Basic Diagnostic Imaging Report", code="111400"))[0].startswith("Basic")


def test_units_and_children_stand_beside_their_values() -> None:
    side = item("CODE", "G-C171", "Laterality", "SRT", ConceptCodeSequence=[{"CodeMeaning": "Left"}])
    tags = report({**num("1.3", meaning="AGD"), "ContentSequence": [side]}, num("1.2", meaning="AGD"))
    _, content = nested(tags)
    assert content == {
        "AGD": [1.3, 1.2],
        "AGD_unit": "mGy",
        "AGD_details": [{"Laterality": "Left"}, None],
    }


def test_a_zero_does_not_count_as_absent() -> None:
    _, content = nested(report(num("0.0"), num("2.0")))
    assert content["Mean CTDIvol"] == [0.0, 2.0]


# ---------------------------------------------------------------- whatever a file may hold

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["0", "1.5", "80\\82"]),
)
NAMES = st.sampled_from(
    [
        [],
        None,
        [{"CodeValue": "113830", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Mean CTDIvol"}],
        [{"CodeValue": "113819", "CodingSchemeDesignator": "DCM", "CodeMeaning": "CT Acquisition"}],
        [{"CodeValue": "113706", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Irradiation Event"}],
        [{"CodeValue": "113702", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Accumulated"}],
        [{"CodeValue": "113769", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Irradiation Event UID"}],
        [{"CodeMeaning": "KVP"}],
        [{"CodeValue": None, "CodingSchemeDesignator": 3}],
        ["odd"],
    ]
)
KINDS = st.sampled_from(
    ["NUM", "CODE", "TEXT", "CONTAINER", "IMAGE", "DATETIME", "UIDREF", "PNAME", "?", None, 3]
)


def junk_items(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    entry = st.dictionaries(
        st.sampled_from(["NumericValue", "MeasurementUnitsCodeSequence", "CodeValue", "CodeMeaning"]), SCALARS
    )
    sequences = st.lists(st.one_of(entry, SCALARS), max_size=2)
    return st.fixed_dictionaries(
        {"ConceptNameCodeSequence": NAMES, "ValueType": KINDS},
        optional={
            "MeasuredValueSequence": st.one_of(sequences, SCALARS),
            "ConceptCodeSequence": st.one_of(sequences, SCALARS),
            "TextValue": SCALARS,
            "DateTime": SCALARS,
            "UID": SCALARS,
            "ContentSequence": st.one_of(st.lists(children, max_size=3), SCALARS),
        },
    )


TREES = st.recursive(SCALARS, junk_items, max_leaves=12)


@settings(deadline=None, max_examples=200)
@given(st.lists(TREES, max_size=4), st.dictionaries(st.text(max_size=5), SCALARS, max_size=3))
def test_no_content_makes_it_raise(content: list[Any], header: dict[str, Any]) -> None:
    tags = {**header, "ConceptNameCodeSequence": [], "ValueType": "CONTAINER", "ContentSequence": content}
    is_dose_report(tags)
    for record in flatten_dose_report(tags):
        json.dumps(record)
    json.dumps(nested(tags))


@st.composite
def damaged_reports(draw: st.DrawFn) -> dict[str, Any]:
    """A real structure whose items are dropped, repeated and shuffled."""
    dialect = draw(st.sampled_from(sorted(DIALECTS)))
    made = draw(st.sampled_from([(ct_report, [SCOUT, SPIRAL]), (projection_report, [FLUORO, FLUORO])]))
    tags = json.loads(json.dumps(made[0](Study("damaged"), made[1], DIALECTS[dialect]).tags))
    _damage(tags, random.Random(draw(st.integers(0, 10**6))))
    return tags


def _damage(holder: dict[str, Any], chance: random.Random) -> None:
    content = holder.get("ContentSequence")
    if not content:
        return
    chance.shuffle(content)
    del content[chance.randint(1, len(content)) :]
    content.extend(json.loads(json.dumps(content[: chance.randint(0, 2)])))
    for child in content:
        if chance.random() < 0.2:
            child.pop(chance.choice(sorted(child)))
        _damage(child, chance)


@settings(deadline=None, max_examples=150)
@given(damaged_reports())
def test_no_number_disappears_from_a_damaged_report(tags: dict[str, Any]) -> None:
    records = flatten_dose_report(tags)
    content = json.dumps(nested(tags)[1])
    warnings = " ".join(w for record in records for w in record.get("dose_warnings", ()))
    for value, label in _written_numbers(tags):
        assert f"{value!r}" in content or label in warnings


def _written_numbers(holder: dict[str, Any]) -> Iterator[tuple[float, str]]:
    for child in holder.get("ContentSequence") or ():
        name = (child.get("ConceptNameCodeSequence") or [{}])[0].get("CodeMeaning", "unnamed")
        for measured in child.get("MeasuredValueSequence") or ():
            for part in measured.get("NumericValue", "").split("\\"):
                try:
                    yield float(part), name
                except ValueError:
                    continue
        yield from _written_numbers(child)


def test_nesting_beyond_all_measure_is_cut_and_said() -> None:
    tags = report(num("1.5"))
    for _ in range(MAX_DEPTH + 20):
        tags = report(item("CONTAINER", "1", "box", ContentSequence=tags["ContentSequence"]))
    assert any("nested deeper" in problem for problem in problems_of(read(tags)))
    flatten_dose_report(tags)
