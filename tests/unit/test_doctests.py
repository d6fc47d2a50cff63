"""The examples in the docstrings hold."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["addresses", "cli.dose_tables", "models", "splunk.client", "times"])
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"copydicom_app.{name}"))
    assert result.attempted
    assert not result.failed
