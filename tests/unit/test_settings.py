"""What an input's stanza may say."""

from __future__ import annotations

from datetime import date

import pytest

from copydicom_app.errors import ConfigurationError
from copydicom_app.indexing.backfill import Days
from copydicom_app.models import Level
from copydicom_app.splunk.settings import Settings


def test_every_level_is_taken_and_others_are_refused() -> None:
    for level in (Level.INSTANCE, Level.SERIES, Level.STUDY):
        assert Settings.of({"server": "pacs", "level": level.value}).level is level
    with pytest.raises(ConfigurationError, match="level must be instance, series or study, not 'patient'"):
        Settings.of({"server": "pacs", "level": "patient"})


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("20250101-20251231", Days(date(2025, 1, 1), date(2025, 12, 31))),
        ("20250101 - 20250101", Days(date(2025, 1, 1), date(2025, 1, 1))),
        ("20240229", Days(date(2024, 2, 29), date(2024, 2, 29))),
        ("", None),
    ],
)
def test_days_to_backfill(text: str, days: Days | None) -> None:
    assert Settings.of({"server": "pacs", "backfill": text}).backfill == days


@pytest.mark.parametrize(
    "text", ["2025", "20250230", "20251231-20250101", "2025-01-01", "20250101-", "20250101-20250201-20250301"]
)
def test_days_that_are_none_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="such as 20250101-20251231"):
        Settings.of({"server": "pacs", "backfill": text})
