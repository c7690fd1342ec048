"""One incident for one cause, from its first alert until all is well, whoever is killed."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.conftest import FakeClock
from tests.unit.decide.by_hand import NOW, alert, ended
from tests.unit.decide.incidents.made import cause, diagnosis

from seakeeping.decide.incidents.by_hand import acknowledge, resolve
from seakeeping.decide.incidents.foreign import NOT_TOLD_AGAIN, receive
from seakeeping.decide.incidents.grouping import is_open
from seakeeping.decide.incidents.loop import AGAIN_S, LOOKS_S, RETRY_S, SURER_S, IncidentLoop
from seakeeping.errors import BadInput, NotFound, StoreUnavailable
from seakeeping.records import (
    Alert,
    AlertState,
    Diagnosis,
    Incident,
    IncidentState,
    JsonObject,
    Routing,
)
from seakeeping.records.codec import iso
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.incidents import Incidents


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.at = NOW
    return clock


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


def keep(ledger: Ledger, *alerts: Alert) -> list[Alert]:
    """Write alerts; return all that stand."""
    with ledger.transaction() as connection:
        Alerts(ledger).save(connection, alerts)
        return Alerts(ledger).standing(connection)


def told(diagnosis_of: Sequence[Diagnosis | Exception]) -> tuple[list[str], object]:
    """Return a diagnose function that gives these one after the other, and who asked."""
    left, asked = list(diagnosis_of), list[str]()

    def diagnose(incident: Incident, alerts: Sequence[Alert]) -> Diagnosis:
        asked.append(incident.id)
        made = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(made, Exception):
            raise made
        return replace(made, incident_id=incident.id, alerts=incident.alerts)

    return asked, diagnose


def looping(
    ledger: Ledger, clock: FakeClock, *made: Diagnosis | Exception
) -> tuple[list[str], IncidentLoop]:
    asked, diagnose = told(made or [diagnosis()])
    return asked, IncidentLoop(ledger, None, clock, diagnose=diagnose)  # type: ignore[arg-type]


def test_alerts_open_one_incident_join_it_and_end_it(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    (opened,) = loop.step(keep(ledger, alert("a")), NOW)
    assert loop.by_id() == {opened.id: opened}
    assert loop.step(keep(ledger), NOW + 1) == []
    (joined,) = loop.step(keep(ledger, alert("b")), NOW + 2)
    assert (joined.id, len(joined.alerts)) == (opened.id, 2)
    assert loop.step(keep(ledger, ended(alert("a"), NOW + 3)), NOW + 3) == []
    (over,) = loop.step(keep(ledger, ended(alert("b"), NOW + 4)), NOW + 4)
    assert (over.id, over.state, over.resolved_at) == (opened.id, IncidentState.RESOLVED, NOW + 4)
    verdict = Incidents(ledger).verify(opened.id)
    assert verdict is not None
    assert (verdict.is_intact, verdict.entries) == (True, 3)


def test_the_timeline_says_why_the_alerts_ended(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    (opened,) = loop.step(keep(ledger, alert("a"), alert("b")), NOW)
    over = [
        replace(ended(alert(name), NOW + 5), evidence={"ended": why})
        for name, why in (("a", "the objective was deleted"), ("b", "the condition holds no more"))
    ]
    loop.step(keep(ledger, *over), NOW + 5)
    known = Incidents(ledger).get(opened.id)
    assert known is not None
    last = known.timeline[-1]
    told = {"the objective was deleted", "the condition holds no more"}
    assert last.reason.startswith("all its alerts ended: ")
    assert set(last.reason.removeprefix("all its alerts ended: ").split("; ")) == told
    alerts = last.evidence["alerts"]
    assert isinstance(alerts, list)
    assert [(one["ended"] in told, one["ends_at"]) for one in alerts] == [(True, NOW + 5)] * 2


def test_an_alert_that_ends_for_another_reason_is_told_of_an_incident_that_goes_on(
    ledger: Ledger, clock: FakeClock
) -> None:
    _, loop = looping(ledger, clock)
    (opened,) = loop.step(keep(ledger, alert("a"), alert("b"), alert("c")), NOW)
    known = {one.fingerprint: one for one in keep(ledger)}
    over = [
        replace(ended(known[alert(name).fingerprint], NOW + 5), evidence={"ended": why})
        for name, why in (("a", "the objective was deleted"), ("b", "the condition holds no more"))
    ]
    (told,) = loop.step(keep(ledger, *over), NOW + 5, ended=over)
    assert (told.id, told.state, told.version) == (opened.id, IncidentState.OPEN, 2)
    known_now = Incidents(ledger).get(opened.id)
    assert known_now is not None
    last = known_now.timeline[-1]
    assert (last.action, last.reason) == ("withdrawn", "a: the objective was deleted")
    assert loop.step(keep(ledger), NOW + 6) == []


def test_an_alert_that_joins_as_another_is_withdrawn_is_told_first(
    ledger: Ledger, clock: FakeClock
) -> None:
    _, loop = looping(ledger, clock)
    (opened,) = loop.step(keep(ledger, alert("a")), NOW)
    (kept,) = keep(ledger)
    over = replace(ended(kept, NOW + 5), evidence={"ended": "the objective was deleted"})
    loop.step(keep(ledger, over, alert("b", starts_at=NOW + 5)), NOW + 5, ended=[over])
    known = Incidents(ledger).get(opened.id)
    assert known is not None
    assert [step.action for step in known.timeline] == ["opened", "joined", "withdrawn"]
    verdict = Incidents(ledger).verify(opened.id)
    assert verdict is not None
    assert verdict.is_intact


def test_its_alerts_say_which_incident_they_belong_to(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    (opened,) = loop.step(keep(ledger, alert("a")), NOW)
    (kept,) = keep(ledger)
    assert kept.incident_id == opened.id


def test_a_pending_alert_opens_nothing(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    assert loop.step(keep(ledger, alert(state=AlertState.PENDING)), NOW) == []


def test_what_comes_back_opens_the_same_incident_again(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    (opened,) = loop.step(keep(ledger, alert("a")), NOW)
    loop.step(keep(ledger, ended(alert("a"), NOW + 60)), NOW + 60)
    (again,) = loop.step(keep(ledger, alert("a", starts_at=NOW + 120)), NOW + 120)
    assert (again.id, again.state) == (opened.id, IncidentState.OPEN)
    loop.step(keep(ledger, ended(alert("a"), NOW + 180)), NOW + 180)
    (another,) = loop.step(keep(ledger, alert("a", starts_at=NOW + 9_000)), NOW + 9_000)
    assert another.id != opened.id


def test_another_loop_goes_on_where_the_last_one_died(ledger: Ledger, clock: FakeClock) -> None:
    (opened,) = looping(ledger, clock)[1].step(keep(ledger, alert("a")), NOW)
    heir = looping(ledger, clock)[1]
    assert heir.step(keep(ledger), NOW + 1) == []
    assert list(heir.by_id()) == [opened.id]


def test_a_new_incident_is_diagnosed_and_looked_at_again_twice(
    ledger: Ledger, clock: FakeClock
) -> None:
    asked, loop = looping(ledger, clock, diagnosis(cause(release="v2")))
    (opened,) = loop.step(keep(ledger, alert("a")), NOW)
    (made,) = loop.diagnose_due()
    assert made.state is IncidentState.DIAGNOSED
    assert made.diagnosis is not None
    assert made.diagnosis.incident_id == opened.id
    for age in (*SURER_S, 86_400.0):
        clock.at = NOW + age
        assert loop.diagnose_due() == []  # the same cause: nothing new to say
        assert loop.diagnose_due() == []
    assert asked == [opened.id] * 3


def test_a_likelier_cause_takes_the_place_of_the_first(ledger: Ledger, clock: FakeClock) -> None:
    early, late = diagnosis(cause(release="v2", tenant="a")), diagnosis(cause(release="v2"))
    _, loop = looping(ledger, clock, early, late)
    loop.step(keep(ledger, alert("a")), NOW)
    loop.diagnose_due()
    clock.at = NOW + SURER_S[0]
    (again,) = loop.diagnose_due()
    assert again.diagnosis is not None
    assert dict(again.diagnosis.causes[0].slice) == {"release": "v2"}
    assert again.version == 3


def test_no_cause_found_is_looked_for_again_while_it_lasts(
    ledger: Ledger, clock: FakeClock
) -> None:
    asked, loop = looping(ledger, clock, *[diagnosis()] * 3, diagnosis(cause(model="m")))
    loop.step(keep(ledger, alert("a")), NOW)
    assert len(loop.diagnose_due()) == 1
    assert loop.diagnose_due() == []
    for age in LOOKS_S[1:3]:
        clock.at = NOW + age
        assert loop.diagnose_due() == []  # again without a cause: nothing new to say
    clock.at = NOW + LOOKS_S[3]
    (found,) = loop.diagnose_due()
    assert found.diagnosis is not None
    assert found.diagnosis.causes
    assert len(asked) == 4


def test_an_old_incident_is_not_looked_at_for_ever(ledger: Ledger, clock: FakeClock) -> None:
    asked, loop = looping(ledger, clock, diagnosis())
    loop.step(keep(ledger, alert("a")), NOW)
    for age in range(0, 86_400, 15):
        clock.at = NOW + age
        loop.diagnose_due()
    assert len(asked) == len(LOOKS_S)


def test_another_controller_does_not_diagnose_anew(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock, diagnosis(cause(release="v2")))
    loop.step(keep(ledger, alert("a")), NOW)
    loop.diagnose_due()
    asked, heir = looping(ledger, clock, diagnosis(cause(release="v3")))
    clock.at += 5
    assert heir.diagnose_due() == []
    assert asked == []


def test_a_store_that_is_away_is_asked_again_later(ledger: Ledger, clock: FakeClock) -> None:
    asked, loop = looping(ledger, clock, StoreUnavailable("away"), diagnosis(cause(model="m")))
    loop.step(keep(ledger, alert("a")), NOW)
    assert loop.diagnose_due() == []
    assert loop.diagnose_due() == []
    assert len(asked) == 1
    clock.at += RETRY_S
    assert len(loop.diagnose_due()) == 1


def test_a_fault_in_one_diagnosis_hides_no_other(
    ledger: Ledger, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, loop = looping(ledger, clock, IndexError("no cells"), diagnosis(cause(model="m")))
    loop.step(keep(ledger, alert("a"), alert("b", service="shop")), NOW)
    assert len(loop.diagnose_due()) == 1
    assert len(asked) == 2
    assert "IndexError: no cells" in capsys.readouterr().err


def test_services_with_one_cause_become_one_incident(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock, diagnosis(cause(release="v2")))
    first = loop.step(keep(ledger, alert("a"), alert("b", service="shop")), NOW)
    assert len(first) == 2
    loop.diagnose_due()
    changed = loop.step(keep(ledger), NOW + 30)
    assert sorted(is_open(it) for it in changed) == [False, True]
    (whole,) = [it for it in loop.by_id().values() if is_open(it)]
    assert len(whole.alerts) == 2
    assert {it.incident_id for it in keep(ledger)} == {whole.id}
    assert loop.step(keep(ledger), NOW + 31) == []


def test_people_acknowledge_once_and_close_for_good(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    (opened,) = loop.step(keep(ledger, alert("a")), NOW)
    assert acknowledge(ledger, opened.id, "ann").acknowledged_by == "ann"
    assert acknowledge(ledger, opened.id, "ben").acknowledged_by == "ann"
    closed = resolve(ledger, opened.id, "ann", "a false alarm")
    assert (closed.state, closed.timeline[-1].reason) == (IncidentState.RESOLVED, "a false alarm")
    assert resolve(ledger, opened.id, "ben", "again").version == closed.version
    assert loop.step(keep(ledger), NOW + 5) == []
    assert loop.step(keep(ledger), NOW + 5 * 86_400) == []


def test_what_is_not_there_or_says_nothing_is_refused(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        acknowledge(ledger, "no such", "ann")
    with pytest.raises(BadInput, match="reason"):
        resolve(ledger, "no such", "ann", "  ")


def foreign(
    state: AlertState = AlertState.FIRING, at: float = NOW, *, service: str = "node",
    until: float | None = None,
) -> Alert:  # fmt: skip
    told: JsonObject = {"told_until": None if until is None else iso(until)}
    return Alert(
        {"alertname": "HighLoad", "severity": "page", "service": service}, {"summary": "hot"}, at,
        state=state, ends_at=at if state is AlertState.RESOLVED else None, evidence=told,
    )  # fmt: skip


def standing(ledger: Ledger) -> list[Alert]:
    return keep(ledger)


def test_alerts_of_others_open_and_end_incidents(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    assert len(receive(ledger, [foreign()])) == 1
    (opened,) = loop.step(standing(ledger), NOW)
    assert opened.service == "node"
    Alerts(ledger).acknowledge(foreign().fingerprint, by="ann")
    receive(ledger, [foreign(at=NOW + 100)])
    (kept,) = standing(ledger)
    assert (kept.incident_id, kept.acknowledged_by, kept.starts_at) == (opened.id, "ann", NOW)
    receive(ledger, [foreign(AlertState.RESOLVED, NOW + 200)])
    (over,) = loop.step(standing(ledger), NOW + 201)
    assert over.state is IncidentState.RESOLVED


UNKNOWN = replace(diagnosis(), summary="no objective of ours", onset=None)


def of_objective(name: str, made: Diagnosis) -> Diagnosis:
    return replace(made, objective=name)


@pytest.mark.parametrize("later_s", [20.0, 540.0, 2 * 3600.0, 5.9 * 3600.0])
def test_an_incident_that_others_opened_is_diagnosed_when_our_alert_joins(
    ledger: Ledger, clock: FakeClock, later_s: float
) -> None:
    ours = of_objective("a", replace(diagnosis(), summary="no cause found in a"))
    asked, loop = looping(ledger, clock, UNKNOWN, UNKNOWN)
    receive(ledger, [foreign(service="chat")])
    loop.step(standing(ledger), NOW)
    (opened,) = loop.diagnose_due()
    assert opened.diagnosis is not None
    assert opened.diagnosis.summary == "no objective of ours"
    looked = len(asked)
    clock.at = NOW + later_s
    _, loop = looping(ledger, clock, ours)
    (joined,) = loop.step(keep(ledger, alert("a", starts_at=clock.at)), clock.at)
    assert (joined.id, len(joined.alerts)) == (opened.id, 2)
    (again,) = loop.diagnose_due()
    assert again.diagnosis is not None
    assert (again.diagnosis.summary, again.diagnosis.objective) == ("no cause found in a", "a")
    assert looked == 1


def test_after_an_alert_joined_a_cause_is_looked_for_as_after_the_opening(
    ledger: Ledger, clock: FakeClock
) -> None:
    nothing = of_objective("a", diagnosis())
    asked, loop = looping(
        ledger, clock, UNKNOWN, nothing, nothing, of_objective("a", diagnosis(cause(model="m")))
    )
    receive(ledger, [foreign(service="chat")])
    loop.step(standing(ledger), NOW)
    loop.diagnose_due()
    clock.at = joined_at = NOW + 2 * 3600
    loop.step(keep(ledger, alert("a", starts_at=joined_at)), joined_at)
    for age in LOOKS_S[:3]:
        clock.at = joined_at + age
        found = loop.diagnose_due()
    assert len(asked) == 4
    assert found[0].diagnosis is not None
    assert dict(found[0].diagnosis.causes[0].slice) == {"model": "m"}


def test_no_cause_in_another_objective_does_not_hide_the_cause_that_was_found(
    ledger: Ledger, clock: FakeClock
) -> None:
    known = of_objective("a", diagnosis(cause(release="v2")))
    asked, loop = looping(ledger, clock, known, of_objective("b", diagnosis()))
    loop.step(keep(ledger, alert("a")), NOW)
    loop.diagnose_due()
    clock.at = NOW + 60
    loop.step(keep(ledger, alert("b", starts_at=clock.at)), clock.at)
    assert loop.diagnose_due() == []
    assert len(asked) == 2


def test_alerts_that_join_one_after_the_other_do_not_ask_each_time(
    ledger: Ledger, clock: FakeClock
) -> None:
    asked, loop = looping(ledger, clock, diagnosis(cause(release="v2")))
    for second in range(21):
        clock.at = NOW + second
        loop.step(keep(ledger, alert(f"slo-{second}", starts_at=clock.at)), clock.at)
        loop.diagnose_due()
    assert len(asked) == 1 + 20 / AGAIN_S


def test_an_incident_that_is_opened_again_is_diagnosed_again(
    ledger: Ledger, clock: FakeClock
) -> None:
    _, loop = looping(ledger, clock, diagnosis(cause(release="v2")))
    loop.step(keep(ledger, alert("a")), NOW)
    loop.diagnose_due()
    loop.step(keep(ledger, ended(alert("a"), NOW + 60)), NOW + 60)
    clock.at = NOW + 120
    (again,) = loop.step(keep(ledger, alert("a", starts_at=clock.at)), clock.at)
    assert again.state is IncidentState.OPEN
    (made,) = loop.diagnose_due()
    assert made.state is IncidentState.DIAGNOSED
    assert loop.diagnose_due() == []


def test_somebody_who_is_faster_delays_a_diagnosis_but_does_not_lose_it(
    ledger: Ledger, clock: FakeClock
) -> None:
    def diagnose(incident: Incident, alerts: Sequence[Alert]) -> Diagnosis:
        acknowledge(ledger, incident.id, "ann")
        return replace(diagnosis(), incident_id=incident.id, alerts=incident.alerts)

    loop = IncidentLoop(ledger, None, clock, diagnose=diagnose)
    loop.step(keep(ledger, alert("a")), NOW)
    assert loop.diagnose_due() == []
    (made,) = loop.diagnose_due()
    assert made.acknowledged_by == "ann"


TIMEOUT_S = Routing().resolve_timeout_s


def test_an_alert_of_others_that_nobody_tells_of_again_ends_with_its_incident(
    ledger: Ledger, clock: FakeClock
) -> None:
    _, loop = looping(ledger, clock)
    receive(ledger, [foreign()])
    (opened,) = loop.step(standing(ledger), NOW)
    clock.at = NOW + TIMEOUT_S - 1
    assert loop.step(standing(ledger), clock.at) == []
    clock.at += 1
    (over,) = loop.step(standing(ledger), clock.at)
    assert (over.id, over.state) == (opened.id, IncidentState.RESOLVED)
    (kept,) = Alerts(ledger).find()
    assert (kept.state, kept.ends_at) == (AlertState.RESOLVED, clock.at)
    assert kept.evidence["ended"] == NOT_TOLD_AGAIN


def test_one_that_is_told_again_goes_on(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    receive(ledger, [foreign()])
    loop.step(standing(ledger), NOW)
    clock.at = NOW + TIMEOUT_S - 1
    receive(ledger, [foreign()])
    clock.at = NOW + 2 * TIMEOUT_S - 2
    assert loop.step(standing(ledger), clock.at) == []
    assert len(standing(ledger)) == 1


def test_one_that_was_told_with_an_end_ends_then(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    receive(ledger, [foreign(until=NOW + 240)])
    loop.step(standing(ledger), NOW)
    assert loop.step(standing(ledger), NOW + 239) == []
    receive(ledger, [foreign(until=NOW + 2 * TIMEOUT_S)])
    assert loop.step(standing(ledger), NOW + TIMEOUT_S + 1) == []
    (over,) = loop.step(standing(ledger), NOW + 2 * TIMEOUT_S)
    assert over.state is IncidentState.RESOLVED


def test_one_told_between_the_look_and_the_step_does_not_end(
    ledger: Ledger, clock: FakeClock
) -> None:
    _, loop = looping(ledger, clock)
    receive(ledger, [foreign()])
    loop.step(standing(ledger), NOW)
    clock.at = NOW + TIMEOUT_S
    seen = standing(ledger)
    receive(ledger, [foreign()])
    assert loop.step(seen, clock.at) == []
    assert [it.state for it in Alerts(ledger).find()] == [AlertState.FIRING]


def test_the_resolve_timeout_is_what_the_routing_says(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    loop.follow(Routing(resolve_timeout_s=86_400.0))
    receive(ledger, [foreign()])
    loop.step(standing(ledger), NOW)
    assert loop.step(standing(ledger), NOW + 86_399.0) == []
    assert len(loop.step(standing(ledger), NOW + 86_400.0)) == 1


def test_our_own_alerts_do_not_end_for_want_of_news(ledger: Ledger, clock: FakeClock) -> None:
    _, loop = looping(ledger, clock)
    loop.step(keep(ledger, alert("a")), NOW)
    assert loop.step(standing(ledger), NOW + 30 * 86_400.0) == []


def test_an_end_of_what_nobody_told_and_an_echo_of_ours_change_nothing(ledger: Ledger) -> None:
    assert receive(ledger, [foreign(AlertState.RESOLVED)]) == []
    keep(ledger, alert("a"))
    echo = replace(alert("a"), objective=None, annotations={})
    assert receive(ledger, [echo]) == []
    assert standing(ledger)[0].objective == "a"


class Crash(RuntimeError):
    """The process dies here."""


def test_a_crash_within_a_step_leaves_the_ledger_before_it(
    ledger: Ledger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, loop = looping(ledger, clock)
    alerts = keep(ledger, alert("a"), alert("b", service="shop"))

    def die(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Alerts, "attach", die)
        with pytest.raises(Crash):
            loop.step(alerts, NOW)
    assert Incidents(ledger).find() == []
    assert len(loop.step(alerts, NOW + 1)) == 2


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["chat", "shop"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["fire", "end", "close", "diagnose", "crash"]),
        st.sampled_from([1.0, 400.0, 2_000.0, 30_000.0]),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(moves=MOVES)
def test_every_firing_alert_has_one_incident_and_every_timeline_holds(
    moves: list[tuple[str, str, str, float]],
) -> None:
    clock = FakeClock()
    clock.at = NOW
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_at(f"sqlite:///{folder}/ledger.db", clock)
        live(ledger, clock, moves)
        ledger.close()


def live(ledger: Ledger, clock: FakeClock, moves: list[tuple[str, str, str, float]]) -> None:
    now = clock.at
    _, loop = looping(ledger, clock, diagnosis(), diagnosis(cause(release="v2")))
    for service, name, move, pause in moves:
        one = alert(name, service=service, starts_at=now)
        fires = {it.fingerprint for it in standing(ledger)}
        if move == "fire" and one.fingerprint not in fires:
            keep(ledger, one)
        elif move == "end" and one.fingerprint in fires:
            (known,) = [it for it in standing(ledger) if it.fingerprint == one.fingerprint]
            keep(ledger, ended(known, now))
        elif move == "close":
            for it in Incidents(ledger).find(service=service):
                resolve(ledger, it.id, "ann", "closed")
        elif move == "diagnose":
            loop.diagnose_due()
        elif move == "crash":
            loop = looping(ledger, clock)[1]
        loop.step(standing(ledger), now)
        assert loop.step(standing(ledger), now) == []  # nothing is left to do
        check(ledger)
        now += pause
        clock.at = now


def check(ledger: Ledger) -> None:
    incidents = Incidents(ledger).find()
    known = {it.id: it for it in incidents}
    for one in standing(ledger):
        assert one.incident_id in known
        holders = [it for it in incidents if is_open(it) and one.fingerprint in it.alerts]
        assert len(holders) <= 1
    for it in incidents:
        verdict = Incidents(ledger).verify(it.id)
        assert verdict is not None
        assert verdict.flaws == ()
        fires = {one.fingerprint for one in standing(ledger)} & set(it.alerts)
        assert fires or not is_open(it)
