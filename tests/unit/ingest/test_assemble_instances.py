"""Replicas of one service that happen to report the same response id made a call each."""

from dataclasses import replace

import pytest

from seakeeping.clock import SystemClock
from seakeeping.config import PriceTable
from seakeeping.ingest.assemble import Assembler
from seakeeping.records import Span


def report(trace: str, library: str, instance: str, service: str = "shop") -> Span:
    """Return one library's report of the response ``resp-1``."""
    return Span(
        trace_id=trace * 32,
        span_id=trace * 16,
        parent_span_id=None,
        name="chat",
        kind="client",
        started_at=1_764_000_000.0,
        duration_s=2.0,
        status="unset",
        error_type=None,
        service_name=service,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.id": "resp-1",
        },
        resource={"service.name": service, "service.instance.id": instance},
        scope_name=library,
    )


@pytest.mark.parametrize(
    ("first", "second", "calls"),
    [
        (report("a", "one", "i1"), report("b", "two", "i2"), 2),
        (report("a", "one", "i1"), report("b", "two", "i1"), 1),
        (report("a", "one", "i1"), report("b", "two", "i2", service="gateway"), 1),
        (report("a", "one", ""), report("b", "two", "i2"), 1),
        (report("a", "", "i1"), report("b", "two", "i1"), 2),
    ],
    ids=["two replicas", "one process", "app and gateway", "unknown instance", "no library"],
)
def test_one_response_id_is_one_call_unless_two_replicas_tell_it(
    first: Span, second: Span, calls: int
) -> None:
    for pair in ([first, second], [second, replace(first, started_at=first.started_at - 0.01)]):
        assembler = Assembler(prices=PriceTable.of([]), clock=SystemClock())
        told = assembler.add(pair, [])
        gone = {(r.trace_id, r.span_id) for r in told.retractions}
        assert len({i.key for i in told.interactions} - gone) == calls
