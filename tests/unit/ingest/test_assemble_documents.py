from dataclasses import replace
from itertools import permutations

from tests.unit.ingest.by_hand import START, Bench, chat, one, retrieval, span

from seakeeping.records import Json


def contents(bench: Bench, span_id: str) -> list[str | None]:
    return [document.content for document in bench.by_id()[span_id].documents]


def test_retrievals_that_ended_before_the_call_ground_it_in_any_order() -> None:
    root = span(lasts=9)
    first = retrieval("a", query="What?", under=root)
    second = retrieval("b", under=root, at=0.5)
    call = chat("Hi", "Ho", under=root, at=1)
    for order in permutations([root, first, second, call]):
        bench = Bench()
        for item in order:
            bench.add(item)
        assert contents(bench, call.span_id) == ["a", "b"]
        asked = bench.by_id()[call.span_id].attributes["gen_ai.retrieval.query.text"]
        assert asked == "What?"


def test_a_retrieval_that_ends_after_the_call_began_was_not_given_to_it() -> None:
    late = retrieval("late", at=0.5, lasts=3)
    assert one(late, chat("Hi", "Ho", at=1)).documents == ()


def test_a_retrieval_that_arrives_a_minute_late_makes_a_new_version() -> None:
    bench = Bench()
    call = chat("Hi", "Ho", at=1)
    (first,) = bench.add(call).interactions
    bench.clock.time += 75
    (second,) = bench.add(retrieval("a")).interactions
    assert first.documents == ()
    assert [document.content for document in second.documents] == ["a"]
    assert second.key == first.key
    assert second.version > first.version


def test_the_nearest_retrievals_count_not_those_of_the_next_branch() -> None:
    root = span(lasts=9)
    one_branch, other_branch = span(under=root, lasts=4), span(under=root, at=4, lasts=4)
    bench = Bench()
    first = chat("q1", "First answer.", under=one_branch, at=1)
    second = chat("q2", "Second answer.", under=other_branch, at=5)
    bench.add(root, one_branch, other_branch, first, second)
    bench.add(retrieval("a", under=one_branch), retrieval("b", under=other_branch, at=4))
    assert contents(bench, first.span_id) == ["a"]
    assert contents(bench, second.span_id) == ["b"]


def test_a_new_turn_is_grounded_by_its_own_retrieval() -> None:
    root = span(lasts=9)
    bench = Bench()
    first = chat("q1", "The first answer is this.", under=root, at=1)
    second = chat("q2", "The second answer is that.", under=root, at=5)
    bench.add(root, retrieval("a", under=root), first, retrieval("b", under=root, at=4), second)
    assert contents(bench, first.span_id) == ["a"]
    assert contents(bench, second.span_id) == ["b"]


def test_a_turn_without_a_retrieval_of_its_own_has_those_before() -> None:
    root = span(lasts=9)
    bench = Bench()
    second = chat("q2", "And that.", under=root, at=5)
    bench.add(root, retrieval("a", under=root), chat("q1", "This.", under=root, at=1), second)
    assert contents(bench, second.span_id) == ["a"]


def test_texts_that_a_retriever_and_its_store_both_report_count_once() -> None:
    outer = retrieval("a", "b", lasts=0.5)
    inner = retrieval("b", "a", under=outer, lasts=0.2)
    found = one(outer, inner, chat("Hi", "Ho", at=1))
    assert sorted(str(document.content) for document in found.documents) == ["a", "b"]


def test_documents_of_another_trace_are_not_mixed_in() -> None:
    bench = Bench()
    call = chat("Hi", "Ho", at=1)
    bench.add(retrieval("a", trace="b" * 32), call)
    assert contents(bench, call.span_id) == []


def test_a_reranker_that_tells_only_ids_keeps_the_texts() -> None:
    reranked: dict[str, Json] = {
        "gen_ai.operation.name": "rerank",
        "gen_ai.retrieval.documents": '[{"id": "d-b", "score": 0.9}]',
    }
    found = one(retrieval("a", "b"), span(reranked, at=0.3, lasts=0.1), chat("Hi", "Ho", at=1))
    assert [(d.id, d.content, d.score) for d in found.documents] == [("d-b", "b", 0.9)]


def test_a_retriever_whose_clock_is_a_day_off_still_grounds_the_call() -> None:
    for ahead in (86_400.0, -86_400.0):
        found = replace(retrieval("a"), service_name="search", started_at=START + ahead)
        assert [d.content for d in one(found, chat("Hi", "Ho", at=1)).documents] == ["a"]


def test_a_much_later_retrieval_of_the_same_service_is_later() -> None:
    late = retrieval("a", at=7_200)
    assert one(late, chat("Hi", "Ho", at=1)).documents == ()
