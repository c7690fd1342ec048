"""Query parameters: read by type, bounded, and never ignored."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from seakeeping.errors import BadInput
from seakeeping.web import params
from seakeeping.web.filters import (
    EVALUATIONS,
    INTERACTIONS,
    METRIC_POINTS,
    evaluation_filter,
    interaction_filter,
)
from seakeeping.web.params import MAX_LENGTH, MOST, Param

TABLE = (
    Param("name", params.text, "A name."),
    Param("limit", params.limit, "A limit."),
    Param("error", params.flag, "A flag."),
    Param("since", params.at, "A moment."),
    Param("kind", params.one_of("calm", "storm"), "A kind."),
)


def read(query: str) -> dict[str, Any]:
    return params.read(QueryParams(query), TABLE)


def test_values_are_read_by_type() -> None:
    assert read("name=x%20y&limit=20&error=false&since=1970-01-01T00:00:10Z&kind=calm") == {
        "name": "x y", "limit": 20, "error": False, "since": 10.0, "kind": "calm",
    }  # fmt: skip


def test_an_empty_value_is_as_good_as_none() -> None:
    assert read("name=&limit=&kind=") == {}
    assert read("") == {}


def test_a_limit_is_cut_to_the_most() -> None:
    assert read(f"limit={MOST + 1}") == {"limit": MOST}
    assert read("limit=1") == {"limit": 1}


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "٣", "1e3", " 5"])
def test_a_limit_is_a_plain_number(value: str) -> None:
    with pytest.raises(BadInput, match="limit must be a whole number"):
        read(f"limit={value}")


@pytest.mark.parametrize("value", ["True", "yes", "1", "TRUE"])
def test_a_flag_is_true_or_false(value: str) -> None:
    with pytest.raises(BadInput, match="error must be true or false"):
        read(f"error={value}")


def test_a_word_that_is_nearly_right_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        read("kind=strom")
    assert caught.value.hint == "did you mean 'storm'?"


def test_an_unknown_name_is_an_error_with_its_neighbour() -> None:
    with pytest.raises(BadInput) as caught:
        read("limt=5")
    assert (caught.value.message, caught.value.hint) == (
        "unknown parameter 'limt'", "did you mean 'limit'?",
    )  # fmt: skip


def test_what_is_given_twice_or_too_long_is_refused() -> None:
    with pytest.raises(BadInput, match="name is given twice"):
        read("name=a&name=b")
    with pytest.raises(BadInput, match="longer than"):
        read("name=" + "x" * (MAX_LENGTH + 1))


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ("service", "service_name", "shop"),
        ("model", "request_model", "gpt"),
        ("error", "has_error", True),
        ("since", "start", 1.0),
        ("until", "end", 2.0),
        ("label", "label", "unsupported"),
        ("traffic", "traffic", "live"),
        ("user_id", "user_id", "u"),
        ("conversation_id", "conversation_id", "c"),
        ("release", "release", "v1"),
        ("environment", "environment", "prod"),
        ("provider", "provider", "openai"),
        ("operation", "operation", "chat"),
        ("trace_id", "trace_id", "0a"),
    ],
)
def test_a_parameter_is_a_field_of_the_filter(given: str, field: str, value: object) -> None:
    assert getattr(interaction_filter({given: value}), field) == value


@pytest.mark.parametrize(
    ("given", "field"),
    [("service", "service_name"), ("label", "score_label"), ("name", "name"),
     ("evaluator", "evaluator"), ("since", "start"), ("until", "end"), ("trace_id", "trace_id")],
)  # fmt: skip
def test_evaluations_have_fields_of_their_own(given: str, field: str) -> None:
    assert getattr(evaluation_filter({given: "x"}), field) == "x"


@pytest.mark.parametrize("make", [interaction_filter, evaluation_filter])
def test_limit_and_cursor_are_no_filter(make: Callable[[dict[str, Any]], object]) -> None:
    assert make({"limit": 5, "cursor": "c"}) == make({})


@pytest.mark.parametrize("table", [INTERACTIONS, EVALUATIONS, METRIC_POINTS])
def test_every_parameter_is_named_once_and_explained(table: tuple[Param, ...]) -> None:
    names = [param.name for param in table]
    assert len(names) == len(set(names))
    assert all(param.help.endswith(".") and "type" in param.schema for param in table)
