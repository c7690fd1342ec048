from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seakeeping.ingest.otlp import (
    Encoding,
    decode_logs,
    decode_traces,
    encode_logs,
    encode_traces,
)
from seakeeping.records import Json, LogEvent, Span, SpanEvent

SPAN = Span(
    trace_id="000102030405060708090a0b0c0d0e0f",
    span_id="0102030405060708",
    parent_span_id="0203040506070809",
    name="chat gpt-4o",
    kind="client",
    started_at=1_795_424_073.6447089,
    duration_s=2.820429437,
    status="ok",
    error_type=None,
    service_name="support-bot",
    attributes={"a": "b", "n": 1, "list": ["x", 2, None], "map": {"deep": {"er": True}}},
    events=(SpanEvent("first token", 1_795_424_073.8, {"i": 0}),),
    resource={"service.name": "support-bot", "service.version": "3"},
    scope_name="scope",
)
LOG = LogEvent(
    trace_id=SPAN.trace_id,
    span_id=SPAN.span_id,
    name="gen_ai.choice",
    at=1_795_424_073.25,
    body={"index": 0, "message": {"role": "assistant"}},
    attributes={"gen_ai.system": "openai"},
    severity="info",
    service_name="support-bot",
    resource={"service.name": "support-bot"},
)


def again(*spans: Span) -> list[Span]:
    return decode_traces(Encoding.PROTOBUF, encode_traces(spans))


def test_a_span_comes_back_as_it_was() -> None:
    assert again(SPAN) == [SPAN]


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_s": None},
        {"parent_span_id": None},
        {"status": "error", "status_message": "quota", "error_type": "_OTHER"},
        {"kind": "unspecified", "status": "unset", "events": (), "attributes": {}},
        {"sampling_weight": 4.0},
        {"sampling_weight": 10.0, "attributes": {"SampleRate": 10}},
        {"started_at": 0.0, "duration_s": None},
        {"started_at": 2_000_000_000.999999, "duration_s": 86_400.000000001},
        {"error_type": "timeout", "attributes": {"error.type": "timeout"}},
        {"name": "Grüße 🌊", "attributes": {"ключ": "значение"}},
    ],
    ids=str,
)
def test_whatever_a_span_says_comes_back(changes: Mapping[str, object]) -> None:
    span = replace(SPAN, **changes)  # type: ignore[arg-type]  # the table above holds
    assert again(span) == [span]


def test_an_error_type_from_elsewhere_becomes_an_attribute() -> None:
    (found,) = again(replace(SPAN, status="error", error_type="rate_limit"))
    assert found.error_type == "rate_limit"
    assert found.attributes["error.type"] == "rate_limit"


def test_a_service_name_that_the_resource_lacks_is_added() -> None:
    (found,) = again(replace(SPAN, resource={}))
    assert found.service_name == "support-bot"
    assert found.resource == {"service.name": "support-bot"}


def test_order_is_kept_over_resources_and_scopes() -> None:
    spans = [
        replace(
            SPAN,
            name=str(n),
            scope_name=scope,
            service_name=service,
            resource={"service.name": service},
        )
        for n, (service, scope) in enumerate([("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")])
    ]
    assert again(*spans) == spans


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (2**63, str(2**63)),
        (-(2**63), -(2**63)),
        ("half \ud83c pair", "half ? pair"),
        (("a", "b"), ["a", "b"]),
        ([], []),
        ({}, {}),
        (None, None),
    ],
)
def test_values_that_otlp_cannot_carry_are_made_to_fit(value: Json, back: Json) -> None:
    (found,) = again(replace(SPAN, attributes={"k": value}))
    assert found.attributes == {"k": back}


@pytest.mark.parametrize("is_map", [True, False])
def test_whatever_the_depth_what_is_encoded_can_be_read(is_map: bool) -> None:
    value: Any = "core"
    for _ in range(200):
        value = {"k": value} if is_map else [value]
    (found,) = again(replace(SPAN, attributes={"k": value}))
    inner: Any = found.attributes["k"]
    for _ in range(24):
        inner = inner["k" if is_map else 0]
    assert inner == "[nested too deep]"


def test_nothing_encodes_to_nothing() -> None:
    assert encode_traces([]) == encode_logs([]) == b""


@pytest.mark.parametrize(
    "log",
    [
        LOG,
        replace(LOG, trace_id=None, span_id=None, body=None, severity=""),
        replace(LOG, body="plain text", severity="critical", name=""),
        replace(LOG, body=[1, {"a": None}]),
    ],
    ids=["full", "bare", "text", "list"],
)
def test_a_log_event_comes_back_as_it_was(log: LogEvent) -> None:
    assert decode_logs(Encoding.PROTOBUF, encode_logs([log, log])) == [log, log]


@pytest.mark.parametrize(
    "name", ["genai-anthropic-chat.binpb", "openinference-openai-err500.binpb"]
)
def test_real_spans_come_back_as_they_were(data: Path, name: str) -> None:
    spans = decode_traces(Encoding.PROTOBUF, (data / "otlp" / name).read_bytes())
    assert again(*spans) == spans


def test_real_log_events_come_back_as_they_were(data: Path) -> None:
    body = (data / "otlp" / "openaiv2old-tools.logs.binpb").read_bytes()
    events = decode_logs(Encoding.PROTOBUF, body)
    assert decode_logs(Encoding.PROTOBUF, encode_logs(events)) == events
