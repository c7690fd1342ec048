from typing import Any

import pytest

from seakeeping.ingest.dialects.usage import NO_USAGE, Usage, usage_of, whole_usage


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}, (9, 3, None, None)),
        ({"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930,
          "prompt_tokens_details": {"cached_tokens": 800},
          "completion_tokens_details": {"reasoning_tokens": 20}}, (900, 30, 800, 20)),
        ({"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 100,
          "cache_creation_input_tokens": 10}, (115, 3, 100, None)),
        ({"input": 100, "output": 20, "input_cache_read": 300, "output_reasoning": 5, "total": 425},
         (400, 25, 300, 5)),
        ({"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}, (7, 2, None, None)),
        ({"prompt_token_count": 10, "candidates_token_count": 5, "thoughts_token_count": 20,
          "total_token_count": 35}, (10, 25, None, 20)),
        ({"prompt_eval_count": 4, "eval_count": 6}, (4, 6, None, None)),
        ({"input_tokens": 100, "output_tokens": 8, "total_tokens": 108,
          "input_token_details": {"cache_read": 90}}, (100, 8, 90, None)),
    ],
)  # fmt: skip
def test_every_providers_usage_is_whole(given: Any, expected: tuple[int | None, ...]) -> None:
    found = usage_of(given)
    assert (found.input, found.output, found.cache_read, found.reasoning) == expected


@pytest.mark.parametrize("given", [None, 3, "x", [], {}, {"prompt_tokens": -1}, {"input": "many"}])
def test_odd_usage_is_none(given: Any) -> None:
    assert usage_of(given).is_empty
    assert usage_of(given).input is None


def test_a_part_within_the_whole_is_not_added_to_it() -> None:
    told = Usage(100, 50, cache_read=80, reasoning=40)
    assert whole_usage(told) == told


def test_a_part_over_the_whole_is_added_to_it() -> None:
    assert whole_usage(Usage(10, 5, cache_read=80)).input == 90
    assert whole_usage(Usage(10, 5, reasoning=40)).output == 45


def test_an_odd_total_changes_nothing() -> None:
    told = Usage(10, 5, cache_read=8, total=1000)
    assert whole_usage(told).input == 10


def test_counts_may_be_spelled_as_text_or_float() -> None:
    found = usage_of({"prompt_tokens": "9", "completion_tokens": 3.0})
    assert (found.input, found.output) == (9, 3)


def test_nothing_told_is_empty() -> None:
    assert NO_USAGE.is_empty
    assert not Usage(total=5).is_empty
