"""Our evaluators keep the contract that other people's are held to, and the suite has teeth."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from seakeeping.evaluate.contract import check_evaluator, odd_calls
from seakeeping.evaluate.registry import load_evaluators
from seakeeping.evaluate.verdict import scored, skipped
from seakeeping.protocols import CostClass, Evaluator
from seakeeping.records import Evaluation, Interaction


@pytest.mark.parametrize("evaluator", load_evaluators(), ids=lambda e: str(e.name))
def test_our_evaluators_keep_the_contract(evaluator: Evaluator) -> None:
    check_evaluator(evaluator)


class Honest:
    """Scores the length of an answer; keeps every promise."""

    name = "length"
    version = "1"
    needs = frozenset({"answer_text"})
    cost_class = CostClass.CPU

    def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        return [self.judge(interaction) for interaction in interactions]

    def judge(self, interaction: Interaction) -> Evaluation:
        if not interaction.answer_text:
            return skipped(self, interaction, "no_answer")
        size = len(interaction.answer_text)
        finding = {"start": 0, "end": size, "score": 1.0, "label": None, "reason": None}
        return scored(self, interaction, float(size), None, evidence=[finding])


class NeverTwiceTheSame(Honest):
    """Remembers how often it was asked."""

    asked = 0

    def judge(self, interaction: Interaction) -> Evaluation:
        self.asked += 1
        return replace(super().judge(interaction), explanation=str(self.asked))


class Backwards(Honest):
    """Loses the order."""

    def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        return super().evaluate(interactions)[::-1]


class Forgetful(Honest):
    """Leaves out what it cannot judge."""

    def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        return [e for e in super().evaluate(interactions) if e.skipped_reason is None]


def changed(change: Callable[[Evaluation], Evaluation]) -> Evaluator:
    """Return the honest evaluator with one thing changed in all it says."""

    class Changed(Honest):
        def judge(self, interaction: Interaction) -> Evaluation:
            return change(super().judge(interaction))

    return Changed()


def test_somebody_elses_honest_evaluator_passes() -> None:
    check_evaluator(Honest())


@pytest.mark.parametrize(
    ("evaluator", "promise"),
    [
        (NeverTwiceTheSame(), "second run"),
        (Backwards(), "in order"),
        (Forgetful(), "in order"),
        (changed(lambda e: replace(e, name="other")), "in order"),
        (changed(lambda e: replace(e, evaluator_version="0")), "other versions"),
        (changed(lambda e: replace(e, skipped_reason="tired")), "never both"),
        (changed(lambda e: replace(e, evidence=({"start": 0, "end": 10**9},))), "outside"),
        (changed(lambda e: replace(e, evidence=({"document": 99},))), "no such document"),
        (changed(lambda e: replace(e, score_value=float("nan"), skipped_reason=None)), "number"),
    ],
)
def test_every_broken_promise_is_found(evaluator: Evaluator, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_evaluator(evaluator)


def test_an_evaluator_that_raises_for_odd_content_fails() -> None:
    def refuse(evaluation: Evaluation) -> Evaluation:
        raise ValueError("too odd")

    with pytest.raises(ValueError, match="too odd"):
        check_evaluator(changed(refuse))


def test_odd_calls_have_ids_of_their_own() -> None:
    keys = [call.key for call in odd_calls()]
    assert len(set(keys)) == len(keys)
