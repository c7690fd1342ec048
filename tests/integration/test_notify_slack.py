"""Slack, against a server that knows Block Kit's limits, message places and Slack's errors."""

import pytest
from tests.receivers.http import Reply, Request, json_reply
from tests.receivers.samples import (
    NOW,
    Rig,
    a_change,
    a_message,
    a_resolution,
    an_alert,
    an_incident,
)
from tests.receivers.slack import CHANNEL, HOOK, TOKEN, SlackReceiver

from seakeeping.records import (
    Cause,
    Diagnosis,
    NotificationTarget,
    TargetKind,
)
from seakeeping.store.ledger.outbox import DeliveryState

ENVIRON = {"SLACK": TOKEN}


def target(receiver: SlackReceiver, channel: str = CHANNEL) -> NotificationTarget:
    return NotificationTarget(
        "it", TargetKind.SLACK, receiver.api, "SLACK", {"channel": channel, "per_minute": "6000"}
    )


def lose(receiver: SlackReceiver, path: str) -> None:
    """Let the first call of a method arrive, and its answer get lost."""
    lost: list[Request] = []

    def disturb(request: Request) -> Reply | None:
        if request.path != path or lost:
            return None
        lost.append(request)
        receiver.answer(request)
        return Reply(504)

    receiver.disturb = disturb


def again(rig: Rig) -> None:
    rig.clock.at += 600
    rig.courier.deliver_due()


def test_a_group_is_one_message_that_is_kept_up_to_date() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(), a_message(sequence=2, reason="acknowledged"), a_resolution(3))
        assert rig.states == [DeliveryState.DELIVERED] * 3
    (message,) = receiver.posted
    assert message["text"].startswith("[RESOLVED] ErrorBudgetBurn: bot / availability (page)")
    assert receiver.updates == 2


def test_the_next_problem_of_a_group_is_a_new_message() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(), a_resolution(2), a_message(sequence=3))
    assert [m["text"].split()[0] for m in receiver.posted] == ["[RESOLVED]", "[FIRING"]


def test_groups_have_messages_of_their_own() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(), a_message([an_alert("latency")], group_key="bot/latency"))
    assert len(receiver.messages) == 2


def test_the_diagnosis_stands_in_the_message() -> None:
    cause = Cause("worse", {"model": "m2"}, 0.3, 0.2, 0.4, 0.9, 1e-9, summary="model=m2 got worse")
    found = Diagnosis("inc-7", NOW, NOW - 60, (cause,), "One release explains 90 % of it.")
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(incident=an_incident(diagnosis=found)))
    texts = [block["text"]["text"] for block in receiver.posted[0]["blocks"][:-1]]
    assert any("model=m2 got worse" in text for text in texts)
    assert any("<https://sea.example.org/incidents/inc-7|Open>" in text for text in texts)


def test_a_reminder_is_also_said_to_the_channel() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message())
        rig.send(a_message(sequence=2, reason="repeat"))
    message, reply = receiver.posted
    assert (reply["thread_ts"], reply["reply_broadcast"]) == (message["ts"], True)


@pytest.mark.parametrize("sequence", [1, 2])
def test_a_post_whose_answer_was_lost_is_not_posted_again(sequence: int) -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        if sequence == 2:
            rig.send(a_message(), a_resolution(-1))
        lose(receiver, "/api/chat.postMessage")
        rig.send(a_message(sequence=sequence))
        assert DeliveryState.WAITING in rig.states
        again(rig)
        assert DeliveryState.WAITING not in rig.states
        rig.send(a_resolution(9))
    assert len(receiver.messages) == sequence
    assert "RESOLVED" in receiver.messages[-1]["text"]


def test_a_reminder_whose_answer_was_lost_is_not_said_again() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message())
        lose(receiver, "/api/chat.postMessage")
        rig.send(a_message(sequence=2, reason="repeat"))
        again(rig)
        assert rig.states[-1] is DeliveryState.DELIVERED
    assert len(receiver.posted) == 2


def test_without_the_scope_to_look_it_is_rather_said_twice_than_not_at_all() -> None:
    with SlackReceiver(scopes=frozenset({"chat:write"})) as receiver:
        lose(receiver, "/api/chat.postMessage")
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message())
        again(rig)
        assert rig.states == [DeliveryState.DELIVERED]
    assert len(receiver.posted) == 2


def test_a_message_that_somebody_deleted_is_posted_anew() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message())
        receiver.posted.clear()
        rig.send(a_message(sequence=2, reason="changed"))
        assert rig.states[-1] is DeliveryState.DELIVERED
    assert len(receiver.posted) == 1


@pytest.mark.parametrize(
    "text",
    ["x" * 50_000, "<!channel> & <https://evil.example|bank>" * 300, "\U0001f6a8" * 9000,
     "&" * 5000, "\0\ud800\r\n" * 3000],
    ids=["long", "markup", "wide", "entities", "odd"],
)  # fmt: skip
def test_any_text_stays_within_the_limits(text: str) -> None:
    alerts = [an_alert(f"{text[:50]} {i}", annotations={"summary": text}) for i in range(60)]
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(alerts, group_key=text, incident=an_incident(title=text)))
        assert rig.states == [DeliveryState.DELIVERED], rig.error
        rig.send(a_change(description=text))
        assert rig.states[-1] is DeliveryState.DELIVERED, rig.error


@pytest.mark.parametrize("error", ["channel_not_found", "invalid_auth", "fatal_error", "anything"])
def test_what_can_be_mended_is_tried_again(error: str) -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        receiver.disturb = lambda request: json_reply(ok=False, error=error)
        rig.send(a_message())
        assert rig.states == [DeliveryState.WAITING]
        assert rig.error == f"Slack answers chat.postMessage with {error}"
        receiver.disturb = lambda request: None
        again(rig)
        assert rig.states == [DeliveryState.DELIVERED]


def test_what_slack_can_never_show_is_given_up() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        receiver.disturb = lambda request: json_reply(ok=False, error="invalid_blocks")
        rig.send(a_message())
        assert rig.states == [DeliveryState.FAILED]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"ok"', b'{"ok": true}', b'{"ok": 1}'])
def test_garbage_for_an_answer_is_no_delivery(body: bytes) -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        receiver.disturb = lambda request: Reply(200, body)
        rig.send(a_message())
        assert rig.states == [DeliveryState.WAITING]


def test_a_pause_that_slack_asks_for_is_kept() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        limited = Reply(429, b"", {"Retry-After": "120"})
        receiver.disturb = lambda r: limited if len(receiver.requests) == 1 else None
        rig.send(a_message())
        rig.clock.at += 119
        rig.courier.deliver_due()
        assert len(receiver.requests) == 1
        rig.clock.at += 2
        rig.courier.deliver_due()
        assert rig.states == [DeliveryState.DELIVERED]


def test_a_channel_is_told_once_a_second() -> None:
    with SlackReceiver() as receiver:
        slow = NotificationTarget("it", TargetKind.SLACK, receiver.api, "SLACK",
                                  {"channel": CHANNEL})  # fmt: skip
        rig = Rig(slow, environ=ENVIRON)
        rig.send(*(a_message(group_key=f"group {i}") for i in range(10)))
        assert len(receiver.posted) == 3
        for _ in range(7):
            rig.clock.at += 1
            rig.courier.deliver_due()
        assert len(receiver.posted) == 10


def test_an_incoming_webhook_is_posted_to_each_time() -> None:
    with SlackReceiver() as receiver:
        hook = NotificationTarget("it", TargetKind.SLACK, None, "SLACK")
        rig = Rig(hook, environ={"SLACK": receiver.url + HOOK})
        rig.send(a_message(), a_resolution())
        assert rig.states == [DeliveryState.DELIVERED] * 2
    assert len(receiver.hooked) == 2


def test_a_token_without_a_channel_says_what_is_missing() -> None:
    with SlackReceiver() as receiver:
        rig = Rig(NotificationTarget("it", TargetKind.SLACK, receiver.api, "SLACK"),
                  environ=ENVIRON)  # fmt: skip
        rig.send(a_message())
    assert "option channel" in rig.error
    assert receiver.requests == []
