"""Captured bodies, posted over real sockets to a running server and read back from its API."""

import gzip
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import pytest
from tests.e2e.conftest import Server
from tests.golden.test_captures import Entry, body_of, captures, check

from seakeeping.ingest.otlp import Encoding, decode_logs, decode_traces, to_json_body
from seakeeping.records import Interaction, Signal
from seakeeping.records.codec import interaction_from_json

_METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}


def post_protobuf(server: Server, entry: Entry) -> None:
    status, answer = server.post(f"/v1/{entry['signal']}", body_of(entry), "application/x-protobuf")
    assert (status, answer) == (200, b"")


def post_gzipped_json(server: Server, entry: Entry) -> None:
    body = gzip.compress(to_json_body(Signal(entry["signal"]), body_of(entry)))
    status, answer = server.post(
        f"/v1/{entry['signal']}", body, "application/json", Content_Encoding="gzip"
    )
    assert (status, answer) == (200, b"{}")


def call_grpc(server: Server, entry: Entry) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        call = channel.unary_unary(_METHODS[entry["signal"]])
        assert call(body_of(entry), timeout=10, compression=grpc.Compression.Gzip) == b""


def trace_ids(group: Sequence[Entry]) -> set[str]:
    """Return the traces that the bodies of a capture belong to."""
    found: set[str] = set()
    for entry in group:
        decode = decode_traces if entry["signal"] == "traces" else decode_logs
        found |= {str(item.trace_id) for item in decode(Encoding.PROTOBUF, body_of(entry))}
    return found


def all_interactions(server: Server) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = server.get(f"/api/interactions?limit=100&traffic=live{cursor}")
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


def whole(server: Server, row: dict[str, Any]) -> Interaction:
    """Return one call with its texts, as the API tells it."""
    found = server.get(f"/api/interactions/{row['trace_id']}/{row['span_id']}")
    found.pop("evaluations", None)
    return interaction_from_json(found.get("interaction", found))


def expected(group: Sequence[Entry]) -> Entry:
    """Return what all bodies of a capture tell together."""
    fullest = max(group, key=lambda entry: int(entry["model_calls_expected"]))
    calls = [dict(call) for call in fullest["model_calls"]]
    for index, call in enumerate(calls):
        told = [set(e["model_calls"][index]["not_in_payload"]) for e in group if e["model_calls"]]
        call["not_in_payload"] = set.intersection(*told)
    return {**fullest, "model_calls": calls}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("send", [post_protobuf, post_gzipped_json, call_grpc])
def test_every_capture_reads_back_as_its_manifest_expects(own_server: Server, send: Any) -> None:
    groups = captures()
    for group in groups:
        for entry in group:
            send(own_server, entry)
    wanted = sum(int(expected(group)["model_calls_expected"]) for group in groups)
    rows = own_server.until(lambda: settled(own_server, wanted), within_s=60)
    problems = [problem for group in groups for problem in differences(own_server, group, rows)]
    assert not problems, "\n".join(problems)


def settled(server: Server, wanted: int) -> list[dict[str, Any]] | None:
    rows = list(all_interactions(server))
    return rows if len(rows) == wanted else None


def differences(
    server: Server, group: Sequence[Entry], rows: Sequence[dict[str, Any]]
) -> Iterator[str]:
    mine = trace_ids(group)
    found = [whole(server, row) for row in rows if row["trace_id"] in mine]
    try:
        check(expected(group), sorted(found, key=lambda one: one.started_at))
    except AssertionError as difference:
        yield f"{group[0]['capture']}: {str(difference)[:400]}"
