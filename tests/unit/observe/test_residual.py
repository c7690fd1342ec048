"""Whether a detector's errors are still what they were."""

import numpy as np

from seakeeping.observe.residual import (
    LEAST_BASELINE,
    detector_change,
    label_weight,
    residual_change,
)
from seakeeping.records import LabelKind, LabelledScore


def stream(
    seed: int, parts: list[tuple[int, float, float]], chance: float = 0.05
) -> list[LabelledScore]:
    """Return labels; each part has a length, a share of bad answers and a shift of all scores."""
    random = np.random.default_rng(seed)
    made: list[LabelledScore] = []
    for length, share, shift in parts:
        for _ in range(length):
            truth = float(random.random() < share)
            noisy = 0.25 + 0.35 * truth + shift + 0.12 * random.standard_normal()
            score = float(np.clip(noisy, 0, 1))
            number = len(made)
            made.append(LabelledScore(
                f"{number:032x}", "1", "shop", 1000.0 + number, 2000.0 + number, truth, score,
                score > 0.5, LabelKind.HUMAN, "ann", chance,
            ))  # fmt: skip
    return made


def test_a_steady_detector_raises_no_alarm() -> None:
    alarms = [
        (residual_change(labels), detector_change(labels))
        for labels in (stream(seed, [(500, 0.1, 0.0)]) for seed in range(40))
    ]
    assert sum(pair != (None, None) for pair in alarms) <= 1


def test_a_detector_that_drifts_is_noticed_and_dated() -> None:
    for seed in range(10):
        labels = stream(seed, [(300, 0.1, 0.0), (200, 0.1, 0.45)])
        for found in (residual_change(labels), detector_change(labels)):
            assert found is not None
            assert abs(found - 1300) <= 40


def test_worse_answers_change_the_residual_but_are_no_fault_of_the_detector() -> None:
    noticed, blamed = 0, 0
    for seed in range(20):
        labels = stream(seed, [(300, 0.05, 0.0), (300, 0.4, 0.0)])
        noticed += residual_change(labels) is not None
        blamed += detector_change(labels) is not None
    assert noticed >= 18
    assert blamed <= 1


def test_scores_that_fall_are_noticed_as_scores_that_rise() -> None:
    labels = stream(3, [(300, 0.1, 0.25), (250, 0.1, 0.0)])
    assert residual_change(labels) is not None
    assert detector_change(labels) is not None


def test_too_few_labels_say_nothing() -> None:
    labels = stream(1, [(LEAST_BASELINE, 0.1, 0.0)])
    assert residual_change(labels) is None
    assert residual_change([]) is None
    assert detector_change([]) is None


def test_a_detector_that_only_misses_bad_answers_is_noticed_among_them() -> None:
    before = stream(5, [(400, 0.5, 0.0)])
    after = [
        one if one.truth < 0.5 else LabelledScore(
            one.trace_id, "1", "shop", one.started_at + 400, one.at, one.truth, 0.2, False,
            one.by, one.author, one.sampling_probability,
        )
        for one in stream(6, [(300, 0.5, 0.0)])
    ]  # fmt: skip
    assert detector_change(before + after) is not None


def test_a_label_stands_for_the_answers_it_was_drawn_from() -> None:
    (one,) = stream(1, [(1, 0.1, 0.0)], chance=0.04)
    assert label_weight(one) == 25
