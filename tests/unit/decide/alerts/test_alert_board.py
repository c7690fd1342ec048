from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.decide.by_hand import NOW, objective, silent, steady

from seakeeping.decide.alerts import annotations, evaluate, step
from seakeeping.decide.alerts.board import CHANGED, CLEARED, DELETED, REFRESH_S, Step
from seakeeping.decide.alerts.rules import Rulebook
from seakeeping.records import Alert, Alerting, AlertState, BurnAlert, Objective, Reading, Severity
from seakeeping.records.codec import from_json, to_json

BAD, GOOD = 0.05, 0.0


def look(
    alerts: Sequence[Alert],
    readings: Sequence[Reading],
    now: float = NOW,
    held: Sequence[Objective] | None = None,
) -> Step:
    book = Rulebook()
    kept = None if held is None else {each.name: book.of(each) for each in held}
    return step(alerts, evaluate(readings, now), now, words=annotations, held=kept)


def at(ratio: float, now: float, of: Objective | None = None) -> Reading:
    return steady(of or objective(), ratio, at=now)


def by_severity(alerts: Sequence[Alert]) -> dict[Severity, Alert]:
    return {alert.severity: alert for alert in alerts}


def fired(ratio: float = BAD, of: Objective | None = None) -> tuple[Alert, ...]:
    return look([], [at(ratio, NOW, of)]).changed


def waiting(for_s: float) -> Objective:
    burn = BurnAlert(Severity.PAGE, 3600, 300, 14.4, for_s)
    return objective(alerting=Alerting(burn=(burn,)))


def test_a_condition_that_holds_fires_at_once_where_nothing_is_to_wait_for() -> None:
    page = by_severity(fired())[Severity.PAGE]
    assert (page.state, page.starts_at, page.ends_at) == (AlertState.FIRING, NOW, None)
    assert page.objective == "chat/availability"
    assert "50 times too fast" in page.annotations["summary"]


def test_what_fires_goes_on_and_does_not_begin_twice() -> None:
    alerts = fired()
    assert look(alerts, [at(BAD, NOW + 10)], NOW + 10) == Step()


def test_an_alert_that_waits_is_pending_until_it_has_held_for_long_enough() -> None:
    of = waiting(120)
    (pending,) = look([], [at(BAD, NOW, of)]).changed
    assert pending.state is AlertState.PENDING
    assert look([pending], [at(BAD, NOW + 119, of)], NOW + 119) == Step()
    (firing,) = look([pending], [at(BAD, NOW + 120, of)], NOW + 120).changed
    assert (firing.state, firing.starts_at) == (AlertState.FIRING, NOW + 120)


@pytest.mark.parametrize("later", [at(GOOD, NOW + 60, waiting(120)), silent(waiting(120), at=NOW)])
def test_a_pending_alert_is_dropped_when_it_does_not_hold_any_more(later: Reading) -> None:
    (pending,) = look([], [at(BAD, NOW, waiting(120))]).changed
    done = look([pending], [later], NOW + 60)
    assert (done.changed, done.dropped) == ((), (pending,))


def test_each_row_waits_for_itself() -> None:
    quick, slow = (
        BurnAlert(Severity.PAGE, 3600, 300, 14.4, 100),
        BurnAlert(Severity.PAGE, 21_600, 1800, 6, 1000),
    )
    of = objective(alerting=Alerting(burn=(quick, slow)))
    (slowly,) = look([], [at(0.01, NOW, of)]).changed  # only the slow row holds
    (both,) = look([slowly], [at(BAD, NOW + 950, of)], NOW + 950).changed
    assert both.state is AlertState.PENDING  # the quick row has just begun
    (firing,) = look([both], [at(BAD, NOW + 1000, of)], NOW + 1000).changed
    assert firing.state is AlertState.FIRING


def test_an_alert_ends_when_its_condition_clears() -> None:
    done = look(fired(), [at(GOOD, NOW + 300)], NOW + 300)
    assert {alert.state for alert in done.changed} == {AlertState.RESOLVED}
    assert {alert.ends_at for alert in done.changed} == {NOW + 300}
    assert {alert.evidence["ended"] for alert in done.changed} == {CLEARED}
    assert len(done.changed) == 2


def test_an_alert_that_ended_begins_anew() -> None:
    ended = look(fired(), [at(GOOD, NOW + 300)], NOW + 300).changed
    again = look(ended, [at(BAD, NOW + 900)], NOW + 900).changed
    assert {(a.state, a.starts_at, a.ends_at) for a in again} == {
        (AlertState.FIRING, NOW + 900, None)
    }


def test_no_data_never_ends_an_alert() -> None:
    alerts = fired()
    for now in (NOW + 60, NOW + 86_400, NOW + 30 * 86_400):
        done = look(alerts, [silent(objective(), at=now)], now, held=[objective()])
        assert not any(alert.state is AlertState.RESOLVED for alert in done.changed)
        assert not done.dropped


def test_no_reading_never_ends_an_alert() -> None:
    assert look(fired(), [], NOW + 86_400, held=[objective()]) == Step()
    assert look(fired(), [], NOW + 86_400, held=None) == Step()


def test_an_alert_of_a_deleted_objective_ends_and_says_so() -> None:
    done = look(fired(), [], NOW + 5, held=[])
    assert {alert.evidence["ended"] for alert in done.changed} == {DELETED}


def test_an_alert_of_a_changed_objective_ends_and_begins_anew_with_the_next_look() -> None:
    other = objective(0.99)
    first = look(fired(), [at(BAD * 10, NOW + 5, other)], NOW + 5, held=[other])
    assert {alert.evidence["ended"] for alert in first.changed} == {CHANGED}
    second = look(first.changed, [at(BAD * 10, NOW + 6, other)], NOW + 6, held=[other])
    assert {alert.state for alert in second.changed} == {AlertState.FIRING}


def test_other_labels_are_another_alert() -> None:
    other = objective(labels={"team": "search"})
    done = look(fired(), [at(BAD, NOW + 5, other)], NOW + 5, held=[other])
    assert sorted(alert.state for alert in done.changed) == ["firing"] * 2 + ["resolved"] * 2


def test_other_words_change_no_alert() -> None:
    other = replace(objective(), description="said better", owner="ann")
    assert look(fired(), [at(BAD, NOW + 5, other)], NOW + 5, held=[other]) == Step()


def test_a_pending_alert_of_a_deleted_objective_is_dropped_without_a_word() -> None:
    (pending,) = look([], [at(BAD, NOW, waiting(120))]).changed
    assert look([pending], [], NOW + 5, held=[]) == Step(dropped=(pending,))


def test_words_and_figures_are_refreshed_once_a_minute() -> None:
    alerts = [
        replace(alert, annotations={**alert.annotations, "worst_slices": "x"}) for alert in fired()
    ]
    done = look(alerts, [at(0.09, NOW + REFRESH_S)], NOW + REFRESH_S)
    page = by_severity(done.changed)[Severity.PAGE]
    assert "90 times too fast" in page.annotations["summary"]
    assert page.annotations["worst_slices"] == "x"
    assert (page.starts_at, page.updated_at) == (NOW, NOW + REFRESH_S)


def test_words_are_refreshed_after_the_clock_went_back() -> None:
    done = look(fired(), [at(0.09, NOW - 86_400)], NOW - 86_400)
    assert {alert.updated_at for alert in done.changed} == {NOW - 86_400}


def test_other_targets_are_taken_over_at_once() -> None:
    other = objective(
        alerting=Alerting(targets=("night",), severity_targets={Severity.PAGE: ("day",)})
    )
    done = by_severity(look(fired(), [at(BAD, NOW + 5, other)], NOW + 5, held=[other]).changed)
    assert done[Severity.PAGE].targets == ("day",)
    assert done[Severity.TICKET].targets == ("night",)


def test_what_others_added_to_an_alert_stays() -> None:
    marked = [
        replace(a, acknowledged_by="ann", acknowledged_at=NOW, incident_id="i") for a in fired()
    ]
    for ratio in (BAD * 1.5, GOOD):
        for after in look(marked, [at(ratio, NOW + 100)], NOW + 100).changed:
            assert (after.acknowledged_by, after.incident_id) == ("ann", "i")


def test_alerts_of_an_alertmanager_are_left_alone() -> None:
    foreign = [replace(alert, objective=None) for alert in fired()]
    assert look(foreign, [], NOW + 5, held=[]) == Step()


def test_a_clock_that_goes_back_breaks_nothing() -> None:
    alerts = fired()
    assert {a.state for a in look(alerts, [at(BAD, NOW - 999)], NOW - 999).changed} <= {
        AlertState.FIRING
    }
    ended = look(alerts, [at(GOOD, NOW - 999)], NOW - 999).changed
    assert all((alert.ends_at or 0) >= alert.starts_at for alert in ended)
    (pending,) = look([], [at(BAD, NOW, waiting(120))]).changed
    (earlier,) = look([pending], [at(BAD, NOW - 999, waiting(120))], NOW - 999).changed
    assert look([earlier], [at(BAD, NOW - 879, waiting(120))], NOW - 879).changed[0].state is (
        AlertState.FIRING
    )


def test_alerts_survive_the_ledger_unchanged() -> None:
    alerts = fired()
    read_back = [from_json(Alert, to_json(alert)) for alert in alerts]
    assert read_back == list(alerts)
    assert look(read_back, [at(BAD, NOW + 1)], NOW + 1) == Step()
