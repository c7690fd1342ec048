"""Statistics over whatever counts, labels and scores there may be."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seakeeping.observe.bank import make_bank, resolve
from seakeeping.observe.estimate import OPERATING_POINTS, estimate
from seakeeping.records import BudgetState, Counts, EstimateMethod, LabelKind, LabelledScore
from seakeeping.stats.binomial import log_tail
from seakeeping.stats.edetector import Detector
from seakeeping.stats.fisher import log_p_greater, newcombe
from seakeeping.stats.prevalence import Population, labels_only, ppi_mean, prevalence
from seakeeping.stats.proportion import (
    Interval,
    clopper_pearson,
    confidence_sequence,
    confidence_sequences,
    wilson,
)
from seakeeping.stats.sequences import LabelledValues, mean_sequence, ppi_sequence

shares = st.floats(0, 1)
inner = st.floats(1e-4, 1 - 1e-4)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 100_000))
    return draw(st.integers(0, n)), n


@st.composite
def labelled(draw: st.DrawFn) -> LabelledValues:
    size = draw(st.integers(1, 60))
    truths = draw(st.lists(st.sampled_from([0.0, 1.0, 0.5]), min_size=size, max_size=size))
    scores = draw(st.lists(shares, min_size=size, max_size=size))
    weights = draw(st.lists(st.floats(0.1, 50), min_size=size, max_size=size))
    return LabelledValues.of(truths, scores, weights)


@st.composite
def populations(draw: st.DrawFn) -> Population:
    mean = draw(shares)
    return Population(draw(st.integers(1, 10**6)), mean, draw(shares) * mean * (1 - mean))


@st.composite
def label(draw: st.DrawFn) -> LabelledScore:
    return LabelledScore(
        trace_id=draw(st.sampled_from("abcdefgh")), span_id="1", service_name="shop",
        started_at=draw(st.floats(0, 100)), at=draw(st.floats(0, 200)), truth=draw(shares),
        score=draw(shares), is_flagged=draw(st.booleans()), by=draw(st.sampled_from(LabelKind)),
        author=draw(st.sampled_from(["ann", "bob"])),
        sampling_probability=draw(st.none() | st.floats(0.01, 1)),
    )  # fmt: skip


@given(counts(), inner)
def test_a_tail_is_a_probability_and_never_grows_with_the_count(
    pair: tuple[int, int], p: float
) -> None:
    x, n = pair
    assert log_tail(x + 1, n, p) <= log_tail(x, n, p) <= 0


@given(counts(), st.floats(0.001, 0.999), st.floats(0.1, 100), st.floats(0.1, 100))
def test_a_sequence_alone_and_among_many_is_the_same(
    pair: tuple[int, int], alpha: float, a: float, b: float
) -> None:
    alone = confidence_sequence(*pair, alpha, prior=(a, b))
    low, high = confidence_sequences(*pair, alpha, a, b)
    assert float(low) == pytest.approx(alone.low, rel=1e-8, abs=1e-12)
    assert float(high) == pytest.approx(alone.high, rel=1e-8, abs=1e-12)


@given(counts(), counts())
def test_of_two_rates_only_one_can_have_risen(a: tuple[int, int], b: tuple[int, int]) -> None:
    up, down = float(log_p_greater(*a, *b)), float(log_p_greater(*b, *a))
    assert max(up, down) > math.log(0.5) - 1e-9  # P(X >= x) + P(X <= x) > 1
    assert up * -1 + 1e-9 >= -1e-9
    assert max(up, down) <= 0


@given(counts(), counts(), st.floats(0.5, 0.999))
def test_an_interval_of_a_difference_holds_it_and_mirrors(
    a: tuple[int, int], b: tuple[int, int], confidence: float
) -> None:
    low, high = newcombe(*a, *b, confidence)
    difference = a[0] / a[1] - b[0] / b[1]
    assert -1 <= low <= difference + 1e-12
    assert difference - 1e-12 <= high <= 1
    mirrored = newcombe(*b, *a, confidence)
    assert float(mirrored[0]) == pytest.approx(-float(high), abs=1e-12)


@given(labelled(), populations())
@settings(max_examples=60)
def test_every_estimate_of_a_share_is_a_share_within_its_bounds(
    labels: LabelledValues, population: Population
) -> None:
    for found in (prevalence(labels, population), labels_only(labels)):
        assert 0 <= found.low <= found.estimate + 1e-12
        assert found.estimate - 1e-12 <= found.high <= 1
        assert 0 <= found.tuning <= 1
        assert found.variance >= 0


@given(labelled(), populations())
@settings(max_examples=60)
def test_the_tuned_estimate_is_never_wider_than_the_labels_variance_allows(
    labels: LabelledValues, population: Population
) -> None:
    even = LabelledValues.of(labels.truths, labels.scores)
    tuned, alone = ppi_mean(even, population), ppi_mean(even, population, tuning=0.0)
    assert alone.estimate == pytest.approx(float(labels.truths.mean()))
    assert 0 <= tuned.tuning <= 1


@given(labelled(), shares, shares)
@settings(max_examples=40)
def test_a_sequence_of_labels_is_an_interval_and_grows_with_doubt(
    labels: LabelledValues, one: float, other: float
) -> None:
    mean = Interval(min(one, other), max(one, other))
    bounds = ppi_sequence(labels, mean)
    assert 0 <= bounds.low <= bounds.high <= 1
    strict = ppi_sequence(labels, mean, alpha=0.5)
    loose = ppi_sequence(labels, mean, alpha=0.001)
    if strict.low <= strict.high and loose.low < loose.high:
        assert loose.high - loose.low >= min(strict.high - strict.low, 0.0)


@given(st.lists(shares, min_size=1, max_size=60), st.floats(0.001, 0.5))
@settings(max_examples=60)
def test_a_sequence_of_a_mean_holds_the_mean(values: list[float], alpha: float) -> None:
    bounds, mean = mean_sequence(values, alpha), float(np.mean(values))
    assert bounds.low <= mean + 1e-9
    assert mean - 1e-9 <= bounds.high
    stricter = mean_sequence(values, alpha / 10)
    assert stricter.low <= bounds.low + 1e-4
    assert bounds.high <= stricter.high + 1e-4


@given(inner, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=30))
def test_a_detector_takes_any_stream_and_its_state_survives(
    null: float, batches: list[tuple[int, int]]
) -> None:
    detector = Detector(null)
    state = detector.start()
    for number, (bad, good) in enumerate(batches):
        state = detector.advance(state, bad, bad + good, at=float(number))
        assert not math.isnan(state.log_value)
        assert state.since_event is None or 0 <= state.since_event <= state.events
        assert type(state).from_json(state.to_json()) == state
    assert state.events == sum(bad + good for bad, good in batches)


@given(inner, st.integers(1, 200), st.integers(0, 200))
def test_more_flags_never_calm_a_detector(null: float, total: int, flagged: int) -> None:
    detector, flagged = Detector(null), min(flagged, total - 1)
    fewer = detector.advance(detector.start(), flagged, total)
    more = detector.advance(detector.start(), flagged + 1, total)
    assert more.log_value >= fewer.log_value


@given(st.lists(label(), max_size=40))
@settings(max_examples=60)
def test_a_bank_holds_one_truth_an_answer_and_accounts_for_every_answer(
    labels: list[LabelledScore],
) -> None:
    resolved, bank = resolve(labels), make_bank(labels)
    assert len(resolved) == len({(one.trace_id, one.span_id) for one in labels})
    assert resolve(resolved) == resolved
    known = len(bank.labels) + bank.outdated + bank.undrawn + bank.thumbs + bank.unaudited
    assert known == len(resolved)


@given(st.lists(label(), max_size=30), counts(), shares, st.floats(0.001, 0.999))
@settings(max_examples=60)
def test_no_estimate_claims_more_than_its_method_may(
    labels: list[LabelledScore], pair: tuple[int, int], mean: float, budget: float
) -> None:
    bad, n = pair
    seen = Counts(n, bad, n, bad, mean * n, mean * n)
    found = estimate(seen, make_bank(labels), budget, OPERATING_POINTS["faithfulness"])
    decided = found.state in (BudgetState.OK, BudgetState.BREACH)
    assert not decided or found.method in (EstimateMethod.PPI, EstimateMethod.LABELS_ONLY)
    assert decided == (found.labels_needed is None)
    if found.estimate is not None:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(counts(), st.floats(0.5, 0.999))
def test_intervals_hold_the_share_and_nest(pair: tuple[int, int], confidence: float) -> None:
    x, n = pair
    for bound in (wilson, clopper_pearson):
        narrow, wide = bound(x, n, confidence), bound(x, n, 1 - (1 - confidence) / 5)
        assert narrow.low - 1e-12 <= x / n <= narrow.high + 1e-12
        assert wide.low <= narrow.low + 1e-9
        assert narrow.high <= wide.high + 1e-9
