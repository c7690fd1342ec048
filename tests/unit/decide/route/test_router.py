from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.decide.by_hand import NOW, alert, ended, target

from seakeeping.decide.route import Router
from seakeeping.records import (
    Alert,
    AlertState,
    Incident,
    IncidentState,
    Matcher,
    Notification,
    Routing,
    Severity,
    Silence,
    TargetKind,
)

WAIT_S, INTERVAL_S, REPEAT_S = 30.0, 300.0, 14_400.0
TEAM = target()
PAGE, TICKET = alert(), alert(severity=Severity.TICKET)


def told(
    router: Router,
    alerts: Sequence[Alert],
    now: float,
    silences: Sequence[Silence] = (),
) -> list[Notification]:
    """Take one step and put what is due into the outbox."""
    due = router.step(alerts, now, targets=[TEAM], silences=silences)
    router.remember(due)
    return due


def reasons(router: Router, alerts: Sequence[Alert], now: float) -> list[str]:
    return [message.reason for message in told(router, alerts, now)]


def begun(*alerts: Alert) -> Router:
    """Return a router that has told these alerts at NOW + 30."""
    router = Router()
    assert reasons(router, alerts, NOW + WAIT_S) == ["new"]
    return router


def silence(**labels: str) -> Silence:
    matchers = tuple(Matcher(name, value) for name, value in labels.items())
    return Silence("s", matchers, NOW, NOW + 3600, "ann", "")


def test_the_defaults_are_alertmanagers() -> None:
    routing = Routing()
    assert (routing.group_wait_s, routing.group_interval_s) == (WAIT_S, INTERVAL_S)
    assert routing.repeat_interval_s == REPEAT_S
    assert routing.group_by == ("service", "slo")


def test_a_new_group_waits_for_its_other_alerts() -> None:
    router = Router()
    assert reasons(router, [PAGE], NOW) == []
    assert reasons(router, [PAGE], NOW + 29.9) == []
    (message,) = told(router, [PAGE, alert(name="QualityEvidence", starts_at=NOW + 20)], NOW + 30)
    assert (message.reason, message.status, len(message.alerts)) == ("new", "firing", 2)
    assert message.group_labels == {"service": "chat", "slo": "chat/availability"}
    assert message.common_labels["severity"] == "page"
    assert "alertname" not in message.common_labels
    assert message.common_annotations == {"summary": "chat/availability burns"}


def test_a_pending_alert_is_told_to_nobody() -> None:
    assert reasons(Router(), [replace(PAGE, state=AlertState.PENDING)], NOW + 999) == []


def test_each_objective_is_a_message_of_its_own() -> None:
    due = told(Router(), [PAGE, alert("chat/latency")], NOW + WAIT_S)
    assert {message.group_labels["slo"] for message in due} == {"chat/availability", "chat/latency"}
    assert len({message.dedup_key for message in due}) == 2


def test_what_goes_on_is_told_again_only_after_the_repeat_interval() -> None:
    router = begun(PAGE)
    assert reasons(router, [PAGE], NOW + WAIT_S + REPEAT_S - 1) == []
    assert reasons(router, [PAGE], NOW + WAIT_S + REPEAT_S) == ["repeat"]
    assert reasons(router, [PAGE], NOW + WAIT_S + REPEAT_S + 1) == []


def test_a_change_waits_for_the_group_interval() -> None:
    other = alert(name="QualityEvidence", starts_at=NOW + 60)
    router = begun(PAGE)
    assert reasons(router, [PAGE, other], NOW + WAIT_S + INTERVAL_S - 1) == []
    (message,) = told(router, [PAGE, other], NOW + WAIT_S + INTERVAL_S)
    assert (message.reason, len(message.alerts)) == ("changed", 2)


def test_the_end_of_all_that_fired_is_told_with_its_end() -> None:
    router, over = begun(PAGE), ended(PAGE, NOW + 100)
    assert reasons(router, [over], NOW + 101) == []
    (message,) = told(router, [over], NOW + WAIT_S + INTERVAL_S)
    assert (message.reason, message.status) == ("resolved", "resolved")
    assert message.alerts == (over,)
    assert reasons(router, [over], NOW + REPEAT_S * 9) == []


def test_the_end_of_one_of_several_is_a_change() -> None:
    other = alert(name="QualityEvidence")
    router = begun(PAGE, other)
    over = ended(PAGE, NOW + 100)
    (message,) = told(router, [over, other], NOW + WAIT_S + INTERVAL_S)
    assert (message.reason, message.status) == ("changed", "firing")
    assert [each.state for each in message.alerts] == [AlertState.FIRING, AlertState.RESOLVED]
    later = NOW + WAIT_S + 2 * INTERVAL_S
    (last,) = told(router, [over, ended(other, later - 1)], later)
    assert [each.labels["alertname"] for each in last.alerts] == ["QualityEvidence"]


def test_an_alert_that_ended_before_it_was_told_is_never_told() -> None:
    assert reasons(Router(), [ended(PAGE, NOW + 10)], NOW + WAIT_S) == []


def test_a_group_that_is_over_begins_anew_with_its_wait() -> None:
    router = begun(PAGE)
    told(router, [ended(PAGE, NOW + 100)], NOW + 400)
    again = replace(PAGE, starts_at=NOW + 1000)
    assert reasons(router, [again], NOW + 1001) == []
    assert reasons(router, [again], NOW + 1030) == ["new"]


def test_an_alert_that_flickers_between_two_messages_is_not_told() -> None:
    router = begun(PAGE)
    told(router, [ended(PAGE, NOW + 100)], NOW + 100)
    assert reasons(router, [replace(PAGE, starts_at=NOW + 150)], NOW + 500) == []


def test_an_acknowledged_alert_is_told_once_as_such_and_not_repeated() -> None:
    router = begun(PAGE)
    seen = replace(PAGE, acknowledged_by="ann", acknowledged_at=NOW + 40)
    assert reasons(router, [seen], NOW + 41) == ["acknowledged"]  # at once
    assert reasons(router, [seen], NOW + 2 * REPEAT_S) == []
    other = alert(name="QualityEvidence", starts_at=NOW + 2 * REPEAT_S)
    assert reasons(router, [seen, other], NOW + 2 * REPEAT_S + WAIT_S) == ["changed"]
    assert reasons(router, [seen, other], NOW + 4 * REPEAT_S) == ["repeat"]  # one is open
    over = [ended(each, NOW + 4 * REPEAT_S) for each in (seen, other)]
    assert reasons(router, over, NOW + 5 * REPEAT_S) == ["resolved"]


def test_a_silenced_alert_is_told_to_nobody_until_the_silence_ends() -> None:
    router = Router()
    quiet = silence(slo="chat/availability")
    assert told(router, [PAGE], NOW + WAIT_S, [quiet]) == []
    assert [m.reason for m in told(router, [PAGE], NOW + 3601, [quiet])] == ["new"]


def test_a_silence_leaves_the_other_alerts_of_a_group_alone() -> None:
    other = alert(name="QualityEvidence")
    (message,) = told(Router(), [PAGE, other], NOW + WAIT_S, [silence(alertname="ErrorBudgetBurn")])
    assert message.alerts == (other,)


def test_a_silence_over_what_was_told_says_nothing_more() -> None:
    router = begun(PAGE)
    quiet = replace(silence(service="chat"), ends_at=NOW + 9 * REPEAT_S)
    assert told(router, [PAGE], NOW + 2 * REPEAT_S, [quiet]) == []
    assert told(router, [ended(PAGE, NOW + 50)], NOW + 2 * REPEAT_S, [quiet]) == []


def test_a_page_keeps_the_ticket_of_its_objective_quiet() -> None:
    (message,) = told(Router(), [PAGE, TICKET], NOW + WAIT_S)
    assert message.alerts == (PAGE,)


def test_the_ticket_is_told_when_the_page_is_over() -> None:
    router = begun(PAGE, TICKET)
    (message,) = told(router, [ended(PAGE, NOW + 100), TICKET], NOW + WAIT_S + INTERVAL_S)
    assert message.reason == "changed"
    assert {(a.severity, a.state) for a in message.alerts} == {
        (Severity.PAGE, AlertState.RESOLVED), (Severity.TICKET, AlertState.FIRING),
    }  # fmt: skip


def test_only_the_targets_of_an_alert_are_told() -> None:
    ours = replace(PAGE, targets=("night",))
    due = Router().step([ours], NOW + WAIT_S, targets=[TEAM, target("night"), target("day")])
    assert [message.target for message in due] == ["night"]


def test_an_end_that_nobody_wants_is_not_told_and_the_next_beginning_is() -> None:
    quiet_end = replace(PAGE, when_resolved=False)
    router = begun(quiet_end)
    assert reasons(router, [ended(quiet_end, NOW + 50)], NOW + 1000) == []
    again = replace(quiet_end, starts_at=NOW + 2000)
    assert reasons(router, [again], NOW + 2000 + WAIT_S) == ["changed"]


def test_an_alertmanager_is_told_everything_at_once() -> None:
    router = Router()
    am = target("am", TargetKind.ALERTMANAGER)

    def step(alerts: Sequence[Alert], now: float) -> list[Notification]:
        due = router.step(alerts, now, targets=[am], silences=[silence(service="chat")])
        router.remember(due)
        return due

    (first,) = step([PAGE, TICKET], NOW)
    assert len(first.alerts) == 2
    assert step([PAGE, TICKET], NOW + 10 * REPEAT_S) == []  # whoever pushes repeats
    (second,) = step([ended(PAGE, NOW + 5), TICKET], NOW + 6)
    assert second.reason == "changed"


def test_a_router_made_anew_from_the_last_messages_goes_on() -> None:
    router = Router()
    (first,) = told(router, [PAGE], NOW + WAIT_S)
    again = Router(told=[first])
    assert reasons(again, [PAGE], NOW + 60) == []
    (end,) = told(again, [ended(PAGE, NOW + 100)], NOW + 400)
    assert end.sequence > first.sequence


def test_a_message_that_did_not_reach_the_outbox_is_made_again() -> None:
    router = Router()
    first = router.step([PAGE], NOW + WAIT_S, targets=[TEAM])
    assert router.step([PAGE], NOW + WAIT_S, targets=[TEAM]) == first


def test_sequences_grow_even_when_the_clock_goes_back_and_the_past_is_forgotten() -> None:
    router = begun(PAGE)
    before = router.step([PAGE], NOW + REPEAT_S * 2, targets=[TEAM])[0].sequence
    router.remember(router.step([PAGE], NOW + REPEAT_S * 2, targets=[TEAM]))
    (end,) = told(router, [ended(PAGE, NOW)], NOW - 5000)
    assert end.sequence > before
    router.forget(NOW + 365 * 86_400)
    later = replace(PAGE, starts_at=NOW + 366 * 86_400)
    (fresh,) = told(router, [later], NOW + 367 * 86_400)
    assert fresh.sequence > end.sequence


@pytest.mark.parametrize("back_s", [100.0, 86_400.0])
def test_a_clock_that_goes_back_holds_no_message_back(back_s: float) -> None:
    early = replace(PAGE, starts_at=NOW + back_s)  # it began before the clock was set
    assert reasons(Router(), [early], NOW) == ["new"]


def test_what_came_from_an_alertmanager_is_not_sent_back() -> None:
    assert reasons(Router(), [replace(PAGE, objective=None)], NOW + WAIT_S) == []


def test_an_incident_goes_along_with_its_alerts() -> None:
    incident = Incident("i1", "t", "chat", IncidentState.OPEN, Severity.PAGE, NOW)
    ours = replace(PAGE, incident_id="i1")
    (due,) = Router().step([ours], NOW + WAIT_S, targets=[TEAM], incidents={"i1": incident})
    assert due.incident == incident


def test_what_somebody_believes_to_fire_is_known() -> None:
    router = begun(PAGE)
    assert router.told_firing() == {PAGE.fingerprint}
    told(router, [ended(PAGE, NOW + 100)], NOW + 400)
    assert router.told_firing() == frozenset()


# another routing while groups are told


def test_all_labels_make_each_alert_a_message_of_its_own() -> None:
    router = Router(Routing(group_by=("...",)))
    other = alert(name="QualityEvidence")
    assert reasons(router, [PAGE, other], NOW + WAIT_S) == ["new", "new"]
    assert reasons(router, [PAGE, other], NOW + WAIT_S + 1) == []


def test_labels_that_an_alert_has_not_group_as_empty() -> None:
    due = told(Router(Routing(group_by=("team",))), [PAGE, alert("chat/latency")], NOW + WAIT_S)
    assert [(m.group_labels, len(m.alerts)) for m in due] == [({"team": ""}, 2)]


def test_intervals_hold_from_the_moment_they_change() -> None:
    router = begun(PAGE)
    router.follow(Routing(repeat_interval_s=60.0))
    assert reasons(router, [PAGE], NOW + WAIT_S + 59) == []
    assert reasons(router, [PAGE], NOW + WAIT_S + 60) == ["repeat"]


def test_a_rule_that_is_taken_away_lets_the_ticket_speak() -> None:
    router = begun(PAGE, TICKET)
    router.follow(Routing(inhibit=()))
    (message,) = told(router, [PAGE, TICKET], NOW + WAIT_S + INTERVAL_S)
    assert (message.reason, len(message.alerts)) == ("changed", 2)


def test_groups_under_other_labels_follow_the_end_of_those_before() -> None:
    router, latency = begun(PAGE), alert("chat/latency")
    told(router, [PAGE, latency], NOW + WAIT_S)
    before = {m.group_key: m for m in router._told.values()}
    router.follow(Routing(group_by=("service",)))
    due = told(router, [PAGE, latency], NOW + 100)
    *ends, fresh = due
    assert [m.reason for m in due] == ["resolved", "resolved", "new"]
    assert {m.group_key for m in ends} == before.keys()
    assert all(m.sequence > before[m.group_key].sequence for m in ends)
    assert [m.group_labels for m in ends] == [before[m.group_key].group_labels for m in ends]
    assert {a.state for m in ends for a in m.alerts} == {AlertState.RESOLVED}
    assert (fresh.group_labels, len(fresh.alerts)) == ({"service": "chat"}, 2)
    assert told(router, [PAGE, latency], NOW + 101) == []


def test_another_grouping_after_a_restart_closes_the_old_groups_too() -> None:
    (first,) = told(Router(), [PAGE], NOW + WAIT_S)
    again = Router(Routing(group_by=("service",)), told=[first])
    assert reasons(again, [PAGE], NOW + 60) == ["resolved", "new"]


def test_what_is_over_needs_no_second_end_under_other_labels() -> None:
    router = begun(PAGE)
    told(router, [ended(PAGE, NOW + 100)], NOW + 400)
    router.follow(Routing(group_by=("service",)))
    assert told(router, [], NOW + 401) == []


def test_an_end_that_nobody_wants_is_not_told_for_another_grouping() -> None:
    quiet_end = replace(PAGE, when_resolved=False)
    router = begun(quiet_end)
    router.follow(Routing(group_by=("service",)))
    assert reasons(router, [quiet_end], NOW + 100) == ["new"]
