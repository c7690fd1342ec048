"""The API: every answer is as the OpenAPI document says, every mistake is named."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seakeeping.records import MetricPoint
from seakeeping.records.codec import interaction_from_json, iso
from seakeeping.web.testing import (
    Client,
    MemoryDecided,
    MemoryStore,
    StillClock,
    TestRoom,
    fill,
    fill_decided,
    make_room,
)
from seakeeping.web.testing.schema import faults

CLOCK = StillClock()
SHOWPIECE = f"{'5a11':0>32}/{'5a11':0>16}"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    store = fill(MemoryStore(), CLOCK.now())
    store.points.append(
        MetricPoint(
            name="gen_ai.client.operation.duration", unit="s", kind="histogram",
            at=CLOCK.now() - 60, service_name="crew-chat", resource={}, attributes={}, value=3.0,
            count=2, buckets=((1.0, 1.0), (math.inf, 1.0)), temporality="delta",
        )
    )  # fmt: skip
    decided = fill_decided(MemoryDecided(CLOCK), CLOCK.now())
    made = make_room(store, tmp_path_factory.mktemp("room"), CLOCK, decided)
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(room: TestRoom) -> Client:
    return Client(room.app)


@pytest.fixture(scope="module")
def document(client: Client) -> Any:
    return client.get("/api/openapi.json").json()


def schema_of(document: Any, path: str, method: str = "get", status: str = "200") -> Any:
    answer = document["paths"][path][method]["responses"][status]
    return answer["content"]["application/json"]["schema"]


@pytest.mark.parametrize(
    ("url", "path", "least"),
    [
        ("/api/services", "/api/services", 5),
        ("/api/services?window=30d", "/api/services", 5),
        ("/api/interactions?limit=200", "/api/interactions", 200),
        ("/api/evaluations", "/api/evaluations", 50),
        (f"/api/traces/{'5a11':0>32}", "/api/traces/{trace_id}", 5),
        ("/api/objectives", "/api/objectives", 10),
        ("/api/budgets", "/api/budgets", 10),
        ("/api/budgets?service=cargo-search", "/api/budgets", 2),
        (
            "/api/metrics?service=crew-chat&name=gen_ai.client.operation.duration",
            "/api/metrics", 1,
        ),
    ],
)  # fmt: skip
def test_every_list_is_as_the_document_says(
    client: Client, document: Any, url: str, path: str, least: int
) -> None:
    answer = client.get(url)
    assert answer.status == 200
    assert len(answer.json()["items"]) >= least
    assert list(faults(answer.json(), schema_of(document, path), document)) == []


def test_one_interaction_comes_with_its_evaluations(client: Client, document: Any) -> None:
    answer = client.get(f"/api/interactions/{SHOWPIECE}").json()
    path = "/api/interactions/{trace_id}/{span_id}"
    assert list(faults(answer, schema_of(document, path), document)) == []
    assert answer["answer_text"].startswith("You may stay")
    assert [e["name"] for e in answer["evaluations"]] == [
        "faithfulness", "refusal", "response_validity", "toxicity",
    ]  # fmt: skip


def test_what_the_api_says_can_be_read_back_as_a_record(client: Client, room: TestRoom) -> None:
    answer = client.get(f"/api/interactions/{SHOWPIECE}").json()
    del answer["evaluations"]
    assert interaction_from_json(answer) == room.store.interaction(*SHOWPIECE.split("/"))


def test_the_schema_check_finds_what_is_wrong(client: Client, document: Any) -> None:
    answer = client.get("/api/interactions?limit=1").json()
    schema = schema_of(document, "/api/interactions")
    call = answer["items"][0]
    for broken in (
        {**call, "streaming": "yes"}, {**call, "extra": 1}, {**call, "started_at": 3},
        {k: v for k, v in call.items() if k != "trace_id"}, {**call, "documents": [{}]},
    ):  # fmt: skip
        assert list(faults({**answer, "items": [broken]}, schema, document)) != []


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("service=cargo-search", lambda c: c["service_name"] == "cargo-search"),
        ("error=true", lambda c: c["error_type"] == "429"),
        ("error=false", lambda c: c["error_type"] is None),
        ("conversation_id=conv-17", lambda c: c["trace_id"].endswith("5a11")),
        ("model=gpt-5-mini&provider=openai&release=v41", lambda c: c["release"] == "v41"),
        ("traffic=live&operation=chat", lambda c: c["operation"] == "chat"),
        (
            f"since={iso(CLOCK.now() - 600)}&until={iso(CLOCK.now() - 300)}",
            lambda c: iso(CLOCK.now() - 600) <= c["started_at"] < iso(CLOCK.now() - 300),
        ),
    ],
)
def test_filters_leave_only_what_they_name(client: Client, query: str, holds: Any) -> None:
    items = client.get(f"/api/interactions?limit=500&{query}").json()["items"]
    assert items
    assert all(holds(item) for item in items)


def test_a_label_finds_the_flagged_calls(client: Client, room: TestRoom) -> None:
    items = client.get("/api/interactions?label=unsupported&limit=20").json()["items"]
    assert len(items) == 20
    for item in items:
        scores = room.store.evaluations_of(item["trace_id"], item["span_id"])
        assert any(score.score_label == "unsupported" for score in scores)


def test_pages_follow_each_other_without_gap_or_repeat(client: Client) -> None:
    seen, cursor = [], ""
    for _ in range(4):
        page = client.get(f"/api/interactions?service=crew-chat&limit=3&cursor={cursor}").json()
        seen += [(c["trace_id"], c["started_at"]) for c in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 9
    assert seen == sorted(seen, key=lambda c: c[1], reverse=True)


def test_a_page_is_never_larger_than_the_most(client: Client) -> None:
    assert len(client.get("/api/interactions?limit=99999").json()["items"]) == 500


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("/api/interactions?servce=x", "unknown parameter 'servce'", "did you mean 'service'?"),
        ("/api/interactions?error=yes", "error must be true or false, not 'yes'", ""),
        ("/api/interactions?limit=0", "limit must be a whole number from 1 to 500, not '0'", ""),
        ("/api/interactions?limit=ten", "limit must be a whole number from 1 to 500, not 'ten'",
         ""),
        ("/api/interactions?traffic=lve", "traffic 'lve' is unknown", "did you mean 'live'?"),
        ("/api/interactions?since=2026-01-01T00:00:00",
         "since: '2026-01-01T00:00:00' has no time zone", "end it with Z for UTC"),
        ("/api/interactions?since=now",
         "since: must be an ISO-8601 time such as 2026-11-23T15:04:05Z, not 'now'", ""),
        ("/api/interactions?service=a&service=b", "service is given twice", ""),
        (f"/api/interactions?user_id={'x' * 3000}", "user_id is longer than 2000 characters", ""),
        ("/api/traces/x?limit=3", "unknown parameter 'limit'", "known: "),
        ("/api/metrics?service=x", "name is missing", "The metric, e.g. "),
        ("/api/services?window=2h", "window '2h' is unknown", "did you mean"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_named(
    client: Client, document: Any, url: str, message: str, hint: str
) -> None:
    answer = client.get(url)
    assert answer.status == 400
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("bad_input", message)
    assert hint in error["hint"]
    schema = schema_of(document, "/api/interactions", status="default")
    assert list(faults(answer.json(), schema, document)) == []


def test_a_plus_in_a_zone_survives_the_way_through_a_url(client: Client) -> None:
    assert client.get("/api/interactions?since=2026-01-01T00:00:00+01:00").status == 200


@pytest.mark.parametrize(
    "url", ["/api/interactions/a/b", "/api/traces/abc", "/api/nothing", "/api/interactions/"]
)
def test_what_is_not_there_is_a_404_in_json(client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_wrong_method_is_a_405(client: Client) -> None:
    answer = client.send("POST", "/api/interactions")
    assert answer.status == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_store_that_is_away_is_a_503_with_a_hint(tmp_path: Path) -> None:
    store = MemoryStore()
    store.is_away = True
    made = make_room(store, tmp_path, CLOCK)
    client = Client(made.app)
    for url in ("/api/services", "/api/interactions", "/api/evaluations", "/api/traces/x"):
        answer = client.get(url)
        assert answer.status == 503
        assert answer.json()["error"]["code"] == "store_unavailable"
        assert answer.headers["retry-after"] == "1"
    made.close()


def test_erasing_a_user_forgets_and_is_recorded(tmp_path: Path) -> None:
    made = make_room(fill(MemoryStore(), CLOCK.now()), tmp_path, CLOCK)
    client = Client(made.app)
    document = client.get("/api/openapi.json").json()
    answer = client.send("DELETE", "/api/subjects/user-3")
    assert answer.status == 200
    erased = answer.json()
    schema = schema_of(document, "/api/subjects/{user_id}", "delete")
    assert list(faults(erased, schema, document)) == []
    assert erased["interactions"] > 0
    assert client.get("/api/interactions?user_id=user-3").json()["items"] == []
    begun, done = made.audited
    assert begun == ("user-3", "admin", 0), "recorded before anything is deleted"
    assert done == ("user-3", "admin", erased["interactions"])
    made.close()


def test_another_sites_page_cannot_erase(client: Client, room: TestRoom) -> None:
    answer = client.send("DELETE", "/api/subjects/user-5", {"sec-fetch-site": "cross-site"})
    assert answer.status == 403
    assert "user-5" not in room.store.erased


def test_the_document_describes_every_route_and_no_other(room: TestRoom, document: Any) -> None:
    routed = {(op.told_path, op.method.lower()) for op in room.api.operations}
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert routed == described
    ids = [op["operationId"] for item in document["paths"].values() for op in item.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_of_the_document_is_defined(document: Any) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


def test_every_route_and_parameter_is_in_the_reference_page(room: TestRoom) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "api.md").read_text()
    for operation in room.api.operations:
        assert f"`{operation.method} {operation.told_path}`" in page
        for param in operation.params:
            assert f"`{param.name}`" in page
