import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.observe.labelling.sampling import Candidate, draw, probabilities

SCORES = st.lists(st.floats(0, 1), max_size=60)


def answers(scores: list[float], prefix: str = "t") -> list[Candidate]:
    return [Candidate(f"{prefix}{n}", "s", 1000.0 + n, score) for n, score in enumerate(scores)]


@given(SCORES, st.integers(0, 80))
def test_every_answer_has_a_chance_and_none_more_than_certainty(
    scores: list[float], wanted: int
) -> None:
    found = probabilities(scores, wanted)
    assert len(found) == len(scores)
    assert all(0 < p <= 1 for p in found) if wanted else not any(found)
    assert sum(found) <= wanted + 1e-9


def test_unsure_answers_are_drawn_more_often_and_sure_ones_still_are() -> None:
    sure, unsure = probabilities([0.0, 0.5], 1)
    assert unsure == pytest.approx(0.9)
    assert sure == pytest.approx(0.1)


def test_equal_certainty_means_equal_chances() -> None:
    assert probabilities([0.0, 1.0, 0.0, 1.0], 1) == [0.25] * 4


@given(SCORES, st.integers(1, 80))
def test_a_draw_is_ordered_bounded_and_drawn_again_the_same(
    scores: list[float], wanted: int
) -> None:
    candidates = answers(scores)
    drawn = draw(candidates, wanted, "faithfulness")
    assert len(drawn) == min(wanted, len(candidates))
    assert all(a.rank <= b.rank for a, b in pairwise(drawn))
    shuffled = random.Random(1).sample(candidates, len(candidates))
    assert draw(shuffled, wanted, "faithfulness") == drawn


def test_fewer_wanted_is_the_beginning_of_more_wanted() -> None:
    source = random.Random(3)
    candidates = answers([source.random() for _ in range(200)])
    few = [d.candidate for d in draw(candidates, 10, "faithfulness")]
    more = [d.candidate for d in draw(candidates, 30, "faithfulness")]
    assert more[:10] == few


def test_other_evaluations_draw_other_answers() -> None:
    candidates = answers([0.5] * 200)
    assert draw(candidates, 10, "faithfulness") != draw(candidates, 10, "refusal")


def test_weighted_draws_estimate_the_truth_without_bias() -> None:
    """Hajek's estimate over many draws, each stopped early, is centred on the true rate."""
    source = random.Random(7)
    scores = [source.betavariate(1, 4) for _ in range(400)]
    truth = [float(source.random() < score) for score in scores]
    found = []
    for trial in range(400):
        drawn = draw(answers(scores, f"{trial}-"), 60, "x")[:40]
        weights = [1 / d.probability for d in drawn]
        marks = [truth[round(d.candidate.started_at - 1000)] for d in drawn]
        found.append(sum(w * y for w, y in zip(weights, marks, strict=True)) / sum(weights))
    mean = sum(found) / len(found)
    spread = (sum((f - mean) ** 2 for f in found) / len(found)) ** 0.5
    assert abs(mean - sum(truth) / len(truth)) < 4 * spread / len(found) ** 0.5 + 0.01
