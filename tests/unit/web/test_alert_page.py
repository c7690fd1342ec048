"""Alerts and silences: what fires first, what is quiet and why, matchers as Alertmanager spells."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.records import Alert, AlertState, Matcher, Silence
from seakeeping.web.alert_page import build, check_matchers, matchers_text, read_matchers
from seakeeping.web.testing import MemoryDecided, StillClock, fill_decided
from seakeeping.web.testing.sample import HOSTILE_NAME

CLOCK = StillClock()
NOW = CLOCK.now()
DECIDED = fill_decided(MemoryDecided(CLOCK), NOW)
PAGE = build(DECIDED.alerts(), DECIDED.silences(), NOW)


def test_what_fires_comes_first_and_what_ended_last() -> None:
    states = [group.rows[0].alert.state for group in PAGE.groups]
    order = [AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED]
    assert states == sorted(states, key=order.index)
    assert (PAGE.firing, PAGE.pending, PAGE.silenced) == (2, 1, 1)


def test_alerts_of_one_objective_stand_together() -> None:
    first = DECIDED.alerts()[0]
    ticket = replace(first, labels={**first.labels, "severity": "ticket"})
    page = build([*DECIDED.alerts(), ticket], (), NOW)
    assert [len(g.rows) for g in page.groups if g.slo == "cargo-search/availability"] == [2]


def test_a_silenced_alert_is_shown_and_names_its_silence() -> None:
    quiet = [row for group in PAGE.groups for row in group.rows if row.silenced_by]
    assert [row.alert.labels["service"] for row in quiet] == ["customs-forms"]
    assert quiet[0].silenced_by == "s-1"
    assert [(s.state, s.quiet) for s in PAGE.silences] == [("active", 1), ("expired", 0)]


def test_a_silence_to_come_keeps_nothing_quiet() -> None:
    later = Silence("s", (Matcher("severity", "page"),), NOW + 60, NOW + 120, "x", "y")
    page = build(DECIDED.alerts(), [later], NOW)
    assert (page.silences[0].state, page.silences[0].quiet, page.silenced) == ("pending", 0, 0)


def test_only_what_fires_unseen_can_be_acknowledged() -> None:
    can = {
        r.alert.labels["alertname"] for g in PAGE.groups for r in g.rows if r.can_be_acknowledged
    }
    assert can == {"QualityEvidence"}


def test_an_alert_of_somebody_else_leads_to_no_objective() -> None:
    rows = [row for group in PAGE.groups for row in group.rows]
    assert {bool(row.href) for row in rows if row.alert.objective is None} == {False}
    assert {bool(row.href) for row in rows if row.alert.objective} == {True}


def test_examples_of_the_annotation_are_links() -> None:
    rows = [row for group in PAGE.groups for row in group.rows if row.examples]
    assert [row.examples[0].href for row in rows] == [f"/interactions/{'5a11':0>32}/{'5a11':0>16}"]
    assert rows[0].examples[0].text == "unsupported, 0.94"


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ('service="shop"', [Matcher("service", "shop")]),
        ("service=shop", [Matcher("service", "shop")]),
        ('{service="shop",\nseverity!="page"}',
         [Matcher("service", "shop"), Matcher("severity", "page", is_equal=False)]),
        ('slo=~"shop/.*"\n\n tenant!~"a|b" ',
         [Matcher("slo", "shop/.*", is_regex=True),
          Matcher("tenant", "a|b", is_regex=True, is_equal=False)]),
        ('service="a \\"b\\" \\\\ c"', [Matcher("service", 'a "b" \\ c')]),
    ],
)  # fmt: skip
def test_matchers_are_read_as_alertmanager_spells_them(text: str, matchers: list[Matcher]) -> None:
    assert read_matchers(text) == tuple(matchers)


VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n"), min_size=1)


@given(VALUES, VALUES)
def test_a_silence_made_from_an_alert_matches_that_alert(service: str, slo: str) -> None:
    labels = {"alertname": "ErrorBudgetBurn", "service": service, "slo": slo}
    matchers = read_matchers(matchers_text(labels))
    assert {m.name: m.value for m in matchers} == labels
    assert all(m.matches(labels) for m in matchers)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a matcher"),
        ("\n \n", "needs a matcher"),
        ("service", "'service' is no matcher"),
        ('service=~"("', "is no regular expression"),
        ('service=~".*"', "would silence alerts that have none of the labels"),
        ('service=""', "would silence"),
        ('service!="shop"', "would silence"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_matchers(text)


def test_one_telling_matcher_is_enough() -> None:
    check_matchers([Matcher("service", "shop"), Matcher("tenant", "", is_equal=True)])
    with pytest.raises(BadInput):
        check_matchers([])


def test_hostile_labels_stay_values() -> None:
    alert = Alert({"alertname": "<x>", "service": HOSTILE_NAME}, {}, NOW)
    (group,) = build([alert], (), NOW).groups
    assert "<" not in group.rows[0].silence_href
    assert group.rows[0].summary == "<x>"
