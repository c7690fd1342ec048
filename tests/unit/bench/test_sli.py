"""The simulated world of bench/sli is what it says it is."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from bench.sli.cells import Cell, Figure, cell, shortfalls
from bench.sli.looks import streams
from bench.sli.real import Answers, mixed, whole
from bench.sli.world import calibrated, detector, look


def area(seen_good: npt.NDArray[np.float64], seen_bad: npt.NDArray[np.float64]) -> float:
    below = np.cumsum(seen_good) - seen_good
    return float(seen_bad @ (below + seen_good / 2))


@pytest.mark.parametrize("auroc", [0.6, 0.85, 0.97])
@pytest.mark.parametrize("drift", [0.0, 0.5])
def test_a_detector_has_the_area_that_was_asked_for(auroc: float, drift: float) -> None:
    seen = detector(auroc, drift)
    assert seen.of_good.sum() == pytest.approx(1)
    assert seen.of_bad.sum() == pytest.approx(1)
    assert area(seen.of_good, seen.of_bad) == pytest.approx(auroc, abs=0.001)


def test_drift_moves_scores_and_nothing_else() -> None:
    before, after = detector(0.85), detector(0.85, 0.5)
    for chances, moved in ((before.of_good, after.of_good), (before.of_bad, after.of_bad)):
        logits = np.log(before.scores / (1 - before.scores))
        assert float((moved - chances) @ logits) == pytest.approx(0.5, abs=0.03)


def test_scores_are_calibrated_at_the_share_they_were_made_for() -> None:
    seen = detector(0.85)
    bad = 0.3 * seen.of_bad / (0.3 * seen.of_bad + 0.7 * seen.of_good)
    middle = slice(40, 360)
    assert bad[middle] == pytest.approx(seen.scores[middle], abs=0.01)


def test_a_look_holds_one_stream() -> None:
    one = look(np.random.default_rng(1), detector(0.9), 0.2, 50_000, 2000)
    assert one.population.n == one.counts.valid_rows == 50_000
    assert one.population.mean == pytest.approx(one.counts.score_sum / one.counts.valid)
    assert float(one.labels.scores.mean()) == pytest.approx(one.population.mean, abs=0.02)
    assert float(one.labels.truths.mean()) == pytest.approx(0.2, abs=0.03)
    assert float(one.flags.mean()) == pytest.approx(one.counts.bad / one.counts.valid, abs=0.03)


def test_an_operating_point_is_measured_with_noise() -> None:
    seen = detector(0.85)
    points = [calibrated(np.random.default_rng(n), seen, 1000) for n in range(50)]
    found = float(seen.of_bad[seen.flags].sum())
    spread = np.std([point.sensitivity for point in points])
    assert np.mean([point.sensitivity for point in points]) == pytest.approx(found, abs=0.01)
    assert spread == pytest.approx(math.sqrt(found * (1 - found) / 500), rel=0.4)


def test_the_same_cell_gives_the_same_figures() -> None:
    assert cell(0.05, 50, 0.0, 20) == cell(0.05, 50, 0.0, 20)


def test_a_cell_that_falls_short_is_named() -> None:
    good = {"ours": Figure(0.95, 0.1, 0.0), "wilson": Figure(0.95, 0.1, 0.0)}
    assert shortfalls([Cell(0.05, 200, 0.0, good)]) == []
    assert shortfalls([Cell(0.2, 200, 0.0, good)]) == [
        "20%, 200 labels, drift 0: 1.000 times Wilson's width"
    ]
    narrow = {**good, "ours": Figure(0.939, 0.09, 0.0)}
    assert shortfalls([Cell(0.05, 200, 0.5, narrow)]) == [
        "5%, 200 labels, drift 0.5: coverage 0.9390"
    ]


def test_one_look_looked_at_again_is_wrong_more_often_than_the_sequence() -> None:
    found = streams(0.05, 120, 30)
    assert found.sequence_wrong <= found.one_look_wrong
    assert found.sequence_width > found.one_look_width


def test_real_answers_are_drawn_whole_or_mixed_to_a_share() -> None:
    random = np.random.default_rng(3)
    truths = (random.random(400) < 0.6).astype(float)
    scores = np.clip(0.3 + 0.3 * truths + 0.15 * random.standard_normal(400), 0, 1)
    answers = Answers("made up", truths, scores, (scores > 0.5).astype(float))
    as_it_is = whole(answers, 100, 60)
    assert as_it_is.share == pytest.approx(truths.mean())
    assert as_it_is.figures["ours"][0] >= 0.9
    at_a_share = mixed(answers, 0.1, 100, 60)
    assert (at_a_share.share, at_a_share.answers) == (0.1, 20_000)
    assert at_a_share.figures["ours"][0] >= 0.85
    assert at_a_share.figures["naive"][0] < 0.5
