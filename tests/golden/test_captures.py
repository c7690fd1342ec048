"""Every captured body gives what its manifest says, in whatever order spans and logs come."""

import gzip
import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from seakeeping.ingest.assemble import Assembler
from seakeeping.ingest.otlp import Encoding, decode_logs, decode_traces
from seakeeping.records import Interaction, LogEvent, Span

ROOT = Path(__file__).parents[2]
OWN = ROOT / "tests" / "data" / "otlp-captures"
SHARED = Path(os.environ.get("SEAKEEPING_SHARED", ROOT.parent / "shared")) / "otlp"
FOLDER = SHARED if SHARED.is_dir() else OWN

Entry = dict[str, Any]
Addition = tuple[Sequence[Span], Sequence[LogEvent]]
Key = tuple[str, str]


def entries() -> list[Entry]:
    listed: list[Entry] = json.loads((FOLDER / "manifest.json").read_text())["entries"]
    return [entry for entry in listed if entry["signal"] != "metrics"]


def captures() -> list[list[Entry]]:
    ordered = sorted(entries(), key=lambda entry: (entry["capture"], entry["file"]))
    return [list(group) for _, group in groupby(ordered, key=lambda entry: entry["capture"])]


def file_of(entry: Entry) -> str:
    return str(entry["file"])


def capture_of(group: list[Entry]) -> str:
    return str(group[0]["capture"])


class Clock:
    """A clock that goes on by a millisecond a look."""

    def __init__(self) -> None:
        self.time = 1_900_000_000.0

    def now(self) -> float:
        self.time += 0.001
        return self.time

    def monotonic(self) -> float:
        return self.time


class NoPrices:
    def cost(
        self,
        provider: str | None,
        model: str | None,
        input_tokens: int | None,
        output_tokens: int | None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        return None


class Seen:
    """What a store holds after some additions: the highest version of each interaction."""

    def __init__(self) -> None:
        self.assembler = Assembler(prices=NoPrices(), clock=Clock(), history=self)
        self.kept: dict[Key, Span] = {}
        self.rows: dict[tuple[str, str, str, float], tuple[int, Interaction | None]] = {}
        self.told = 0

    def add(self, spans: Sequence[Span], logs: Sequence[LogEvent]) -> None:
        found = self.assembler.add(spans, logs)
        self.kept.update({(span.trace_id, span.span_id): span for span in found.spans})
        self.told += len(found.interactions) + len(found.retractions)
        for i in found.interactions:
            self._put((i.trace_id, i.span_id, i.service_name, i.started_at), i.version, i)
        for r in found.retractions:
            self._put((r.trace_id, r.span_id, r.service_name, r.started_at), r.version, None)

    def _put(self, key: tuple[str, str, str, float], version: int, row: Interaction | None) -> None:
        before = self.rows.get(key)
        assert before is None or version > before[0], "a version may never be given twice"
        self.rows[key] = version, row

    def restart(self) -> None:
        """Go on with an assembler that remembers nothing."""
        self.assembler = Assembler(prices=NoPrices(), clock=Clock(), history=self)

    def spans(self, trace_ids: Sequence[str]) -> list[Span]:
        return [span for span in self.kept.values() if span.trace_id in trace_ids]

    def interactions(self, trace_ids: Sequence[str]) -> list[Interaction]:
        rows = (row for _, row in self.rows.values() if row is not None)
        return [row for row in rows if row.trace_id in trace_ids]

    def final(self) -> list[Interaction]:
        rows = (row for _, row in self.rows.values() if row is not None)
        return sorted((replace(row, version=0) for row in rows), key=lambda i: i.started_at)


def body_of(entry: Entry) -> bytes:
    body = (FOLDER / entry["file"]).read_bytes()
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def decoded(entry: Entry) -> Addition:
    if entry["signal"] == "traces":
        return decode_traces(Encoding.PROTOBUF, body_of(entry)), ()
    return (), decode_logs(Encoding.PROTOBUF, body_of(entry))


def assembled(additions: Sequence[Addition]) -> list[Interaction]:
    seen = Seen()
    for spans, logs in additions:
        seen.add(spans, logs)
    return seen.final()


def singles(additions: Sequence[Addition]) -> list[Addition]:
    spans: list[Addition] = [((span,), ()) for given, _ in additions for span in given]
    return [*spans, *(((), (event,)) for _, given in additions for event in given)]


def flat(messages: Sequence[Any] | None) -> Iterator[tuple[Any, ...]]:
    """Yield what messages hold, one line a part; a tool's message is one line a response."""
    for message in messages or ():
        for part in message["parts"]:
            match part["type"]:
                case "text":
                    yield message["role"], "text", part["content"]
                case "tool_call":
                    yield message["role"], "call", part["id"], part["name"], part["arguments"]
                case "tool_call_response":
                    response = part["response"]
                    text = response if isinstance(response, str) else json.dumps(response)
                    yield message["role"], "response", part["id"], text


def sent(messages: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    for message in messages:
        role = message["role"]
        if role == "tool":
            yield role, "response", message["tool_call_id"], message["content"]
        elif role != "system":
            if message.get("content"):
                yield role, "text", message["content"]
            for call in message.get("tool_calls") or ():
                yield role, "call", call["id"], call["name"], call["arguments"]


def check(entry: Entry, found: Sequence[Interaction]) -> None:
    assert len(found) == entry["model_calls_expected"]
    for call, one in zip(entry["model_calls"], found, strict=True):
        missing = set(call["not_in_payload"])
        check_model(call, one, missing)
        check_input(call, one, missing)
        if "error" in call:
            assert one.attributes["http.response.status_code"] == call["error"]["http_status"]
            assert one.error_type == CLASSES[call["error"]["http_status"]]
            assert not one.is_answer
        else:
            check_output(call, one, missing)
            check_tokens(call["tokens"], one, missing)
        check_owner(entry, one)


CLASSES = {429: "rate_limit", 500: "server", 529: "overloaded"}


def check_model(call: Entry, one: Interaction, missing: set[str]) -> None:
    assert one.provider == call["provider"]
    assert one.operation == call["operation"]
    if "model_requested" not in missing:
        assert one.request_model == call["model_requested"]
    if "model_responded" in call and "model_responded" not in missing:
        assert one.response_model == call["model_responded"]
    if "response_id_suffix" in call and "response_id" not in missing:
        assert one.response_id is not None
        assert one.response_id.endswith(call["response_id_suffix"])
    # Some instrumentations do not tell whether a call was streamed; none may tell the contrary.
    assert one.streaming in (call["streaming"], None)


def check_input(call: Entry, one: Interaction, missing: set[str]) -> None:
    if "input_messages" in missing:
        assert one.input_messages is None
        assert one.attributes["seakeeping.content"] == "not_captured"
        assert one.attributes["seakeeping.content_hint"]
        return
    assert one.system_instructions == call["system"]
    if "input_contains" in call:
        whole = "\n".join(str(line) for line in flat(one.input_messages))
        spelled = whole + repr(one.system_instructions)
        assert all(repr(text)[1:-1] in spelled for text in call["input_contains"])
    else:
        assert list(flat(one.input_messages)) == list(sent(call["input_messages"]))


def check_output(call: Entry, one: Interaction, missing: set[str]) -> None:
    assert one.error_type is None
    assert set(one.finish_reasons) <= {call["finish_class"]}
    if "output" in missing:
        assert one.output_messages is None
        assert one.answer_text is None
        return
    lines = list(flat(one.output_messages))
    assert [line[2] for line in lines if line[1] == "text"] == call["output_texts"]
    calls = [{"id": c[2], "name": c[3], "arguments": c[4]} for c in lines if c[1] == "call"]
    assert calls == call["tool_calls"]
    assert one.answer_text == ("\n".join(call["output_texts"]) or None)
    assert one.is_answer == (not call["tool_calls"])


def check_tokens(tokens: dict[str, int], one: Interaction, missing: set[str]) -> None:
    if "tokens.input_total" in missing:
        estimated = one.attributes.get("seakeeping.tokens") == "estimated"
        assert one.input_tokens is None or estimated
        return
    assert one.input_tokens == tokens["input_total"]
    assert one.output_tokens == tokens["output"]
    if "cache_read" in tokens:
        assert one.cache_read_tokens == tokens["cache_read"]
    if "reasoning" in tokens:
        assert one.reasoning_tokens == tokens["reasoning"]


def check_owner(entry: Entry, one: Interaction) -> None:
    resource, ids = entry["resource"], entry.get("ids", {})
    assert one.service_name == resource["service.name"]
    assert one.service_version == resource["service.version"]
    assert one.environment == resource["deployment_environment"]
    assert one.user_id == ids.get("user", one.user_id)
    assert one.attributes.get("session.id") == ids.get("session")
    if "conversation" in ids:
        assert one.conversation_id == ids["conversation"]


def check_documents(entry: Entry, spans: Sequence[Span], found: Sequence[Interaction]) -> None:
    """A call has the documents of its retriever; those in the prompt alone stay there."""
    wanted: list[str] = entry["retrieval"]["documents"]
    calls = {one.span_id for one in found}
    others = [s.attributes for s in spans if s.span_id not in calls]
    elsewhere = json.dumps([dict(a) for a in others if "pydantic_ai.all_messages" not in a])
    is_retrieved = all(json.dumps(json.dumps(text))[3:-3] in elsewhere or
                       json.dumps(text)[1:-1] in elsewhere for text in wanted)  # fmt: skip
    for one in found:
        contents = [document.content for document in one.documents]
        assert sorted(map(str, contents)) == (sorted(wanted) if is_retrieved else [])
        asked = entry["retrieval"]["question"] if is_retrieved else None
        assert one.attributes.get("gen_ai.retrieval.query.text") == asked


@pytest.mark.parametrize("entry", entries(), ids=file_of)
def test_a_body_alone_gives_what_its_manifest_expects(entry: Entry) -> None:
    spans, logs = decoded(entry)
    found = assembled([(spans, logs)])
    check(entry, found)
    if "retrieval" in entry and spans:
        check_documents(entry, spans, found)


@pytest.mark.parametrize("group", [g for g in captures() if len(g) > 1], ids=capture_of)
@pytest.mark.parametrize("is_reversed", [False, True], ids=["spans first", "logs first"])
def test_bodies_of_one_capture_join_in_either_order(group: list[Entry], is_reversed: bool) -> None:
    ordered = sorted(group, key=lambda entry: str(entry["signal"]), reverse=not is_reversed)
    found = assembled([decoded(entry) for entry in ordered])
    fullest = max(group, key=lambda entry: int(entry["model_calls_expected"]))
    joined = {**fullest, "model_calls": [dict(call) for call in fullest["model_calls"]]}
    for index, call in enumerate(joined["model_calls"]):
        told = [set(e["model_calls"][index]["not_in_payload"]) for e in group if e["model_calls"]]
        call["not_in_payload"] = set.intersection(*told)
    check(joined, found)


@pytest.mark.parametrize("group", captures(), ids=capture_of)
def test_spans_and_events_one_at_a_time_in_any_order_end_the_same(group: list[Entry]) -> None:
    additions = [decoded(entry) for entry in group]
    whole = assembled(additions)
    parts = singles(additions)
    orders = [parts, parts[::-1]]
    for seed in range(4):
        shuffled = list(parts)
        random.Random(seed).shuffle(shuffled)
        orders.append(shuffled)
    for order in orders:
        assert assembled(order) == whole


@pytest.mark.parametrize("group", captures(), ids=capture_of)
def test_a_capture_sent_twice_changes_nothing(group: list[Entry]) -> None:
    additions = [decoded(entry) for entry in group]
    seen = Seen()
    for addition in additions:
        seen.add(*addition)
    before, told = seen.final(), seen.told
    for addition in additions:
        seen.add(*addition)
    assert (seen.final(), seen.told) == (before, told)


ACROSS_TRACES = frozenset({"openinference-anthropic-stream"})
"""Captures whose twins lie in two traces: these join only while both are remembered."""


@pytest.mark.parametrize(
    "group", [g for g in captures() if capture_of(g) not in ACROSS_TRACES], ids=capture_of
)
@pytest.mark.parametrize("seed", range(3))
def test_a_restart_in_the_middle_and_a_replay_end_the_same(group: list[Entry], seed: int) -> None:
    additions = [decoded(entry) for entry in group]
    # The events of one call leave their process in one request.
    parts: list[Addition] = [((span,), ()) for spans, _ in additions for span in spans]
    parts += [((), logs) for _, logs in additions if logs]
    random.Random(seed).shuffle(parts)
    seen = Seen()
    for part in parts[: len(parts) // 2 + 1]:
        seen.add(*part)
    seen.restart()
    for part in parts[len(parts) // 2 :]:
        seen.add(*part)
    assert seen.final() == assembled(additions)


@pytest.mark.parametrize("entry", entries(), ids=file_of)
def test_no_answer_is_kept_in_its_span_as_well(entry: Entry) -> None:
    spans, logs = decoded(entry)
    found = Assembler(prices=NoPrices(), clock=Clock()).add(spans, logs)
    by_id = {span.span_id: span for span in found.spans}
    assert len(found.spans) == len(spans)
    for one in found.interactions:
        if one.answer_text is not None and one.span_id in by_id:
            kept = json.dumps(dict(by_id[one.span_id].attributes), ensure_ascii=False)
            assert one.answer_text not in kept
            assert json.dumps(one.answer_text)[1:-1] not in kept


def test_a_clone_has_captures_of_its_own() -> None:
    listed = json.loads((OWN / "manifest.json").read_text())["entries"]
    assert {entry["file"] for entry in listed} == {path.name for path in OWN.glob("*.binpb")}
