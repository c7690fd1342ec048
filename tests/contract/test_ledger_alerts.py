"""What holds of alerts, silences and acknowledgements in every ledger."""

import threading
from dataclasses import replace

import pytest
from tests.contract.conftest import FakeClock
from tests.unit.decide.by_hand import alert, ended

from seakeeping.errors import BadInput
from seakeeping.records import Alert, AlertState, JsonObject, Matcher
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.silences import Silences

CHAT = Matcher("service", "chat")


def save(ledger: Ledger, *changed: Alert, dropped: tuple[Alert, ...] = ()) -> None:
    with ledger.transaction() as connection:
        Alerts(ledger).save(connection, changed, dropped)


def standing(ledger: Ledger) -> list[Alert]:
    with ledger.transaction() as connection:
        return Alerts(ledger).standing(connection)


def test_an_alert_reads_as_it_was_written(ledger: Ledger) -> None:
    evidence: JsonObject = {
        "since": {"0": 1.5},
        "value": 1e300,
        "rows": [{"holds": True}],
        "none": None,
    }
    written = replace(alert(), evidence=evidence, targets=("a", "b"), when_resolved=False)
    save(ledger, written)
    assert Alerts(ledger).get(written.fingerprint) == written
    assert Alerts(ledger).get("no such") is None


def test_what_stands_is_pending_or_firing(ledger: Ledger) -> None:
    pending = alert("a", state=AlertState.PENDING)
    save(ledger, pending, alert("b"), ended(alert("c"), 1_790_000_005.0))
    assert {a.objective for a in standing(ledger)} == {"a", "b"}
    with ledger.transaction() as connection:
        since = Alerts(ledger).resolved_since(connection, 1_790_000_005.0)
        assert [a.objective for a in since] == ["c"]
        assert Alerts(ledger).resolved_since(connection, 1_790_000_006.0) == []
        keys = [alert(name).fingerprint for name in ("b", "c", "d")]
        assert [a.objective for a in Alerts(ledger).resolved(connection, keys)] == ["c"]


def test_a_dropped_alert_is_forgotten_unless_it_fires_by_now(ledger: Ledger) -> None:
    pending = alert(state=AlertState.PENDING)
    save(ledger, pending)
    save(ledger, dropped=(pending,))
    assert Alerts(ledger).find() == []
    save(ledger, alert())
    save(ledger, dropped=(pending,))
    assert len(standing(ledger)) == 1


def test_the_beginning_and_the_end_are_audited_and_the_rest_is_not(ledger: Ledger) -> None:
    one = alert()
    save(ledger, replace(one, state=AlertState.PENDING))
    save(ledger, one)
    save(ledger, replace(one, annotations={"summary": "other words"}))
    save(ledger, replace(ended(one, 5e9), evidence={"ended": "why"}))
    entries = ledger.audit_entries(subject=one.fingerprint)
    assert [entry.action for entry in reversed(entries)] == ["alert.firing", "alert.resolved"]
    assert entries[0].detail["reason"] == "why"


def test_the_first_to_acknowledge_stays_the_one(ledger: Ledger, clock: FakeClock) -> None:
    alerts, one = Alerts(ledger), alert()
    save(ledger, one)
    first = alerts.acknowledge(one.fingerprint, by="ann")
    assert first is not None
    assert (first.acknowledged_by, first.acknowledged_at) == ("ann", clock.at)
    assert alerts.acknowledge(one.fingerprint, by="ben") == first
    assert ledger.audit_entries(subject=one.fingerprint)[0].actor == "ann"


def test_only_what_stands_can_be_acknowledged(ledger: Ledger) -> None:
    save(ledger, ended(alert(), 5e9))
    assert Alerts(ledger).acknowledge(alert().fingerprint, by="ann") is None
    assert Alerts(ledger).acknowledge("no such", by="ann") is None


def test_alerts_are_found_by_state_and_objective_newest_first(ledger: Ledger) -> None:
    save(ledger, alert("a", starts_at=1e9), alert("b", starts_at=2e9), ended(alert("c"), 5e9))
    alerts = Alerts(ledger)
    assert [a.objective for a in alerts.find(states=[AlertState.FIRING])] == ["b", "a"]
    assert [a.objective for a in alerts.find(objective="a")] == ["a"]
    assert len(alerts.find(limit=2)) == 2


def test_an_incident_and_annotations_are_added_to_an_alert(ledger: Ledger) -> None:
    alerts, one = Alerts(ledger), alert()
    save(ledger, one)
    with ledger.transaction() as connection:
        alerts.attach(connection, [one.fingerprint, "no such"], "incident-1")
    assert alerts.annotate(one.fingerprint, {"examples": "none"})
    found = alerts.get(one.fingerprint)
    assert found is not None
    assert found.incident_id == "incident-1"
    assert found.annotations == {**one.annotations, "examples": "none"}
    save(ledger, ended(found, 5e9))
    assert not alerts.annotate(one.fingerprint, {"examples": "late"})


def test_alerts_that_ended_long_ago_are_pruned(ledger: Ledger, clock: FakeClock) -> None:
    save(ledger, alert("a"), ended(alert("b"), clock.at - 100), ended(alert("c"), clock.at - 10))
    assert Alerts(ledger).prune(keep_s=50) == 1
    assert {a.objective for a in Alerts(ledger).find()} == {"a", "c"}


def test_an_alert_of_a_newer_version_is_passed_over(ledger: Ledger) -> None:
    save(ledger, alert("a"), alert("b"))
    from_other = "UPDATE alerts SET document = '{\"a_new_field\": 1}' WHERE objective = 'a'"
    with ledger.transaction() as connection:
        connection.exec_driver_sql(from_other)
    assert [a.objective for a in standing(ledger)] == ["b"]


def test_a_name_with_a_nul_is_kept(ledger: Ledger) -> None:
    odd = alert("a\0b")
    save(ledger, odd)
    assert Alerts(ledger).find(objective="a\0b") == [odd]


def test_a_decision_and_an_acknowledgement_at_once_both_count(url: str, ledger: Ledger) -> None:
    save(ledger, alert())
    other = open_at(url)
    reached, done = threading.Event(), threading.Event()

    def acknowledge() -> None:
        reached.wait(10)
        Alerts(other).acknowledge(alert().fingerprint, by="ann")  # waits for the decision
        done.set()

    thread = threading.Thread(target=acknowledge)
    thread.start()
    with ledger.transaction() as connection:
        (found,) = Alerts(ledger).standing(connection)
        reached.set()
        assert not done.wait(0.2)
        Alerts(ledger).save(connection, [replace(found, annotations={"summary": "new words"})])
    thread.join()
    other.close()
    after = Alerts(ledger).get(alert().fingerprint)
    assert after is not None
    assert (after.acknowledged_by, after.annotations) == ("ann", {"summary": "new words"})


# silences


def test_a_silence_begins_now_and_ends_when_it_was_meant_to(
    ledger: Ledger, clock: FakeClock
) -> None:
    silences = Silences(ledger)
    made = silences.create([CHAT], ends_at=clock.at + 100, by="ann", comment="deploy")
    assert silences.all() == [made]
    assert made.silences({"service": "chat"})
    with ledger.transaction() as connection:
        assert silences.active(connection, clock.at) == [made]
        assert silences.active(connection, clock.at + 100) == []
    (entry,) = ledger.audit_entries(subject=made.id)
    assert (entry.actor, entry.action) == ("ann", "silence.create")
    assert entry.detail["matchers"] == ['service="chat"']


def test_a_silence_may_begin_later(ledger: Ledger, clock: FakeClock) -> None:
    silences = Silences(ledger)
    start, end = clock.at + 50, clock.at + 100
    silences.create([CHAT], starts_at=start, ends_at=end, by="ann")
    with ledger.transaction() as connection:
        assert silences.active(connection, clock.at) == []
        assert len(silences.active(connection, start)) == 1


def test_a_silence_that_is_ended_is_kept_with_its_end(ledger: Ledger, clock: FakeClock) -> None:
    silences = Silences(ledger)
    made = silences.create([CHAT], ends_at=clock.at + 100, by="ann")
    clock.at += 10
    assert silences.expire(made.id, by="ben")
    assert not silences.expire(made.id, by="ben")
    (kept,) = silences.all()
    assert (kept.starts_at, kept.ends_at) == (made.starts_at, clock.at)
    assert not kept.is_active(clock.at)


def test_a_silence_to_come_can_be_ended(ledger: Ledger, clock: FakeClock) -> None:
    silences = Silences(ledger)
    made = silences.create([CHAT], starts_at=clock.at + 50, ends_at=clock.at + 100, by="ann")
    assert silences.expire(made.id, by="ann")
    (kept,) = silences.all()
    assert kept.starts_at <= kept.ends_at == clock.at


def test_ended_silences_are_pruned(ledger: Ledger, clock: FakeClock) -> None:
    silences = Silences(ledger)
    silences.create([CHAT], ends_at=clock.at + 1, by="ann")
    silences.create([CHAT], ends_at=clock.at + 1000, by="ann")
    clock.at += 500
    assert silences.prune(keep_s=100) == 1
    assert len(silences.all()) == 1


@pytest.mark.parametrize(
    ("matchers", "starts_in_s", "ends_in_s", "place"),
    [
        ([], 0, 10, "matchers"),
        ([Matcher("", "x")], 0, 10, "matchers[0].name"),
        ([CHAT, Matcher("slo", "(", is_regex=True)], 0, 10, "matchers[1].value"),
        ([Matcher("slo", "a" * 5000, is_regex=True)], 0, 10, "matchers[0].value"),
        ([CHAT, Matcher("slo", "(?=a)b", is_regex=True)], 0, 10, "matchers[1].value"),
        ([Matcher("slo", "a" * 5000)], 0, 10, "matchers[0].value"),
        ([CHAT] * 101, 0, 10, "matchers"),
        ([Matcher("slo", ".*", is_regex=True)], 0, 10, "matchers"),
        ([Matcher("slo", "x", is_equal=False)], 0, 10, "matchers"),
        ([CHAT], 0, -10, "ends_at"),
        ([CHAT], 20, 10, "ends_at"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused_with_its_place(
    ledger: Ledger,
    clock: FakeClock,
    matchers: list[Matcher],
    starts_in_s: float,
    ends_in_s: float,
    place: str,
) -> None:
    with pytest.raises(BadInput) as caught:
        Silences(ledger).create(
            matchers, starts_at=clock.at + starts_in_s, ends_at=clock.at + ends_in_s, by="ann"
        )
    assert caught.value.place == place
    assert Silences(ledger).all() == []
