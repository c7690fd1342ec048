"""Changes are read as they are told: our JSON, CloudEvents of both modes, CDEvents."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.decide.changes.told import changes_from_body
from seakeeping.errors import BadInput
from seakeeping.records import Change, ChangeKind

NOW = 1_790_000_000.0
EVENT = {"specversion": "1.0", "id": "e1", "source": "/ci/7", "type": "com.example.flag.flipped"}


def read(body: object, **headers: str) -> list[Change]:
    told = {"content-type": "application/json", **headers}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return changes_from_body(raw, told, now=NOW, by="key:ci")


def event(**more: Any) -> Mapping[str, Any]:
    return {**EVENT, **more}


CLOUD = {"content-type": "application/cloudevents+json; charset=utf-8"}


def test_a_service_alone_is_a_deploy_now() -> None:
    (change,) = read({"target": "chat"})
    assert (change.kind, change.target, change.at, change.by) == (
        ChangeKind.DEPLOY, "chat", NOW, "key:ci",
    )  # fmt: skip


def test_all_fields_are_read() -> None:
    (change,) = read({
        "id": "d-1", "kind": "prompt", "target": "chat", "before": "7", "after": "8",
        "at": "2026-09-01T12:00:00Z", "by": "ann", "description": "shorter",
    })  # fmt: skip
    assert change == Change(
        "d-1", ChangeKind.PROMPT, "chat", 1_788_264_000.0, "7", "8", "prompt_version", "ann",
        "shorter",
    )  # fmt: skip


def test_the_calls_exposed_to_a_model_are_those_of_that_model() -> None:
    (model,) = read({"target": "chat", "kind": "model", "after": "m2"})
    (flag,) = read({"target": "chat", "kind": "config", "after": "on"})
    (named,) = read({"target": "chat", "after": "blue", "dimension": "group.cell"})
    assert (model.dimension, flag.dimension, named.dimension) == ("model", None, "group.cell")


@pytest.mark.parametrize("body", [[{"target": "a"}, {"target": "b"}],
                                  {"changes": [{"target": "a"}, {"target": "b"}]}])  # fmt: skip
def test_several_are_told_at_once(body: object) -> None:
    assert [it.target for it in read(body)] == ["a", "b"]


def test_telling_twice_gives_the_same_id_and_another_thing_another() -> None:
    one = {"target": "chat", "after": "v2", "at": NOW - 5}
    assert read(one)[0].id == read(one)[0].id
    assert read(one)[0].id != read({**one, "after": "v3"})[0].id


def test_a_structured_cloud_event_is_read() -> None:
    (change,) = read(
        event(subject="chat", time="2026-09-01T12:00:00Z", data={"before": "off", "after": "on"}),
        **CLOUD,
    )
    assert (change.id, change.kind, change.target) == ("/ci/7/e1", ChangeKind.CONFIG, "chat")
    assert (change.before, change.after, change.by) == ("off", "on", "/ci/7")
    assert change.at == 1_788_264_000.0


def test_a_batch_of_cloud_events_is_read() -> None:
    batch = [event(subject="chat"), event(id="e2", subject="shop")]
    media = {"content-type": "application/cloudevents-batch+json"}
    assert [it.target for it in read(batch, **media)] == ["chat", "shop"]


def test_a_binary_cloud_event_is_read() -> None:
    headers = {f"ce-{name}": value for name, value in EVENT.items()}
    (change,) = read({"target": "chat", "kind": "data"}, **headers)
    assert (change.id, change.kind, change.target) == ("/ci/7/e1", ChangeKind.DATA, "chat")
    (empty,) = read(b"", **headers, **{"ce-subject": "shop"})
    assert empty.target == "shop"


def test_a_cdevent_tells_what_runs_where() -> None:
    (change,) = read(
        event(
            type="dev.cdevents.service.deployed.0.1.1",
            data={
                "context": {"version": "0.4.1"},
                "subject": {
                    "id": "team/chat",
                    "content": {"artifactId": "pkg:oci/chat@sha256:0b31b1c0"},
                },
            },
        ),
        **CLOUD,
    )
    assert (change.kind, change.target, change.after) == (
        ChangeKind.DEPLOY, "chat", "sha256:0b31b1c0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "place"),
    [
        (b"{", {}, "no JSON"),
        ([], {}, "changes: from 1"),
        ([{}] * 1001, {}, "changes: from 1"),
        (["x"], {}, "changes\\[0\\]: must be a JSON object"),
        ({}, {}, "target is missing"),
        ([{"target": "a"}, {"target": ""}], {}, "changes\\[1\\]: target is missing"),
        ({"target": 3}, {}, "target: must be a text"),
        ({"target": "x" * 3000}, {}, "target: must be a text"),
        ({"target": "a", "aftr": "x"}, {}, "did you mean 'after'"),
        ({"target": "a", "kind": "deply"}, {}, "did you mean 'deploy'"),
        ({"target": "a", "at": "yesterday"}, {}, "at"),
        ({"target": "a", "at": True}, {}, "at is no moment"),
        ({"target": "a", "at": NOW + 3600}, {}, "future"),
        ({"target": "a", "at": -5}, {}, "at is no moment"),
        (EVENT, CLOUD, "which service"),
        ({**EVENT, "specversion": "0.3"}, CLOUD, "are not read"),
        ({**EVENT, "id": ""}, CLOUD, "id is missing"),
        ({**EVENT, "source": 7}, CLOUD, "source is missing"),
    ],
)
def test_what_cannot_be_read_says_where(
    body: object, headers: Mapping[str, str], place: str
) -> None:
    with pytest.raises(BadInput, match=place):
        read(body, **headers)


_ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(st.text(max_size=5), it, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(["target", "kind", "at", "after", "data", "subject", "id", "changes"])


@given(
    body=st.dictionaries(_KEYS, _ANY, max_size=5),
    is_event=st.booleans(),
)
def test_any_json_is_read_or_refused(body: dict[str, object], is_event: bool) -> None:
    whole = {**EVENT, **body} if is_event else body
    try:
        changes = read(whole, **(CLOUD if is_event else {}))
    except BadInput:
        return
    assert all(it.target and it.id for it in changes)
