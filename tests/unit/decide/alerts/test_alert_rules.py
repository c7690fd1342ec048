from dataclasses import replace

import pytest
from tests.unit.decide.by_hand import FAITHFULNESS, objective

from seakeeping.decide.alerts.rules import (
    Rulebook,
    RuleKind,
    definition_of,
    guard_looks,
    looks_of,
    rules_of,
)
from seakeeping.records import Alerting, BurnAlert, Severity


def test_a_counted_objective_has_one_page_and_one_ticket_of_the_standard_table() -> None:
    page, ticket = rules_of(objective())
    assert (page.kind, page.severity) == (RuleKind.BURN, Severity.PAGE)
    assert (ticket.kind, ticket.severity) == (RuleKind.BURN, Severity.TICKET)
    assert [round(burn.factor, 1) for burn in page.burns] == [14.4, 6.0]
    assert [round(burn.factor, 1) for burn in ticket.burns] == [3.0, 1.0]


def test_an_estimate_is_watched_by_evidence_too() -> None:
    kinds = [rule.kind for rule in rules_of(objective(0.9, indicator=FAITHFULNESS))]
    assert kinds == [RuleKind.BURN, RuleKind.BURN, RuleKind.EVIDENCE]
    off = objective(0.9, indicator=FAITHFULNESS, alerting=Alerting(evidence=False))
    assert RuleKind.EVIDENCE not in [rule.kind for rule in rules_of(off)]


def test_factors_are_lowered_to_what_the_target_can_reach() -> None:
    for rule in rules_of(objective(0.9)):
        assert all(1 <= burn.factor < 10 for burn in rule.burns)


def test_an_absence_alert_is_made_only_where_somebody_asked_for_it() -> None:
    asked = rules_of(objective(alerting=Alerting(absent_after_s=600)))
    assert [r.absent_after_s for r in asked if r.kind is RuleKind.ABSENCE] == [600]
    assert not [r for r in rules_of(objective()) if r.kind is RuleKind.ABSENCE]


def test_only_severities_that_are_raised_have_rules() -> None:
    tickets = Alerting(severities=(Severity.TICKET,), absent_after_s=60, evidence=True)
    assert {rule.severity for rule in rules_of(objective(alerting=tickets))} == {Severity.TICKET}
    assert rules_of(objective(alerting=Alerting(severities=()))) == ()


def test_the_identity_of_an_alert_names_it_and_its_objective() -> None:
    (page, _) = rules_of(objective(labels={"team": "search", "slo": "mine", "empty": ""}))
    assert page.labels == {
        "alertname": "ErrorBudgetBurn", "severity": "page", "service": "chat",
        "slo": "chat/availability", "team": "search",
    }  # fmt: skip


def test_labels_written_for_a_severity_may_rename_it() -> None:
    alerting = Alerting(
        alert_name="TooMany", alert_labels={Severity.PAGE: {"severity": "critical"}}
    )
    page, ticket = rules_of(objective(alerting=alerting))
    assert (page.labels["alertname"], page.labels["severity"]) == ("TooMany", "critical")
    assert ticket.labels["severity"] == "ticket"
    assert page.severity is Severity.PAGE


def test_the_definition_follows_what_decides_and_nothing_else() -> None:
    first = objective()
    same = replace(first, description="other words", owner="ann", source="slo.yaml")
    assert definition_of(same) == definition_of(first)
    told = replace(first, alerting=Alerting(targets=("team",), when_resolved=False))
    assert definition_of(told) == definition_of(first)
    written = replace(first, alerting=Alerting(burn=rules_of(first)[0].burns))
    for other in (replace(first, target_ratio=0.99), replace(first, window="7d"), written):
        assert definition_of(other) != definition_of(first)


def test_a_guard_looks_at_all_look_backs_between_the_short_and_the_long_one() -> None:
    assert guard_looks(BurnAlert(Severity.PAGE, 3600, 300, 14.4)) == (300, 1800, 3600)
    assert guard_looks(BurnAlert(Severity.TICKET, 4 * 3600, 1200, 1)) == (
        1200,
        1800,
        3600,
        7200,
        14_400,
    )


def test_every_look_back_that_is_needed_is_named() -> None:
    assert looks_of([objective()]) == (300, 1800, 3600, 7200, 21_600, 86_400, 259_200)


def test_rules_are_made_anew_only_for_an_objective_that_changed() -> None:
    book, first = Rulebook(), objective()
    ruled = book.of(first)
    assert book.of(replace(first)) is ruled  # equal, if not the same
    assert book.of(replace(first, target_ratio=0.99)) is not ruled
    book.keep([])
    assert book.of(first) is not ruled


@pytest.mark.parametrize("target_ratio", [0.5, 0.9, 0.99, 0.9999])
def test_fingerprints_of_an_objectives_rules_differ(target_ratio: float) -> None:
    rules = rules_of(objective(target_ratio, alerting=Alerting(evidence=True, absent_after_s=60)))
    assert len({rule.fingerprint for rule in rules}) == len(rules) == 4
