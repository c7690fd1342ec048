"""Any record survives JSON, whatever text and numbers it holds."""

from collections.abc import Mapping
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.records.codec import interaction_from_json, iso, moment, span_from_json, to_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALAR = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
JSON = st.recursive(
    SCALAR | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
MOMENT = st.integers(0, 4_000_000_000_000_000).map(lambda us: iso(us / 1e6))
INTERACTION = st.fixed_dictionaries(
    {"trace_id": TEXT, "span_id": TEXT, "started_at": MOMENT, "service_name": TEXT},
    optional={
        "answer_text": st.none() | TEXT,
        "input_messages": st.none() | st.lists(st.dictionaries(TEXT, JSON, max_size=2), max_size=2),
        "duration_s": st.none() | st.floats(0, 1e6),
        "cost_usd": st.none() | st.floats(0, 1e6),
        "output_tokens": st.none() | st.integers(0, 2**40),
        "groups": st.dictionaries(TEXT, TEXT, max_size=2),
        "attributes": st.dictionaries(TEXT, JSON, max_size=3),
    },
)


@given(INTERACTION)
def test_an_interaction_survives(body: Mapping[str, Any]) -> None:
    interaction = interaction_from_json(body)
    assert interaction_from_json(orjson.loads(orjson.dumps(to_json(interaction)))) == interaction


def read_span(body: Mapping[str, Any]) -> str:
    try:
        return "here: " + span_from_json(body, "here").trace_id
    except BadInput as wrong:
        return str(wrong)


@given(st.dictionaries(st.sampled_from(["trace_id", "started_at", "kind", "x"]) | TEXT, JSON))
def test_any_object_is_a_span_or_bad_input(body: Mapping[str, Any]) -> None:
    assert read_span(body).startswith("here")


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_moment_keeps_its_microsecond(us: int) -> None:
    assert round(moment(iso(us / 1e6)) * 1e6) == us
