"""Changes are put into the outbox once a target, whoever looks however often; old ones never."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.conftest import FakeClock

from seakeeping.decide.changes.news import FRESH_S, ChangeNews
from seakeeping.errors import Unavailable
from seakeeping.records import Change, ChangeKind, NotificationTarget, TargetKind
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.outbox import Outbox

PAGER = NotificationTarget("pager", TargetKind.PAGERDUTY)
EVENTS = NotificationTarget("events", TargetKind.CLOUDEVENTS)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


def keep(ledger: Ledger, name: str, ago_s: float = 5.0) -> Change:
    made = Change(name, ChangeKind.DEPLOY, "chat", ledger.clock.now() - ago_s, after="v2")
    Changes(ledger).put([made], by="ci")
    return made


def told(ledger: Ledger) -> list[tuple[str, str]]:
    """Return target and change of every message, oldest first."""
    found = [d.notification for d in reversed(Outbox(ledger).deliveries())]
    assert {(n.reason, n.alerts) for n in found} <= {("change", ())}
    return [(n.target, n.change.id if n.change else "") for n in found]


def test_a_change_is_told_once_to_every_target_that_asks(ledger: Ledger) -> None:
    change = keep(ledger, "deploy-7")
    news = ChangeNews(ledger)
    assert news.tell([PAGER, EVENTS]) == 2
    assert told(ledger) == [("pager", "deploy-7"), ("events", "deploy-7")]
    sent = Outbox(ledger).due(target="pager")[0].notification
    assert (sent.change, sent.at) == (change, change.at)
    assert news.tell([PAGER, EVENTS]) == 0


def test_another_node_and_the_next_life_tell_nothing_twice(
    ledger: Ledger, clock: FakeClock
) -> None:
    keep(ledger, "deploy-7")
    assert ChangeNews(ledger).tell([PAGER]) == 1
    for later_s in (0, 60, 1200, 1800):
        clock.at += later_s
        assert ChangeNews(ledger).tell([PAGER]) == 0
    assert told(ledger) == [("pager", "deploy-7")]


def test_a_delivered_change_that_is_told_again_is_not_sent_again(ledger: Ledger) -> None:
    keep(ledger, "deploy-7")
    ChangeNews(ledger).tell([PAGER])
    outbox = Outbox(ledger)
    (due,) = outbox.due()
    outbox.claim(due)
    outbox.settle(due, {})
    keep(ledger, "deploy-7")
    assert ChangeNews(ledger).tell([PAGER]) == 0
    assert outbox.due() == []


@pytest.mark.parametrize(("ago_s", "count"), [(FRESH_S - 1, 1), (FRESH_S + 1, 0), (-60, 1)])
def test_what_was_made_long_ago_is_told_to_nobody(ledger: Ledger, ago_s: float, count: int) -> None:
    keep(ledger, "one", ago_s)
    assert ChangeNews(ledger).tell([PAGER]) == count


def test_a_change_that_grew_old_waiting_for_a_controller_is_not_told(
    ledger: Ledger, clock: FakeClock
) -> None:
    keep(ledger, "one")
    clock.at += FRESH_S
    assert ChangeNews(ledger).tell([PAGER]) == 0


def test_changes_are_told_in_the_order_they_were_made(ledger: Ledger) -> None:
    for name, ago_s in (("third", 10), ("first", 30), ("second", 20)):
        keep(ledger, name, ago_s)
    ChangeNews(ledger).tell([PAGER])
    assert [name for _, name in told(ledger)] == ["first", "second", "third"]


def test_a_new_target_hears_of_the_last_hour_and_the_old_one_of_nothing(ledger: Ledger) -> None:
    keep(ledger, "one")
    news = ChangeNews(ledger)
    assert news.tell([PAGER]) == 1
    assert news.tell([PAGER, EVENTS]) == 1
    assert told(ledger) == [("pager", "one"), ("events", "one")]


def test_a_ledger_that_fails_is_asked_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(ledger, "one")
    news = ChangeNews(ledger)

    def away(*_: object) -> int:
        raise Unavailable("the ledger does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "put", away)
        with pytest.raises(Unavailable):
            news.tell([PAGER])
    assert news.tell([PAGER]) == 1


@pytest.mark.parametrize(
    ("kind", "options", "count"),
    [
        (TargetKind.PAGERDUTY, {}, 1), (TargetKind.PAGERDUTY, {"changes": "off"}, 0),
        (TargetKind.CLOUDEVENTS, {}, 1), (TargetKind.CLOUDEVENTS, {"changes": "off"}, 0),
        (TargetKind.SLACK, {}, 0), (TargetKind.SLACK, {"changes": "on"}, 1),
        (TargetKind.EMAIL, {}, 0), (TargetKind.EMAIL, {"changes": "on"}, 1),
        (TargetKind.APPRISE, {"changes": "on"}, 1), (TargetKind.APPRISE, {}, 0),
        (TargetKind.WEBHOOK, {"changes": "on"}, 0), (TargetKind.ALERTMANAGER, {"changes": "on"}, 0),
    ],
)  # fmt: skip
def test_only_who_has_words_for_changes_and_asks_is_told(
    ledger: Ledger, kind: TargetKind, options: dict[str, str], count: int
) -> None:
    keep(ledger, "one")
    assert ChangeNews(ledger).tell([NotificationTarget("it", kind, options=options)]) == count
