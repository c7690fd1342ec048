"""Indicators as SQL: users' values are parameters only, and what cannot be counted says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.records import DIMENSIONS, IndicatorSignal, Match
from seakeeping.store.predicates import (
    CALL_SIGNALS,
    JUDGED_SIGNALS,
    METRIC_SIGNALS,
    columns_of,
    dimension_columns,
    dimension_sql,
    limit_of,
    predicate_of,
    subject_of,
)
from seakeeping.store.testing import make_indicator

S = IndicatorSignal


def test_every_signal_has_a_source() -> None:
    assert CALL_SIGNALS | JUDGED_SIGNALS | METRIC_SIGNALS | {S.MEASUREMENT} == set(S)


@pytest.mark.parametrize("dimension", [*DIMENSIONS, "group.tier"])
def test_every_dimension_is_made_of_columns(dimension: str) -> None:
    params: dict[str, object] = {}
    expression = dimension_sql(dimension, "p", params)
    assert all(column in expression for column in dimension_columns([dimension]))
    assert params == ({"p": "tier"} if dimension.startswith("group.") else {})


@given(
    st.text(min_size=1).filter(lambda t: t not in DIMENSIONS and not t.startswith("group.")),
)
def test_no_other_name_reaches_the_statement(name: str) -> None:
    with pytest.raises(BadInput, match="unknown dimension"):
        dimension_sql(name, "p", {})


@given(name=st.text(), value=st.text(), label=st.text(min_size=1))
def test_what_users_write_stands_in_parameters_alone(name: str, value: str, label: str) -> None:
    where = Match(f"group.{name}", (value,)), Match("tenant", (value,), is_in=False)
    indicator = make_indicator(
        S.EVALUATION, where=where, bad_labels=(label,), evaluator=label, subject=label
    )
    found = predicate_of(indicator)
    plain = predicate_of(make_indicator(
        S.EVALUATION, where=(Match("group.a", ("b",)), Match("tenant", ("b",), is_in=False)),
        bad_labels=("c",), evaluator="c", subject="c",
    ))  # fmt: skip
    assert (found.valid, found.bad, found.value) == (plain.valid, plain.bad, plain.value)
    assert found.params == {
        "where_0_key": name, "where_0": [value], "where_1": [value], "name": label,
        "evaluator": label, "bad_labels": [label],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("signal", "limit"), [(S.LATENCY, 2_500_000.0), (S.COST, 2.5), (S.SCORING_LAG, 2_500_000.0)]
)
def test_durations_are_compared_in_microseconds(signal: S, limit: float) -> None:
    assert limit_of(make_indicator(signal, threshold=2.5)) == limit


def test_only_what_needs_a_threshold_asks_for_one() -> None:
    for signal in (S.AVAILABILITY, S.COVERAGE, S.EVALUATION):
        assert limit_of(make_indicator(signal)) is None
    with pytest.raises(BadInput, match="no threshold"):
        limit_of(make_indicator(S.LATENCY))


def test_our_own_indicators_are_of_faithfulness_where_nothing_is_named() -> None:
    assert subject_of(make_indicator(S.COVERAGE)) == "faithfulness"
    with pytest.raises(BadInput, match="names nothing"):
        subject_of(make_indicator(S.METRIC))


def test_no_more_columns_are_read_than_needed() -> None:
    assert set(columns_of(make_indicator())) == {"error_type"}
    assert set(columns_of(make_indicator(S.COVERAGE))) == {"name", "evaluator", "skipped_reason"}
