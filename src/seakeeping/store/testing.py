"""For tests of what stands on the store: a real one in a temporary folder, records to fill it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from seakeeping.records import Evaluation, Indicator, IndicatorSignal, Interaction, Span
from seakeeping.store.counting import CountingStore, connect_counting
from seakeeping.store.engine.launch import running_engine
from seakeeping.store.schema import TABLES
from seakeeping.store.telemetry import Store

NOON = 1_790_000_100.0
"""A moment at the start of a five-minute bucket, for records that share one."""


@contextmanager
def running_store(path: Path | None = None, **settings: object) -> Iterator[CountingStore]:
    """Run an embedded store, migrated and empty, for as long as the block runs."""
    with (
        tempfile.TemporaryDirectory(prefix="seakeeping-store-") as folder,
        running_engine(path or Path(folder) / "store", settings=settings) as engine,
    ):
        store = connect_counting(engine.url, engine.token)
        try:
            store.migrate()
            yield store
        finally:
            store.close()


def make_span(number: int = 1, **changes: Any) -> Span:
    """Return a plain span; equal numbers make equal spans."""
    span = Span(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_span_id=None,
        name="chat",
        kind="client",
        started_at=NOON + number / 1000,
        duration_s=0.25,
        status="ok",
        error_type=None,
        service_name="shop",
        attributes={"gen_ai.operation.name": "chat"},
        resource={"service.name": "shop"},
        scope_name="test",
    )
    return replace(span, **changes)


def make_interaction(number: int = 1, **changes: Any) -> Interaction:
    """Return a plain answer; equal numbers make equal interactions."""
    answer = f"It ships on day {number}."
    interaction = Interaction(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_span_id=None,
        started_at=NOON + number / 1000,
        duration_s=0.5,
        time_to_first_token_s=0.1,
        streaming=True,
        operation="chat",
        provider="openai",
        request_model="gpt-4o",
        response_model="gpt-4o-2024-08-06",
        response_id=f"chatcmpl-{number}",
        service_name="shop",
        service_version="1.2.3",
        environment="production",
        system_instructions="Answer from the documents.",
        input_messages=({"role": "user", "parts": [{"type": "text", "content": "When?"}]},),
        output_messages=({"role": "assistant", "parts": [{"type": "text", "content": answer}]},),
        answer_text=answer,
        is_answer=True,
        tool_definitions=None,
        documents=(),
        input_tokens=100,
        output_tokens=10,
        cache_read_tokens=None,
        reasoning_tokens=None,
        cost_usd=0.001,
        finish_reasons=("stop",),
        error_type=None,
        conversation_id=None,
        user_id=None,
        tenant=None,
        route=None,
        region=None,
        prompt_name=None,
        prompt_version=None,
        release=None,
        version=1,
    )
    return replace(interaction, **changes)


def make_evaluation(interaction: Interaction, **changes: Any) -> Evaluation:
    """Return a faithfulness result of an interaction, made a second after its end."""
    evaluation = Evaluation(
        trace_id=interaction.trace_id,
        span_id=interaction.span_id,
        name="faithfulness",
        score_value=0.9,
        score_label="supported",
        explanation=None,
        evidence=(),
        evaluator="faithfulness",
        evaluator_version="1",
        evaluated_at=interaction.started_at + (interaction.duration_s or 0.0) + 1.0,
        duration_s=0.001,
        cost_usd=None,
        skipped_reason=None,
    )
    return replace(evaluation, **changes)


def make_empty(store: Store) -> None:
    """Take every row out of a running store, for tests that share one."""
    for table in TABLES:
        if table.name != "meta":
            store.client.command(f"TRUNCATE TABLE {table.name}")
    store.client.command("DELETE FROM meta WHERE key != 'schema_version'")
    type(store).__init__(store, store.client)  # it remembers what it entered


def make_indicator(
    signal: IndicatorSignal = IndicatorSignal.AVAILABILITY, **changes: Any
) -> Indicator:
    """Return an indicator; of an evaluation, of faithfulness."""
    indicator = Indicator(name=signal.value, valid="events", good="good ones", signal=signal)
    if signal is IndicatorSignal.EVALUATION:
        indicator = replace(indicator, subject="faithfulness", is_estimate=True)
    return replace(indicator, **changes)
