import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.conftest import FakeClock
from tests.unit.decide.alerts.test_alert_explain import ONE_BAD_MODEL
from tests.unit.decide.by_hand import NOW, alert, objective, silent, steady, target

from seakeeping.decide.loop import EXPLAIN_AGAIN_S, AlertLoop, Look
from seakeeping.errors import StoreUnavailable
from seakeeping.records import AlertState, Indicator, IndicatorSignal, Matcher, Reading, Routing
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.outbox import Outbox
from seakeeping.store.ledger.silences import Silences

OBJECTIVE = objective()
TEAM = target()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


def look(loop: AlertLoop, ratio: float | None, now: float) -> Look:
    """Look at a service that is as bad as told, None: without data."""
    now_reading: Reading = (
        silent(OBJECTIVE, at=now) if ratio is None else steady(OBJECTIVE, ratio, at=now)
    )
    return loop.look([now_reading], now, objectives=[OBJECTIVE], targets=[TEAM])


def test_a_burn_is_written_told_after_the_wait_and_ended(ledger: Ledger) -> None:
    loop = AlertLoop(ledger)
    first = look(loop, 0.05, NOW)
    assert [a.state for a in first.standing] == [AlertState.FIRING] * 2
    assert first.told == ()
    (new,) = look(loop, 0.05, NOW + 30).told
    assert [d.notification.reason for d in Outbox(ledger).due()] == ["new"]
    assert look(loop, None, NOW + 60).told == ()
    over = look(loop, 0.0, NOW + 400)
    assert over.standing == ()
    assert [message.reason for message in over.told] == ["resolved"]
    assert over.told[0].sequence > new.sequence


def test_a_silence_and_an_acknowledgement_of_others_count(ledger: Ledger) -> None:
    loop = AlertLoop(ledger)
    made = Silences(ledger).create([Matcher("service", "chat")], ends_at=NOW + 100, by="ann")
    look(loop, 0.05, NOW)
    assert look(loop, 0.05, NOW + 50).told == ()
    Silences(ledger).expire(made.id, by="ann")
    assert len(look(loop, 0.05, NOW + 51).told) == 1
    (page, _) = sorted(look(loop, 0.05, NOW + 52).standing, key=lambda a: a.severity)
    Alerts(ledger).acknowledge(page.fingerprint, by="ben")
    (message,) = look(loop, 0.05, NOW + 53).told
    assert (message.reason, message.alerts[0].acknowledged_by) == ("acknowledged", "ben")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(?=a)a+", "("])
def test_a_hostile_silence_of_an_older_version_holds_no_look_up(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    team = replace(OBJECTIVE, labels={"team": "a" * 40 + "!"})
    with monkeypatch.context() as patched:  # as it was kept when nobody checked it
        patched.setattr("seakeeping.store.ledger.silences.check", lambda *_: None)
        Silences(ledger).create(
            [Matcher("team", pattern, is_regex=True)], ends_at=NOW + 900, by="ann"
        )
    loop, began = AlertLoop(ledger), time.monotonic()
    for at in (NOW, NOW + 30):
        done = loop.look([steady(team, 0.05, at=at)], at, objectives=[team], targets=[TEAM])
    assert time.monotonic() - began < 5.0
    assert len(done.told) == 1, "it silences nothing"


def test_a_look_that_fails_leaves_nothing_behind(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = AlertLoop(ledger)
    look(loop, 0.05, NOW)
    before = ledger.dump()

    def broken(*_: object) -> int:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "add", broken)
        with pytest.raises(OSError, match="disk"):
            look(loop, 0.9, NOW + 60)
    assert ledger.dump() == before
    assert len(look(loop, 0.9, NOW + 60).told) == 1


def test_another_controller_goes_on_where_the_last_one_stopped(ledger: Ledger) -> None:
    look(AlertLoop(ledger), 0.05, NOW)
    (new,) = look(AlertLoop(ledger), 0.05, NOW + 30).told
    assert look(AlertLoop(ledger), 0.05, NOW + 31).told == ()
    (end,) = look(AlertLoop(ledger), 0.0, NOW + 86_400 * 3).told
    assert (end.reason, end.sequence > new.sequence) == ("resolved", True)


def test_a_lease_that_was_lost_and_won_again_tells_nothing_twice(ledger: Ledger) -> None:
    first, second = AlertLoop(ledger), AlertLoop(ledger)
    look(first, 0.05, NOW)
    assert len(look(second, 0.05, NOW + 30).told) == 1
    first.reset()
    assert look(first, 0.05, NOW + 31).told == ()


def test_a_deleted_objective_ends_its_alerts_and_that_is_told(ledger: Ledger) -> None:
    loop = AlertLoop(ledger)
    look(loop, 0.05, NOW)
    look(loop, 0.05, NOW + 30)
    done = loop.look([], NOW + 331, objectives=[], targets=[TEAM])
    assert [message.reason for message in done.told] == ["resolved"]
    assert loop.look([], NOW + 332, objectives=None, targets=[TEAM]).told == ()


def test_the_live_alerts_of_a_target_are_those_that_fire_or_ended_just_now(
    ledger: Ledger, clock: FakeClock
) -> None:
    loop = AlertLoop(ledger)
    look(loop, 0.05, NOW)
    assert len(loop.live(TEAM)) == 2
    look(loop, 0.0, NOW + 300)
    clock.at = NOW + 301
    assert {a.state for a in loop.live(TEAM)} == {AlertState.RESOLVED}
    clock.at = NOW + 86_400
    assert loop.live(TEAM) == []
    with ledger.transaction() as connection:
        theirs = [replace(alert("x"), targets=("other",)), replace(alert("y"), objective=None)]
        Alerts(ledger).save(connection, theirs)
    assert loop.live(TEAM) == []


class Shelf:
    """A store that can be away."""

    def __init__(self) -> None:
        self.is_away = False
        self.asked = 0

    def facts(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        dimensions: Sequence[str] | None = None,
    ) -> Facts:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return ONE_BAD_MODEL

    def examples(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        slice: Mapping[str, str] | None = None,
        limit: int = 5,
    ) -> Sequence[Example]:
        return [Example("t", "s", "chat", NOW)]


def test_an_alert_is_explained_once_before_it_is_told(ledger: Ledger) -> None:
    shelf = Shelf()
    loop, known = AlertLoop(ledger, events=shelf), {OBJECTIVE.name: OBJECTIVE}
    assert loop.explain(look(loop, 0.05, NOW).standing, known, NOW) == 2
    assert loop.explain(look(loop, 0.05, NOW + 1).standing, known, NOW + 1) == 0
    assert shelf.asked == 2
    (message,) = look(loop, 0.05, NOW + 30).told
    assert message.alerts[0].annotations["worst_slices"].startswith("model=b")
    assert "/interactions/t/s" in message.alerts[0].annotations["examples"]


def test_a_store_that_is_away_is_asked_again_later_and_holds_nothing_up(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.is_away = True
    loop, known = AlertLoop(ledger, events=shelf), {OBJECTIVE.name: OBJECTIVE}
    assert loop.explain(look(loop, 0.05, NOW).standing, known, NOW) == 0
    assert len(look(loop, 0.05, NOW + 30).told) == 1
    shelf.is_away = False
    soon, later = NOW + EXPLAIN_AGAIN_S - 1, NOW + EXPLAIN_AGAIN_S
    assert loop.explain(look(loop, 0.05, soon).standing, known, soon) == 0
    assert loop.explain(look(loop, 0.05, later).standing, known, later) == 2


def test_what_cannot_be_explained_is_passed_over(ledger: Ledger) -> None:
    loop = AlertLoop(ledger, events=Shelf())
    gauge = replace(OBJECTIVE.indicator, signal=IndicatorSignal.METRIC, subject="up")
    of_metric = {OBJECTIVE.name: replace(OBJECTIVE, indicator=gauge)}
    assert loop.explain(look(loop, 0.05, NOW).standing, of_metric, NOW) == 0
    assert loop.explain(look(loop, 0.05, NOW).standing, {}, NOW) == 0
    assert (
        AlertLoop(ledger).explain(look(loop, 0.05, NOW).standing, {OBJECTIVE.name: OBJECTIVE}, NOW)
        == 0
    )


def test_another_routing_holds_from_the_next_look_and_over_a_lost_lease(ledger: Ledger) -> None:
    loop = AlertLoop(ledger)
    look(loop, 0.05, NOW)
    loop.follow(Routing(group_wait_s=0.0))
    (new,) = look(loop, 0.05, NOW + 1).told
    assert (new.reason, new.group_labels["slo"]) == ("new", OBJECTIVE.name)
    loop.follow(Routing(group_by=("service",)))
    loop.reset()
    end, again = look(loop, 0.05, NOW + 30).told
    assert (end.group_key, end.status) == (new.group_key, "resolved")
    assert (again.group_labels, again.status) == ({"service": "chat"}, "firing")
    assert look(loop, 0.05, NOW + 31).told == ()
