"""What holds of alerts whatever the data does and whenever the controller is killed."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.conftest import FakeClock
from tests.unit.decide.by_hand import FAITHFULNESS, NOW, evidence, objective, reading, target

from seakeeping.decide.alerts import annotations, evaluate, step
from seakeeping.decide.alerts.rules import GUARD_LOOKS, Rulebook
from seakeeping.decide.loop import AlertLoop
from seakeeping.decide.route import Router
from seakeeping.records import (
    Alert,
    Alerting,
    AlertState,
    BurnAlert,
    Counts,
    Matcher,
    Notification,
    Objective,
    Reading,
    Severity,
    Silence,
)
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.outbox import Outbox
from seakeeping.store.ledger.silences import Silences

SLOW = BurnAlert(Severity.PAGE, 21_600, 1800, 6, 60)
OBJECTIVES = (
    objective(name="chat/a"),
    objective(0.9, name="chat/b", indicator=FAITHFULNESS),
    objective(name="chat/c", alerting=Alerting(burn=(SLOW,), absent_after_s=600)),
)


@st.composite
def look_counts(draw: st.DrawFn) -> dict[int, Counts]:
    """Counts of all look-backs: none, or some with a share of bad ones."""
    looks = {}
    for look in GUARD_LOOKS:
        valid = draw(st.sampled_from([0, 0, 1, 60, 5000]))
        bad = round(valid * draw(st.sampled_from([0.0, 0.001, 0.05, 1.0])))
        looks[look] = Counts(float(valid), float(bad), valid, bad)
    return looks


@st.composite
def readings(draw: st.DrawFn, of: Objective) -> Reading:
    test = None
    if draw(st.booleans()):
        test = evidence(draw(st.sampled_from([0.0, 999.0, 5000.0])), since=NOW - 4000)
    last = draw(st.sampled_from([None, NOW - 1.0, NOW - 5000.0]))
    return reading(of, draw(look_counts()), evidence=test, last_event_at=last)


Looked = tuple[float, list[Reading]]


@st.composite
def histories(draw: st.DrawFn) -> list[Looked]:
    """Looks at some of the objectives at times that mostly go on."""
    now, looks = NOW, []
    for _ in range(draw(st.integers(1, 8))):
        now += draw(st.sampled_from([1.0, 29.0, 31.0, 61.0, 301.0, 4000.0, 15_000.0, -500.0]))
        seen = draw(st.lists(st.sampled_from(OBJECTIVES), unique_by=lambda of: of.name))
        looks.append((now, [_at(draw(readings(of)), now) for of in seen]))
    return looks


def _at(one: Reading, now: float) -> Reading:
    last = one.budget.last_event_at
    moved = None if last is None else last - NOW + now
    return replace(one, budget=replace(one.budget, at=now, last_event_at=moved))


def _played(history: Sequence[Looked]) -> list[Alert]:
    alerts: dict[str, Alert] = {}
    for now, seen in history:
        done = step(alerts.values(), evaluate(seen, now), now, words=annotations)
        for dropped in done.dropped:
            del alerts[dropped.fingerprint]
        alerts |= {alert.fingerprint: alert for alert in done.changed}
    return [alert for alert in alerts.values() if alert.state is not AlertState.RESOLVED]


@given(histories(), st.floats(1, 1e7))
def test_no_data_never_resolves_and_never_fires(history: list[Looked], later: float) -> None:
    alerts = _played(history)
    now = history[-1][0] + later
    empty = dict.fromkeys(GUARD_LOOKS, Counts())
    seen = [reading(of, empty, at=now, last_event_at=None) for of in OBJECTIVES]
    done = step(alerts, evaluate(seen, now), now, words=annotations)
    assert not [a for a in done.changed if a.state is not AlertState.FIRING]
    begun = {a.fingerprint for a in done.changed} - {a.fingerprint for a in alerts}
    assert not begun
    firing = {a.fingerprint for a in alerts if a.state is AlertState.FIRING}
    assert {a.fingerprint for a in done.dropped}.isdisjoint(firing)


@given(st.data())
def test_a_burn_alert_neither_fires_nor_ends_while_its_short_look_backs_are_empty(
    data: st.DataObject,
) -> None:
    of = OBJECTIVES[0]
    looks = data.draw(look_counts())
    short = {300, 1800, 7200, 21_600}
    now = reading(of, {look: Counts() if look in short else c for look, c in looks.items()})
    for condition in evaluate([now], NOW):
        assert not condition.holds
        assert not condition.clears


@given(histories())
def test_a_condition_never_holds_and_clears_at_once(history: list[Looked]) -> None:
    for now, seen in history:
        for condition in evaluate(seen, now):
            assert not (condition.holds and condition.clears)


@given(histories())
def test_looking_again_at_the_same_moment_changes_nothing(history: list[Looked]) -> None:
    alerts = {alert.fingerprint: alert for alert in _played(history)}
    now, seen = history[-1]
    done = step(alerts.values(), evaluate(seen, now), now, words=annotations)
    assert not done.dropped
    assert not [a for a in done.changed if a.fingerprint not in alerts]
    assert not [a for a in done.changed if a.state is AlertState.RESOLVED]


@given(histories(), st.lists(st.sampled_from(OBJECTIVES)))
def test_what_is_held_no_more_stands_no_more(history: list[Looked], held: list[Objective]) -> None:
    book = Rulebook()
    alerts = _played(history)
    now = history[-1][0] + 1
    kept = {of.name: book.of(of) for of in held}
    done = step(alerts, [], now, words=annotations, held=kept)
    gone = {a.fingerprint for a in (*done.changed, *done.dropped)}
    assert gone == {a.fingerprint for a in alerts if a.objective not in kept}


# the whole loop: a controller that is killed at any moment, against one that lives


@contextmanager
def ledger_at(clock: FakeClock) -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_at(f"sqlite:///{Path(folder) / 'ledger.db'}", clock)
        yield ledger
        ledger.close()


def _told(ledger: Ledger) -> list[tuple[str, str, int, str]]:
    found = [d.notification for d in Outbox(ledger).deliveries(limit=10_000)]
    return [(n.group_key, n.reason, n.sequence, n.status) for n in found]


class Killed(Exception):
    """The process is gone at this moment."""


@settings(max_examples=30)
@given(histories(), st.data())
def test_a_controller_killed_at_any_moment_decides_as_one_that_lives(
    history: list[Looked], data: st.DataObject
) -> None:
    clock = FakeClock()
    with ledger_at(clock) as steady, ledger_at(clock) as shaken:
        lives = AlertLoop(steady)
        for now, seen in history:
            clock.at = now
            more = {"objectives": OBJECTIVES, "targets": [target()]}
            lives.look(seen, now, **more)  # type: ignore[arg-type]
            if data.draw(st.booleans(), label="killed in the look"):
                _killed_look(AlertLoop(shaken), seen, now)
            AlertLoop(shaken).look(seen, now, **more)  # type: ignore[arg-type]
            if data.draw(st.booleans(), label="killed after the look"):
                AlertLoop(shaken).look(seen, now, **more)  # type: ignore[arg-type]
        assert Alerts(shaken).find() == Alerts(steady).find()
        assert _told(shaken) == _told(steady)


def _killed_look(loop: AlertLoop, seen: Sequence[Reading], now: float) -> None:
    """Do everything of a look but its commit."""
    outbox = loop._outbox

    class Dying(Outbox):
        def add(self, *args: object) -> int:
            raise Killed

    loop._outbox = Dying(loop._ledger)
    try:
        loop.look(seen, now, objectives=OBJECTIVES, targets=[target()])
    except Killed:
        loop._outbox = outbox


# routing: who was told must end up knowing how things are


@st.composite
def comings_and_goings(draw: st.DrawFn) -> list[tuple[float, list[Alert], list[Silence]]]:
    """Alerts of one group that begin, end and are acknowledged, and silences over them."""
    now, steps = NOW, []
    alive: dict[str, Alert] = {}
    for _ in range(draw(st.integers(1, 12))):
        now += draw(st.sampled_from([1.0, 31.0, 301.0, 15_000.0]))
        for name in ("ErrorBudgetBurn", "QualityEvidence"):
            alive[name] = _moved(alive.get(name), draw(st.integers(0, 4)), name, now)
        silence = Silence("s", (Matcher("alertname", "ErrorBudgetBurn"),), now, now + 1, "ann", "")
        steps.append((now, list(alive.values()), [silence] if draw(st.booleans()) else []))
    return steps


def _moved(before: Alert | None, move: int, name: str, now: float) -> Alert:
    labels = {"alertname": name, "severity": "page", "service": "chat", "slo": "chat/a"}
    fresh = Alert(labels, {}, starts_at=now, objective="chat/a")
    if before is None or (before.state is AlertState.RESOLVED and move == 1):
        return fresh
    if before.state is AlertState.FIRING and move == 2:
        return replace(before, state=AlertState.RESOLVED, ends_at=now)
    if before.state is AlertState.FIRING and move == 3:
        return replace(before, acknowledged_by="ann", acknowledged_at=now)
    return before


@given(comings_and_goings())
def test_whoever_was_told_of_a_beginning_is_told_of_the_end(
    steps: list[tuple[float, list[Alert], list[Silence]]],
) -> None:
    router, messages = Router(), list[Notification]()
    for now, alerts, silences in steps:
        due = router.step(alerts, now, targets=[target()], silences=silences)
        router.remember(due)
        messages += due
    now, alerts, _ = steps[-1]
    over = [a if a.ends_at else replace(a, state=AlertState.RESOLVED, ends_at=now) for a in alerts]
    due = router.step(over, now + 301, targets=[target()])
    router.remember(due)
    messages += due
    assert router.told_firing() == frozenset()
    if messages:
        assert messages[-1].status == "resolved"
    assert [m.sequence for m in messages] == sorted({m.sequence for m in messages})


@given(comings_and_goings(), st.integers(0, 11))
def test_a_router_made_anew_tells_what_the_old_one_would_have(
    steps: list[tuple[float, list[Alert], list[Silence]]], at: int
) -> None:
    lives, dies, kept = Router(), Router(), list[Notification]()
    for number, (now, alerts, silences) in enumerate(steps):
        if number == at:
            newest = {(m.target, m.group_key): m for m in kept}
            dies = Router(told=newest.values())
        expected = lives.step(alerts, now, targets=[target()], silences=silences)
        found = dies.step(alerts, now, targets=[target()], silences=silences)
        assert found == expected
        lives.remember(expected)
        dies.remember(found)
        kept += found


@given(comings_and_goings())
def test_no_group_is_told_more_often_than_its_interval_but_of_an_acknowledgement(
    steps: list[tuple[float, list[Alert], list[Silence]]],
) -> None:
    router, last = Router(), -1e18
    for now, alerts, silences in steps:
        for message in router.step(alerts, now, targets=[target()], silences=silences):
            if message.reason not in ("acknowledged", "new"):
                assert now - last >= 300
            last = now
            router.remember([message])


def test_a_silence_over_everything_is_told_to_nobody(tmp_path: Path) -> None:
    clock = FakeClock()
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    Silences(ledger).create([Matcher("service", "chat")], ends_at=NOW + 1e6, by="ann")
    looks = {look: Counts(5000.0, 5000.0, 5000, 5000) for look in GUARD_LOOKS}
    loop = AlertLoop(ledger)
    for now in (NOW, NOW + 1000):
        seen = [reading(OBJECTIVES[0], looks, at=now)]
        assert loop.look(seen, now, objectives=OBJECTIVES, targets=[target()]).told == ()
    ledger.close()
