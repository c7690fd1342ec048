"""What holds of the outbox on SQLite and on PostgreSQL."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.contract.conftest import FakeClock

from seakeeping.records import Alert, Change, ChangeKind, Notification, Severity
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.outbox import (
    CLAIM_S,
    HORIZON_S,
    Delivery,
    DeliveryState,
    Outbox,
    key_of,
    thread_of,
)
from seakeeping.store.ledger.tables import OUTBOX

LABELS: Mapping[str, str] = {
    "alertname": "ErrorBudgetBurn", "severity": "page", "service": "bot", "slo": "availability",
}  # fmt: skip


def message(sequence: int = 1, **changed: Any) -> Notification:
    alert = Alert(
        LABELS,
        changed.pop("annotations", {"summary": "too many errors"}),
        starts_at=1_789_999_000.5,
        severity=Severity.PAGE,
        evidence={"long_rows": 12, "burn": 14.5},
    )
    made = {
        "target": "pager", "group_key": "bot/availability", "sequence": sequence,
        "status": "firing", "reason": "new", "at": 1_790_000_000.0,
        "group_labels": {"service": "bot"}, "common_labels": LABELS,
        "common_annotations": {}, "alerts": (alert,),
    }  # fmt: skip
    return Notification(**{**made, **changed})


@pytest.fixture
def outbox(ledger: Ledger) -> Outbox:
    return Outbox(ledger)


def deliver(outbox: Outbox, delivery: Delivery, **receipt: str) -> None:
    assert outbox.claim(delivery)
    outbox.settle(delivery, receipt)


def test_a_message_comes_back_as_it_was_put(outbox: Outbox) -> None:
    sent = message()
    assert outbox.put(sent) == 1
    (due,) = outbox.due()
    assert due.notification == sent
    assert (due.state, due.attempts, due.receipt) == (DeliveryState.WAITING, 0, None)


def test_a_change_comes_back_as_it_was_put(outbox: Outbox) -> None:
    change = Change("deploy-7", ChangeKind.DEPLOY, "bot", at=1_789_999_999.25, after="v7")
    sent = message(reason="change", group_key="change/deploy-7", alerts=(), change=change)
    outbox.put(sent)
    assert outbox.due()[0].notification == sent


def test_a_message_put_twice_is_put_once(outbox: Outbox) -> None:
    assert outbox.put(message(), message(2)) == 2
    assert outbox.put(message(), message(2), message(3)) == 1
    assert len(outbox.deliveries()) == 3


def test_a_delivered_message_that_is_put_again_is_not_sent_again(outbox: Outbox) -> None:
    outbox.put(message())
    deliver(outbox, outbox.due()[0])
    assert outbox.put(message()) == 0
    assert outbox.due() == []


def test_messages_are_put_with_the_transaction_or_not_at_all(
    ledger: Ledger, outbox: Outbox
) -> None:
    def decide() -> None:
        with ledger.transaction() as connection:
            assert outbox.add(connection, [message()]) == 1
            raise KeyError("the decision fell through")

    with pytest.raises(KeyError):
        decide()
    assert outbox.due() == []


def test_of_a_thread_only_the_oldest_open_message_is_due(outbox: Outbox) -> None:
    outbox.put(message(1), message(2, status="resolved", reason="resolved"))
    outbox.put(message(1, group_key="other"), message(1, target="chat"))
    due = outbox.due()
    assert [(d.target, d.notification.group_key) for d in due] == [
        ("pager", "bot/availability"), ("pager", "other"), ("chat", "bot/availability"),
    ]  # fmt: skip
    assert {d.notification.sequence for d in due} == {1}
    deliver(outbox, due[0])
    assert outbox.due(target="pager")[0].notification.sequence == 2


def test_a_message_that_waits_holds_up_those_behind_it(outbox: Outbox, clock: FakeClock) -> None:
    outbox.put(message(1), message(2))
    (first,) = outbox.due()
    outbox.claim(first)
    outbox.postpone(first, clock.at + 30, "answered 503")
    assert outbox.due() == []
    clock.at += 30
    (again,) = outbox.due()
    assert (again.id, again.attempts, again.error) == (first.id, 1, "answered 503")


def test_a_failed_message_lets_the_next_one_out(outbox: Outbox) -> None:
    outbox.put(message(1), message(2))
    (first,) = outbox.due()
    outbox.claim(first)
    outbox.fail(first, "answered 400")
    assert [d.notification.sequence for d in outbox.due()] == [2]
    (failed,) = outbox.deliveries(states=[DeliveryState.FAILED])
    assert (failed.error, failed.done_at) == ("answered 400", 1_790_000_000.0)


def test_only_one_of_two_couriers_claims_a_message(outbox: Outbox) -> None:
    outbox.put(message())
    (seen,) = outbox.due()
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: outbox.claim(seen), range(4)))
    assert sorted(claims) == [False, False, False, True]
    assert outbox.due() == []


def test_a_claim_runs_out(outbox: Outbox, clock: FakeClock) -> None:
    outbox.put(message())
    outbox.claim(outbox.due()[0])
    clock.at += CLAIM_S
    (again,) = outbox.due()
    assert (again.state, again.attempts) == (DeliveryState.SENDING, 1)
    assert outbox.claim(again)


def test_a_new_holder_sends_what_the_last_one_had_claimed(outbox: Outbox) -> None:
    outbox.put(message(), message(1, target="chat"))
    outbox.claim(outbox.due(target="pager")[0])
    assert [d.target for d in outbox.due()] == ["chat"]
    assert outbox.recover() == 1
    assert {d.target for d in outbox.due()} == {"chat", "pager"}


def test_a_late_settlement_closes_a_message_that_was_claimed_again(
    outbox: Outbox, clock: FakeClock
) -> None:
    outbox.put(message())
    (first,) = outbox.due()
    outbox.claim(first)
    clock.at += CLAIM_S
    outbox.claim(outbox.due()[0])
    outbox.settle(first, {})
    assert outbox.deliveries()[0].state is DeliveryState.DELIVERED


def test_a_closed_message_is_not_opened_by_a_late_failure(outbox: Outbox) -> None:
    outbox.put(message())
    (first,) = outbox.due()
    deliver(outbox, first)
    outbox.postpone(first, 0.0, "late")
    outbox.fail(first, "late")
    assert outbox.deliveries()[0].state is DeliveryState.DELIVERED


def test_no_message_waits_for_ever_when_the_clock_goes_back(
    outbox: Outbox, clock: FakeClock
) -> None:
    outbox.put(message())
    clock.at -= HORIZON_S
    assert outbox.due() == []
    clock.at -= 1
    assert len(outbox.due()) == 1


def test_a_reminder_that_did_not_get_out_is_superseded(outbox: Outbox) -> None:
    outbox.put(message(1))
    deliver(outbox, outbox.due()[0])
    outbox.put(message(2, reason="repeat"), message(3, reason="repeat"))
    outbox.put(message(4, reason="resolved", status="resolved"))
    assert [d.state.value for d in reversed(outbox.deliveries())] == [
        "delivered", "superseded", "superseded", "waiting",
    ]  # fmt: skip


def test_what_is_no_reminder_is_never_superseded(outbox: Outbox) -> None:
    for sequence, reason in enumerate(["new", "changed", "acknowledged", "resolved", "new"]):
        outbox.put(message(sequence, reason=reason))
    assert outbox.counts() == {("pager", DeliveryState.WAITING): 5}


def test_a_reminder_on_its_way_is_not_superseded(outbox: Outbox) -> None:
    outbox.put(message(1, reason="repeat"))
    outbox.claim(outbox.due()[0])
    outbox.put(message(2))
    assert outbox.deliveries()[1].state is DeliveryState.SENDING


def test_what_waits_for_one_target_is_bounded_in_plain_sight(ledger: Ledger) -> None:
    outbox = Outbox(ledger, limit=3)
    outbox.put(message(1, target="chat"))
    outbox.put(*(message(1, group_key=f"group {i}") for i in range(5)))
    assert outbox.counts() == {
        ("chat", DeliveryState.WAITING): 1,
        ("pager", DeliveryState.WAITING): 3,
        ("pager", DeliveryState.FAILED): 2,
    }
    failed = outbox.deliveries(states=[DeliveryState.FAILED])
    assert {d.error for d in failed} == {"more than 3 messages wait for this target"}
    assert {d.notification.group_key for d in failed} == {"group 0", "group 1"}


def test_the_receipt_of_a_thread_is_that_of_its_last_delivery(outbox: Outbox) -> None:
    thread = thread_of("pager", "bot/availability")
    assert outbox.receipt(thread) is None
    outbox.put(message(1), message(2), message(1, group_key="other"))
    deliver(outbox, outbox.due()[0], ts="1.5")
    assert outbox.receipt(thread) == {"ts": "1.5"}
    deliver(outbox, outbox.due()[0], ts="2.5")
    assert outbox.receipt(thread) == {"ts": "2.5"}
    assert outbox.receipt(thread_of("pager", "other")) is None


def test_the_router_finds_the_newest_message_of_every_thread(outbox: Outbox) -> None:
    outbox.put(message(1), message(2), message(7, group_key="other"))
    assert [(n.group_key, n.sequence) for n in outbox.latest()] == [
        ("bot/availability", 2), ("other", 7),
    ]  # fmt: skip


def test_old_messages_are_pruned_but_for_the_newest_of_a_thread(
    outbox: Outbox, clock: FakeClock
) -> None:
    outbox.put(message(1), message(2), message(1, target="chat"))
    for _ in range(2):
        deliver(outbox, outbox.due(target="pager")[0])
    clock.at += 100
    assert outbox.prune(200) == 0
    assert outbox.prune(50) == 1
    assert [(n.target, n.sequence) for n in outbox.latest()] == [("pager", 2), ("chat", 1)]


def test_old_threads_that_ended_are_forgotten(outbox: Outbox, clock: FakeClock) -> None:
    outbox.put(message(1), message(2, reason="resolved", status="resolved"))
    outbox.put(message(1, group_key="change/1", reason="change"), message(1, group_key="firing"))
    while due := outbox.due():
        deliver(outbox, due[0])
    clock.at += 100
    assert outbox.prune(50) == 3
    assert [n.group_key for n in outbox.latest()] == ["firing"]


def test_a_failed_message_can_be_sent_again_by_hand(outbox: Outbox, ledger: Ledger) -> None:
    outbox.put(message())
    (first,) = outbox.due()
    assert not outbox.retry(first.id, by="ann")
    outbox.claim(first)
    outbox.fail(first, "answered 400")
    assert outbox.retry(first.id, by="ann")
    (again,) = outbox.due()
    assert (again.id, again.error) == (first.id, None)
    (entry,) = ledger.audit_entries()
    assert (entry.actor, entry.action) == ("ann", "notification.retry")


def test_a_failed_message_is_not_sent_after_a_later_one_of_its_group(outbox: Outbox) -> None:
    outbox.put(message(), message(2, reason="resolved", status="resolved"))
    (first,) = outbox.due()
    outbox.claim(first)
    outbox.fail(first, "answered 400")
    assert not outbox.retry(first.id, by="ann")
    (last,) = outbox.due()
    outbox.claim(last)
    outbox.fail(last, "answered 400")
    assert outbox.retry(last.id, by="ann")
    assert [d.id for d in outbox.due()] == [last.id]


@pytest.mark.parametrize(
    "text",
    ["\0", "\ud800", "\U0001f6a8 日本語", "'; DROP TABLE outbox; --", "x" * 200_000, "\x1b[31m"],
)
def test_any_text_is_kept(outbox: Outbox, clock: FakeClock, text: str) -> None:
    sent = message(group_key=text, annotations={"summary": text})
    outbox.put(sent)
    (due,) = outbox.due()
    assert due.notification == sent
    assert len(due.key) <= 200
    assert due.key.isprintable()
    outbox.claim(due)
    outbox.postpone(due, clock.at, text)
    assert len(outbox.due()[0].error or "") <= 500


def test_long_keys_stay_apart() -> None:
    long = "group " * 100
    assert key_of(message(1, group_key=long)) != key_of(message(2, group_key=long))
    assert key_of(message(1, group_key=long + "a")) != key_of(message(1, group_key=long + "b"))
    assert key_of(message(3)) == "pager/bot/availability/3"


def test_a_message_that_a_newer_version_wrote_holds_up_no_other(
    outbox: Outbox, ledger: Ledger
) -> None:
    outbox.put(message(1), message(1, group_key="other"))
    with ledger.transaction() as connection:
        connection.execute(
            OUTBOX.update()
            .where(OUTBOX.c.thread == thread_of("pager", "other"))
            .values(payload={"of": "the future"})
        )
    assert [d.notification.group_key for d in outbox.due()] == ["bot/availability"]


# changes beside alerts


def change(name: str) -> Notification:
    told = Change(name, ChangeKind.DEPLOY, "bot", at=1_789_999_999.25, after="v7")
    return message(reason="change", group_key=f"change/{name}", alerts=(), change=told)


def test_an_alert_goes_out_before_the_changes_that_waited_longer(
    outbox: Outbox, clock: FakeClock
) -> None:
    outbox.put(*(change(f"c{i}") for i in range(3)))
    clock.at += 60
    outbox.put(message())
    assert [d.notification.reason for d in outbox.due()] == ["new", "change", "change", "change"]
    assert [d.notification.reason for d in outbox.due(target="pager", limit=1)] == ["new"]


def test_changes_never_push_an_alert_out(ledger: Ledger) -> None:
    outbox = Outbox(ledger, limit=3)
    outbox.put(message(), *(change(f"c{i}") for i in range(5)))
    failed = outbox.deliveries(states=[DeliveryState.FAILED])
    assert [d.notification.group_key for d in reversed(failed)] == [
        "change/c0", "change/c1", "change/c2",
    ]  # fmt: skip
    outbox.put(message(group_key="other"), message(group_key="third"))
    waiting = outbox.deliveries(states=[DeliveryState.WAITING])
    assert {d.notification.reason for d in waiting} == {"new"}


def test_the_router_does_not_go_on_from_changes(outbox: Outbox) -> None:
    outbox.put(message(), change("deploy-7"))
    assert [n.reason for n in outbox.latest()] == ["new"]
