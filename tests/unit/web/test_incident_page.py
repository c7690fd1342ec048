"""Incidents on their pages: causes with intervals, changes by their distance to the onset."""

from dataclasses import replace

import pytest

from seakeeping.records import Diagnosis, Incident, IncidentState
from seakeeping.web import incident_page
from seakeeping.web.incident_page import IncidentPage, build, chain, incident_rows
from seakeeping.web.testing import MemoryDecided, StillClock, fill_decided
from seakeeping.web.testing.decided_sample import BAD_RELEASE, INCIDENT, OLD_INCIDENT

CLOCK = StillClock()
NOW = CLOCK.now()
DECIDED = fill_decided(MemoryDecided(CLOCK), NOW)
OPEN, OLD = (DECIDED.known_incidents[i] for i in (INCIDENT, OLD_INCIDENT))


def page(incident: Incident = OPEN, *flaws: str) -> IncidentPage:
    changes = DECIDED.changes(target="cargo-search", start=0, end=NOW, limit=50)
    return build(incident, DECIDED.alerts(), changes, NOW, flaws=flaws)


def diagnosed(**changes: object) -> Incident:
    assert OPEN.diagnosis is not None
    return replace(OPEN, diagnosis=replace(OPEN.diagnosis, **changes))  # type: ignore[arg-type]


def test_what_goes_on_comes_before_what_is_over() -> None:
    rows = incident_rows(DECIDED.known_incidents.values(), NOW)
    assert [row.incident.id for row in rows][-1] == OLD_INCIDENT
    assert [row.lasted_s for row in rows if row.incident.id == OLD_INCIDENT] == [2700]
    assert rows[0].href == f"/incidents/{INCIDENT}"


def test_an_incident_that_was_not_diagnosed_says_so() -> None:
    (row,) = incident_rows([replace(OPEN, diagnosis=None)], NOW)
    assert row.cause == "not diagnosed yet"
    assert page(replace(OPEN, diagnosis=None)).causes == ()


@pytest.mark.parametrize("state", IncidentState)
def test_every_state_has_a_place_on_its_way_and_a_look(state: IncidentState) -> None:
    shown = page(replace(OPEN, state=state))
    assert [step.word for step in shown.way if step.place == "here"] == [state.value]
    assert shown.css in {"ok", "breach", "uncertain"}
    assert shown.is_open is (state is not IncidentState.RESOLVED)


def test_a_cause_shows_its_rise_with_its_interval_and_its_slices_as_links() -> None:
    first, mix, metric = page().causes
    assert (first.lift, first.bounds) == ("+26.8 pp", "+23.1 pp to +30.6 pp")
    assert first.slices[0] == (
        "release", "v42", "/interactions?service=cargo-search&release=v42",
    )  # fmt: skip
    assert first.p_value == "< 1e-12"
    assert (mix.p_value, mix.kind) == ("0.004", "more traffic where it always was worse")
    assert first.whisker.low > first.whisker.line  # its interval is clear of no difference
    assert metric.whisker.low < metric.whisker.line < metric.whisker.high
    assert metric.slices == ()


def test_an_unknown_kind_of_cause_is_named_as_it_is() -> None:
    assert OPEN.diagnosis is not None
    odd = replace(OPEN.diagnosis.causes[0], kind="odd")
    assert page(diagnosed(causes=(odd,))).causes[0].kind == "odd"


def test_changes_are_ordered_by_their_distance_to_the_onset_and_the_cause_is_named() -> None:
    rows = page().changes
    assert [row.change.id for row in rows] == [BAD_RELEASE, "prompt-31", "index-0611"]
    assert [row.is_cause for row in rows] == [True, False, False]
    assert rows[0].distance == "1 min 30 s before the onset"


def test_a_change_after_the_onset_says_so() -> None:
    late = replace(page().changes[0].change, at=NOW)
    shown = build(OPEN, (), [late], NOW)
    assert shown.changes[0].distance == "38 min 30 s after the onset"
    assert OPEN.diagnosis is not None
    same = replace(late, at=OPEN.diagnosis.onset or 0)
    assert build(OPEN, (), [same], NOW).changes[0].distance == "at the onset"


def test_no_cause_found_is_a_result() -> None:
    shown = page(OLD)
    assert shown.causes == ()
    assert shown.incident.diagnosis is not None
    assert "No cause found" in shown.incident.diagnosis.summary


def test_mix_and_rate_are_told_apart() -> None:
    assert page().split == "rates that rose: +6.1 pp, traffic that moved: +0.4 pp"
    assert page(diagnosed(mix_effect=None)).split == ""


def test_the_newest_entry_of_the_timeline_comes_first() -> None:
    sequences = [entry.sequence for entry in page().timeline]
    assert sequences == sorted(sequences, reverse=True)


def test_a_broken_chain_is_told() -> None:
    assert chain(page()) == "hashes hold"
    assert chain(page(OPEN, "entry 2 was changed")) == "not intact: entry 2 was changed"
    assert chain(page(replace(OPEN, timeline=()))) == "no entries"


def test_only_alerts_of_the_incident_are_shown() -> None:
    assert {alert.fingerprint for alert in page().alerts} == set(OPEN.alerts)


def test_facts_tell_when_it_began_and_who_has_seen_it() -> None:
    facts = {fact.title: fact for fact in page().facts}
    assert facts["Acknowledged"].value == "ada"
    assert facts["Acknowledged"].note == "after 7 min 0 s"
    assert facts["Began"].note == "6 min 30 s before"
    unseen = replace(OPEN, acknowledged_by=None, acknowledged_at=None)
    assert {f.title: f.value for f in page(unseen).facts}["Acknowledged"] == "nobody yet"
    assert "Began" not in {f.title for f in page(replace(OPEN, diagnosis=None)).facts}


def test_examples_without_a_call_lead_nowhere_and_are_left_out() -> None:
    examples = ({"text": "no call"}, {"trace_id": "t", "span_id": "s", "at": 1})
    assert [e.href for e in page(diagnosed(examples=examples)).examples] == ["/interactions/t/s"]


def test_a_diagnosis_without_an_onset_counts_from_the_opening() -> None:
    bare = replace(OPEN, diagnosis=Diagnosis(INCIDENT, NOW, None, (), "none"))
    assert page(bare).changes[0].distance == "8 min 0 s before the onset"


@pytest.mark.parametrize(
    ("value", "word"), [(0.0, "+0.0 pp"), (0.268, "+26.8 pp"), (-1.0, "-100.0 pp")]
)
def test_differences_are_percentage_points(value: float, word: str) -> None:
    assert incident_page.points(value) == word
