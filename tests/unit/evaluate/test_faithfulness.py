"""From claims to findings: what is scored, with which features, and what a reader is shown."""

import json
import random
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.faithfulness import Faithfulness
from seakeeping.evaluate.faithfulness.claims import ANSWER_CHARS, claims, is_code
from seakeeping.evaluate.faithfulness.evidence import Source
from seakeeping.evaluate.faithfulness.features import FEATURES, facts, meet
from seakeeping.evaluate.faithfulness.index import build
from seakeeping.evaluate.faithfulness.model import THRESHOLD, load_model
from seakeeping.records import Evaluation, Interaction, JsonObject

HARBOUR = (
    "The old harbour of Brest was built in 1631 by Cardinal Richelieu. It has four basins. "
    "The harbour opens at six in the morning. Fishing boats pay a fee of 120 euros a month. "
    "The harbour master, Anne Kerjean, has her office on the northern quay."
)
TRUE = (
    "The old harbour of Brest was built in 1631. Fishing boats pay a fee of 120 euros a month, and "
    "the harbour opens at six in the morning."
)
FALSE = (
    "The new airport of Lyon was finished in 1987 by Gustave Eiffel. Passenger trains need a "
    "permit of 900 dollars, and the museum closes on Sundays."
)


@pytest.fixture(scope="module")
def judge() -> Faithfulness:
    return Faithfulness()


def evaluate(judge: Faithfulness, answer: str, *documents: str) -> Evaluation:
    [evaluation] = judge.evaluate([plain_call(answer=answer, documents=documents or [HARBOUR])])
    return evaluation


def findings(judge: Faithfulness, answer: str, *documents: str) -> list[JsonObject]:
    return list(evaluate(judge, answer, *documents).evidence)


def marked(answer: str, finding: JsonObject) -> dict[str, list[str]]:
    """Return the marked texts of a finding by reason."""
    found: dict[str, list[str]] = {}
    spans = finding["spans"]
    assert isinstance(spans, Sequence)
    for span in spans:
        assert isinstance(span, Mapping)
        start, end = span["start"], span["end"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        found.setdefault(str(span["reason"]), []).append(answer[start:end])
    return found


def test_what_the_documents_say_is_supported(judge: Faithfulness) -> None:
    evaluation = evaluate(judge, TRUE)
    assert evaluation.score_label == "supported"
    assert evaluation.score_value is not None
    assert evaluation.score_value > 0.9
    assert evaluation.explanation == "0 of 2 claims lack support"


def test_what_they_do_not_say_is_unsupported(judge: Faithfulness) -> None:
    evaluation = evaluate(judge, FALSE)
    assert evaluation.score_label == "unsupported"
    assert evaluation.score_value is not None
    assert evaluation.score_value < 0.1


def test_one_invented_sentence_is_told_from_the_others(judge: Faithfulness) -> None:
    invented = "Its owner, Jean Moreau, sold it to Norway in 2004 for 3 million."
    answer = f"{TRUE} {invented}"
    found = findings(judge, answer)
    labels = [finding["label"] for finding in found]
    assert labels == ["supported", "supported", "unsupported"]
    last = found[-1]
    start, end = last["start"], last["end"]
    assert isinstance(start, int)
    assert isinstance(end, int)
    assert answer[start:end] == invented


def test_findings_point_at_the_evidence(judge: Faithfulness) -> None:
    [finding] = findings(judge, "Fishing boats pay 120 euros a month.", "Nothing here.", HARBOUR)
    assert finding["document"] == 1
    start, end = finding["document_start"], finding["document_end"]
    assert isinstance(start, int)
    assert isinstance(end, int)
    assert "Fishing boats pay a fee" in HARBOUR[start:end]


def test_evidence_from_the_prompt_names_its_message(judge: Faithfulness) -> None:
    call = plain_call(answer=TRUE, documents=[], question=f"Context: {HARBOUR}\n\nTell me.")
    [evaluation] = judge.evaluate([call])
    finding = evaluation.evidence[0]
    assert (finding["document"], finding["message"], finding["part"]) == (None, 0, 0)
    assert evaluation.score_label == "supported"


@pytest.mark.parametrize(
    ("answer", "reason", "text"),
    [
        ("The harbour has nine basins of 77 metres.", "number_not_in_evidence", "77"),
        ("The harbour was built in 1731 by Richelieu.", "date_not_in_evidence", "1731"),
        ("The harbour opens in August each morning.", "date_not_in_evidence", "August"),
        ("The harbour master is Anne Dupont Martin.", "name_not_in_evidence", "Dupont Martin"),
        (
            "The harbour fee is at https://evil.example/pay. See it.",
            "url_not_in_evidence",
            "https://evil.example/pay",
        ),
        (
            'The harbour master said "boats are never welcome here" in 1631.',
            "quote_not_in_evidence",
            '"boats are never welcome here"',
        ),
        ("The old harbour was built in 1631 [7].", "citation_not_in_evidence", "[7]"),
    ],
)
def test_exact_checks_name_what_is_made_up(
    judge: Faithfulness, answer: str, reason: str, text: str
) -> None:
    finding = findings(judge, answer)[0]
    assert reason in str(finding["reason"]).split(",")
    assert text in marked(answer, finding)[reason]


@pytest.mark.parametrize(
    "answer",
    [
        "The old harbour was built in 1631 [1].",
        'The text says "built in 1631 by Cardinal Richelieu" of it.',
        "The harbour master is Anne Kerjean of Brest.",
        "1. The harbour opens at 6 in the morning.",
    ],
)
def test_exact_checks_leave_the_true_alone(judge: Faithfulness, answer: str) -> None:
    exact = {reason for reason in marked(answer, findings(judge, answer)[0])}
    assert exact <= {"word_not_in_evidence"}


def test_an_address_of_the_evidence_is_known(judge: Faithfulness) -> None:
    answer = "The fee list stands at https://brest.example/fees, it says."
    [finding] = findings(judge, answer, "The fee list: https://brest.example/fees is online.")
    assert "url_not_in_evidence" not in marked(answer, finding)


def test_no_finding_quotes_the_text(judge: Faithfulness) -> None:
    secret = "The password of the harbour office is hunter2 since 1999."
    evaluation = evaluate(judge, secret)
    assert "hunter2" not in json.dumps(evaluation.evidence) + str(evaluation.explanation)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (plain_call(documents=[]), "no_context"),
        (plain_call(answer="I'm sorry, but I can't help with that."), "refusal"),
        (plain_call(answer="Yes, it is."), "too_short"),
        (plain_call(answer="Would you like to know more about it?"), "too_short"),
        (plain_call(answer="```python\nprint('harbour')\nprint('fee')\n```"), "code"),
        (plain_call(answer="  "), "no_answer"),
        (plain_call(answer=None), "no_content"),
        (replace(plain_call(), is_answer=False), "not_an_answer"),
        (replace(plain_call(), error_type="Timeout"), "call_failed"),
    ],
)
def test_what_cannot_be_judged_says_why(
    judge: Faithfulness, call: Interaction, reason: str
) -> None:
    [evaluation] = judge.evaluate([call])
    assert evaluation.skipped_reason == reason
    assert evaluation.score_value is None


def test_courtesies_questions_and_silence_are_no_claims() -> None:
    answer = (
        "Sure! Here is the answer:\nThe harbour opens at six. The text does not mention a fee. "
        "Is there anything else? I hope this helps! Let me know if you need more details."
    )
    found, is_cut = claims(answer)
    texts = [answer[claim.sentence.start : claim.sentence.end] for claim in found]
    assert texts == ["The harbour opens at six."]
    assert not is_cut


def test_numbers_that_only_count_the_points_are_no_claims() -> None:
    answer = "It can be caused by: 1. Low quality 2. Old age of 40 3. Drugs. It was so in 12 cases."
    found, _ = claims(answer)
    said = [raw for claim in found for raw in claim.words.raws if raw[0].isdigit()]
    assert said == ["40", "12"]
    found, _ = claims("The old captain was only 12. The other one was nearly 40.")
    assert [raw for claim in found for raw in claim.words.raws if raw[0].isdigit()] == ["12", "40"]


def test_code_within_prose_is_left_out_and_the_prose_is_not() -> None:
    answer = (
        "The harbour fee is computed like this.\n```python\nfee = 120 * months\n```\nIt is due."
    )
    found, _ = claims(answer)
    assert len(found) == 1
    assert not is_code(answer + " The office is on the northern quay, and opens at six." * 3)


def test_a_giant_answer_is_cut_and_says_so(judge: Faithfulness) -> None:
    evaluation = evaluate(judge, f"{TRUE} " * (ANSWER_CHARS // 50))
    assert "the answer was cut for its size" in str(evaluation.explanation)


def test_giant_evidence_is_cut_and_says_so(judge: Faithfulness) -> None:
    evaluation = evaluate(judge, TRUE, f"{HARBOUR} " * 3000)
    assert "the evidence was cut for its size" in str(evaluation.explanation)


@pytest.mark.parametrize(
    ("document", "true", "false"),
    [
        (
            "Der alte Hafen von Brest wurde 1631 gebaut. Fischerboote zahlen 120 Euro im Monat.",
            "Der alte Hafen von Brest wurde 1631 gebaut.",
            "Das neue Flughafengebäude in Lyon kostet jährlich 900 Dollar Miete.",
        ),
        (
            "布雷斯特的旧港建于1631年。渔船每月支付120欧元。港口早上六点开放。",
            "布雷斯特的旧港建于1631年。港口早上六点开放。",
            "里昂的新机场由埃菲尔设计。博物馆星期日关门。",
        ),
        (
            "ท่าเรือเก่าสร้างขึ้นในปี 1631 เรือประมงจ่ายเดือนละ 120 ยูโร",
            "ท่าเรือเก่าสร้างขึ้นในปี 1631",
            "สนามบินใหม่ในลียงปิดทุกวันอาทิตย์ตลอดฤดูหนาว",
        ),
        (
            "تم بناء الميناء القديم في بريست عام 1631. تدفع قوارب الصيد 120 يورو في الشهر.",
            "تم بناء الميناء القديم في بريست عام 1631.",
            "المطار الجديد في ليون يغلق كل يوم أحد طوال الشتاء.",
        ),
        (
            "ब्रेस्ट का पुराना बंदरगाह 1631 में बनाया गया था। नावें 120 यूरो देती हैं।",
            "ब्रेस्ट का पुराना बंदरगाह 1631 में बनाया गया था।",
            "ल्यों का नया हवाई अड्डा हर रविवार सर्दियों में बंद रहता है।",
        ),
    ],
    ids=["German", "Chinese", "Thai", "Arabic", "Hindi"],
)
def test_other_languages_and_scripts_are_judged(
    judge: Faithfulness, document: str, true: str, false: str
) -> None:
    good, bad = evaluate(judge, true, document), evaluate(judge, false, document)
    assert (good.score_label, bad.score_label) == ("supported", "unsupported")


sentences = st.lists(
    st.sampled_from(
        ["The harbour opens at six.", "Boats pay 120 euros.", "Anne left in 1999.",
         "天空是藍色的。", "It is not open, she said.", "- a list item here",
         "https://a.example/x [3] says so."]
    ),
    max_size=6,
).map(" ".join)  # fmt: skip


@settings(max_examples=60)
@given(answer=sentences, documents=st.lists(sentences, max_size=3), extra=sentences)
def test_more_evidence_covers_at_least_as_much(
    answer: str, documents: list[str], extra: str
) -> None:
    """Coverage of a claim cannot fall when a document is added."""
    made, _ = claims(answer)
    idf = load_model().idf

    def covered(texts: list[str]) -> list[tuple[float, ...]]:
        sources = [Source(build(text), n, None, 0) for n, text in enumerate(texts)]
        meeting = meet(sources, [claim.words.forms for claim in made])
        known = [facts(claim.words, meeting, idf, frozenset()) for claim in made]
        return [fact.features[:4] for fact in known if fact]

    for few, more in zip(covered(documents), covered([*documents, extra]), strict=True):
        assert all(one <= other + 1e-9 for one, other in zip(few, more, strict=True))


@settings(max_examples=60)
@given(answer=sentences, documents=st.lists(sentences, max_size=3))
def test_features_are_finite_and_few(answer: str, documents: list[str]) -> None:
    sources = [Source(build(text), n, None, 0) for n, text in enumerate(documents)]
    made, _ = claims(answer)
    meeting = meet(sources, [claim.words.forms for claim in made])
    for claim in made:
        fact = facts(claim.words, meeting, {}, frozenset())
        assert fact is not None
        assert len(fact.features) == len(FEATURES)
        assert all(0 <= value <= 10 for value in fact.features)


def test_features_hold_no_size() -> None:
    """Saying the same thing twice, of evidence given twice, changes no feature of a claim."""
    once = [Source(build(HARBOUR), 0, None, 0)]
    twice = [*once, Source(build(HARBOUR), 1, None, 0)]
    made, _ = claims(TRUE)
    rows = []
    for sources, said in ((once, made), (twice, made * 2)):
        meeting = meet(sources, [claim.words.forms for claim in said])
        fact = facts(said[0].words, meeting, load_model().idf, frozenset())
        assert fact is not None
        rows.append(fact.features)
    assert rows[0] == rows[1]


def test_the_label_follows_from_the_score(judge: Faithfulness) -> None:
    for answer in (TRUE, FALSE, f"{TRUE} {FALSE}"):
        evaluation = evaluate(judge, answer)
        assert evaluation.score_value is not None
        is_bad = 1 - evaluation.score_value >= THRESHOLD
        assert (evaluation.score_label == "unsupported") is is_bad


@pytest.mark.parametrize("unit", [*string.punctuation, "\n", "a ", "1,", "[1]", "I can't ", "天"])
def test_hostile_text_takes_no_longer_than_its_size(judge: Faithfulness, unit: str) -> None:
    hostile = (unit * 400_000)[:400_000]
    began = time.process_time()
    evaluate(judge, hostile, HARBOUR)
    evaluate(judge, TRUE, hostile)
    assert time.process_time() - began < 5


def test_sixteen_mebibytes_of_prompt_take_no_seconds(judge: Faithfulness) -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices(string.ascii_lowercase, k=6)) for _ in range(3000)]
    prose = " ".join(f"{word}." if n % 12 == 0 else word for n, word in enumerate(words))
    prompt = (prose + " ") * ((16 << 20) // len(prose))
    began = time.process_time()
    [evaluation] = judge.evaluate([plain_call(answer=prose[:900], documents=[], question=prompt)])
    assert time.process_time() - began < 3
    assert "evidence was cut" in str(evaluation.explanation)
