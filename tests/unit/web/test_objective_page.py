"""The page of one objective: numbers that say where they come from, rows that say why they rest."""

from dataclasses import replace

import pytest

from seakeeping.records import (
    Alert,
    Alerting,
    AlertState,
    Budget,
    Counts,
    EstimateMethod,
    IndicatorSignal,
    Reading,
    Severity,
)
from seakeeping.web import objective_page
from seakeeping.web.burn_table import burn_rows, look
from seakeeping.web.objective_page import (
    Background,
    ObjectivePage,
    Slice,
    build,
    slice_rows,
)
from seakeeping.web.testing import MemoryDecided, StillClock, fill_decided

CLOCK = StillClock()
DECIDED = fill_decided(MemoryDecided(CLOCK), CLOCK.now())
READINGS = {r.budget.objective.name: r for r in DECIDED.measured}
BURNING = READINGS["cargo-search/availability"]
ESTIMATED = READINGS["cargo-search/faithfulness"]


def page(reading: Reading, behind: Background | None = None) -> ObjectivePage:
    return build(reading, DECIDED.alerts(), behind or Background(), "yaml", is_owned=False)


def changed(reading: Reading, **changes: object) -> Reading:
    return replace(reading, budget=replace(reading.budget, **changes))  # type: ignore[arg-type]


def test_three_numbers_say_target_finding_and_rest() -> None:
    promise, found, left = page(BURNING).numbers
    assert (promise.value, found.value, left.value) == ("99.5 %", "97 %", "-504 %")
    assert "96.8 to 97.2 %, however often one looks" in found.note
    assert left.note == "3,560 bad of 590 allowed"
    assert left.css == "breach"


def test_without_data_no_number_is_shown_and_nothing_is_coloured() -> None:
    nothing = READINGS["customs-forms/faithfulness"]
    shown = page(nothing)
    assert [n.value for n in shown.numbers[1:]] == ["–", "–"]  # noqa: RUF001
    assert {n.css for n in shown.numbers[1:]} == {"nodata"}
    assert shown.whisker is None
    assert {row.state for row in shown.burns} == {"no data"}


def test_an_estimate_stands_beside_what_the_detector_says_alone() -> None:
    shown = page(ESTIMATED)
    assert "the detector alone says 76 %" in shown.numbers[1].note
    assert "by the estimate" in shown.numbers[2].note
    assert shown.review_href == "/review?service=cargo-search&name=faithfulness"
    assert page(BURNING).review_href == ""


def test_a_budget_that_lasts_says_how_long() -> None:
    note = page(READINGS["harbour-assistant/availability"]).numbers[2].note
    assert note.endswith("at this pace")
    assert "pace" not in page(BURNING).numbers[2].note


def states(reading: Reading, *alerts: Alert) -> list[str]:
    return [row.state for row in burn_rows(reading, alerts)]


def alert(severity: Severity, name: str = "ErrorBudgetBurn") -> Alert:
    labels = {"alertname": name, "severity": severity.value}
    return Alert(labels, {}, 0.0, severity, BURNING.budget.objective.name)


def test_a_row_fires_where_its_alert_does_and_its_condition_holds() -> None:
    # the page at 14.4 does not hold; the one at 6 does, and both tickets
    assert states(BURNING, alert(Severity.PAGE)) == ["inactive", "firing", "pending", "pending"]
    assert states(BURNING, alert(Severity.TICKET)) == ["inactive", "pending", "firing", "firing"]


def test_alerts_of_another_kind_make_no_row_fire() -> None:
    found = states(BURNING, alert(Severity.PAGE, "QualityEvidence"))
    assert "firing" not in found


def test_a_burn_of_too_few_events_is_not_proven() -> None:
    few = {seconds: Counts(2.0, 1.0, 2, 1) for seconds in BURNING.looks}
    assert set(states(replace(BURNING, looks=few))) == {"not proven"}


def test_a_factor_that_can_never_be_reached_is_lowered_and_says_so() -> None:
    first = next(iter(burn_rows(ESTIMATED, ())))
    assert first.factor == 5
    assert "can never fire at a burn rate of 14.4" in first.note
    assert all(not row.note for row in burn_rows(BURNING, ()))


def test_the_burn_rate_of_an_alert_is_told_apart_from_the_estimated_one() -> None:
    reading = replace(
        ESTIMATED, budget=replace(ESTIMATED.budget, burn_rates={"1h": 6.16, "5m": 7.0})
    )
    hourly = next(row for row in burn_rows(reading, ()) if row.long == "1h")
    assert hourly.long_estimate == 6.16
    assert hourly.long_burn != 6.16
    assert all(row.long_estimate is None for row in burn_rows(BURNING, ()))


def test_what_an_alerts_burn_rate_counts_is_said_by_its_name() -> None:
    assert ESTIMATED.evidence is not None
    held = replace(ESTIMATED, evidence=replace(ESTIMATED.evidence, is_cold=False, null_ratio=0.2))
    said = page(held).burns_of
    assert said.startswith("for the alert: flags beyond what the budget allows (20 % of answers)")
    cold = replace(held, evidence=replace(ESTIMATED.evidence, is_cold=True, null_ratio=0.7))
    assert "flags beyond what was usual here (70 % of answers)" in page(cold).burns_of
    assert "beyond what labels found bad" in page(replace(held, evidence=None)).burns_of
    assert page(BURNING).burns_of == ""


def test_an_objective_without_burn_alerts_has_no_rows() -> None:
    silent = replace(BURNING.budget.objective, alerting=Alerting(burn=()))
    assert states(changed(BURNING, objective=silent)) == []
    tickets = replace(BURNING.budget.objective, alerting=Alerting(severities=(Severity.TICKET,)))
    assert len(states(changed(BURNING, objective=tickets))) == 2


def test_the_evidence_test_is_told_with_its_limit_and_its_onset() -> None:
    said = page(ESTIMATED).evidence
    assert "evidence 9,400, fires at 1,000" in said
    assert "the rate seems to have changed at" in said
    assert page(BURNING).evidence == ""
    assert ESTIMATED.evidence is not None
    sure = replace(ESTIMATED, evidence=replace(ESTIMATED.evidence, value=4e77))
    assert "evidence over 1,000 times its limit, fires at 1,000" in page(sure).evidence


def test_resolved_alerts_are_past() -> None:
    ended = replace(alert(Severity.PAGE), state=AlertState.RESOLVED)
    assert build(BURNING, [ended], Background(), "", is_owned=False).alerts == ()
    assert len(page(BURNING).alerts) == 1


def rows(*slices: Slice, allowed: float = 0.005) -> list[tuple[str, str]]:
    return [(r.dimension, r.value) for r in slice_rows(slices, BURNING.budget, allowed)]


def test_slices_are_ordered_by_what_is_sure_about_them() -> None:
    assert rows(
        Slice("region", "sure", 1000, 200, 1000, 200),
        Slice("region", "perhaps", 20, 8, 20, 8),  # a higher share, but of few
        Slice("region", "good", 1000, 0, 1000, 0),
        Slice("region", "few", 19, 19, 19, 19),
    ) == [("region", "perhaps"), ("region", "sure")]
    assert rows(
        Slice("region", "sure", 1000, 200, 1000, 200), Slice("region", "perhaps", 20, 5, 20, 5)
    ) == [("region", "sure"), ("region", "perhaps")]


def test_a_slice_says_which_part_of_all_that_is_bad_it_has() -> None:
    slices = [Slice("model", "a", 100, 30, 100, 30), Slice("model", "b", 100, 10, 100, 10)]
    first = slice_rows(slices, BURNING.budget, 0.005)[0]
    assert (first.part, first.bad) == (0.75, 0.3)
    assert first.bounds == "22 to 40 %"
    assert first.href == "/interactions?service=cargo-search&model=a"


def test_many_slices_are_cut_to_the_worst() -> None:
    many = [Slice("tenant", f"t{n}", 100, n, 100, n) for n in range(1, 90)]
    found = slice_rows(many, BURNING.budget, 0.005)
    assert len(found) == objective_page.MOST_SLICES
    assert found[0].value == "t89"


def test_slices_of_a_detector_are_held_against_what_it_flags_on_budget() -> None:
    flagged = Background(slices=[Slice("model", "a", 100, 15, 100, 15)])
    assert ESTIMATED.evidence is not None
    row = page(ESTIMATED, flagged).slices[0]
    top = max(0.233, ESTIMATED.evidence.null_ratio * 1.2)
    assert row.whisker.line == pytest.approx(100 * ESTIMATED.evidence.null_ratio / top, abs=1)


@pytest.mark.parametrize(
    ("seconds", "word"), [(60, "1m"), (300, "5m"), (5400, "90m"), (21_600, "6h"), (259_200, "3d")]
)
def test_a_look_back_is_spelt_as_burn_rates_are_keyed(seconds: int, word: str) -> None:
    assert look(seconds) == word


def calls(budget: Budget) -> str:
    return objective_page.calls_href(budget)


def test_the_calls_behind_an_objective_are_filtered_as_far_as_the_list_can() -> None:
    assert calls(BURNING.budget) == "/interactions?service=cargo-search&error=true"
    assert calls(ESTIMATED.budget) == "/interactions?service=cargo-search&label=unsupported"
    latency = READINGS["cargo-search/latency"].budget
    assert latency.objective.indicator.signal is IndicatorSignal.LATENCY
    assert calls(latency) == "/interactions?service=cargo-search"


def test_sampled_rows_are_told_apart_from_what_was_served() -> None:
    facts = dict(page(changed(BURNING, valid_rows=1180)).facts)
    assert facts["seen"].startswith("1,180 rows")
    assert "seen" not in dict(page(BURNING).facts)
    assert "five-minute ratios averaged without their traffic" in facts["as Sloth counts"]


def test_a_note_is_shown() -> None:
    cold = READINGS["crew-chat/faithfulness"]
    assert cold.budget.method is EstimateMethod.COLD_START
    assert "model card" in dict(page(cold).facts)["note"]
