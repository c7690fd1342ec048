"""Labels and measurements on a real store: replaced, paged, joined with scores, drawn from."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from seakeeping.errors import BadInput
from seakeeping.records import IndicatorSignal, Label, LabelKind, Match, Measurement, Traffic
from seakeeping.store.counting import CountingStore
from seakeeping.store.labels import LabelFilter
from seakeeping.store.measurements import MeasurementFilter
from seakeeping.store.testing import (
    NOON,
    make_empty,
    make_evaluation,
    make_indicator,
    make_interaction,
    running_store,
)

QUALITY = make_indicator(IndicatorSignal.EVALUATION)
CALLS = [make_interaction(n, sampling_weight=float(n % 3 + 1)) for n in range(40)]


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


@pytest.fixture
def scored(store: CountingStore) -> CountingStore:
    store.insert_interactions(CALLS, "t")
    made = [
        (make_evaluation(c, score_value=n / 40, score_label=_verdict(n)), c)
        for n, c in enumerate(CALLS)
    ]
    store.insert_evaluations(made, "t")
    return store


def _verdict(number: int) -> str:
    return "unsupported" if number < 10 else "supported"


def label(number: int, **changes: Any) -> Label:
    call = CALLS[number]
    told = Label(
        *call.key, "faithfulness", 1.0, LabelKind.HUMAN, "ann", NOON + 60 + number, 0.5, "clear"
    )
    return replace(told, **changes)


def everything(store: CountingStore, **where: Any) -> list[Label]:
    return list(store.labels(LabelFilter(**where), limit=100).items)


def test_labels_come_back_newest_first(store: CountingStore) -> None:
    given = [label(n) for n in range(5)]
    given.append(label(3, by=LabelKind.USER, author="", sampling_probability=None, comment=None))
    store.insert_labels(given, "t")
    found = everything(store)
    assert sorted(found, key=lambda x: x.key) == sorted(given, key=lambda x: x.key)
    assert [x.at for x in found] == sorted((x.at for x in given), reverse=True)


def test_a_newer_label_of_the_same_author_replaces_the_older_one(store: CountingStore) -> None:
    month_s = 31 * 86_400
    store.insert_labels([label(1, value=0.0, at=NOON + month_s)], "b")
    store.insert_labels([label(1, value=1.0), label(1, author="bob")], "a")
    assert {(x.author, x.value) for x in everything(store)} == {("ann", 0.0), ("bob", 1.0)}


def test_a_batch_that_is_sent_again_is_kept_once(store: CountingStore) -> None:
    for _ in range(2):
        store.insert_labels([label(1)], "same")
    assert store.client.read("SELECT count() FROM labels") == [[1]]


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ({"start": NOON + 62, "end": NOON + 64}, [3, 2]),
        ({"trace_id": CALLS[1].trace_id}, [1]),
        ({"span_id": CALLS[1].span_id}, [1]),
        ({"author": "ann", "by": LabelKind.HUMAN, "name": "faithfulness"}, [3, 2, 1, 0]),
        ({"by": LabelKind.JUDGE}, []),
        ({"author": "o'hara' OR 1"}, []),
    ],
)
def test_labels_are_filtered(
    store: CountingStore, where: dict[str, Any], numbers: list[int]
) -> None:
    store.insert_labels([label(n) for n in range(4)], "t")
    assert everything(store, **where) == [label(n) for n in numbers]


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_of_labels_leave_nothing_out(store: CountingStore, limit: int) -> None:
    store.insert_labels([label(n, at=NOON + n // 3) for n in range(10)], "t")
    found: list[Label] = []
    cursor = None
    while True:
        page = store.labels(LabelFilter(), limit=limit, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert found == everything(store)
    assert len(found) == 10


def test_a_strange_cursor_is_bad_input(store: CountingStore) -> None:
    with pytest.raises(BadInput, match="cursor"):
        store.labels(LabelFilter(), cursor="x!")
    with pytest.raises(BadInput, match="cursor"):
        store.measurements(MeasurementFilter(), cursor="MQ")


def bank(store: CountingStore, **asked: Any) -> dict[int, tuple[float, float, bool]]:
    found = store.label_bank("faithfulness", **{"indicator": QUALITY, **asked})
    return {int(x.trace_id, 16): (x.truth, round(x.score, 9), x.is_flagged) for x in found}


def test_the_bank_sets_labels_beside_scores_in_badness(scored: CountingStore) -> None:
    scored.insert_labels([label(4, value=0.0), label(20)], "t")
    assert bank(scored) == {4: (1.0, 0.9, True), 20: (0.0, 0.5, False)}
    [first, _] = scored.label_bank("faithfulness", indicator=QUALITY)
    assert (first.service_name, first.started_at, first.weight) == (
        "shop", CALLS[4].started_at, CALLS[4].sampling_weight,
    )  # fmt: skip
    assert (first.by, first.author, first.sampling_probability) == ("human", "ann", 0.5)
    assert first.at == label(4).at


def test_the_bank_reads_the_other_way_where_higher_is_worse(scored: CountingStore) -> None:
    scored.insert_labels([label(4, value=0.25)], "t")
    worse = replace(QUALITY, higher_is_better=False)
    assert bank(scored, indicator=worse) == {4: (0.25, 0.1, True)}


def test_the_bank_holds_only_what_is_asked_for(scored: CountingStore) -> None:
    scored.insert_labels([label(4), label(5, name="refusal")], "t")
    assert bank(scored, service="shop").keys() == bank(scored, since=NOON).keys() == {4}
    assert bank(scored, service="desk") == bank(scored, since=NOON + 10) == {}
    assert bank(scored, evaluator="faithfulness").keys() == {4}
    assert bank(scored, evaluator="other") == {}
    none = replace(QUALITY, where=(Match("release", ("v9",)),))
    assert bank(scored, indicator=none) == {}


def test_the_bank_knows_the_latest_score_and_the_threshold(scored: CountingStore) -> None:
    scored.insert_labels([label(4)], "t")
    again = make_evaluation(CALLS[4], score_value=0.75, evaluated_at=NOON + 99)
    scored.insert_evaluations([(again, CALLS[4])], "u")
    assert bank(scored) == {4: (0.0, 0.25, False)}
    strict = replace(QUALITY, threshold=0.8, op="gte")
    assert bank(scored, indicator=strict) == {4: (0.0, 0.25, True)}


def test_the_bank_believes_our_evaluator_before_that_of_others(scored: CountingStore) -> None:
    other = make_evaluation(CALLS[4], evaluator="external:x", score_value=1.0)
    scored.insert_evaluations([(other, CALLS[4])], "u")
    scored.insert_labels([label(4)], "t")
    assert bank(scored) == {4: (0.0, 0.9, True)}
    assert bank(scored, evaluator="external:x") == {4: (0.0, 0.0, False)}


def test_a_label_that_comes_before_its_answer_counts_once_that_is_there(
    store: CountingStore,
) -> None:
    store.insert_labels([label(4)], "t")
    assert bank(store) == {}
    store.insert_interactions([CALLS[4]], "t")
    assert bank(store) == {}
    store.insert_evaluations([(make_evaluation(CALLS[4]), CALLS[4])], "t")
    assert bank(store).keys() == {4}


def test_candidates_are_scored_answers_without_a_label_of_that_kind(
    scored: CountingStore,
) -> None:
    scored.insert_labels([label(4), label(5, by=LabelKind.JUDGE)], "t")
    skipped = make_evaluation(
        CALLS[6], score_value=None, score_label=None, skipped_reason="no_context",
        evaluated_at=NOON + 99,
    )  # fmt: skip
    scored.insert_evaluations([(skipped, CALLS[6])], "u")
    scored.insert_interactions([replace(CALLS[7], version=2, traffic=Traffic.PROBE)], "u")
    found = scored.candidates("shop", "faithfulness", NOON, NOON + 300)
    assert {int(c.trace_id, 16) for c in found} == set(range(40)) - {4, 6, 7}
    of_judge = scored.candidates("shop", "faithfulness", NOON, NOON + 300, by=LabelKind.JUDGE)
    assert {int(c.trace_id, 16) for c in of_judge} == set(range(40)) - {5, 6, 7}
    one = next(c for c in found if int(c.trace_id, 16) == 8)
    assert (one.span_id, one.service_name, one.started_at) == (
        CALLS[8].span_id, "shop", CALLS[8].started_at,
    )  # fmt: skip
    assert (one.score, one.label, one.evaluator) == (0.2, "unsupported", "faithfulness")


def test_a_sample_of_candidates_stays_the_same_and_is_not_the_oldest(
    scored: CountingStore,
) -> None:
    first = scored.candidates("shop", "faithfulness", NOON, NOON + 300, limit=10)
    assert first == scored.candidates("shop", "faithfulness", NOON, NOON + 300, limit=10)
    numbers = {int(c.trace_id, 16) for c in first}
    assert len(numbers) == 10
    assert numbers != set(range(10))
    assert {one.chance for one in first} == {10 / 40}
    by_minute = scored.candidates("shop", "faithfulness", NOON, NOON + 300, limit=2, epoch_s=60)
    whole = scored.candidates("shop", "faithfulness", NOON, NOON + 300)
    assert {one.chance for one in whole} == {1.0}
    for one in by_minute:
        alike = [c for c in whole if c.started_at // 60 == one.started_at // 60]
        assert one.chance == min(1.0, 2 / len(alike))
        assert sum(c.started_at // 60 == one.started_at // 60 for c in by_minute) <= 2
    assert scored.candidates("desk", "faithfulness", NOON, NOON + 300) == []
    assert scored.candidates("shop", "faithfulness", NOON + 300, NOON + 600) == []


def measurement(**changes: Any) -> Measurement:
    made = Measurement(
        "shop", "drift", NOON, 3600.0, 0.25, 0.1, 0.4, 200, 0.3, "last week", "psi", "drifted",
        {"tenant": "b", "model": "m"},
    )  # fmt: skip
    return replace(made, **changes)


def test_measurements_come_back_and_newer_ones_replace_older(store: CountingStore) -> None:
    bare = measurement(
        window_start=NOON + 0.25, value=None, low=None, high=None, effect=None, reference="",
        method="", verdict="", n=0, slice={},
    )  # fmt: skip
    store.insert_measurements([measurement(value=9.0), bare], "a")
    store.insert_measurements([measurement(slice={"model": "m", "tenant": "b"})], "b")
    assert store.measurements(MeasurementFilter()).items == [bare, measurement()]


def test_measurements_are_filtered_by_the_end_of_their_window(store: CountingStore) -> None:
    store.insert_measurements([measurement(), measurement(name="gap", slice={})], "t")

    def ask(**where: Any) -> list[str]:
        return [m.name for m in store.measurements(MeasurementFilter(**where)).items]

    assert ask(start=NOON + 3600, end=NOON + 3601) == ["gap", "drift"]
    assert ask(start=NOON + 3601) == ask(end=NOON + 3600) == ask(service_name="desk") == []
    assert ask(name="gap") == ask(slice={}) == ["gap"]
    assert ask(slice={"model": "m", "tenant": "b"}) == ["drift"]


def test_pages_of_measurements_leave_nothing_out(store: CountingStore) -> None:
    made = [measurement(window_start=NOON + n // 3, slice={"n": str(n)}) for n in range(10)]
    store.insert_measurements(made, "t")
    found: list[Measurement] = []
    page = store.measurements(MeasurementFilter(), limit=3)
    while page.next is not None:
        found += page.items
        page = store.measurements(MeasurementFilter(), limit=3, cursor=page.next)
    found += page.items
    assert found == store.measurements(MeasurementFilter(), limit=50).items
    assert len(found) == 10


def test_measurements_are_events_of_an_indicator(store: CountingStore) -> None:
    made = [
        measurement(window_start=NOON - 3600 + 100 * n, value=value)
        for n, value in enumerate((0.1, 0.3, None, 0.2))
    ]
    store.insert_measurements(made, "t")
    store.insert_measurements([measurement(value=7.0, slice={"tenant": "c"})], "u")
    stable = make_indicator(
        IndicatorSignal.MEASUREMENT, subject="drift", threshold=0.2,
        where=(Match("tenant", ("b",)),),
    )  # fmt: skip
    cells = store.count_cells([stable], [("shop", int(NOON)), ("shop", int(NOON) + 300)])
    assert [list(row[:4]) for row in cells.counts] == [[2, 1, 2, 1], [1, 0, 1, 0]]
