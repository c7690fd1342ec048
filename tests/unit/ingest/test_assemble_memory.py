"""What is remembered, forgotten and fetched again."""

from collections.abc import Sequence
from dataclasses import replace

from tests.unit.ingest.by_hand import START, Bench, SetClock, chat, event, retrieval, said, span

from seakeeping.errors import StoreUnavailable
from seakeeping.records import Interaction, Span


class Past:
    """A store that holds what it was given, and counts what it is asked."""

    def __init__(self) -> None:
        self.kept_spans: dict[tuple[str, str], Span] = {}
        self.kept: dict[tuple[str, str], Interaction] = {}
        self.asked: list[str] = []
        self.is_down = False

    def keep(self, bench: Bench, *given: Span) -> None:
        found = bench.add(*given)
        self.kept_spans |= {(s.trace_id, s.span_id): s for s in found.spans}
        self.kept |= {i.key: i for i in found.interactions}
        for gone in found.retractions:
            self.kept.pop((gone.trace_id, gone.span_id), None)

    def spans(self, trace_ids: Sequence[str]) -> list[Span]:
        if self.is_down:
            raise StoreUnavailable("away")
        self.asked.extend(trace_ids)
        return [s for s in self.kept_spans.values() if s.trace_id in trace_ids]

    def interactions(self, trace_ids: Sequence[str]) -> list[Interaction]:
        return [i for i in self.kept.values() if i.trace_id in trace_ids]


def old_clock() -> SetClock:
    """Return a clock long before the spans, so that nothing seems older than the process."""
    return SetClock(START - 1_000_000)


def test_a_late_document_reaches_a_call_that_memory_has_forgotten() -> None:
    past = Past()
    bench = Bench(clock=old_clock(), history=past)
    call = chat("Hi", "Ho", at=1)
    past.keep(bench, call)
    bench.clock.time += 1000
    past.keep(bench, chat("x", "y", trace="b" * 32))
    (found,) = bench.add(retrieval("a")).interactions
    assert past.asked == [call.trace_id]
    assert (found.answer_text, found.input_messages) == ("Ho", (said("user", "Hi"),))
    assert [document.content for document in found.documents] == ["a"]
    assert found.version > past.kept[call.trace_id, call.span_id].version


def test_after_a_restart_the_store_is_asked_about_older_traces() -> None:
    past = Past()
    root = span(lasts=9)
    call = chat("Hi", "Ho", at=1, under=root)
    past.keep(Bench(clock=old_clock()), root, retrieval("a", under=root), call)
    fresh = Bench(clock=SetClock(START + 100), history=past)
    (found,) = fresh.add(retrieval("b", at=0.5, under=root)).interactions
    assert found.key == call_key(call)
    assert [document.content for document in found.documents] == ["a", "b"]


def call_key(call: Span) -> tuple[str, str]:
    return call.trace_id, call.span_id


def test_a_call_sent_again_after_a_restart_is_told_again_so_it_can_be_scored() -> None:
    past = Past()
    call = chat("Hi", "Ho", at=1)
    past.keep(Bench(clock=old_clock()), call)
    fresh = Bench(clock=SetClock(START + 100), history=past)
    (found,) = fresh.add(call).interactions
    assert found.version > past.kept[call_key(call)].version
    assert fresh.add(call).interactions == []


def test_a_twin_that_was_stored_as_a_call_is_taken_back_when_its_outer_span_comes() -> None:
    past = Past()
    outer = chat("Hi", "Ho", more={"gen_ai.response.id": "r"})
    inner = chat(under=outer, at=0.1, lasts=0.5, more={"gen_ai.response.id": "r"}, scope="sdk")
    past.keep(Bench(clock=old_clock()), inner)
    fresh = Bench(clock=SetClock(START + 100), history=past)
    found = fresh.add(outer)
    assert [i.span_id for i in found.interactions] == [outer.span_id]
    assert [r.span_id for r in found.retractions] == [inner.span_id]


def test_a_stored_twin_stays_one() -> None:
    past = Past()
    outer = chat("Hi", "Ho", more={"gen_ai.response.id": "r"})
    inner = chat(under=outer, at=0.1, lasts=0.5, more={"gen_ai.response.id": "r"}, scope="sdk")
    past.keep(Bench(clock=old_clock()), inner, outer)
    fresh = Bench(clock=SetClock(START + 100), history=past)
    (found,) = fresh.add(retrieval("a", at=-1)).interactions
    assert found.span_id == outer.span_id
    assert len(found.documents) == 1


def test_a_new_trace_costs_no_question() -> None:
    past = Past()
    bench = Bench(clock=old_clock(), history=past)
    bench.add(chat("Hi", "Ho"))
    assert past.asked == []


def test_an_event_of_a_forgotten_trace_finds_its_call() -> None:
    past = Past()
    bench = Bench(clock=old_clock(), history=past)
    call = chat()
    past.keep(bench, call)
    bench.clock.time += 1000
    bench.add(chat("x", "y", trace="b" * 32))
    told = event("gen_ai.choice", {"message": {"content": "Ho"}}, of=call)
    (found,) = bench.add(told).interactions
    assert (found.answer_text, found.started_at) == ("Ho", call.started_at)


def test_while_the_store_is_away_what_is_new_is_told_and_the_past_is_asked_later() -> None:
    past = Past()
    call = chat("Hi", "Ho", at=1)
    past.keep(Bench(clock=old_clock()), call)
    past.is_down = True
    fresh = Bench(clock=SetClock(START + 100), history=past)
    assert fresh.add(retrieval("a")).interactions == []
    past.is_down = False
    (found,) = fresh.add(retrieval("b", at=0.5)).interactions
    assert [document.content for document in found.documents] == ["a", "b"]


def test_memory_is_bounded_in_traces_and_bytes() -> None:
    bench = Bench(max_traces=3, max_bytes=50_000)
    for number in range(10):
        bench.add(chat("Hi", "Ho", trace=f"{number:032x}"))
    assert bench.assembler.remembered == 3
    bench.add(chat("Hi", "x" * 60_000, trace="f" * 32))
    assert bench.assembler.remembered <= 1


def test_a_trace_over_the_limit_is_told_all_the_same() -> None:
    bench = Bench(max_bytes=10_000)
    bench.add(chat("Hi", "x" * 60_000))
    assert len(bench.final()) == 1


def test_what_is_forgotten_leaves_nothing_behind() -> None:
    bench = Bench(max_traces=1)
    for number in range(50):
        bench.add(
            chat("Hi", "Ho", trace=f"{number:032x}", more={"gen_ai.response.id": f"r{number}"})
        )
    assert bench.assembler.remembered == 1
    assert bench.assembler.responses == 1


def test_versions_go_up_though_the_clock_goes_back() -> None:
    bench = Bench()
    call = chat("Hi", "Ho", at=1)
    (first,) = bench.add(call).interactions
    bench.clock.time -= 3600
    (second,) = bench.add(retrieval("a")).interactions
    assert second.version > first.version


def test_a_span_told_better_the_second_time_replaces_the_first() -> None:
    bench = Bench()
    call = chat("Hi", span_id="a" * 16, lasts=0.0)
    bench.add(call)
    bench.add(chat("Hi", "Ho", span_id="a" * 16, lasts=2.0))
    (found,) = bench.final()
    assert (found.answer_text, found.duration_s) == ("Ho", 2.0)
    bench.add(call)
    assert [i.answer_text for i in bench.final()] == ["Ho"]


def test_every_span_is_handed_on_once() -> None:
    bench = Bench()
    plain, call = span(name="web"), chat("Hi", "Ho")
    assert len(bench.add(plain, call).spans) == 2
    assert bench.add(plain, call).spans == []


def rounded(past: Past) -> None:
    """Round what the store holds, as a column of microseconds does."""
    past.kept_spans = {
        k: replace(s, started_at=round(s.started_at, 6)) for k, s in past.kept_spans.items()
    }
    past.kept = {k: replace(i, started_at=round(i.started_at, 6)) for k, i in past.kept.items()}


def test_a_call_that_the_store_rounded_is_not_taken_back() -> None:
    past = Past()
    call = chat("Hi", "Ho", at=1.000_000_4)
    past.keep(Bench(clock=old_clock()), call)
    rounded(past)
    fresh = Bench(clock=SetClock(START + 100), history=past)
    found = fresh.add(call)
    assert [i.key for i in found.interactions] == [call_key(call)]
    assert found.retractions == []


def test_late_telemetry_tells_only_the_calls_that_it_changes() -> None:
    past = Past()
    root = span(lasts=99)
    first = chat("Hi", "The first of them.", under=root, at=1)
    second = chat("Hi again", "The second.", under=root, at=9, more={"gen_ai.request.stream": True})
    past.keep(Bench(clock=old_clock()), root, first, second)
    rounded(past)
    fresh = Bench(clock=SetClock(START + 500), history=past)
    found = fresh.add(retrieval("a", at=5, under=root))
    assert [i.span_id for i in found.interactions] == [second.span_id]
    assert found.retractions == []


def test_a_call_whose_start_is_told_anew_leaves_its_old_row() -> None:
    bench = Bench()
    call = chat(at=1)
    (early,) = bench.add(
        event("gen_ai.choice", {"message": {"content": "Ho"}}, of=call)
    ).interactions
    found = bench.add(call)
    (late,), (gone,) = found.interactions, found.retractions
    assert gone.started_at == early.started_at != late.started_at
    assert early.version < gone.version < late.version
