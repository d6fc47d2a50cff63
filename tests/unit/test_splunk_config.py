"""What is read from Splunk's configuration, before anything is asked."""

from __future__ import annotations

import pytest

from copydicom_app.errors import ConfigurationError
from copydicom_app.splunk.config import connect, parse_count


@pytest.mark.parametrize("text", ["\u00b2", "\u0663", "-1", "1e5", "1_0", "0"])
def test_a_count_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(ConfigurationError, match="jobs= must be a whole number"):
        parse_count(text, "jobs=", default=4, least=1)


@pytest.mark.parametrize("uri", ["", "None", "127.0.0.1:8089", "https://[::1", "https://127.0.0.1:x"])
def test_no_address_of_splunkd_is_said_in_words(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="REST API"):
        connect(uri, "key")
