"""The wall's numbers: honest about sampling, about detectors, and about what is not known."""

from collections.abc import Sequence

import pytest

from seakeeping.observe.budget import measure
from seakeeping.observe.testing import standard_objectives
from seakeeping.records import Budget, BudgetState, Counts
from seakeeping.store.telemetry import ServiceSummary
from seakeeping.web.wall import Fact, ServiceRow, Wall, build, facts, service_row

NOW = 1_764_000_000.0
PLAIN = ServiceSummary(
    service_name="shop", calls=600, errors=6, answers=580, latency_p50_s=0.9, latency_p95_s=2.1,
    ttft_p50_s=0.2, ttft_p95_s=0.35, input_tokens=500_000, output_tokens=90_000, cost_usd=1.2,
    scored=286, unsupported=12, eligible=290, coverage_ratio=286 / 290, scoring_lag_s=0.8,
    content_ratio=1.0, last_seen_at=NOW - 5, served=600.0, served_errors=6.0,
)  # fmt: skip


def changed(**changes: object) -> ServiceSummary:
    known = {name: getattr(PLAIN, name) for name in ServiceSummary.__dataclass_fields__}
    return ServiceSummary(**{**known, **changes})


def fact(summary: ServiceSummary, title: str) -> Fact:
    return next(f for f in facts(summary, (), NOW, "1h") if f.title == title)


def budgets(*counts: tuple[int, int]) -> Sequence[Budget]:
    return [
        measure(objective, NOW, Counts(valid, bad, valid, bad), {})
        for objective, (bad, valid) in zip(standard_objectives("shop"), counts, strict=True)
    ]


@pytest.mark.parametrize(
    ("title", "value", "note"),
    [
        ("Calls", "10", "600 in 1h"),
        ("Errors", "1 %", "6 of 600, 0.46\u20132.2 %"),
        ("Latency p95", "2.1 s", "p50 900 ms"),
        ("TTFT p95", "350 ms", "p50 200 ms"),
        ("Flagged by detector", "4.2 %", "uncorrected, 12 of 286, 2.4\u20137.2 %"),
        ("Scored", "98.6 %", "of 290 answers, lag p95 800 ms"),
        ("Cost", "$1.20", "$2.00 per 1,000, 590 k tokens"),
    ],
)
def test_each_number_comes_with_what_it_rests_on(title: str, value: str, note: str) -> None:
    assert (fact(PLAIN, title).value, fact(PLAIN, title).note) == (value, note)


def test_sampled_calls_count_for_what_they_stand_for() -> None:
    sampled = changed(served=60_000.0, served_errors=300.0)
    assert fact(sampled, "Calls").value == "1,000"
    assert fact(sampled, "Calls").note == "60 k in 1h, 600 sampled"
    assert fact(sampled, "Errors").value == "0.5 %"
    assert fact(sampled, "Errors").note == "6 of 600, 0.17\u20131.5 %"


def test_a_lag_beyond_the_histogram_is_not_given_to_the_second() -> None:
    late = changed(scoring_lag_s=1000.0)
    assert fact(late, "Scored").note == "of 290 answers, lag p95 over 16 min"


def test_what_is_not_known_is_a_dash_with_its_reason() -> None:
    bare = changed(
        ttft_p50_s=None, ttft_p95_s=None, scored=0, unsupported=0, eligible=0, cost_usd=None,
        coverage_ratio=None, scoring_lag_s=None,
    )  # fmt: skip
    expected = {
        "TTFT p95": "not reported", "Flagged by detector": "uncorrected, none judged yet",
        "Scored": "no answer to judge", "Cost": "590 k tokens, no price known",
    }  # fmt: skip
    for title, note in expected.items():
        assert (fact(bare, title).value, fact(bare, title).note) == ("\u2013", note)


def row_state(*counts: tuple[int, int]) -> BudgetState:
    return service_row(NOW, "1h", PLAIN, budgets(*counts), ()).state


def test_a_service_is_as_bad_as_its_worst_budget() -> None:
    fine, broken, few, none = (0, 9000), (900, 9000), (1, 9), (0, 0)
    assert row_state(fine, fine) == "OK"
    assert row_state(fine, broken) == "BREACH"
    assert row_state(few, fine) == "UNCERTAIN"
    assert row_state(fine, none) == "NO_DATA"
    assert row_state(few, broken) == "BREACH"


def test_the_worst_come_first_then_the_busiest() -> None:
    def row(name: str, calls: int, bad: int) -> ServiceRow:
        summary = changed(service_name=name, calls=calls)
        return service_row(NOW, "1h", summary, budgets((bad, 9000), (0, 9000)), ())

    made = [row("calm", 10, 0), row("busy", 99, 0), row("broken", 1, 900)]
    wall = build(NOW, "1h", made)
    assert [r.summary.service_name for r in wall.services] == ["broken", "busy", "calm"]
    assert wall.worst == "BREACH"
    assert Wall(NOW, (), "1h").worst is None


def test_a_service_is_quiet_after_a_quarter_of_an_hour() -> None:
    def is_quiet(last_seen_at: float | None) -> bool:
        return service_row(NOW, "1h", changed(last_seen_at=last_seen_at), (), ()).is_quiet

    assert not is_quiet(NOW - 899)
    assert is_quiet(NOW - 901)
    assert is_quiet(None)


@pytest.mark.parametrize(("share", "is_told"), [(0.0, True), (0.49, True), (0.5, False)])
def test_missing_content_is_told_with_the_variable(share: float, is_told: bool) -> None:
    hint = service_row(NOW, "1h", changed(content_ratio=share), (), ()).hint
    assert (hint is not None) == is_told


def test_no_calls_and_no_knowledge_give_no_hint() -> None:
    for summary in (changed(calls=0, content_ratio=0.0), changed(content_ratio=None)):
        assert service_row(NOW, "1h", summary, (), ()).hint is None
