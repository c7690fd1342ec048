"""The label bank: who is believed, what may correct, and what is only counted."""

from dataclasses import replace

import numpy as np
import pytest

from seakeeping.observe.bank import (
    LEAST_AUDITED,
    MOST_LABELS,
    contradictions,
    make_bank,
    may_correct,
    resolve,
)
from seakeeping.records import LabelKind, LabelledScore

HUMAN, JUDGE, USER = LabelKind.HUMAN, LabelKind.JUDGE, LabelKind.USER


def label(
    number: int, truth: float = 0.0, by: LabelKind = HUMAN, chance: float | None = 0.1,
    author: str = "ann", score: float = 0.2,
) -> LabelledScore:  # fmt: skip
    return LabelledScore(
        trace_id=f"{number:032x}", span_id="1", service_name="shop", started_at=float(number),
        at=float(number) + 60, truth=truth, score=score, is_flagged=score > 0.5, by=by,
        author=author, sampling_probability=chance,
    )  # fmt: skip


def test_people_are_believed_before_judges_before_users() -> None:
    spoken = [label(1, 1.0, USER, None), label(1, 0.5, JUDGE), label(1, 0.0, HUMAN)]
    assert [one.by for one in resolve(spoken)] == [HUMAN]
    assert [one.by for one in resolve(spoken[:2])] == [JUDGE]
    assert [one.by for one in resolve(spoken[:1])] == [USER]


def test_several_of_one_kind_are_averaged_and_the_newest_lends_its_name() -> None:
    older, newer = label(1, 1.0, author="zoe"), replace(label(1, 0.0, author="bob"), at=99.0)
    (one,) = resolve([newer, older])
    assert one.truth == 0.5
    assert (one.author, one.at) == ("bob", 99.0)


def test_of_one_kind_the_drawn_label_counts() -> None:
    (one,) = resolve([label(1, 1.0, chance=None, author="zoe"), label(1, 0.0, chance=0.3)])
    assert (one.truth, one.sampling_probability) == (0.0, 0.3)


def test_the_order_of_labels_does_not_matter() -> None:
    some = [label(n, float(n % 2), by) for n in range(20) for by in (JUDGE, HUMAN)]
    assert resolve(some) == resolve(some[::-1])
    assert [one.started_at for one in resolve(some)] == [float(n) for n in range(20)]


def test_contradictions_are_counted_within_the_kind_that_is_believed() -> None:
    torn = [label(1, 1.0), label(1, 0.0, author="bob")]
    agreed = [label(2, 1.0), label(2, 0.8, author="bob")]
    overruled = [label(3, 1.0), label(3, 0.0, JUDGE), label(3, 0.0, USER, None)]
    assert contradictions(torn + agreed + overruled) == 1
    assert make_bank(torn + agreed + overruled).contradicted == 1


@pytest.mark.parametrize(
    ("by", "chance", "expected"),
    [
        (HUMAN, 0.2, True), (HUMAN, 1.0, True), (HUMAN, None, False),
        (USER, None, False), (USER, 1.0, False), (JUDGE, 0.5, False),
    ],
)  # fmt: skip
def test_only_drawn_labels_of_people_may_correct(
    by: LabelKind, chance: float | None, expected: bool
) -> None:
    assert may_correct(label(1, by=by, chance=chance)) is expected


def test_what_may_not_correct_is_counted() -> None:
    bank = make_bank([
        label(1), label(2, chance=None), label(3, by=USER, chance=None),
        label(4, by=USER, chance=None), label(5, by=JUDGE),
    ])  # fmt: skip
    assert (len(bank.labels), bank.undrawn, bank.thumbs, bank.unaudited) == (1, 1, 2, 1)


def test_a_label_weighs_what_it_stands_for() -> None:
    bank = make_bank([label(1, chance=0.5), replace(label(2, chance=0.1), weight=3.0)])
    assert bank.labels.weights.tolist() == pytest.approx([2.0, 30.0])


def test_a_bank_keeps_the_newest() -> None:
    bank = make_bank([label(n, float(n < 100)) for n in range(MOST_LABELS + 100)])
    assert len(bank.labels) == MOST_LABELS
    assert bank.labels.truths.sum() == 0


def test_no_labels_make_an_empty_bank() -> None:
    bank = make_bank([])
    assert len(bank.labels) == 0
    assert bank.point is None
    assert bank.audit is None


def test_a_bank_is_equal_only_to_itself() -> None:
    bank = make_bank([label(1)])
    assert bank == bank
    assert bank != make_bank([label(1)])
    assert hash(bank) == hash(bank)


def test_an_operating_point_needs_five_of_each() -> None:
    some = [label(n, score=0.9 if n == 0 else 0.1) for n in range(20)]
    bad = [label(100 + n, 1.0, score=0.9 if n else 0.1) for n in range(5)]
    assert make_bank(some + bad[:4]).point is None
    point = make_bank(some + bad).point
    assert point is not None
    assert (point.sensitivity, point.specificity) == pytest.approx((0.8, 0.95))


def test_a_good_service_is_not_unknown_for_want_of_bad_answers() -> None:
    good = [label(n, score=0.9 if n % 5 == 0 else 0.1) for n in range(60)]
    assert make_bank(good[:40]).point is None
    for bad in ([], [label(100, 1.0, score=0.1)]):
        point = make_bank(good + bad).point
        assert point is not None
        assert (point.sensitivity, point.specificity) == pytest.approx((1.0, 0.8))


def test_a_bank_says_since_when_labels_speak() -> None:
    assert make_bank([]).since == float("inf")
    some = [label(n) for n in range(20)]
    assert make_bank(some).since == min(one.started_at for one in some)


def judged(count: int, human: int) -> list[LabelledScore]:
    """Return answers that a judge labelled, the first of them by a person too."""
    by_judge = [label(n, float(n % 5 == 0), JUDGE) for n in range(count)]
    return by_judge + [label(n, float(n % 4 == 0), HUMAN) for n in range(human)]


def test_a_judge_counts_only_with_an_audit() -> None:
    assert make_bank(judged(400, LEAST_AUDITED - 1)).audit is None
    audit = make_bank(judged(400, LEAST_AUDITED)).audit
    assert audit is not None
    assert len(audit.judged) == 400
    assert len(audit.differences) == LEAST_AUDITED


def test_an_audit_is_person_less_judge() -> None:
    audit = make_bank(judged(400, 100)).audit
    assert audit is not None
    expected = [float(n % 4 == 0) - float(n % 5 == 0) for n in range(100)]
    assert audit.differences.tolist() == expected


def test_a_judge_on_answers_that_nobody_drew_is_not_used() -> None:
    undrawn = [label(n, by=JUDGE, chance=None) for n in range(100)]
    people = [label(n) for n in range(100)]
    assert make_bank(undrawn + people).audit is None


def drifting(before: int, after: int, seed: int = 1) -> list[LabelledScore]:
    """Return labels of a detector whose scores all rise after a while."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(before + after):
        truth = float(random.random() < 0.1)
        centre = 0.2 + 0.4 * truth + (0.35 if number >= before else 0.0)
        score = float(np.clip(centre + 0.1 * random.standard_normal(), 0, 1))
        made.append(label(number, truth, score=score))
    return made


def test_labels_from_before_a_change_do_not_correct_a_window_after_it() -> None:
    some = drifting(300, 200)
    bank = make_bank(some, window_start=400.0)
    assert 280 <= bank.outdated <= 320
    assert len(bank.labels) == 500 - bank.outdated


def test_labels_of_the_window_itself_all_count() -> None:
    bank = make_bank(drifting(300, 200), window_start=0.0)
    assert (len(bank.labels), bank.outdated) == (500, 0)
    assert bank.detector_changed_at is not None


def test_an_operating_point_is_learnt_since_the_detector_changed() -> None:
    bank = make_bank(drifting(300, 200))
    assert bank.point is not None
    assert bank.point.specificity < 0.5  # it flags most good answers by now
    steady = make_bank(drifting(500, 0))
    assert steady.point is not None
    assert steady.point.specificity > 0.95


def test_older_labels_help_while_nothing_changed() -> None:
    bank = make_bank(drifting(500, 0), window_start=450.0)
    assert len(bank.labels) == 500
