"""Sample calls: five services of a shipping company, each in another state, the same at every run.

``harbour-assistant`` is well, ``cargo-search`` breaks its availability, ``crew-chat`` is too new to
tell, ``customs-forms`` reports no content, ``<ferry>`` has hostile names and texts.
"""

import random
from collections.abc import Iterable, Iterator
from typing import Any

from seakeeping.records import Evaluation, Interaction, JsonObject, Span
from seakeeping.records.codec import (
    evaluation_from_json,
    interaction_from_json,
    iso,
    span_from_json,
)
from seakeeping.web.testing.memory import MemoryStore

QUESTION = "How long may a yacht stay at the visitors' pontoon, and what does it cost?"
PASSAGES = (
    "Berthing rules 2026. Visiting yachts may lie at the visitors' pontoon for up to three nights. "
    "A longer stay needs the consent of the harbour master. The fee is 24 euro a night for yachts "
    "under twelve metres, shore power included.",
    "Waste must be separated and left at the collection point behind the crane. The crane is out "
    "of service on Sundays. Oil and paint are taken on weekdays between 08:00 and 12:00.",
    "Pilotage is compulsory for vessels over 50 metres; call the pilots on VHF channel 12.",
)
GOOD = "You may stay at the visitors' pontoon for up to three nights."
BAD = "The fee is 42 euro a night, and the first night is free."
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> 🚢🚢 \u202eRTL override\u202c "
    'שלום, "quotes" & {{ 7*7 }} </textarea> The ferry sails at noon.'
)
HOSTILE_NAME = "<ferry> & \"sons\" 'ltd'/a?b=c#d"


def fill(store: MemoryStore, now: float, *, seed: int = 5) -> MemoryStore:
    """Add the sample calls of the 30 days before ``now``; return the store."""
    source = random.Random(seed)
    for name, count, error_share, flagged_share in (
        ("harbour-assistant", 2600, 0.001, 0.04),
        ("cargo-search", 1500, 0.05, 0.18),
        ("crew-chat", 9, 0.0, 0.3),
        ("customs-forms", 300, 0.0, 0.0),
    ):
        for age_s in _ages(source, count):
            _add(store, source, name, now - age_s, error_share, flagged_share)
    _add_showpiece(store, now)
    _add_hostile(store, now)
    return store


def _ages(source: random.Random, count: int) -> Iterator[float]:
    """Half of the calls fall into the last hour, the others into thirty days."""
    for n in range(count):
        yield source.uniform(5, 3600) if n % 2 else source.uniform(3600, 29.5 * 86_400)


def _call(name: str, at: float, number: str, **more: Any) -> Interaction:
    return interaction_from_json({
        "trace_id": f"{number:0>32}", "span_id": f"{number:0>16}", "started_at": iso(at),
        "service_name": name, "provider": "openai", "request_model": "gpt-5-mini",
        "response_model": "gpt-5-mini-2026-08-07", "environment": "production", "release": "v41",
        **more,
    })  # fmt: skip


def _add(
    store: MemoryStore, source: random.Random, name: str, at: float, errors: float, flagged: float
) -> None:
    number, failed = f"{source.getrandbits(60):x}", source.random() < errors
    took = source.lognormvariate(0.4, 0.5)
    tokens = source.randint(60, 400)
    has_content = name != "customs-forms" and not failed
    call = _call(
        name, at, number, duration_s=took,
        time_to_first_token_s=None if name == "customs-forms" else took * 0.25,
        streaming=name != "customs-forms", input_tokens=source.randint(400, 3000),
        output_tokens=None if failed else tokens, cost_usd=tokens * 2e-6 + 3e-4,
        finish_reasons=["error" if failed else "stop"], error_type="429" if failed else None,
        answer_text=GOOD if has_content else None, is_answer=not failed,
        user_id=f"user-{source.randint(1, 40)}", **_place(name, number, is_failed=failed),
        input_messages=_messages(QUESTION) if has_content else None,
    )  # fmt: skip
    scores = []
    if has_content:
        bad = source.random() < flagged
        scores.append(_score(call, "faithfulness", 0.2 if bad else 0.9,
                             "unsupported" if bad else "supported"))  # fmt: skip
    store.add([call], scores)


def _place(name: str, number: str, *, is_failed: bool) -> dict[str, str]:
    """Return where a call was served: of ``cargo-search`` most failures lie in one region."""
    chance = int(number, 16) % 10
    is_north = chance < (8 if is_failed and name == "cargo-search" else 3)
    return {"region": "eu-north" if is_north else "eu-west", "tenant": f"tenant-{chance % 4}"}


def _messages(question: str) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"type": "text", "content": question}]}]


def _score(
    call: Interaction, name: str, value: float | None, label: str | None,
    *, evidence: Iterable[JsonObject] = (), skipped: str | None = None,
) -> Evaluation:  # fmt: skip
    return evaluation_from_json({
        "trace_id": call.trace_id, "span_id": call.span_id, "name": name, "score_value": value,
        "score_label": label, "evaluator": name, "evaluator_version": "1.0",
        "evidence": [*evidence],
        "evaluated_at": iso(call.started_at + (call.duration_s or 0) + 0.4), "duration_s": 0.002,
        "skipped_reason": skipped,
    })  # fmt: skip


def _add_showpiece(store: MemoryStore, now: float) -> None:
    """Add a call with everything: documents, tools, an unsupported sentence, a trace."""
    answer = f"{GOOD} {BAD}"
    fee = PASSAGES[0].index("The fee is"), PASSAGES[0].index(", shore power")
    call = _call(
        "harbour-assistant", now - 4, "5a11", duration_s=1.84, time_to_first_token_s=0.31,
        streaming=True, system_instructions="Answer briefly, from the documents alone.",
        input_messages=[
            *_messages(QUESTION),
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "call_7",
             "name": "search_rules", "arguments": {"query": "visitors pontoon fee", "top_k": 3}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_7",
             "response": {"hits": 3, "took_ms": 12}}]},
        ],
        output_messages=[{"role": "assistant", "parts": [
            {"type": "reasoning", "content": "The rules name three nights and a fee."},
            {"type": "text", "content": answer}]}],
        answer_text=answer, input_tokens=1184, output_tokens=36, cache_read_tokens=512,
        reasoning_tokens=12, cost_usd=0.00042, finish_reasons=["stop"], conversation_id="conv-17",
        user_id="user-3", prompt_name="harbour", prompt_version="12", response_id="chatcmpl-9xK2",
        documents=[{"id": f"rules#{n}", "content": text, "score": 0.91 - n / 10, "metadata": {}}
                   for n, text in enumerate(PASSAGES)],
        attributes={"server.address": "api.example", "gen_ai.request.temperature": 0.2},
    )  # fmt: skip
    good: JsonObject = {
        "start": 0, "end": len(GOOD), "label": "supported", "score": 0.97, "reason": None,
        "document": 0, "document_start": PASSAGES[0].index("Visiting"),
        "document_end": PASSAGES[0].index(" A longer"), "spans": [],
    }  # fmt: skip
    number = answer.index("42")
    wrong: JsonObject = {"start": number, "end": number + 2, "reason": "number_mismatch"}
    bad: JsonObject = {
        "start": len(GOOD) + 1, "end": len(answer), "label": "unsupported", "score": 0.06,
        "reason": "number_mismatch", "document": 0, "document_start": fee[0],
        "document_end": fee[1], "spans": [wrong],
    }  # fmt: skip
    store.add(
        [call],
        [
            _score(call, "faithfulness", 0.51, "unsupported", evidence=[good, bad]),
            _score(call, "refusal", 0.0, "answered"),
            _score(call, "response_validity", 1.0, "valid"),
            _score(call, "toxicity", None, None, skipped="not_applicable"),
        ],
        _trace(call),
    )


def _trace(call: Interaction) -> list[Span]:
    plan = (
        ("a1", None, "POST /ask", "server", -0.42, 2.4, "ok"),
        ("a2", "a1", "retrieve rules", "internal", -0.38, 0.22, "ok"),
        ("a3", "a2", "embeddings text-embedding-3-small", "client", -0.36, 0.09, "ok"),
        ("a4", "a2", "vector search", "client", -0.25, 0.07, "error"),
        ("5a11", "a1", "chat gpt-5-mini", "client", 0.0, 1.84, "ok"),
    )
    return [
        span_from_json({
            "trace_id": call.trace_id, "span_id": f"{own:0>16}",
            "parent_span_id": f"{parent:0>16}" if parent else None, "name": name, "kind": kind,
            "started_at": iso(call.started_at + offset), "duration_s": took, "status": status,
            "error_type": "timeout" if status == "error" else None,
            "service_name": call.service_name,
        })
        for own, parent, name, kind, offset, took, status in plan
    ]  # fmt: skip


def _add_hostile(store: MemoryStore, now: float) -> None:
    """Add a call whose every text tries to break the page."""
    start = HOSTILE.index("The ferry")
    call = _call(
        HOSTILE_NAME, now - 9, "bad1", duration_s=0.7, answer_text=HOSTILE,
        system_instructions=HOSTILE, input_messages=_messages(HOSTILE), user_id=HOSTILE,
        conversation_id=HOSTILE, finish_reasons=["stop"], environment="<b>prod</b>",
        documents=[{"id": HOSTILE, "content": HOSTILE, "score": None, "metadata": {}}],
        attributes={HOSTILE: HOSTILE}, groups={"<g>": HOSTILE},
    )  # fmt: skip
    bad: JsonObject = {"start": start, "end": start + 24, "label": "unsupported", "score": 0.1,
           "reason": "<i>reason</i>", "document": 0, "document_start": start,
           "document_end": start + 24}  # fmt: skip
    store.add([call], [_score(call, "faithfulness", 0.1, "unsupported", evidence=[bad])])
