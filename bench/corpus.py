"""The ingest corpus: the same spans for us and for the peers, from a seed.

Traces of four spans, sixteen traces a request, 4.2 KB a span on the wire. A settable share of the
spans are model calls (OpenTelemetry GenAI attributes, question and answer, two retrieved documents
in OpenInference's keys); the others are what surrounds them in an app: workflow, retrieval, tool,
with texts of the same size. Words are drawn by their frequency in the demo's texts, in sentences;
half of an answer's sentences come from its documents, so that a scorer has something to find.

    python -m bench.corpus 20480 corpus.bin   # length-prefixed OTLP bodies
"""

import hashlib
import itertools
import json
import random
import re
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from seakeeping.challenge.answers import load_answers

SPANS_A_TRACE = 4
TRACES_A_BODY = 16
SPANS_A_BODY = SPANS_A_TRACE * TRACES_A_BODY
QUESTION_CHARS, ANSWER_CHARS, DOCUMENT_CHARS = 1000, 850, 700
FILLER_CHARS = 3900
"""Text of a span that is no model call, so that all spans weigh about the same."""

_MODEL_CALL, _WORKFLOW, _RETRIEVAL, _TOOL = "chat", "workflow", "retrieval", "tool"


@dataclass(frozen=True, slots=True)
class Body:
    """An OTLP/HTTP protobuf request body, how many spans it holds, and how many are model calls."""

    payload: bytes
    spans: int
    model_calls: int
    trace_ids: tuple[bytes, ...]


def renewed(body: Body, salt: int) -> Body:
    """Return the same body with other trace identifiers, a hundred times as fast as a new one."""
    payload, fresh = body.payload, []
    for old in body.trace_ids:
        fresh.append(hashlib.blake2b(old + salt.to_bytes(8, "big"), digest_size=16).digest())
        payload = payload.replace(old, fresh[-1])
    return Body(payload, body.spans, body.model_calls, tuple(fresh))


class Prose:
    """Sentences of real words, drawn by frequency."""

    def __init__(self, chance: random.Random) -> None:
        texts = (passage.text for answer in load_answers() for passage in answer.passages)
        counts = Counter(word for text in texts for word in re.findall(r"[A-Za-z0-9'-]+", text))
        self._words = sorted(counts)
        self._weights = list(itertools.accumulate(counts[word] for word in self._words))
        self._chance = chance

    def sentence(self) -> str:
        """Return one sentence of eight to twenty-four words."""
        many = self._chance.randint(8, 24)
        words = self._chance.choices(self._words, cum_weights=self._weights, k=many)
        return " ".join(words).capitalize() + "."

    def text(self, chars: int) -> str:
        """Return sentences of so many characters together."""
        pieces: list[str] = []
        length = 0
        while length < chars:
            pieces.append(self.sentence())
            length += len(pieces[-1]) + 1
        return " ".join(pieces)[:chars]

    def answer(self, documents: list[str], chars: int) -> str:
        """Return a text that takes every second sentence from the documents."""
        known = [piece + "." for text in documents for piece in text.split(".") if len(piece) > 20]
        pieces: list[str] = []
        while sum(map(len, pieces)) < chars:
            pieces.append(self._chance.choice(known).strip())
            pieces.append(self.sentence())
        return " ".join(pieces)[:chars]


def bodies(
    spans: int, *, model_call_share: float = 0.25, seed: int = 0, start: float | None = None
) -> Iterator[Body]:
    """Yield request bodies that hold ``spans`` spans together (rounded up to whole bodies).

    ``start`` is the time of the first trace (Unix seconds; a minute ago by default); traces follow
    each other by a millisecond, so that the corpus never lies in the future for long.
    """
    chance = random.Random(seed)
    prose = Prose(chance)
    begin = time.time() - 60 if start is None else start
    numbers = itertools.count()
    for body in range(-(-spans // SPANS_A_BODY)):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        _put(resource.resource.attributes, {"service.name": "bench-app", "service.version": "1.0"})
        scope = resource.scope_spans.add()
        scope.scope.name = "bench"
        calls, trace_ids = 0, []
        for trace in range(TRACES_A_BODY):
            at = begin + (body * TRACES_A_BODY + trace) * 0.001
            trace_id = hashlib.blake2b(f"{seed}/{body}/{trace}".encode(), digest_size=16).digest()
            trace_ids.append(trace_id)
            for place in range(SPANS_A_TRACE):
                number = next(numbers)
                is_call = int((number + 1) * model_call_share) > int(number * model_call_share)
                calls += is_call
                kind = _MODEL_CALL if is_call else (_WORKFLOW, _RETRIEVAL, _TOOL)[place % 3]
                _fill(scope.spans.add(), kind, trace_id, place, at, prose, chance)
        yield Body(request.SerializeToString(), SPANS_A_BODY, calls, tuple(trace_ids))


def _fill(
    span: Span,
    kind: str,
    trace_id: bytes,
    place: int,
    at: float,
    prose: Prose,
    chance: random.Random,
) -> None:
    span.trace_id = trace_id
    span.span_id = hashlib.blake2b(trace_id + bytes([place]), digest_size=8).digest()
    if place:
        span.parent_span_id = hashlib.blake2b(trace_id + bytes([0]), digest_size=8).digest()
    span.name = kind
    span.kind = Span.SPAN_KIND_CLIENT if kind == _MODEL_CALL else Span.SPAN_KIND_INTERNAL
    span.start_time_unix_nano = int((at + place * 0.05) * 1e9)
    span.end_time_unix_nano = span.start_time_unix_nano + chance.randrange(
        40_000_000, 2_000_000_000
    )
    facts = _model_call(prose, chance) if kind == _MODEL_CALL else _surroundings(kind, prose)
    _put(span.attributes, facts)


def _model_call(prose: Prose, chance: random.Random) -> dict[str, object]:
    documents = [prose.text(DOCUMENT_CHARS) for _ in range(2)]
    facts: dict[str, object] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": f"chatcmpl-{chance.getrandbits(96):024x}",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.usage.input_tokens": chance.randrange(300, 900),
        "gen_ai.usage.output_tokens": chance.randrange(100, 300),
        "gen_ai.conversation.id": f"conversation-{chance.randrange(500)}",
        "user.id": f"user-{chance.randrange(200)}",
        "gen_ai.input.messages": _message("user", prose.text(QUESTION_CHARS)),
        "gen_ai.output.messages": _message("assistant", prose.answer(documents, ANSWER_CHARS)),
    }
    return facts | _documents(documents, chance)


def _documents(texts: list[str], chance: random.Random) -> dict[str, object]:
    facts: dict[str, object] = {}
    for number, text in enumerate(texts):
        prefix = f"retrieval.documents.{number}.document"
        facts[f"{prefix}.id"] = f"doc-{chance.randrange(10_000)}"
        facts[f"{prefix}.content"] = text
        facts[f"{prefix}.score"] = round(chance.random(), 4)
    return facts


def _surroundings(kind: str, prose: Prose) -> dict[str, object]:
    half = FILLER_CHARS // 2
    return {
        "app.step": kind,
        "app.request.id": prose.sentence()[:24],
        "app.input": prose.text(half),
        "app.output": prose.text(half),
        "app.cache_hit": False,
        "app.attempt": 1,
        "code.function.name": f"run_{kind}",
        "server.address": "app.internal",
        "server.port": 8080,
    }


def _message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def _put(attributes: object, facts: dict[str, object]) -> None:
    for key, value in facts.items():
        pair = attributes.add()  # type: ignore[attr-defined]  # protobuf's repeated field
        pair.key = key
        if isinstance(value, bool):
            pair.value.bool_value = value
        elif isinstance(value, int):
            pair.value.int_value = value
        elif isinstance(value, float):
            pair.value.double_value = value
        else:
            pair.value.string_value = value


def main() -> None:
    """Write a corpus of so many spans to a file, each body after its length (4 bytes, big end)."""
    many, target = int(sys.argv[1]), sys.argv[2]
    spans = size = 0
    with open(target, "wb") as file:
        for body in bodies(many):
            file.write(struct.pack(">I", len(body.payload)) + body.payload)
            spans, size = spans + body.spans, size + len(body.payload)
    print(f"{spans} spans, {size / spans:.0f} bytes each")


if __name__ == "__main__":
    main()
