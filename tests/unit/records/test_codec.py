"""Records as JSON: nothing is lost on the way out and back, and what is wrong is named."""

import json
import math
from typing import Any

import orjson
import pytest

from seakeeping.errors import BadInput
from seakeeping.records import (
    Document,
    Evaluation,
    Interaction,
    LogEvent,
    MetricPoint,
    Span,
    SpanEvent,
)
from seakeeping.records.codec import (
    evaluation_from_json,
    from_json,
    interaction_from_json,
    iso,
    moment,
    near,
    span_from_json,
    to_json,
)

MINIMAL: dict[str, Any] = {
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "span_id": "b7ad6b7169203331",
    "started_at": "2026-11-23T15:04:05.250000Z",
    "service_name": "shop-assistant",
}
FULL: dict[str, Any] = {
    **MINIMAL,
    "duration_s": 1.5,
    "streaming": True,
    "answer_text": "Yes 🌊.",
    "input_messages": [{"role": "user", "parts": [{"type": "text", "content": "Really?"}]}],
    "documents": [{"id": None, "content": "Yes.", "score": 0.5, "metadata": {"page": 3}}],
    "input_tokens": 12,
    "finish_reasons": ["stop"],
    "groups": {"language": "en"},
    "attributes": {"nested": {"list": [1, 2.5, None, True]}},
    "sampling_weight": 10,
}
SPAN = Span(
    trace_id="0a", span_id="b1", parent_span_id=None, name="chat", kind="client",
    started_at=1764000000.25, duration_s=None, status="error", error_type="429",
    service_name="s", attributes={"a": [1, {"b": None}]},
    events=(SpanEvent(name="e", at=1764000001.0, attributes={"k": "v"}),),
)  # fmt: skip
POINT = MetricPoint(
    name="gen_ai.client.token.usage", unit="{token}", kind="histogram", at=1764000000.0,
    service_name="s", resource={}, attributes={"gen_ai.token.type": "input"}, value=12.0, count=3,
    buckets=((1.0, 2.0), (math.inf, 1.0)), temporality="delta",
)  # fmt: skip
LOG = LogEvent(
    trace_id=None, span_id=None, name="gen_ai.choice", at=1764000000.0, body={"x": [1]},
    attributes={}, severity="INFO", service_name="s",
)  # fmt: skip
EVALUATION = Evaluation(
    trace_id="0a", span_id="b1", name="faithfulness", score_value=0.25, score_label="unsupported",
    explanation=None, evidence=({"start": 0, "end": 4},), evaluator="faithfulness",
    evaluator_version="1", evaluated_at=1764000000.5, duration_s=0.002, cost_usd=None,
    skipped_reason=None,
)  # fmt: skip


def through_the_wire(record: object) -> object:
    return orjson.loads(orjson.dumps(to_json(record)))


def test_an_interaction_comes_back_as_it_went() -> None:
    interaction = interaction_from_json(FULL)
    assert interaction_from_json(through_the_wire(interaction)) == interaction


def test_a_span_comes_back_as_it_went() -> None:
    assert span_from_json(through_the_wire(SPAN)) == SPAN


def test_an_evaluation_comes_back_as_it_went() -> None:
    assert evaluation_from_json(through_the_wire(EVALUATION)) == EVALUATION


def test_a_log_event_comes_back_as_it_went() -> None:
    assert from_json(LogEvent, through_the_wire(LOG)) == LOG


def test_a_histogram_keeps_its_infinite_bound() -> None:
    assert to_json(POINT)["buckets"][1] == ["+Inf", 1.0]
    assert from_json(MetricPoint, through_the_wire(POINT)) == POINT


def test_json_uses_exactly_the_field_names() -> None:
    assert set(to_json(interaction_from_json(FULL))) == set(Interaction.__dataclass_fields__)


def test_times_are_iso_in_utc_and_durations_stay_seconds() -> None:
    written = to_json(interaction_from_json(FULL))
    assert written["started_at"] == "2026-11-23T15:04:05.250000Z"
    assert written["duration_s"] == 1.5


def test_a_missing_value_is_null() -> None:
    written = to_json(interaction_from_json(MINIMAL))
    assert written["cost_usd"] is None
    assert written["answer_text"] is None
    assert json.loads(json.dumps(written)) == written


def test_not_a_number_is_null() -> None:
    document = Document(id=None, content=None, score=math.nan)
    assert to_json(document)["score"] is None


@pytest.mark.parametrize(("value", "spelling"), [(math.inf, "+Inf"), (-math.inf, "-Inf")])
def test_infinities_are_spelt_and_read(value: float, spelling: str) -> None:
    document = Document(id=None, content=None, score=value)
    assert to_json(document)["score"] == spelling
    assert from_json(Document, to_json(document)) == document


def test_the_least_interaction_is_a_chat_that_is_no_answer() -> None:
    interaction = interaction_from_json(MINIMAL)
    assert interaction.operation == "chat"
    assert not interaction.is_answer
    assert interaction.documents == ()
    assert interaction.traffic == "live"


def test_a_text_makes_an_answer_unless_it_says_otherwise() -> None:
    assert interaction_from_json({**MINIMAL, "answer_text": "Yes."}).is_answer
    assert not interaction_from_json({**MINIMAL, "answer_text": "Y", "is_answer": False}).is_answer


def test_a_whole_number_may_be_spelt_as_a_float() -> None:
    assert interaction_from_json({**MINIMAL, "input_tokens": 12.0}).input_tokens == 12


def test_the_least_span_is_internal_and_unset() -> None:
    span = span_from_json({**MINIMAL, "name": "work"})
    assert (span.kind, span.status, span.duration_s) == ("internal", "unset", None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"servce_name": "x"},
            "in.jsonl:3: unknown key 'servce_name' (did you mean 'service_name'?)",
        ),
        ({"input_tokens": "12"}, "in.jsonl:3: input_tokens: must be a whole number, not '12'"),
        ({"input_tokens": 1.5}, "in.jsonl:3: input_tokens: must be a whole number, not 1.5"),
        ({"input_tokens": math.inf}, "in.jsonl:3: input_tokens: must be a whole number, not inf"),
        ({"input_tokens": True}, "in.jsonl:3: input_tokens: must be a whole number, not True"),
        ({"input_tokens": -1}, "in.jsonl:3: input_tokens: must be at least 0, not -1"),
        ({"sampling_weight": 0.5}, "in.jsonl:3: sampling_weight: must be at least 1, not 0.5"),
        ({"cost_usd": True}, "in.jsonl:3: cost_usd: must be a number, not True"),
        ({"streaming": 1}, "in.jsonl:3: streaming: must be true or false, not 1"),
        ({"service_name": None}, "in.jsonl:3: service_name: must be a string, not None"),
        ({"documents": {}}, "in.jsonl:3: documents: must be a list, not {}"),
        ({"documents": ["x"]}, "in.jsonl:3: documents[0]: must be a JSON object, not 'x'"),
        (
            {"documents": [{"id": None, "content": 7}]},
            "in.jsonl:3: documents[0]: content: must be a string, not 7",
        ),
        ({"finish_reasons": "stop"}, "in.jsonl:3: finish_reasons: must be a list, not 'stop'"),
        ({"groups": {"a": 1}}, "in.jsonl:3: groups.a: must be a string, not 1"),
        ({"attributes": []}, "in.jsonl:3: attributes: must be a JSON object, not []"),
        ({"traffic": "lve"}, "in.jsonl:3: traffic: unknown value 'lve' (did you mean 'live'?)"),
        (
            {"started_at": "yesterday"},
            "in.jsonl:3: started_at: must be an ISO-8601 time such as 2026-11-23T15:04:05Z, "
            "not 'yesterday'",
        ),
        (
            {"started_at": "2026-11-23T15:04:05"},
            "in.jsonl:3: started_at: '2026-11-23T15:04:05' has no time zone "
            "(end it with Z for UTC)",
        ),
        ({"started_at": 1764000000}, "in.jsonl:3: started_at: must be a string, not 1764000000"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        interaction_from_json({**MINIMAL, **change}, "in.jsonl:3")
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["trace_id", "span_id", "started_at", "service_name"])
def test_a_required_field_left_out_is_named(name: str) -> None:
    rest = {k: v for k, v in MINIMAL.items() if k != name}
    with pytest.raises(BadInput, match=f"{name} is missing"):
        interaction_from_json(rest)


@pytest.mark.parametrize("body", [None, 3, "text", []])
def test_only_an_object_is_a_record(body: object) -> None:
    with pytest.raises(BadInput, match="must be a JSON object"):
        interaction_from_json(body)


def test_an_unknown_span_kind_suggests_the_near_one() -> None:
    with pytest.raises(BadInput, match="did you mean 'client'"):
        span_from_json({**MINIMAL, "name": "x", "kind": "cleint"})


def test_a_long_wrong_value_is_shown_short() -> None:
    with pytest.raises(BadInput) as caught:
        interaction_from_json({**MINIMAL, "input_tokens": "9" * 500})
    assert len(str(caught.value)) < 120


def test_a_pair_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(BadInput, match=r"buckets\[0\]: must be a list of 2"):
        from_json(MetricPoint, {**to_json(POINT), "buckets": [[1.0]]})


def test_only_records_are_written() -> None:
    with pytest.raises(TypeError, match="str is not a record"):
        to_json("text")


def test_a_zone_other_than_utc_is_the_same_moment() -> None:
    assert moment("2026-11-23T16:04:05+01:00") == moment("2026-11-23T15:04:05Z")


def test_a_microsecond_survives_the_wire() -> None:
    assert iso(moment("2026-11-23T15:04:05.000001Z")) == "2026-11-23T15:04:05.000001Z"


def test_a_word_without_neighbour_lists_what_is_known() -> None:
    assert near("zzz", ["live", "demo"]) == "known: demo, live"
