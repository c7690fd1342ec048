"""The examples in this room's docstrings do what they say."""

import doctest
import importlib

import pytest

MODULES = (
    "content", "reasons", "refusal", "validity", "faithfulness.sentences", "faithfulness.tokens",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(f"seakeeping.evaluate.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
