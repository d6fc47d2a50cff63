"""The table of fields: complete, consistent, and the page that is made from it up to date."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from copydicom_app.dose.fields import FIELDS, PERSONAL_FIELDS, TEMPLATE_UNITS
from copydicom_app.dose.units import factor
from testbench import fields_doc

SHARED = Path(os.environ.get("COPYDICOM_SHARED", Path(__file__).resolve().parents[3] / "shared"))


def test_the_page_is_what_the_table_says() -> None:
    assert fields_doc.TARGET.read_text(encoding="utf-8") == fields_doc.render(), (
        "run python -m testbench.fields_doc"
    )


def test_every_agreed_field_is_in_the_table_with_its_unit() -> None:
    agreed = SHARED / "facts" / "dose_fields.csv"
    if not agreed.exists():
        pytest.skip(f"the agreed list is not here: {agreed}")
    ours = {(field.record, field.name): (field.type, field.unit) for field in FIELDS}
    with agreed.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            assert ours[row["record"], row["field"]] == (row["type"], row["unit"])


def test_every_field_has_an_example_and_personal_ones_are_marked() -> None:
    assert [field.name for field in FIELDS if not field.example] == []
    assert {"patient_id", "performing_physician_name", "operator_name", "comment"} < set(PERSONAL_FIELDS)


def test_a_field_is_in_the_table_once() -> None:
    names = [(field.record, field.name) for field in FIELDS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "field", [f for f in FIELDS if f.how in ("num", "ct num", "proj num", "src", "total")]
)
def test_a_number_is_read_by_code_in_a_unit_that_converts(field: object) -> None:
    assert field.codes  # type: ignore[attr-defined]
    written = TEMPLATE_UNITS.get(field.name, field.unit)  # type: ignore[attr-defined]
    assert factor(written, "", field.unit) is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("unit", "target", "expected"),
    [
        ("Gy.m2", "Gy.cm2", 1e4),
        ("Gym2", "Gy.cm2", 1e4),
        ("dGy.cm2", "Gy.cm2", 0.1),
        ("cGy.cm2", "Gy.cm2", 0.01),
        ("uGy.m2", "Gy.cm2", 0.01),
        ("µGym²", "Gy.cm2", 0.01),
        ("mGy.cm", "mGy.cm", 1.0),
        ("mGycm", "mGy.cm", 1.0),
        ("Gy", "mGy", 1000.0),
        ("cGy", "mGy", 10.0),
        ("uA.s", "mA.s", 0.001),
        ("uAs", "mA.s", 0.001),
        ("s", "ms", 1000.0),
        ("ms", "s", 0.001),
        ("m2", "cm2", 1e4),
        ("{pulse}/s", "1/s", 1.0),
        ("Bq/mmol", "Bq/mol", 1000.0),
        ("{X-Ray sources}", "1", 1.0),
        ("X-ray sources", "1", 1.0),
    ],
)
def test_units_convert_as_vendors_spell_them(unit: str, target: str, expected: float) -> None:
    assert factor(unit, "", target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("unit", "target"), [("R", "mGy"), ("mm", "1"), ("", "mGy"), ("mGy", "Gy.cm2")])
def test_a_unit_of_something_else_does_not_convert(unit: str, target: str) -> None:
    assert factor(unit, "", target) is None
