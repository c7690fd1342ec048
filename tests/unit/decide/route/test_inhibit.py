from tests.unit.decide.by_hand import NOW, alert, ended

from seakeeping.decide.route import inhibited
from seakeeping.records import PAGE_INHIBITS_TICKET, AlertState, InhibitRule, Matcher, Severity

PAGE, TICKET = alert(), alert(severity=Severity.TICKET)
RULES = (PAGE_INHIBITS_TICKET,)


def test_a_page_inhibits_the_ticket_of_its_objective() -> None:
    assert inhibited([PAGE, TICKET], RULES) == {TICKET.fingerprint}


def test_a_page_of_another_objective_inhibits_nothing() -> None:
    assert inhibited([alert("chat/latency"), TICKET], RULES) == frozenset()


def test_a_page_that_ended_inhibits_nothing() -> None:
    assert inhibited([ended(PAGE, NOW), TICKET], RULES) == frozenset()


def test_a_ticket_alone_speaks() -> None:
    assert inhibited([TICKET], RULES) == frozenset()


def test_a_page_under_another_word_still_inhibits_its_ticket() -> None:
    renamed = alert()
    renamed = type(renamed)(
        labels={**renamed.labels, "severity": "critical"}, annotations={}, starts_at=NOW,
        severity=Severity.PAGE, objective=renamed.objective,
    )  # fmt: skip
    assert inhibited([renamed, TICKET], RULES) == {TICKET.fingerprint}


def test_a_missing_label_equals_an_empty_one() -> None:
    rule = InhibitRule(
        (Matcher("severity", "page"),), (Matcher("severity", "ticket"),), ("region",)
    )
    assert inhibited([PAGE, TICKET], [rule]) == {TICKET.fingerprint}


def test_alerts_that_meet_both_sides_do_not_silence_each_other() -> None:
    everything = (Matcher("service", "chat"),)
    both = InhibitRule(everything, everything, ("service",))
    assert inhibited([PAGE, TICKET], [both]) == frozenset()


def test_an_alert_that_meets_both_sides_is_inhibited_by_one_that_is_only_a_source() -> None:
    rule = InhibitRule(
        source=(Matcher("service", "chat"),), target=(Matcher("severity", "ticket"),)
    )
    assert inhibited([PAGE, TICKET], [rule]) == {TICKET.fingerprint}


def test_a_pending_alert_inhibits_nothing() -> None:
    pending = alert(state=AlertState.PENDING)
    assert inhibited([pending, TICKET], RULES) == frozenset()
