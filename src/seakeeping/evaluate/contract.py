"""The contract that every evaluator keeps, as a suite that anyone can run on theirs.

    from seakeeping.evaluate.contract import check_evaluator

    def test_my_evaluator_keeps_the_contract() -> None:
        check_evaluator(MyEvaluator())

It is run over ours in our own tests. A broken promise is an ``AssertionError`` that says which.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from seakeeping.protocols import CostClass, Evaluator
from seakeeping.records import EVALUATION_KINDS, Document, Evaluation, Interaction, Json, JsonObject
from seakeeping.records.codec import to_json

KNOWN_NEEDS = frozenset({"answer_text", "documents", "input_messages", "output_messages"})
"""What an evaluator may say that it looks at."""


def plain_call(
    *,
    answer: str | None = "Paris is the capital of France, and about two million people live there.",
    documents: Sequence[str | None] = ("Paris is the capital of France. 2.1 million live there.",),
    question: str | None = "What is the capital of France?",
    number: int = 1,
) -> Interaction:
    """Return an ordinary model call, to be varied with ``dataclasses.replace``."""
    asked: JsonObject = {"role": "user", "parts": [{"type": "text", "content": question}]}
    said: JsonObject = {"role": "assistant", "parts": [{"type": "text", "content": answer}]}
    return Interaction(
        trace_id=f"{number:032x}", span_id=f"{number:016x}", parent_span_id=None,
        started_at=1_700_000_000.0, duration_s=1.5, time_to_first_token_s=0.2, streaming=True,
        operation="chat", provider="openai", request_model="model", response_model="model",
        response_id=f"response-{number}", service_name="service", service_version="1",
        environment="test", system_instructions=None,
        input_messages=None if question is None else (asked,),
        output_messages=None if answer is None else (said,), answer_text=answer, is_answer=True,
        tool_definitions=None,
        documents=tuple(Document(str(n), text) for n, text in enumerate(documents)),
        input_tokens=100, output_tokens=20, cache_read_tokens=None, reasoning_tokens=None,
        cost_usd=None, finish_reasons=("stop",), error_type=None, conversation_id=None,
        user_id=None, tenant=None, route=None, region=None, prompt_name=None, prompt_version=None,
        release=None,
    )  # fmt: skip


def odd_calls() -> list[Interaction]:
    """Return calls as they come from the wild: empty, foreign, broken, huge, half captured."""
    calls = [*_odd_texts(), *_odd_shapes()]
    return [
        replace(call, trace_id=f"{number:032x}", span_id=f"{number:016x}")
        for number, call in enumerate(calls, start=1)
    ]


def _odd_texts() -> Iterator[Interaction]:
    texts = (
        "", " \n\t", ".", "?!...", "0", "\x00\x01", "\ud800 lone", "é" * 3, "Å", "ﬁ İstanbul ẞ",
        "天空是藍色的。因為瑞利散射。", "ท้องฟ้าเป็นสีฟ้าเพราะการกระเจิง", "السماء زرقاء. هذا صحيح؟",
        "आकाश नीला है। यह सच है।", "👩‍👩‍👧‍👦 emoji 🎉. Family!", "```python\nprint(1)\n```",
        '{"a": [1, 2', "| a | b |\n|---|---|\n| 1 | 2 |", "- one\n- two\n  1. three", "[1][2][99]",
        "see https://example.com/a?b=c. Next", "I'm sorry, but I can't help with that.",
        '"' * 3000, "." * 3000, "a" * 5000, "a. " * 2000, "(" * 2000, "1,000.5.5,," * 300,
        "I " * 3000, "not " * 500, "\n" * 3000,
    )  # fmt: skip
    for text in texts:
        yield plain_call(answer=text)
        yield plain_call(documents=[text])
        yield plain_call(question=text, documents=[])


def _odd_shapes() -> Iterator[Interaction]:
    call = plain_call()
    yield plain_call(answer=None)
    yield plain_call(documents=[None, ""])
    yield plain_call(documents=[], question=None)
    yield replace(call, error_type="RateLimitError", answer_text=None, output_messages=None)
    yield replace(call, is_answer=False)
    yield replace(call, finish_reasons=("length",), answer_text=None, output_messages=None)
    yield replace(call, operation="embeddings", answer_text=None, output_messages=None)
    yield replace(call, output_messages=())
    odd: tuple[Json, ...] = (
        [],
        [7, None],
        "text",
        [{"type": "tool_call"}],
        [{}],
        [{"type": "text"}],
    )
    for parts in odd:
        message: JsonObject = {"role": "assistant", "parts": parts}
        yield replace(call, output_messages=(message,), input_messages=(message,))
    tool = {"type": "tool_call", "id": "1", "name": "f", "arguments": '{"a": '}
    yield replace(
        call,
        is_answer=False,
        answer_text=None,
        output_messages=({"role": "assistant", "parts": [tool]},),
        tool_definitions=({"type": "function", "function": {"name": "g"}}, {"name": "h"}),
    )


def check_evaluator(evaluator: Evaluator) -> None:
    """Run the whole contract over one evaluator.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    check_description(evaluator)
    calls = [plain_call(number=1000), *odd_calls()]
    evaluations = list(evaluator.evaluate(calls))
    check_order(evaluator, calls, evaluations)
    for call, evaluation in zip(calls, evaluations, strict=True):
        check_result(evaluation)
        check_findings(call, evaluation)
        check_json(evaluation)
    check_determinism(evaluator, calls, evaluations)
    assert list(evaluator.evaluate([])) == [], "no calls, no evaluations"


def check_description(evaluator: Evaluator) -> None:
    """Name, version, needs and cost class are there and make sense."""
    assert isinstance(evaluator, Evaluator), "an Evaluator has five members"
    assert evaluator.name, "an evaluator has a name"
    assert evaluator.version, "an evaluator has a version"
    assert isinstance(evaluator.cost_class, CostClass), "cost_class is a CostClass"
    unknown = set(evaluator.needs) - KNOWN_NEEDS
    assert not unknown, f"unknown needs: {sorted(unknown)}"


def check_order(
    evaluator: Evaluator, calls: Sequence[Interaction], evaluations: Sequence[Evaluation]
) -> None:
    """There is one evaluation a call, in order, named and signed by the evaluator."""
    expected = [(*call.key, evaluator.name, evaluator.name) for call in calls]
    assert [e.key for e in evaluations] == expected, "one evaluation a call, in order"
    versions = {e.evaluator_version for e in evaluations}
    assert versions <= {evaluator.version}, f"signed with other versions: {versions}"


def check_result(evaluation: Evaluation) -> None:
    """Either a result in its range with a known label, or a reason why there is none."""
    has_result = evaluation.score_value is not None or evaluation.score_label is not None
    assert has_result != bool(evaluation.skipped_reason), "a result, or a reason, never both"
    if evaluation.score_value is not None:
        assert math.isfinite(evaluation.score_value), "the score is not a number"
    kind = EVALUATION_KINDS.get(evaluation.name)
    if kind is None or not has_result:
        return
    if evaluation.score_value is not None:
        assert kind.low <= evaluation.score_value <= kind.high, "the score is out of its range"
    labels = (kind.good_label, kind.bad_label, None)
    assert evaluation.score_label in labels, f"unknown label {evaluation.score_label!r}"


def check_findings(call: Interaction, evaluation: Evaluation) -> None:
    """Offsets lie within the text that they point into."""
    answer = len(call.answer_text or "")
    for finding in evaluation.evidence:
        if "start" in finding:
            _check_span(finding, "start", "end", answer)
        document = finding.get("document")
        if document is not None:
            assert isinstance(document, int), "document is an index"
            assert 0 <= document < len(call.documents), "no such document"
            size = len(call.documents[document].content or "")
            _check_span(finding, "document_start", "document_end", size)


def _check_span(finding: JsonObject, first: str, last: str, size: int) -> None:
    start, end = finding.get(first), finding.get(last)
    assert isinstance(start, int), f"{first} is a number of code points"
    assert isinstance(end, int), f"{last} is a number of code points"
    assert 0 <= start < end <= size, f"{first} and {last} lie outside the text"


def check_json(evaluation: Evaluation) -> None:
    """The evaluation can be written as JSON."""
    json.dumps(to_json(evaluation), allow_nan=False)


def check_determinism(
    evaluator: Evaluator, calls: Sequence[Interaction], evaluations: Sequence[Evaluation]
) -> None:
    """Equal input gives equal output, together, backwards, or one by one."""
    timeless = [_timeless(evaluation) for evaluation in evaluations]
    again = [_timeless(e) for e in evaluator.evaluate(calls)]
    assert again == timeless, "a second run differs"
    backwards = [_timeless(e) for e in evaluator.evaluate(calls[::-1])]
    assert backwards[::-1] == timeless, "the order of the calls changes a result"
    alone = [_timeless(e) for call in calls for e in evaluator.evaluate([call])]
    assert alone == timeless, "the other calls of a batch change a result"


def _timeless(evaluation: Evaluation) -> Evaluation:
    return replace(evaluation, evaluated_at=0.0, duration_s=None)
