"""Cells against counting by hand, on a real store: every signal, filter, step and correction."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from seakeeping.errors import BadInput
from seakeeping.records import (
    Evaluation,
    Indicator,
    IndicatorSignal,
    Interaction,
    Match,
    Traffic,
)
from seakeeping.store.cells import Cells, TimeSpan
from seakeeping.store.counting import CountingStore
from seakeeping.store.rollups import OUR_FAULT
from seakeeping.store.testing import (
    NOON,
    make_empty,
    make_evaluation,
    make_indicator,
    make_interaction,
    running_store,
)

S = IndicatorSignal
AT = int(NOON)


@dataclass(frozen=True)
class Taken:
    """A retraction, as the assembler makes it."""

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    version: int


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


Judged = tuple[Evaluation, Interaction]


def some_calls(count: int = 400) -> list[Interaction]:
    """Return calls of two services over fifteen minutes, of all sorts."""
    source = random.Random(7)
    return [
        make_interaction(
            n,
            service_name=source.choice(["shop", "desk"]),
            started_at=NOON + source.uniform(0, 900),
            duration_s=source.choice([None, 0.5, 1.0, 1.0000004, 1.000001, 3.0]),
            time_to_first_token_s=source.choice([None, 0.1, 0.4]),
            output_tokens=source.choice([None, 0, 1, 10, 100]),
            cost_usd=source.choice([None, 0.001, 0.002, 0.003]),
            error_type=source.choice([None, None, None, "timeout"]),
            sampling_weight=source.choice([1.0, 1.0, 4.0]),
            is_answer=source.random() < 0.8,
            traffic=source.choice([Traffic.LIVE, Traffic.LIVE, Traffic.SHADOW]),
            release=source.choice([None, "v1", "v2"]),
            response_model=source.choice([None, "big", "small"]),
            request_model="asked",
            groups=source.choice([{}, {"tier": "gold"}, {"tier": "silver", "age": "old"}]),
        )
        for n in range(count)
    ]


def some_scores(calls: Sequence[Interaction]) -> list[Judged]:
    source = random.Random(8)
    made = []
    for call in calls:
        for name in ("faithfulness", "refusal"):
            for evaluator in source.choice([[], [name], [name, "external:x"], ["external:x"]]):
                skipped = source.choice([None, None, None, "no_context", "error: ValueError"])
                score = source.choice([None, 0.0, 0.25, 0.5, 1.0, 7.0])
                bad = {"faithfulness": "unsupported", "refusal": "refused"}[name]
                judged = make_evaluation(
                    call, name=name, evaluator=evaluator, skipped_reason=skipped,
                    score_value=None if skipped else score,
                    score_label=None if skipped else source.choice([bad, "fine", None]),
                    evaluated_at=call.started_at + source.choice([0.0, 2.0, 20.0, 70.0]),
                )  # fmt: skip
                made.append((judged, call))
    return made


def value_of(call: Interaction, judged: Evaluation | None, signal: S) -> float | None:
    match signal:
        case S.LATENCY:
            return call.duration_s
        case S.TIME_TO_FIRST_TOKEN:
            return call.time_to_first_token_s
        case S.TIME_PER_OUTPUT_TOKEN:
            if not call.duration_s or call.time_to_first_token_s is None:
                return None
            tokens = (call.output_tokens or 0) - 1
            return (call.duration_s - call.time_to_first_token_s) / tokens if tokens > 0 else None
        case S.COST:
            return call.cost_usd
        case S.EVALUATION:
            return judged.score_value if judged else None
        case S.SCORING_LAG:
            assert judged
            return max(0.0, judged.evaluated_at - call.started_at - (call.duration_s or 0.0))
    return None


def is_beyond(value: float, indicator: Indicator) -> bool:
    limit = indicator.threshold or 0.0
    if indicator.threshold_s is not None:
        value, limit = round(value * 1e6), round(limit * 1e6)
    return not {
        "lte": value <= limit, "lt": value < limit, "gte": value >= limit, "gt": value > limit,
    }[indicator.op]  # fmt: skip


def dimension(call: Interaction, name: str) -> str:
    if name == "model":
        return call.response_model or call.request_model or ""
    if name.startswith("group."):
        return call.groups.get(name.removeprefix("group."), "")
    return str(getattr(call, name) or "")


def verdict(call: Interaction, judged: Evaluation | None, indicator: Indicator) -> bool | None:
    """Return whether an event is bad, None where it is not valid."""
    signal = indicator.signal
    if call.traffic != Traffic.LIVE:
        return None
    if any((dimension(call, m.dimension) in m.values) is not m.is_in for m in indicator.where):
        return None
    if judged is not None:
        reason = (judged.skipped_reason or "").partition(":")[0]
        if not call.is_answer or (reason and (signal is not S.COVERAGE or reason not in OUR_FAULT)):
            return None
        if signal is S.COVERAGE:
            return bool(reason)
        if signal is S.EVALUATION and indicator.threshold is None:
            bad = indicator.bad_labels or ("unsupported", "refused")
            return judged.score_label in bad if judged.score_label else None
    if signal is S.AVAILABILITY:
        return call.error_type is not None
    value = value_of(call, judged, signal)
    if value is None or (call.error_type and signal not in (S.COST, S.EVALUATION, S.SCORING_LAG)):
        return None
    return is_beyond(value, indicator)


JUDGED = (S.EVALUATION, S.COVERAGE, S.SCORING_LAG)


def by_hand(
    calls: Sequence[Interaction], scores: Sequence[Judged], indicator: Indicator, step_s: int
) -> dict[tuple[str, int], list[float]]:
    """Return the counts of every cell, one event after the other."""
    pairs: list[tuple[Evaluation | None, Interaction]] = [(None, call) for call in calls]
    if indicator.signal in JUDGED:
        wanted = indicator.subject or "faithfulness"
        pairs = [(e, c) for e, c in scores if e.name == wanted]
        if indicator.evaluator:
            pairs = [(e, c) for e, c in scores if e.key[2:] == (wanted, indicator.evaluator)]
    found: dict[tuple[str, int], list[float]] = {}

    def cell(call: Interaction) -> tuple[str, int]:
        return call.service_name, int(call.started_at // step_s) * step_s

    valid = [(e, c, bad) for e, c in pairs if (bad := verdict(c, e, indicator)) is not None]
    own = {cell(c) for e, c, _ in valid if e and not e.evaluator.startswith("external:")}
    for judged, call, bad in valid:
        is_external = judged is not None and judged.evaluator.startswith("external:")
        if is_external and indicator.evaluator is None and cell(call) in own:
            continue
        sums = found.setdefault(cell(call), [0.0] * 6)
        weight = call.sampling_weight
        badness = 0.0
        if indicator.signal is S.EVALUATION:
            assert judged
            badness = float(bad)
            if judged.score_value is not None:
                unit = min(max(judged.score_value, 0.0), 1.0)
                badness = 1 - unit if indicator.higher_is_better else unit
        added = (weight, weight * bad, 1, bad, weight * badness, weight * badness**2)
        found[cell(call)] = [a + b for a, b in zip(sums, added, strict=True)]
    return found


def told(cells: Cells, indicator: int) -> dict[tuple[str, int], list[float]]:
    chosen = np.flatnonzero(cells.indicator == indicator)
    return {
        (cells.services[cells.service[n]], int(cells.start[n])): list(cells.counts[n])
        for n in chosen
    }


INDICATORS = (
    make_indicator(),
    make_indicator(where=(Match("release", ("v2", "v3")),)),
    make_indicator(where=(Match("release", ("v2",), is_in=False), Match("model", ("asked",)))),
    make_indicator(where=(Match("group.tier", ("gold",)),)),
    make_indicator(where=(Match("group.tier", ("",)),)),
    make_indicator(S.LATENCY, threshold=1.0),
    make_indicator(S.LATENCY, threshold=1.0, op="lt"),
    make_indicator(S.LATENCY, threshold=1.0, op="gt"),
    make_indicator(S.LATENCY, threshold=1.0, op="gte"),
    make_indicator(S.LATENCY, threshold=2.0, where=(Match("model", ("big", "small")),)),
    make_indicator(S.TIME_TO_FIRST_TOKEN, threshold=0.1),
    make_indicator(S.TIME_PER_OUTPUT_TOKEN, threshold=0.03),
    make_indicator(S.COST, threshold=0.002),
    make_indicator(S.EVALUATION),
    make_indicator(S.EVALUATION, evaluator="external:x"),
    make_indicator(S.EVALUATION, bad_labels=("fine",)),
    make_indicator(S.EVALUATION, subject="refusal", higher_is_better=False),
    make_indicator(S.EVALUATION, threshold=0.5, op="gte"),
    make_indicator(S.EVALUATION, threshold=0.25, op="gt", where=(Match("release", ("v1",)),)),
    make_indicator(S.COVERAGE),
    make_indicator(S.COVERAGE, subject="refusal"),
    make_indicator(S.SCORING_LAG, threshold=15.0),
)


def fill(store: CountingStore, calls: Sequence[Interaction], scores: Sequence[Judged]) -> None:
    store.insert_interactions(calls, "t")
    store.insert_evaluations(scores, "t")


@pytest.mark.parametrize("step_s", [300, 10, 60])
def test_cells_are_those_of_counting_by_hand(store: CountingStore, step_s: int) -> None:
    calls = some_calls()
    scores = some_scores(calls)
    fill(store, calls, scores)
    places = [(service, AT + 300 * n) for service in ("shop", "desk") for n in range(3)]
    cells = store.count_cells(INDICATORS, places, step_s)
    for number, indicator in enumerate(INDICATORS):
        expected = by_hand(calls, scores, indicator, step_s)
        found = told(cells, number)
        assert found.keys() == expected.keys(), indicator
        assert sum(counts[3] for counts in expected.values()) > 0, indicator
        for cell, counts in expected.items():
            assert found[cell] == pytest.approx(counts, abs=1e-9), (indicator, cell)


def test_a_span_of_time_counts_what_its_places_do(store: CountingStore) -> None:
    calls = some_calls()
    fill(store, calls, some_scores(calls))
    places = [("shop", AT + 300), ("shop", AT + 600)]
    span = TimeSpan(AT + 300, AT + 900, ("shop",))
    whole = store.count_cells(INDICATORS, span)
    part = store.count_cells(INDICATORS, places)
    assert [told(whole, n) for n in range(20)] == [told(part, n) for n in range(20)]
    everybody = store.count_cells(INDICATORS[:1], TimeSpan(AT, AT + 900), 900)
    assert {cell[0] for cell in told(everybody, 0)} == {"shop", "desk"}
    assert told(everybody, 0).keys() <= {("shop", AT // 900 * 900), ("desk", AT // 900 * 900)} | {
        ("shop", AT // 900 * 900 + 900), ("desk", AT // 900 * 900 + 900),
    }  # fmt: skip


def test_equal_indicators_are_counted_once_and_told_to_each(store: CountingStore) -> None:
    store.insert_interactions([make_interaction(1)], "t")
    twice = make_indicator(), replace(make_indicator(), name="other", good="other words")
    cells = store.count_cells(twice, [("shop", AT)])
    assert told(cells, 0) == told(cells, 1) == {("shop", AT): [1, 0, 1, 0, 0, 0]}


def test_only_the_asked_places_are_counted(store: CountingStore) -> None:
    store.insert_interactions([make_interaction(n, started_at=NOON + 300 * n) for n in (1, 2)], "t")
    cells = store.count_cells([make_indicator()], [("shop", AT + 300)])
    assert [(cells.services, list(cells.start))] == [(("shop",), [AT + 300])]
    for span in (TimeSpan(AT, AT), TimeSpan(AT, AT + 300, ())):
        assert len(store.count_cells([make_indicator()], span)) == 0
    assert len(store.count_cells([make_indicator()], [])) == 0
    assert len(store.count_cells([], TimeSpan(AT, AT + 300))) == 0
    assert len(store.count_cells([make_indicator()], [("nobody", AT)])) == 0


def test_repeated_late_rescored_and_retracted_rows_count_as_they_stand(
    store: CountingStore,
) -> None:
    call, other = make_interaction(1), make_interaction(2)
    quality = make_indicator(S.EVALUATION)
    both = [make_indicator(), quality]
    for token in ("a", "b"):
        store.insert_interactions([call, other], token)
        store.insert_evaluations([(make_evaluation(call), call)], token)
    again = make_evaluation(
        call, score_label="unsupported", score_value=0.25, evaluated_at=NOON + 9
    )
    store.insert_evaluations([(again, call)], "c")
    store.insert_interactions([replace(call, version=2, error_type="timeout")], "c")
    cells = store.count_cells(both, [("shop", AT)])
    assert told(cells, 0) == {("shop", AT): [2, 1, 2, 1, 0, 0]}
    assert told(cells, 1) == {("shop", AT): [1, 1, 1, 1, 0.75, 0.5625]}
    store.retract([Taken(*call.key, "shop", call.started_at, 9)], "d")
    cells = store.count_cells(both, [("shop", AT)])
    assert told(cells, 0) == {("shop", AT): [1, 0, 1, 0, 0, 0]}
    assert told(cells, 1) == {}


def test_what_users_write_is_never_read_as_sql(store: CountingStore) -> None:
    odd = "x') OR 1=1 -- \\' {d0:String}"
    store.insert_interactions([make_interaction(1), make_interaction(2, release=odd)], "t")
    one = make_indicator(where=(Match("release", (odd,)),))
    two = make_indicator(where=(Match("group." + odd, (odd,)),))
    cells = store.count_cells([one, two], [("shop", AT)])
    assert told(cells, 0) == {("shop", AT): [1, 0, 1, 0, 0, 0]}
    assert told(cells, 1) == {}


@pytest.mark.parametrize(
    ("indicator", "step_s", "match"),
    [
        (make_indicator(S.LATENCY), 300, "no threshold"),
        (make_indicator(S.LATENCY, threshold=1.0, op="around"), 300, "no threshold"),
        (make_indicator(S.EVALUATION, subject=None), 300, "names nothing"),
        (make_indicator(S.EVALUATION, subject="my_score"), 300, "which results of 'my_score'"),
        (make_indicator(where=(Match("colour", ("red",)),)), 300, "unknown dimension 'colour'"),
        (make_indicator(), 7, "step of 7"),
        (make_indicator(), 600, "step of 600"),
        (make_indicator(), 0, "step of 0"),
        (make_indicator(S.METRIC_RATIO), 300, "both its counters"),
    ],
)
def test_what_cannot_be_counted_says_why(
    store: CountingStore, indicator: Indicator, step_s: int, match: str
) -> None:
    with pytest.raises(BadInput, match=match):
        store.count_cells([indicator], [("shop", AT)], step_s)


@pytest.mark.parametrize("asked", [16, 17, 300])
def test_an_indicator_a_value_of_a_dimension_counts_each_its_own(
    store: CountingStore, asked: int
) -> None:
    calls = [make_interaction(n, tenant=f"t{n % 20}") for n in range(100)]
    store.insert_interactions(calls, "t")
    sliced = [make_indicator(where=(Match("tenant", (f"t{n}",)),)) for n in range(asked)]
    but = make_indicator(where=(Match("tenant", ("t1", "t2"), is_in=False),))
    cells = store.count_cells([*sliced, but, make_indicator(where=(Match("tenant", ()),))], PLACE)
    found = {
        int(n): int(counts[2]) for n, counts in zip(cells.indicator, cells.counts, strict=True)
    }
    assert found == {**dict.fromkeys(range(min(asked, 20)), 5), asked: 90}


PLACE = [("shop", AT)]
