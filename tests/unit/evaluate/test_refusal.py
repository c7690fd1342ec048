"""Answers that decline, and answers that only look so."""

# ruff: noqa: RUF001 - phrases of many languages

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.refusal import Refusal, find_refusal, is_silent, silence_cues

DECLINED = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "Sorry, I cannot provide medical advice.",
    "As an AI language model, I don't have personal opinions.",
    "Unfortunately, I am unable to share that file.",
    "I must decline to answer this question.",
    "Es tut mir leid, aber ich kann Ihnen dabei nicht helfen.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Desculpe, mas não posso ajudar com isso.",
    "Mi dispiace, ma non posso aiutarti.",
    "Ik kan je daar helaas niet mee helpen.",
    "Przepraszam, ale nie mogę pomóc w tej sprawie.",
    "К сожалению, я не могу ответить на этот вопрос.",
    "抱歉，我无法回答这个问题。",
    "申し訳ありませんが、そのご質問にはお答えできません。",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
]

NO_INFORMATION = [
    "I don't have any information about that.",
    "I don't know.",
    "The provided context does not mention the price of the ticket.",
    "The documents do not contain information about opening hours.",
    "There is no information about this in the documents provided.",
    "Based on the provided context, I cannot determine the answer.",
    "I could not find any mention of that in the text.",
    "The answer is not provided in the passage.",
    "No relevant information was found.",
    "Ich habe dazu leider keine Informationen.",
    "Der Kontext enthält dazu keine Angaben.",
    "Je ne dispose pas d'informations à ce sujet.",
    "No tengo información sobre eso.",
    "Não tenho informações sobre isso.",
    "Non ho informazioni su questo.",
    "У меня нет информации об этом.",
    "文档中没有提到这一点。",
    "その情報は見つかりませんでした。",
    "해당 정보는 없습니다.",
]

ANSWERED = [
    "Paris is the capital of France.",
    "He said he could not help her, so she left.",
    "You cannot help someone who does not want help.",
    "The server cannot provide a response when the disk is full; free some space first.",
    "If you don't know the password, reset it on the login page.",
    "We don't charge a fee for returns.",
    "The report does not include taxes in its total of 3 million.",
    "Sorry for the delay! The meeting is at 3 pm.",
    "No, the policy does not cover floods.",
    "It is not known who built the bridge, but it was finished in 1340.",
    "The documents do not specify jail sentences, but you can opt for the Division of Child "
    "Support Services to enforce your support orders.",
    "While the documents do not provide specific examples, they emphasise understanding the risk.",
    "I can't recommend it enough: the room was clean and the staff friendly.",
    "Nein, das Gerät ist nicht wasserdicht.",
    "Non, le magasin n'est pas ouvert le dimanche.",
    "No, la tienda no abre los domingos.",
    "这个城市没有地铁，但有公交车。",
    "",
]


@pytest.mark.parametrize("answer", DECLINED)
def test_answers_that_decline_are_found(answer: str) -> None:
    found = find_refusal(answer)
    assert found is not None
    assert found.kind == "declined"


@pytest.mark.parametrize("answer", NO_INFORMATION)
def test_answers_that_know_nothing_are_found(answer: str) -> None:
    found = find_refusal(answer)
    assert found is not None
    assert found.kind == "no_information"


@pytest.mark.parametrize("answer", ANSWERED)
def test_answers_that_answer_are_left_alone(answer: str) -> None:
    assert find_refusal(answer) is None


def test_an_answer_that_goes_on_did_answer() -> None:
    rest = " The town has two harbours, and the old one opens at six every morning." * 5
    assert find_refusal("I could not find any mention of the fee in the text." + rest) is None
    assert find_refusal("I don't know the fee." + " However, the harbour opens at six." * 4) is None
    assert find_refusal("I don't know the fee. However, ask the harbour office.") is not None


def test_an_answer_that_lacks_one_thing_and_tells_another_did_answer() -> None:
    lack = "The documents do not mention opening hours."
    assert find_refusal(f"{lack} The harbour master is Anne Kerjean.") is None
    assert find_refusal(f"{lack} Please check the website for the latest hours.") is not None
    assert find_refusal(f"{lack} You may want to call the harbour office.") is not None
    assert find_refusal("I can't help with that. The harbour is closed to everybody.") is not None


def test_a_refusal_late_in_an_answer_is_none() -> None:
    text = "The town is old. Its harbour is new. The tide is high. I cannot help with more."
    assert find_refusal(text) is None


@given(st.text(max_size=60), st.sampled_from(DECLINED + NO_INFORMATION))
def test_places_lie_within_the_answer(before: str, phrase: str) -> None:
    answer = f"  {before} {phrase}"
    found = find_refusal(answer)
    assert found is None or 0 <= found.start < found.end <= len(answer)


def test_a_letter_with_a_longer_lower_case_moves_nothing() -> None:
    answer = "İ İ İ I can't help with that."
    found = find_refusal(answer)
    assert found is not None
    assert answer[found.start : found.end] == "I can't help"


def test_a_very_long_answer_is_looked_at_from_its_start_only() -> None:
    assert find_refusal("x" * 1_000_000 + " I can't help with that.") is None


@pytest.mark.parametrize(
    ("sentence", "silent"),
    [
        ("The documents do not mention a price.", True),
        ("There is no information about fees in the text.", True),
        ("The price is not low.", False),
        ("While the text does not mention a price, it names a fee of ten dollars.", False),
        ("The tide is high.", False),
    ],
)
def test_silent_sentences_are_told_from_claims(sentence: str, silent: bool) -> None:
    assert is_silent(sentence) is silent
    assert silence_cues(sentence) or not silent


def test_the_evaluator_labels_and_points() -> None:
    call = plain_call(answer="I'm sorry, but I can't help with that.")
    [refused] = Refusal().evaluate([call])
    assert (refused.score_value, refused.score_label) == (1.0, "refused")
    assert refused.evidence[0]["reason"] == "declined"
    [answered] = Refusal().evaluate([plain_call()])
    assert (answered.score_value, answered.score_label) == (0.0, "answered")
    assert answered.evidence == ()


def test_what_is_no_answer_is_skipped_with_its_reason() -> None:
    call = plain_call()
    empty = replace(call, answer_text=" ", output_messages=())
    cases = {
        "call_failed": replace(call, error_type="Timeout"),
        "no_content": replace(call, answer_text=None, output_messages=None),
        "not_an_answer": replace(call, is_answer=False),
        "no_answer": empty,
    }
    for reason, odd in cases.items():
        assert Refusal().evaluate([odd])[0].skipped_reason == reason
