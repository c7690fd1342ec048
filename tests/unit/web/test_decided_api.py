"""The API of what is decided: as the document says, strict about what it takes, the same twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from seakeeping.records import AlertState, IncidentState, LabelKind, Measurement
from seakeeping.records.codec import iso
from seakeeping.store.ledger.label_requests import LabelRequest
from seakeeping.web.testing import (
    Answer,
    Client,
    MemoryDecided,
    MemoryStore,
    StillClock,
    TestRoom,
    fill,
    fill_decided,
    make_room,
)
from seakeeping.web.testing.decided_sample import BAD_RELEASE, INCIDENT
from seakeeping.web.testing.schema import faults


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TestRoom]:
    clock = StillClock()
    store = MemoryStore()
    store.figures.append(Measurement("shop", "drift", clock.now() - 3600, 3600, 0.2, n=40))
    made = make_room(store, tmp_path, clock, fill_decided(MemoryDecided(clock), clock.now()))
    yield made
    made.close()


@pytest.fixture
def client(room: TestRoom) -> Client:
    return Client(room.app)


def check(client: Client, answer: Answer, path: str, method: str = "get") -> Any:
    """Return the body of an answer that is as the document says."""
    document = client.get("/api/openapi.json").json()
    content = document["paths"][path][method]["responses"]["200"]["content"]
    assert answer.status == 200, answer.text
    body = answer.json()
    assert list(faults(body, content["application/json"]["schema"], document)) == []
    return body


def send(client: Client, method: str, url: str, body: Any = None) -> Answer:
    return client.send(method, url, body=b"" if body is None else json.dumps(body).encode())


def message(answer: Answer) -> str:
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize(
    ("url", "least"),
    [
        ("/api/objectives", 30), ("/api/budgets", 30), ("/api/alerts", 4), ("/api/silences", 2),
        ("/api/incidents", 3), ("/api/changes", 4), ("/api/measurements", 1), ("/api/labels", 0),
        ("/api/labels/queue", 0),
    ],
)  # fmt: skip
def test_every_list_is_as_the_document_says(client: Client, url: str, least: int) -> None:
    body = check(client, client.get(url), url)
    assert len(body["items"]) >= least


def test_one_incident_is_as_the_document_says(client: Client) -> None:
    body = check(client, client.get(f"/api/incidents/{INCIDENT}"), "/api/incidents/{incident_id}")
    assert body["diagnosis"]["causes"][0]["slice"] == {"release": "v42", "region": "eu-north"}
    assert len(body["timeline"]) == 5


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("/api/alerts?state=firing", 2), ("/api/alerts?state=pending", 1),
        ("/api/alerts?service=cargo-search", 2), ("/api/alerts?service=nobody", 0),
        ("/api/alerts?objective=customs-forms/latency", 1),
        ("/api/incidents?open=true", 2), ("/api/incidents?open=false", 1),
        ("/api/incidents?service=cargo-search", 1), ("/api/incidents?limit=1", 1),
        ("/api/changes?service=cargo-search", 3), ("/api/changes?limit=2", 2),
        ("/api/budgets?service=crew-chat", 7), ("/api/objectives?service=nobody", 0),
        ("/api/measurements?name=drift", 1), ("/api/measurements?service=nobody", 0),
    ],
)  # fmt: skip
def test_lists_are_narrowed(client: Client, url: str, count: int) -> None:
    assert len(client.get(url).json()["items"]) == count


@pytest.mark.parametrize(
    "url",
    ["/api/alerts?state=fired", "/api/incidents?open=yes", "/api/labels?by=dog",
     "/api/silences?x=1", "/api/changes?since=now", "/api/labels/queue?limit=0"],
)  # fmt: skip
def test_a_wrong_question_is_a_400(client: Client, url: str) -> None:
    assert client.get(url).status == 400


def test_a_time_narrows_changes(room: TestRoom, client: Client) -> None:
    since = iso(room.room.clock.now() - 3600)
    found = client.get(f"/api/changes?since={since}&service=cargo-search").json()["items"]
    assert [change["id"] for change in found] == [BAD_RELEASE]


def test_rules_are_yaml_that_prometheus_takes(client: Client) -> None:
    answer = client.get("/api/rules?service=cargo-search")
    assert answer.headers["content-type"].startswith("application/yaml")
    groups = yaml.safe_load(answer.text)["groups"]
    assert groups
    assert all("cargo-search" in json.dumps(group) for group in groups)


# alerts, silences


def test_an_alert_is_acknowledged_once(room: TestRoom, client: Client) -> None:
    url = next(
        f"/api/alerts/{a.fingerprint}/acknowledge"
        for a in room.decided.alerts()
        if a.state is AlertState.FIRING and not a.acknowledged_by
    )
    path = "/api/alerts/{fingerprint}/acknowledge"
    first = check(client, send(client, "POST", url), path, "post")
    assert first["acknowledged_by"] == "local"
    assert check(client, send(client, "POST", url), path, "post") == first
    assert send(client, "POST", "/api/alerts/none/acknowledge").status == 404


def silence(room: TestRoom, **changes: Any) -> dict[str, Any]:
    return {
        "matchers": [{"name": "service", "value": "shop"}],
        "ends_at": iso(room.room.clock.now() + 3600), "comment": "moving", **changes,
    }  # fmt: skip


def test_a_silence_is_made_shown_and_ended(room: TestRoom, client: Client) -> None:
    answer = send(client, "POST", "/api/silences", silence(room, created_by="ada"))
    made = check(client, answer, "/api/silences", "post")
    assert made["created_by"] == "ada"
    assert made["matchers"] == [
        {"name": "service", "value": "shop", "is_regex": False, "is_equal": True}
    ]
    assert made["id"] in [s["id"] for s in client.get("/api/silences").json()["items"]]
    for _ in range(2):
        ended = send(client, "DELETE", f"/api/silences/{made['id']}")
        body = check(client, ended, "/api/silences/{silence_id}", "delete")
        assert body["ends_at"] == iso(room.room.clock.now())
    assert send(client, "DELETE", "/api/silences/none").status == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"matchers": []}, "needs a matcher"),
        ({"matchers": [{"name": "a", "value": "("}]}, ""),
        ({"matchers": [{"name": "a", "value": "(", "is_regex": True}]}, "no regular expression"),
        ({"matchers": [{"name": "a", "value": ".*", "is_regex": True}]}, "would silence"),
        ({"ends_at": "2000-01-01T00:00:00Z"}, "ends_at: must be later"),
        ({"comment": " "}, "comment: must say why"),
        ({"matcher": []}, "unknown key 'matcher'"),
        ({"ends_at": 5}, "ends_at: must be a string"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused(
    room: TestRoom, client: Client, changes: dict[str, Any], words: str
) -> None:
    answer = send(client, "POST", "/api/silences", silence(room, **changes))
    if not words:
        assert answer.status == 200
        return
    assert answer.status == 400
    assert words in message(answer)


WEBHOOK = {
    "version": "4",
    "alerts": [{
        "status": "firing", "labels": {"alertname": "NodeDown", "severity": "critical"},
        "annotations": {"summary": "a node is down"}, "startsAt": "2026-11-23T15:00:00Z",
    }],
}  # fmt: skip


def test_alerts_of_an_alertmanager_are_taken(room: TestRoom, client: Client) -> None:
    for _ in range(2):
        body = check(
            client, send(client, "POST", "/api/alertmanager", WEBHOOK), "/api/alertmanager", "post"
        )
        assert body == {"count": 1}
    named = [a for a in room.decided.alerts() if a.labels["alertname"] == "NodeDown"]
    assert len(named) == 1


@pytest.mark.parametrize("body", [{}, {"version": "3", "alerts": []}, {"version": "4"}, []])
def test_what_is_no_webhook_is_refused(client: Client, body: Any) -> None:
    assert send(client, "POST", "/api/alertmanager", body).status == 400


# incidents


def test_an_incident_is_acknowledged_and_resolved(room: TestRoom, client: Client) -> None:
    url = f"/api/incidents/{INCIDENT}"
    path = "/api/incidents/{incident_id}"
    seen = send(client, "POST", f"{url}/acknowledge")
    assert check(client, seen, f"{path}/acknowledge", "post")["acknowledged_by"] == "ada"
    assert send(client, "POST", f"{url}/resolve").status == 400
    assert send(client, "POST", f"{url}/resolve", {"reson": "x"}).status == 400
    for reason in ("it is over", "again"):
        done = send(client, "POST", f"{url}/resolve", {"reason": reason})
        body = check(client, done, f"{path}/resolve", "post")
        assert body["state"] == IncidentState.RESOLVED
        assert body["timeline"][-1]["reason"] == "it is over"
    assert send(client, "POST", "/api/incidents/none/acknowledge").status == 404
    assert client.get("/api/incidents/none").status == 404


def test_a_change_told_twice_is_one_change(room: TestRoom, client: Client) -> None:
    now = room.room.clock.now()
    told = {"target": "shop", "after": "v7", "at": iso(now - 5), "kind": "deploy"}
    first = check(client, send(client, "POST", "/api/changes", told), "/api/changes", "post")
    assert first["items"][0]["by"] == "local"
    again = send(client, "POST", "/api/changes", {"changes": [told]}).json()
    assert again["items"][0]["id"] == first["items"][0]["id"]
    assert len(client.get("/api/changes?service=shop").json()["items"]) == 1


def test_a_change_comes_as_a_cloudevent_too(client: Client) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-type": "dev.cdevents.service.deployed.0.2.0",
        "ce-source": "/argo", "ce-id": "42", "ce-subject": "shop",
    }  # fmt: skip
    for _ in range(2):
        assert client.send("POST", "/api/changes", headers).status == 200
    (change,) = client.get("/api/changes?service=shop").json()["items"]
    assert (change["id"], change["kind"]) == ("/argo/42", "deploy")


@pytest.mark.parametrize("body", [{}, {"target": "x", "tagret": "y"}, {"target": "x", "kind": "?"}])
def test_a_change_that_says_nothing_is_refused(client: Client, body: Any) -> None:
    assert send(client, "POST", "/api/changes", body).status == 400


def test_a_postmortem_is_drafted_from_what_was_recorded(client: Client) -> None:
    answer = client.get(f"/api/incidents/{INCIDENT}/postmortem")
    assert answer.headers["content-type"].startswith("text/markdown")
    for shown in ("# Postmortem: cargo-search", "## Timeline", "v42", "## Actions"):
        assert shown in answer.text
    assert client.get("/api/incidents/none/postmortem").status == 404


# names and doubts


def slo(name: str, indicator: str, service: str = "shop") -> dict[str, Any]:
    source = {"metricSource": {"type": "seakeeping", "spec": json.loads(indicator)}}
    return {
        "apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": name},
        "spec": {
            "service": service, "budgetingMethod": "Occurrences",
            "indicator": {"spec": {"ratioMetric": {"rawType": "success", "raw": source}}},
            "timeWindow": [{"duration": "30d", "isRolling": True}],
            "objectives": [{"target": 0.95}],
        },
    }  # fmt: skip


def put(client: Client, document: dict[str, Any]) -> Any:
    answer = send(client, "PUT", f"/api/objectives/{document['metadata']['name']}", document)
    return check(client, answer, "/api/objectives/{name}", "put")


def test_the_names_that_telemetry_showed_can_be_had(room: TestRoom, client: Client) -> None:
    fill(room.store, 1_763_910_000.0)
    names = check(client, client.get("/api/names"), "/api/names")
    assert "cargo-search" in names["services"]
    assert names["evaluations"]["faithfulness"] == ["supported", "unsupported"]
    assert names["measurements"] == ["drift"]


@pytest.mark.parametrize(
    ("indicator", "message", "hint"),
    [
        ('{"signal": "evaluation", "evaluation": "faithfulnes", "badLabels": ["x"]}',
         "no evaluator here makes faithfulnes", "did you mean faithfulness?"),
        ('{"signal": "evaluation", "evaluation": "faithfulness", "badLabels": ["unsuported"]}',
         "no result of faithfulness is labelled unsuported", "did you mean unsupported?"),
        ('{"signal": "latency", "threshold": -3}', "makes every event bad", "above 0"),
        ('{"signal": "measurement", "measurement": "driftt", "threshold": 1, "op": "lt"}',
         "no measurement driftt has come lately", "did you mean drift?"),
    ],
)  # fmt: skip
def test_an_objective_that_holds_and_is_doubtful_is_kept_with_a_warning(
    room: TestRoom, client: Client, indicator: str, message: str, hint: str
) -> None:
    fill(room.store, 1_763_910_000.0)
    answer = put(client, slo("odd", indicator, "cargo-search"))
    (doubt,) = [one for one in answer["warnings"] if "burn rate" not in one["message"]]
    assert message in doubt["message"]
    assert hint in doubt["hint"]
    assert doubt["is_warning"]
    assert [one["name"] for one in answer["items"]] == ["odd"]
    assert "odd" in room.decided.documents


def test_an_objective_of_a_service_that_nobody_saw_is_told(room: TestRoom, client: Client) -> None:
    fill(room.store, 1_763_910_000.0)
    answer = put(client, slo("odd", '{"signal": "availability"}', "cargo-serch"))
    assert answer["warnings"][0]["hint"] == "did you mean cargo-search?"
    sound = put(client, slo("fine", '{"signal": "availability"}', "cargo-search"))
    assert sound["warnings"] == []


def test_while_the_store_is_away_an_objective_is_kept_all_the_same(
    room: TestRoom, client: Client
) -> None:
    room.store.is_away = True
    answer = put(client, slo("fine", '{"signal": "availability"}', "nobody"))
    assert answer["warnings"] == []
    assert client.get("/api/names").status == 503


# labels


TRACE, OTHER, SPAN = "a" * 32, "b" * 32, "c" * 16


def label(**changes: Any) -> dict[str, Any]:
    return {"trace_id": TRACE, "span_id": SPAN, "name": "faithfulness", "value": 0, **changes}


def give(client: Client, *labels: dict[str, Any]) -> Answer:
    return send(client, "POST", "/api/labels", {"labels": labels})


def test_labels_are_kept_as_they_are_answered(room: TestRoom, client: Client) -> None:
    request = LabelRequest(TRACE, SPAN, "faithfulness", "shop", 1.0, 0.5, 0.2, 0.1)
    room.requests.add_epochs("shop", "faithfulness", {1.0: (10, [request])})
    queue = check(client, client.get("/api/labels/queue"), "/api/labels/queue")
    assert [one["probability"] for one in queue["items"]] == [0.2]
    kept = check(
        client, give(client, label(comment="no"), label(trace_id=OTHER, value=None,
                                                       label="supported", author="ci", by="judge")),
        "/api/labels", "post",
    )["items"]  # fmt: skip
    assert [(x["value"], x["author"], x["by"]) for x in kept] == [
        (0.0, "local", "human"), (1.0, "ci", "judge"),
    ]  # fmt: skip
    assert [x["sampling_probability"] for x in kept] == [0.2, None]
    assert client.get("/api/labels/queue").json()["items"] == []
    assert len(check(client, client.get("/api/labels?by=judge"), "/api/labels")["items"]) == 1


def test_a_label_sent_twice_is_one_label(room: TestRoom, client: Client) -> None:
    assert give(client, label()).status == give(client, label(value=1)).status == 200
    assert [x.value for x in room.store.given.values()] == [1.0]
    assert {x.by for x in room.store.given.values()} == {LabelKind.HUMAN}


def test_a_label_of_a_stored_answer_on_a_known_evaluation_leaves_no_doubt(
    room: TestRoom, client: Client
) -> None:
    (score,) = fill(room.store, 1_763_910_000.0).scores[:1]
    known = label(trace_id=score.trace_id, span_id=score.span_id)
    assert check(client, give(client, known), "/api/labels", "post")["warnings"] == []


def test_what_makes_a_label_correct_nothing_is_said(room: TestRoom, client: Client) -> None:
    score = fill(room.store, 1_763_910_000.0).scores[0]
    odd = label(trace_id=score.trace_id, span_id=score.span_id, name="faithfulnes")
    answer = check(client, give(client, odd, label()), "/api/labels", "post")
    first, second = answer["warnings"]
    assert first["message"] == "no answer is evaluated for faithfulnes"
    assert (first["place"], first["hint"]) == ("labels[0].name", "did you mean 'faithfulness'?")
    assert second["place"] == "labels[1]"
    assert second["message"] == f"no answer {SPAN} of trace {TRACE} is stored"
    assert len(answer["items"]) == len(room.store.given) == 2  # it may come yet


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], "labels: from 1 to 1000 at a time"),
        ([{"trace_id": "t"}], "labels[0]: span_id is missing"),
        ([label(), label(value=None)], "labels[1]: needs a value or a label, and not both"),
        ([label(label="supported")], "labels[0]: needs a value or a label, and not both"),
        ([label(value=2)], "labels[0]: value 2 is not from 0 to 1"),
        ([label(value=None, label="fine")], "labels[0]: 'fine' is no verdict on faithfulness"),
        ([label(trace_id="zz")], "labels[0].trace_id: 'zz' is no trace_id"),
        ([label(trace_id="A" * 32)], "is no trace_id"),
        ([label(), label(span_id="c" * 15 + "\n")], "labels[1].span_id: "),
        ([label(sampling_probability=1)], "unknown key 'sampling_probability'"),
        ([label(by="dog")], "unknown value 'dog'"),
        ([label()] * 1001, "labels: from 1 to 1000 at a time"),
    ],
)
def test_a_wrong_label_is_named_and_none_is_kept(
    room: TestRoom, client: Client, labels: list[dict[str, Any]], words: str
) -> None:
    answer = give(client, *labels)
    assert answer.status == 400
    assert words in message(answer)
    assert not room.store.given


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/api/alerts"),
        ("GET", "/api/silences"),
        ("GET", "/api/incidents"),
        ("GET", "/api/changes"),
        ("DELETE", "/api/silences/x"),
        ("POST", f"/api/incidents/{INCIDENT}/acknowledge"),
    ],
)
def test_a_ledger_that_is_away_is_a_503(
    room: TestRoom, client: Client, method: str, url: str
) -> None:
    room.decided.is_away = True
    answer = send(client, method, url)
    assert answer.status == 503
    assert message(answer) == "the ledger does not answer"


@pytest.mark.parametrize("body", [b"{", b'"x"', b"[1]"])
@pytest.mark.parametrize("url", ["/api/silences", "/api/labels", "/api/alertmanager"])
def test_a_body_that_is_none_is_a_400(client: Client, url: str, body: bytes) -> None:
    assert client.send("POST", url, body=body).status == 400


def test_what_is_taken_is_described(client: Client) -> None:
    document = client.get("/api/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert schemas["SilenceBody"]["required"] == ["matchers", "ends_at", "comment"]
    assert schemas["LabelBody"]["required"] == ["trace_id", "span_id", "name"]
    taken = {
        path: item[method]["requestBody"]["content"]["application/json"]["schema"]
        for path, item in document["paths"].items()
        for method in item
        if "requestBody" in item[method]
    }
    assert taken["/api/labels"] == {"$ref": "#/components/schemas/LabelsBody"}
