"""A real Alertmanager: pushed to, told again, resolved, silenced, and heard back from."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.receivers.alertmanager import (
    RunningAlertmanager,
    eventually,
    running_alertmanager,
)
from tests.receivers.http import Receiver, Reply, Request
from tests.receivers.samples import NOW, FakeClock, Rig, a_message, an_alert, ended

from seakeeping.decide.notify.alertmanager import RESEND_S, RESOLVED_FOR_S, Alertmanager
from seakeeping.decide.notify.received import alerts_from_webhook
from seakeeping.decide.notify.sender import Envelope, Surroundings
from seakeeping.records import Alert, AlertState, NotificationTarget, TargetKind
from seakeeping.records.codec import moment
from seakeeping.store.ledger.outbox import DeliveryState

pytestmark = pytest.mark.needs_alertmanager


class Back(Receiver):
    """Takes the real Alertmanager's webhook and reads it as the API does."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: list[Alert] = []

    def answer(self, request: Request) -> Reply:
        self.alerts += alerts_from_webhook(request.body)
        return Reply()

    def heard(self, slo: str, state: AlertState) -> Alert | None:
        found = [a for a in self.alerts if a.labels.get("slo") == slo and a.state is state]
        return found[-1] if found else None


@pytest.fixture(scope="module")
def back() -> Iterator[Back]:
    with Back() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def manager(back: Back, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAlertmanager]:
    with running_alertmanager(tmp_path_factory.mktemp("am"), back.url) as running:
        yield running


def target(url: str, **options: str) -> NotificationTarget:
    return NotificationTarget("it", TargetKind.ALERTMANAGER, url, options=options)


def rig_at(url: str, **changed: Any) -> Rig:
    rig = Rig(target(url), **changed)
    rig.clock.at = time.time()  # the real thing has the real time
    return rig


def fresh(slo: str, **changed: Any) -> Alert:
    return an_alert(slo, starts_at=time.time() - 5, **changed)


def test_an_alert_goes_out_and_comes_back_as_the_same_alert(
    manager: RunningAlertmanager, back: Back
) -> None:
    sent = fresh("round-trip", annotations={"summary": "Größe ✓ \U0001f6a8 <&>"})
    rig = rig_at(manager.url)
    rig.send(a_message([sent]))
    assert rig.states == [DeliveryState.DELIVERED], rig.error
    held = manager.alerts()["round-trip"]
    assert held["labels"] == sent.labels
    assert held["generatorURL"] == "https://sea.example.org/objectives/bot/round-trip"
    heard = eventually(lambda: back.heard("round-trip", AlertState.FIRING))
    assert heard.fingerprint == sent.fingerprint
    assert heard.annotations == sent.annotations
    assert heard.starts_at == pytest.approx(sent.starts_at, abs=1e-3)
    assert heard.ends_at is None


def test_an_end_resolves_it_there_and_is_heard_back(
    manager: RunningAlertmanager, back: Back
) -> None:
    sent = fresh("resolved")
    rig = rig_at(manager.url)
    rig.send(a_message([sent]))
    eventually(lambda: back.heard("resolved", AlertState.FIRING))
    over = ended(sent, time.time())
    rig.send(a_message([over], sequence=2, status="resolved", reason="resolved"))
    heard = eventually(lambda: back.heard("resolved", AlertState.RESOLVED))
    assert heard.fingerprint == sent.fingerprint
    assert heard.ends_at == pytest.approx(over.ends_at, abs=1e-3)
    assert "resolved" not in manager.alerts()


def test_a_silence_there_is_honoured(manager: RunningAlertmanager, back: Back) -> None:
    manager.silence("slo=silenced")
    rig = rig_at(manager.url)
    rig.send(a_message([fresh("silenced"), fresh("loud")]))
    eventually(lambda: back.heard("loud", AlertState.FIRING))
    held = manager.alerts()["silenced"]
    assert (held["status"]["state"], len(held["status"]["silencedBy"])) == ("suppressed", 1)
    assert back.heard("silenced", AlertState.FIRING) is None


def test_what_is_told_again_goes_on_and_what_is_not_is_forgotten(
    back: Back, tmp_path: Path
) -> None:
    kept, forgotten = fresh("kept"), fresh("forgotten")
    with running_alertmanager(tmp_path, back.url, resolve_timeout="2s") as manager:
        sender = Alertmanager(
            target(manager.url, resend_s="1"), Surroundings(live=lambda _: [kept])
        )
        sender.send(envelope([kept]))
        Alertmanager(target(manager.url), Surroundings()).send(envelope([forgotten]))

        def is_over() -> bool:
            sender.refresh()
            return back.heard("forgotten", AlertState.RESOLVED) is not None

        eventually(is_over)
        assert list(manager.alerts()) == ["kept"]


def envelope(alerts: list[Alert]) -> Envelope:
    return Envelope(a_message(alerts), "key", "thread")


@pytest.mark.parametrize("text", ["x" * 100_000, "\0\ud800\U0001f6a8 日本", "a\nb\tc"])
def test_any_text_is_taken(manager: RunningAlertmanager, text: str) -> None:
    slo = f"any-{len(text)}"
    odd = fresh(slo, annotations={"summary": text}, labels={"group.team": text, "9": "x", "": "y"})
    rig = rig_at(manager.url)
    rig.send(a_message([odd]))
    assert rig.states == [DeliveryState.DELIVERED], rig.error
    assert {"group_team", "_9"} <= set(manager.alerts()[slo]["labels"])


def test_a_group_of_many_arrives_whole(manager: RunningAlertmanager) -> None:
    rig = rig_at(manager.url)
    rig.send(a_message([fresh(f"many-{i}") for i in range(600)]))
    assert sum(slo.startswith("many-") for slo in manager.alerts()) == 600


def test_an_alert_that_ends_before_it_begins_is_taken_all_the_same(
    manager: RunningAlertmanager,
) -> None:
    rig = rig_at(manager.url)
    rig.send(a_message([ended(fresh("backwards"), time.time() - 3600)], status="resolved"))
    assert rig.states == [DeliveryState.DELIVERED], rig.error


# what is told when, seen from a server that only listens


class Listening(Receiver):
    """Answers as an Alertmanager and keeps what it was told."""

    def told(self) -> list[dict[str, Any]]:
        """Return by slo when each alert ends (None: it fires), one dictionary a push."""
        return [
            {alert["labels"]["slo"]: alert.get("endsAt") for alert in request.json}
            for request in self.requests
        ]


def test_what_fires_is_told_every_minute_and_what_ended_for_five_more() -> None:
    alerts = [an_alert("a"), an_alert("b")]
    with Listening() as listening:
        rig = Rig(target(listening.url), live=lambda _: alerts)
        rig.courier.deliver_due()
        rig.courier.deliver_due()
        assert listening.told() == [{"a": None, "b": None}]
        rig.clock.at += RESEND_S
        alerts[1] = ended(an_alert("b"), rig.clock.at)
        ends_at = "2026-09-21T14:14:20.000000Z"
        rig.courier.deliver_due()
        for _ in range(8):
            rig.clock.at += RESEND_S
            rig.courier.deliver_due()
    told = listening.told()
    assert told[1:7] == [{"a": None, "b": ends_at}] * 6
    assert told[7:] == [{"a": None}] * 3
    assert moment(ends_at) == NOW + RESEND_S
    assert RESOLVED_FOR_S == 5 * RESEND_S


def test_what_vanishes_without_a_word_has_ended() -> None:
    alerts = [an_alert("a")]
    with Listening() as listening:
        rig = Rig(target(listening.url), live=lambda _: alerts)
        rig.courier.deliver_due()
        alerts.clear()
        for _ in range(8):
            rig.clock.at += RESEND_S
            rig.courier.deliver_due()
    ends = {told["a"] for told in listening.told()[1:]}
    assert ends == {"2026-09-21T14:14:20.000000Z"}
    assert len(listening.told()) == 7


def test_a_late_message_does_not_revive_what_is_over() -> None:
    with Listening() as listening:
        rig = Rig(target(listening.url), live=lambda _: [])
        rig.send(a_message([an_alert("a")]))
        assert rig.states == [DeliveryState.DELIVERED]
    assert listening.told()[0]["a"] is not None


def test_a_pending_alert_is_not_told() -> None:
    with Listening() as listening:
        pending = replace(an_alert("a"), state=AlertState.PENDING)
        rig = Rig(target(listening.url), live=lambda _: [pending])
        rig.courier.deliver_due()
        assert listening.requests == []


def test_without_a_source_of_live_alerts_what_was_sent_is_told_again() -> None:
    with Listening() as listening:
        rig = Rig(target(listening.url))
        rig.send(a_message([an_alert("a")]))
        rig.clock.at += RESEND_S
        rig.courier.deliver_due()
        rig.send(a_message([ended(an_alert("a"))], sequence=2, status="resolved"))
    assert [told["a"] is None for told in listening.told()] == [True, True, True, False]


def test_each_of_several_is_told_and_one_that_is_away_stops_nobody() -> None:
    with Listening() as one, Listening() as other:
        rig = Rig(target(one.url, also=f"http://127.0.0.1:1 {other.url}/"))
        rig.send(a_message())
        assert rig.states == [DeliveryState.DELIVERED]
    assert len(one.requests) == len(other.requests)
    assert {request.path for request in other.requests} == {"/api/v2/alerts"}


def test_when_all_are_away_the_message_waits() -> None:
    rig = Rig(target("http://127.0.0.1:1", also="http://127.0.0.1:2"))
    rig.send(a_message())
    assert (rig.states, rig.error) == (
        [DeliveryState.WAITING], "127.0.0.1: Connection refused",
    )  # fmt: skip


def test_a_token_is_sent() -> None:
    with Listening() as listening:
        bearer = NotificationTarget("it", TargetKind.ALERTMANAGER, listening.url, "AM")
        Rig(bearer, environ={"AM": "t0ken-t0ken"}).send(a_message())
    assert listening.requests[0].headers["authorization"] == "Bearer t0ken-t0ken"


def test_a_wrong_resend_is_told() -> None:
    sender = Alertmanager(
        target("http://127.0.0.1:1", resend_s="often"), Surroundings(clock=FakeClock())
    )
    with pytest.raises(Exception, match="resend_s is no number"):
        sender.refresh()
