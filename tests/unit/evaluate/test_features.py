"""Each feature, on evidence small enough to count by hand."""

import math

import pytest

from seakeeping.evaluate.faithfulness.evidence import Source
from seakeeping.evaluate.faithfulness.features import (
    DEFAULT_IDF,
    FEATURES,
    POSTINGS_LIMIT,
    Place,
    SentenceFacts,
    facts,
    is_name,
    is_number,
    meet,
)
from seakeeping.evaluate.faithfulness.index import build
from seakeeping.evaluate.faithfulness.tokens import forms, words

TIDE = "The tide rises at noon. The keel weighs 40 tons. Captain Ahab fears no storm."
CREW = "Nine sailors repair sails. The captain sleeps."


def known(
    claim: str, *evidence: str, idf: dict[str, float] | None = None, question: str = ""
) -> SentenceFacts:
    sources = [Source(build(text), n, None, 0) for n, text in enumerate(evidence)]
    said = words(claim, 0, len(claim))
    fact = facts(said, meet(sources, [said.forms]), idf or {}, frozenset(forms(question)))
    assert fact is not None
    return fact


def value(name: str, claim: str, *evidence: str, **more: object) -> float:
    fact = known(claim, *evidence, **more)  # type: ignore[arg-type]
    return fact.features[[feature for feature, _ in FEATURES].index(name)]


def test_coverage_is_the_share_of_content_words_that_are_held() -> None:
    assert value("coverage", "The keel weighs forty tons.", TIDE) == 1
    assert value("coverage", "The keel weighs fifty stones.", TIDE) == 0.5
    assert value("coverage", "Purple elephants dance.", TIDE) == 0


def test_weighted_coverage_weighs_by_rarity() -> None:
    rarity = {"keel": 6.0, "elephant": 2.0}
    assert value("weighted_coverage", "keel elephant", TIDE, idf=rarity) == 0.75
    assert value("weighted_coverage", "keel elephant", TIDE, idf={"keel": DEFAULT_IDF}) == 0.5


def test_the_best_sentence_may_stand_in_any_source() -> None:
    claim = "Sailors repair sails, and the captain sleeps."
    assert value("best_sentence", claim, TIDE, CREW) == pytest.approx(3 / 5)
    assert known(claim, TIDE, CREW).place == Place(1, 0, 1)


def test_the_best_window_is_two_neighbours_of_one_source() -> None:
    claim = "The keel weighs 40 tons and the tide rises."
    assert value("best_window", claim, TIDE) == 1
    apart = ("The keel weighs 40 tons.", "The tide rises.")
    assert value("best_window", claim, *apart) == pytest.approx(4 / 6)


def test_three_sentences_may_come_from_anywhere() -> None:
    claim = "The tide rises, the keel weighs, sailors repair."
    assert value("three_sentences", claim, TIDE, CREW) == 1
    assert value("three_sentences", "Purple elephants dance.", TIDE) == 0


def test_pairs_are_runs_of_two_words_in_the_evidence() -> None:
    assert value("pair_coverage", "The keel weighs 40 tons", TIDE) == 1
    assert value("pair_coverage", "40 tons weighs the keel", TIDE) == pytest.approx(2 / 4)


def test_a_near_word_shares_its_first_letters() -> None:
    near = value("near_coverage", "Sailing captaincy", "The captains were sailors.")
    far = value("near_coverage", "Elephant giraffe", "The captains were sailors.")
    assert (near, far) == (0.5, 0)


def test_neighbouring_words_are_together_where_one_sentence_holds_both() -> None:
    assert value("neighbours_together", "keel tons", TIDE) == 1
    assert value("neighbours_together", "tide tons", TIDE) == 0
    assert value("neighbours_together", "tide noon keel", TIDE) == 0.5


@pytest.mark.parametrize(
    ("claim", "missing", "in_window", "share"),
    [
        ("The keel weighs 40 tons.", 0, 0, 0),
        ("The keel weighs 50 tons.", 1, 1, 1),
        ("The keel weighs 40 or 50 tons.", 1, 1, 0.5),
        ("The keel weighs 1 2 3 4 5 tons.", 3, 3, 1),
        ("The keel weighs much tons.", 0, 0, 0),
    ],
)
def test_numbers_are_counted_up_to_three(
    claim: str, missing: float, in_window: float, share: float
) -> None:
    fact = known(claim, TIDE)
    names = [name for name, _ in FEATURES]
    start = names.index("numbers_missing")
    assert names[start : start + 3] == [
        "numbers_missing", "numbers_missing_in_window", "numbers_missing_share",
    ]  # fmt: skip
    assert fact.features[start : start + 3] == (missing, in_window, share)


def test_a_number_from_elsewhere_misses_in_the_window_only() -> None:
    far = "It rains. It snows. It is 1999 now."
    claim = "The keel weighs 1999 tons."
    assert value("numbers_missing", claim, TIDE, far) == 0
    assert value("numbers_missing_in_window", claim, TIDE, far) == 1


def test_names_are_capitals_within_the_sentence() -> None:
    assert value("names_missing_share", "Captain Ahab met Starbuck.", TIDE) == 0.5
    assert value("names_missing", "Captain Ahab met Starbuck.", TIDE) == 1
    assert value("names_missing_share", "Starbuck met a captain.", TIDE) == 0
    assert value("names_missing_in_window", "The keel of Ahab weighs 40 tons.", TIDE) == 0
    assert value("names_missing_in_window", "The tide of Ahab rises at noon.", TIDE) == 1


def test_missing_words_and_their_runs_are_counted_up_to_a_limit() -> None:
    strange = " ".join(f"x{chr(97 + n)}yz" for n in range(20))
    assert value("words_missing", strange, TIDE) == 10
    assert value("pairs_missing", strange, TIDE) == 5
    assert value("pairs_missing", "purple keel green", TIDE) == 0
    assert value("pairs_missing", "purple elephants keel", TIDE) == 1


def test_the_rarest_missing_word_counts() -> None:
    rarity = {"purpl": 3.5, "keel": 6.0}
    assert value("rarest_missing", "purple keel", TIDE, idf=rarity) == 3.5
    assert value("rarest_missing", "keel tons", TIDE) == 0


def test_negation_on_one_side_only_differs() -> None:
    assert value("negation_differs", "The keel does not weigh 40 tons.", TIDE) == 1
    assert value("negation_differs", "Captain Ahab fears the storm.", TIDE) == 0.5
    assert value("negation_differs", "Captain Ahab fears no storm.", TIDE) == 0
    assert value("negation_differs", "The keel weighs 40 tons.", "The keel weighs 40 tons.") == 0


def test_words_of_direction_that_the_window_lacks_are_counted() -> None:
    assert value("polarity_missing_in_window", "The keel weighs less than 40 tons.", TIDE) == 1
    text = "The keel weighs less than 40 tons."
    assert value("polarity_missing_in_window", text, text) == 0


def test_missing_words_from_the_question_are_told() -> None:
    claim = "purple keel elephant"
    assert value("missing_from_question", claim, TIDE, question="Which elephant?") == 0.5
    assert value("missing_from_question", claim, TIDE) == 0


def test_no_evidence_at_all_is_no_support() -> None:
    fact = known("The keel weighs 40 tons.")
    assert fact.place is None
    assert fact.features[:5] == (0, 0, 0, 0, 0)
    assert len(fact.missing) == 4


def test_fewer_than_two_content_words_are_no_claim() -> None:
    said = words("It is the keel.", 0, 15)
    assert facts(said, meet([], [said.forms]), {}, frozenset()) is None


def test_missing_words_are_told_by_their_number() -> None:
    claim = "The purple keel weighs 50 tons."
    fact = known(claim, TIDE)
    raws = words(claim, 0, len(claim)).raws
    assert [raws[number] for number in fact.missing] == ["purple", "50"]


def test_ties_go_to_what_stands_first() -> None:
    assert known("The keel weighs 40 tons.", TIDE, TIDE).place == Place(0, 1, 1)


def test_a_word_of_very_many_sentences_is_looked_up_in_few() -> None:
    many = "The keel. " * (3 * POSTINGS_LIMIT)
    said = words("keel weighs", 0, 11)
    meeting = meet([Source(build(many), 0, None, 0)], [said.forms])
    assert len(meeting.postings["keel"]) == POSTINGS_LIMIT


def test_windows_do_not_reach_from_one_source_into_the_next() -> None:
    said = words("keel sails", 0, 10)
    sources = [Source(build("The keel."), 0, None, 0), Source(build("The sails."), 1, None, 0)]
    meeting = meet(sources, [said.forms])
    assert meeting.sentences[1] == frozenset()
    assert meeting.firsts == [0, 2]
    fact = facts(said, meeting, {}, frozenset())
    assert fact is not None
    assert fact.features[3] == 0.5


def test_numbers_and_names_are_told_by_their_spelling() -> None:
    assert is_number("3rd")
    assert not is_number("third")
    assert is_name("Ahab")
    assert not is_name("A")
    assert not is_name("ahab")


def test_features_are_named_once_and_directions_are_signs() -> None:
    names = [name for name, _ in FEATURES]
    assert len(set(names)) == len(names)
    assert {direction for _, direction in FEATURES} <= {-1, 0, 1}
    assert math.isclose(DEFAULT_IDF, 7.0)
