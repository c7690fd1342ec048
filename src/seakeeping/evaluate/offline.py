"""Score a file: JSON lines in, the same lines with their evaluations out, no server, no store.

Two kinds of line: ``{id, context: [str], question, answer}``, the usual form of test sets (other
keys are kept and passed through), and an interaction in our own JSON. A bad line does not stop the
others: it is reported with its place and the rest is scored.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from seakeeping.clock import Clock, SystemClock
from seakeeping.errors import BadInput
from seakeeping.evaluate.registry import load_evaluators
from seakeeping.evaluate.run import run
from seakeeping.protocols import Evaluator
from seakeeping.records import Document, Interaction, JsonObject
from seakeeping.records.codec import interaction_from_json, to_json

BATCH_LINES = 64
"""Lines scored at once."""

SERVICE = "offline"
"""Service name of calls that a line does not name one for."""


class Line(NamedTuple):
    """One line of a file: its place (``file:line``), and its call or what is wrong with it."""

    place: str
    document: Mapping[str, Any]
    interaction: Interaction | None
    error: BadInput | None


class Scored(NamedTuple):
    """One line of the result: the line's object with ``evaluations`` added, or its error."""

    place: str
    document: Mapping[str, Any]
    error: BadInput | None


def evaluate_lines(
    lines: Iterable[str | bytes],
    *,
    source: str = "input",
    evaluators: Sequence[Evaluator] | None = None,
    clock: Clock | None = None,
) -> Iterator[Scored]:
    """Yield each line, in order, with one evaluation of every evaluator.

    Args:
        lines: JSON lines; empty ones are passed over.
        source: what to call the input in places.
        evaluators: who judges; None takes all that are installed.
        clock: stamps the evaluations.
    """
    clock = clock or SystemClock()
    judges = load_evaluators() if evaluators is None else evaluators
    pending = parse_lines(lines, source=source, clock=clock)
    while batch := list(islice(pending, BATCH_LINES)):
        yield from _scored(batch, judges, clock)


def read_interactions(path: Path, *, clock: Clock | None = None) -> Iterator[Interaction]:
    """Yield the calls of a JSONL file, in either form.

    Raises:
        BadInput: at the first bad line, with its place.
    """
    with path.open("rb") as lines:
        for line in parse_lines(lines, source=str(path), clock=clock or SystemClock()):
            if line.interaction is None:
                raise line.error or BadInput("nothing to read", place=line.place)
            yield line.interaction


def parse_lines(lines: Iterable[str | bytes], *, source: str, clock: Clock) -> Iterator[Line]:
    """Yield the lines of a file as calls, or with what is wrong with them."""
    for number, text in enumerate(lines, start=1):
        place = f"{source}:{number}"
        if not text.strip():
            continue
        document: Mapping[str, Any] = {}
        try:
            document = _object(text, place)
            yield Line(place, document, _interaction(document, place, clock), None)
        except BadInput as error:
            yield Line(place, document, None, error)


def _scored(
    batch: Sequence[Line], evaluators: Sequence[Evaluator], clock: Clock
) -> Iterator[Scored]:
    calls = [line.interaction for line in batch if line.interaction is not None]
    columns = [run(evaluator, calls, clock) for evaluator in evaluators]
    rows = zip(*columns, strict=True) if columns else iter([()] * len(calls))
    for line in batch:
        if line.interaction is None:
            yield Scored(line.place, line.document, line.error)
        else:
            evaluations = [to_json(evaluation) for evaluation in next(rows)]
            yield Scored(line.place, {**line.document, "evaluations": evaluations}, None)


def _object(text: str | bytes, place: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON: {error}", place=place, hint="one JSON object a line") from None
    if not isinstance(document, dict):
        raise BadInput("not a JSON object", place=place, hint="one JSON object a line")
    return document


def _interaction(document: Mapping[str, Any], place: str, clock: Clock) -> Interaction:
    if "answer" not in document:
        if "trace_id" in document:
            return interaction_from_json(document, place)
        raise BadInput(
            "neither an interaction nor a question with its answer",
            place=place,
            hint='give {"id", "context": [...], "question", "answer"}, or an interaction',
        )
    answer = _text(document, "answer", place)
    context = document.get("context") or []
    if isinstance(context, str):
        context = [context]
    if not isinstance(context, list) or not all(isinstance(text, str) for text in context):
        raise BadInput("must be a list of strings", place=f"{place}: context")
    return _call(document, answer or "", context, _text(document, "question", place), clock)


def _text(document: Mapping[str, Any], key: str, place: str) -> str | None:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    raise BadInput(f"must be a string, not {type(value).__name__}", place=f"{place}: {key}")


def _call(
    document: Mapping[str, Any],
    answer: str,
    context: Sequence[str],
    question: str | None,
    clock: Clock,
) -> Interaction:
    """Return a line in the usual form as a call; equal lines make the same ids."""
    name = json.dumps(document, sort_keys=True)  # an "id" is unique in its own file at most
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    asked: JsonObject = {"role": "user", "parts": [{"type": "text", "content": question}]}
    said: JsonObject = {"role": "assistant", "parts": [{"type": "text", "content": answer}]}
    return Interaction(
        trace_id=digest[:32], span_id=digest[32:48], parent_span_id=None,
        started_at=clock.now(), duration_s=None, time_to_first_token_s=None, streaming=None,
        operation="chat", provider=None, request_model=None, response_model=None,
        response_id=None, service_name=SERVICE, service_version=None, environment=None,
        system_instructions=None, input_messages=(asked,) if question else None,
        output_messages=(said,), answer_text=answer or None, is_answer=True,
        tool_definitions=None,
        documents=tuple(Document(str(n), text) for n, text in enumerate(context)),
        input_tokens=None, output_tokens=None, cache_read_tokens=None, reasoning_tokens=None,
        cost_usd=None, finish_reasons=(), error_type=None, conversation_id=None, user_id=None,
        tenant=None, route=None, region=None, prompt_name=None, prompt_version=None, release=None,
    )  # fmt: skip
