from itertools import permutations

from tests.unit.ingest.by_hand import Bench, chat, event, span

from seakeeping.records import Json, LogEvent, Span

RESULT = "gen_ai.evaluation.result"


def judged(**told: Json) -> dict[str, Json]:
    return {
        "gen_ai.evaluation.name": "Relevance",
        "gen_ai.evaluation.score.value": 0.8,
        "gen_ai.evaluation.score.label": "relevant",
        "gen_ai.evaluation.explanation": "fits",
        **{f"gen_ai.{name.replace('__', '.')}": value for name, value in told.items()},
    }


def test_a_result_event_is_a_foreign_evaluation_of_its_span() -> None:
    call = chat("Hi", "Ho")
    (found,) = Bench().add(call, event(RESULT, of=call, attributes=judged())).evaluations
    assert (found.trace_id, found.span_id) == (call.trace_id, call.span_id)
    assert (found.name, found.score_value, found.score_label) == ("Relevance", 0.8, "relevant")
    assert (found.explanation, found.evaluator) == ("fits", "external:Relevance")
    assert found.skipped_reason is None


def test_a_result_may_come_before_its_span() -> None:
    call = chat("Hi", "Ho")
    bench = Bench()
    assert len(bench.add(event(RESULT, of=call, attributes=judged())).evaluations) == 1
    assert bench.add(call).evaluations == []


def test_a_result_of_a_twin_belongs_to_the_call_that_is_kept() -> None:
    outer = chat("Hi", "Ho", more={"gen_ai.response.id": "r"})
    inner = chat(under=outer, at=0.1, lasts=0.5, more={"gen_ai.response.id": "r"}, scope="sdk")
    result = event(RESULT, of=inner, attributes=judged())
    given: list[Span | LogEvent] = [outer, inner, result]
    for order in permutations(given):
        bench = Bench()
        found = [e for item in order for e in bench.add(item).evaluations]
        assert found[-1].span_id == outer.span_id


def test_a_result_that_names_only_the_response_waits_for_its_call() -> None:
    call = chat("Hi", "Ho", more={"gen_ai.response.id": "r9"})
    result = event(RESULT, attributes=judged(response__id="r9"))
    given: list[Span | LogEvent] = [call, result]
    for order in permutations(given):
        bench = Bench()
        (found,) = [e for item in order for e in bench.add(item).evaluations]
        assert (found.trace_id, found.span_id) == (call.trace_id, call.span_id)


def test_a_result_under_a_workflow_that_names_the_response_is_of_the_call() -> None:
    root = span(lasts=9)
    call = chat("Hi", "Ho", under=root, at=1, more={"gen_ai.response.id": "r9"})
    result = event(RESULT, of=root, attributes=judged(response__id="r9"))
    (found,) = Bench().add(root, call, result).evaluations
    assert found.span_id == call.span_id


def test_the_same_result_twice_is_told_once() -> None:
    call = chat("Hi", "Ho")
    result = event(RESULT, of=call, attributes=judged())
    bench = Bench()
    bench.add(call, result)
    assert bench.add(result).evaluations == []


def test_results_without_a_name_a_result_or_a_target_are_none() -> None:
    call = chat("Hi", "Ho")
    nameless = {k: v for k, v in judged().items() if k != "gen_ai.evaluation.name"}
    empty: dict[str, Json] = {"gen_ai.evaluation.name": "x"}
    found = Bench().add(
        call,
        event(RESULT, of=call, attributes=nameless),
        event(RESULT, of=call, attributes=empty),
        event(RESULT, attributes=judged()),
    )
    assert found.evaluations == []


def test_a_result_as_a_span_event_counts_too() -> None:
    call = span(chat("Hi", "Ho").attributes, events=[(RESULT, 0.5, judged())], scope="judge")
    (found,) = Bench().add(call).evaluations
    assert (found.name, found.evaluator) == ("Relevance", "external:judge")


def test_our_own_scores_that_come_back_are_not_foreign() -> None:
    call = chat("Hi", "Ho")
    own = {**judged(), "seakeeping.evaluator.name": "faithfulness"}
    assert Bench().add(call, event(RESULT, of=call, attributes=own)).evaluations == []
