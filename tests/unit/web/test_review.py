"""Review: verdicts on the evaluation's own scale, shown without the detector's opinion."""

import pytest

from seakeeping.errors import BadInput
from seakeeping.records import EVALUATION_KINDS, LabelKind
from seakeeping.web import review
from seakeeping.web.review import ReviewPage, build, label_of, value_of, verdicts
from seakeeping.web.testing import MemoryDecided, MemoryStore, StillClock, fill, fill_decided

CLOCK = StillClock()
STORE = fill(MemoryStore(), CLOCK.now())
BUDGETS = [r.budget for r in fill_decided(MemoryDecided(CLOCK), CLOCK.now()).measured]
SHOWPIECE = (f"{'5a11':0>32}", f"{'5a11':0>16}")


def page(name: str = "faithfulness") -> ReviewPage:
    call = STORE.interaction(*SHOWPIECE)
    return build(
        name, "", call, STORE.evaluations_of(*SHOWPIECE), STORE.trace(SHOWPIECE[0]), (), BUDGETS,
        waiting=3, is_drawn=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", EVALUATION_KINDS)
def test_a_verdict_is_a_value_of_its_evaluation(name: str) -> None:
    kind = EVALUATION_KINDS[name]
    good, bad = verdicts(name)
    assert {good.value, bad.value} == {kind.low, kind.high}
    assert (good.value > bad.value) is kind.higher_is_better
    assert value_of(name, kind.good_label) == value_of(name, good.word) == good.value
    assert value_of(name, kind.bad_label) == bad.value


def test_a_foreign_evaluation_is_good_or_bad() -> None:
    assert [(v.word, v.value) for v in verdicts("correctness")] == [("good", 1.0), ("bad", 0.0)]


def test_an_unknown_verdict_is_named() -> None:
    with pytest.raises(BadInput, match="'fine' is no verdict on faithfulness") as error:
        value_of("faithfulness", "fine")
    assert "supported" in error.value.hint


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_value_off_the_scale_is_refused(value: float) -> None:
    with pytest.raises(BadInput, match="is not from 0 to 1"):
        label_of("t", "s", "faithfulness", value, author="ada", at=1.0)


def test_a_label_says_who_when_and_claims_no_probability() -> None:
    label = label_of("t", "s", "faithfulness", 0.0, author="ada", at=1.0)
    assert (label.by, label.author, label.sampling_probability) == (LabelKind.HUMAN, "ada", None)


def test_the_answer_is_shown_without_the_detectors_marks() -> None:
    shown = page()
    assert shown.call is not None
    assert shown.marked is not None
    assert [p.numbers for p in shown.call.answer] == [()]
    assert shown.call.findings == ()
    assert shown.marked.findings
    assert all(not d.cited for d in shown.call.documents)
    assert shown.detector == "faithfulness says unsupported 0.51"


def test_the_page_names_what_the_label_is_for() -> None:
    (need,) = page().needs
    assert need.title == "harbour-assistant/faithfulness"
    assert need.words == "212 labels so far, settled"
    (refusals,) = page("refusal").needs
    assert refusals.words == "88 labels so far, about 140 more would settle it"
    assert page("toxicity").needs == ()


def test_counted_objectives_need_no_labels() -> None:
    assert page("response_validity").needs == ()


def test_nothing_waits() -> None:
    empty = build("faithfulness", "crew-chat", None, (), (), (), BUDGETS, waiting=0, is_drawn=False)
    assert (empty.call, empty.marked, empty.service) == (None, None, "crew-chat")
    assert [need.words for need in empty.needs] == [
        "0 labels so far, about 110 more would settle it"
    ]


def test_the_meaning_of_a_foreign_evaluation_is_the_plain_one() -> None:
    assert page("correctness").meaning == "0 is bad, 1 is good"
    assert review.verdicts("correctness")[0].key == "g"
