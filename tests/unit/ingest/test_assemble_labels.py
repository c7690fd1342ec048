"""What people say in telemetry becomes labels; what machines say does not."""

from itertools import permutations

import pytest
from tests.unit.ingest.by_hand import START, Bench, chat, event, span

from seakeeping.records import Json, Label, LabelKind, LogEvent, Span

RESULT = "gen_ai.evaluation.result"


def thumb(value: Json = 1.0, **told: Json) -> dict[str, Json]:
    attributes: dict[str, Json] = {"name": "user_feedback", "score.value": value, **told}
    return {f"gen_ai.evaluation.{name}": told for name, told in attributes.items()}


def labels(*given: Span | LogEvent) -> list[Label]:
    return Bench().add(*given).labels


def annotated(**annotation: Json) -> Span:
    """Return an answer with an OpenInference annotation on it."""
    told = {
        f"annotations.0.annotation.{name}": value
        for name, value in {"name": "faithfulness", "score": 0.0, **annotation}.items()
    }
    message = "llm.output_messages.0.message"
    return span(
        {
            "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o",
            f"{message}.role": "assistant", f"{message}.content": "Ho", **told,
        },
        scope="openinference.instrumentation.openai",
    )  # fmt: skip


def test_a_thumb_is_a_label_of_a_user_and_an_evaluation_too() -> None:
    call = chat("Hi", "Ho")
    found = Bench().add(call, event(RESULT, of=call, attributes=thumb(explanation="so nice")))
    assert found.labels == [
        Label(
            call.trace_id, call.span_id, "user_feedback", 1.0, LabelKind.USER, "", START + 0.5,
            sampling_probability=None, comment="so nice",
        )
    ]  # fmt: skip
    assert [e.name for e in found.evaluations] == ["user_feedback"]


def test_an_annotation_of_a_reviewer_is_a_label_of_a_human() -> None:
    call = annotated(annotator_kind="HUMAN", identifier="rita", explanation="made up")
    (found,) = labels(call)
    assert (found.by, found.author, found.name) == (LabelKind.HUMAN, "rita", "faithfulness")
    assert (found.value, found.comment) == (0.0, "made up")


@pytest.mark.parametrize("kind", ["LLM", "CODE", "", "something"])
def test_what_machines_say_is_no_label(kind: str) -> None:
    assert labels(annotated(annotator_kind=kind)) == []


@pytest.mark.parametrize(
    ("source", "by"),
    [("human", LabelKind.HUMAN), ("HUMAN", LabelKind.HUMAN), ("end_user", LabelKind.USER)],
)
def test_a_result_says_itself_who_made_it(source: str, by: LabelKind) -> None:
    call = chat("Hi", "Ho")
    told = thumb(0.25, name="faithfulness", source=source)
    (found,) = labels(call, event(RESULT, of=call, attributes=told))
    assert (found.by, found.value) == (by, 0.25)


def test_feedback_that_a_model_gave_is_none_of_a_user() -> None:
    call = chat("Hi", "Ho")
    assert labels(call, event(RESULT, of=call, attributes=thumb(source="llm"))) == []


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ({"score.value": -1}, 0.0),
        ({"score.value": 0.4}, 0.4),
        ({"score.value": None, "score.label": "thumbs_down"}, 0.0),
        ({"score.value": None, "score.label": "Helpful"}, 1.0),
        ({"name": "faithfulness", "score.value": None, "score.label": "unsupported"}, 0.0),
        ({"name": "toxicity", "score.value": None, "score.label": "toxic"}, 1.0),
        ({"name": "toxicity", "score.value": None, "score.label": "not_toxic"}, 0.0),
    ],
)
def test_values_are_read_on_the_scale_of_their_evaluation(
    told: dict[str, Json], value: float
) -> None:
    call = chat("Hi", "Ho")
    (found,) = labels(call, event(RESULT, of=call, attributes=thumb(**{"source": "user", **told})))
    assert found.value == value


@pytest.mark.parametrize(
    "told",
    [{"score.value": 4}, {"score.value": -0.5}, {"score.value": None, "score.label": "meh"}],
)
def test_a_value_on_another_scale_is_no_label_but_stays_an_evaluation(
    told: dict[str, Json],
) -> None:
    call = chat("Hi", "Ho")
    found = Bench().add(call, event(RESULT, of=call, attributes=thumb(**told)))
    assert (found.labels, len(found.evaluations)) == ([], 1)


@pytest.mark.parametrize(("word", "value"), [("hallucinated", 0.0), ("factual", 1.0)])
def test_an_annotated_hallucination_is_a_label_of_faithfulness(word: str, value: float) -> None:
    call = annotated(name="hallucination", label=word, score=1.0, annotator_kind="HUMAN")
    (found,) = labels(call)
    assert (found.name, found.value) == ("faithfulness", value)


def test_a_thumb_on_a_run_is_of_the_one_answer_below_it_in_any_order() -> None:
    root = span(lasts=9)
    call = chat("Hi", "Ho", under=root, at=1)
    given: list[Span | LogEvent] = [root, call, event(RESULT, of=root, attributes=thumb(), at=8)]
    for order in permutations(given):
        bench = Bench()
        found = [label for item in order for label in bench.add(item).labels]
        assert found[-1].key[:2] == (call.trace_id, call.span_id)


def test_a_thumb_on_a_run_of_several_answers_stays_with_the_run() -> None:
    root = span(lasts=9)
    calls = [chat("Hi", "Ho", under=root, at=at) for at in (1.0, 3.0)]
    bench = Bench()
    told = bench.add(root, *calls)
    assert len([i for i in told.interactions if i.is_answer]) == 2
    (found,) = bench.add(event(RESULT, of=root, attributes=thumb())).labels
    assert found.span_id == root.span_id


def test_the_same_thumb_twice_is_told_once() -> None:
    call = chat("Hi", "Ho")
    bench = Bench()
    result = event(RESULT, of=call, attributes=thumb())
    assert len(bench.add(call, result).labels) == 1
    assert bench.add(result).labels == []


def test_a_thumb_that_comes_later_finds_its_answer() -> None:
    call = chat("Hi", "Ho")
    bench = Bench()
    bench.add(call)
    (found,) = bench.add(event(RESULT, of=call, attributes=thumb(), at=600.0)).labels
    assert (found.span_id, found.at) == (call.span_id, START + 600.0)
