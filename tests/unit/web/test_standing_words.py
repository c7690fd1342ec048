"""How objectives stand, in words: nothing is called more than the evidence says."""

from dataclasses import replace

import pytest

from seakeeping.observe.testing import standard_objectives
from seakeeping.records import Budget, BudgetState, EstimateMethod, Indicator, IndicatorSignal
from seakeeping.web import standing

OBJECTIVE = standard_objectives("shop")[0]
JUDGED = replace(
    OBJECTIVE,
    indicator=Indicator("f", "answers", "good", IndicatorSignal.EVALUATION, subject="faithfulness"),
)
COUNTED = Budget(OBJECTIVE, 0.0, 1000, 5, 0.995, 0.991, 0.998, 0.0, BudgetState.UNCERTAIN,
                 valid_rows=1000, bad_rows=5)  # fmt: skip
ESTIMATED = replace(COUNTED, objective=JUDGED, method=EstimateMethod.PPI, labels=120,
                    labels_needed=80)  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (COUNTED, "99.1 to 99.8 % possible, on both sides of 99.5 %: more events will tell"),
        (ESTIMATED, "about 80 more labels would settle it"),
        (replace(ESTIMATED, high=0.993), "99.1 to 99.3 % possible, all below 99.5 %: about 80"),
        (replace(ESTIMATED, low=0.996), "99.6 to 99.8 % possible, all above 99.5 %: about 80"),
        (replace(ESTIMATED, labels_needed=None), "labels would settle it"),
        (replace(COUNTED, state=BudgetState.OK), "(99.1 to 99.8 %) keeps the target"),
        (replace(COUNTED, state=BudgetState.BREACH), "(99.1 to 99.8 %) misses 99.5 %"),
        (replace(COUNTED, state=BudgetState.NO_DATA), "No valid event in the last 30d"),
    ],
)
def test_a_state_is_told_in_a_sentence(budget: Budget, words: str) -> None:
    assert words in standing.sentence(budget)


def test_no_data_is_never_called_green() -> None:
    said = standing.sentence(replace(COUNTED, state=BudgetState.NO_DATA))
    assert "nothing is green" in said
    assert "target" not in said


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (EstimateMethod.COUNTED, "counted, 1,000 events"),
        (EstimateMethod.PPI, "PPI++, 1,000 answers corrected by 120 labels"),
        (EstimateMethod.LABELS_ONLY, "from 120 labels alone"),
        (EstimateMethod.COLD_START, "no labels yet"),
        (EstimateMethod.UNCORRECTED, "uncorrected: what the detector says of 1,000 answers"),
    ],
)
def test_every_estimate_says_where_it_comes_from(method: EstimateMethod, words: str) -> None:
    assert words in standing.source(replace(ESTIMATED, method=method))


def test_every_method_has_its_own_words() -> None:
    said = {standing.source(replace(ESTIMATED, method=method)) for method in EstimateMethod}
    assert len(said) == len(EstimateMethod)


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({}, True),
        ({"labels_needed": None}, True),
        ({"labels_needed": 0}, False),
        ({"state": BudgetState.OK}, False),
        ({"state": BudgetState.BREACH}, False),
        ({"method": EstimateMethod.COUNTED}, False),
    ],
)
def test_labels_are_asked_for_where_they_would_tell_something(
    changes: dict[str, object], needs: bool
) -> None:
    assert standing.needs_labels(replace(ESTIMATED, **changes)) is needs  # type: ignore[arg-type]


def test_only_evaluations_can_be_reviewed() -> None:
    assert standing.subject(ESTIMATED) == "faithfulness"
    assert standing.subject(COUNTED) == ""


def test_readings_grow_stale() -> None:
    assert standing.is_stale(None, 100.0)
    assert not standing.is_stale(100.0, 100.0 + standing.STALE_S)
    assert standing.is_stale(100.0, 100.1 + standing.STALE_S)


def test_an_interval_that_is_not_known_is_a_dash() -> None:
    assert standing.bounds(None, 0.9) == standing.bounds(0.9, None) == "–"  # noqa: RUF001
    assert standing.bounds(0.5, 1.0) == "50 to 100 %"


@pytest.mark.parametrize(
    ("left", "seconds", "word"),
    [
        (0.5, None, "–"), (0.5, 7200.0, "2 h 0 min"), (0.5, 1e9, "over a year"),  # noqa: RUF001
        (-0.1, None, "spent"), (0.0, 0.0, "spent"), (None, None, "–"),  # noqa: RUF001
    ],
)  # fmt: skip
def test_how_long_a_budget_lasts(left: float | None, seconds: float | None, word: str) -> None:
    budget = replace(COUNTED, remaining_ratio=left, time_to_exhaustion_s=seconds)
    assert standing.lasts(budget) == word


def test_what_no_label_stands_behind_is_marked() -> None:
    marked = {m for m in EstimateMethod if standing.is_unsure(replace(COUNTED, method=m))}
    assert marked == {EstimateMethod.COLD_START, EstimateMethod.UNCORRECTED}
