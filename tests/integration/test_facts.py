"""Facts and examples on a real store: the same events as cells, by every dimension at once."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seakeeping.errors import BadInput
from seakeeping.records import DIMENSIONS, Indicator, IndicatorSignal, Match, Traffic
from seakeeping.store.cells import TimeSpan
from seakeeping.store.counting import CountingStore
from seakeeping.store.facts import Facts
from seakeeping.store.testing import (
    NOON,
    make_evaluation,
    make_indicator,
    make_interaction,
    running_store,
)

S = IndicatorSignal
WHOLE = NOON, NOON + 600


def _calls() -> list[Any]:
    source = random.Random(3)
    return [
        make_interaction(
            n,
            service_name="shop" if n % 5 else "desk",
            started_at=NOON + source.uniform(0, 600),
            error_type=source.choice([None, None, "timeout"]),
            duration_s=source.choice([0.5, 1.5, 4.0, None]),
            release=source.choice(["v1", "v2"]),
            tenant=source.choice([None, "a", "b", "c"]),
            response_model=source.choice([None, "big"]),
            sampling_weight=source.choice([1.0, 2.0]),
            traffic=source.choice([Traffic.LIVE, Traffic.LIVE, Traffic.TWIN]),
            is_answer=source.random() < 0.9,
            groups=source.choice([{}, {"tier": "gold"}, {"tier": "free", "plan's": "x"}]),
        )
        for n in range(300)
    ]


CALLS = _calls()


@pytest.fixture(scope="module")
def store() -> Iterator[CountingStore]:
    source = random.Random(4)
    with running_store() as running:
        running.insert_interactions(CALLS, "t")
        made = []
        for call in CALLS:
            score = source.choice([0.1, 0.3, 0.9])
            verdict = "unsupported" if score < 0.5 else "supported"
            for evaluator in source.choice([("faithfulness",), ("faithfulness", "external:x"), ()]):
                made.append(
                    (make_evaluation(call, evaluator=evaluator, score_value=score,
                                     score_label=verdict, explanation=f"because of {score}"), call)
                )  # fmt: skip
        running.insert_evaluations(made, "t")
        yield running


INDICATORS = (
    make_indicator(),
    make_indicator(where=(Match("tenant", ("a", "")),)),
    make_indicator(S.LATENCY, threshold=1.5),
    make_indicator(S.COST, threshold=0.0001),
    make_indicator(S.EVALUATION),
    make_indicator(S.EVALUATION, evaluator="external:x"),
    make_indicator(S.EVALUATION, threshold=0.2, op="gte", where=(Match("group.tier", ("gold",)),)),
    make_indicator(S.SCORING_LAG, threshold=0.5),
    make_indicator(S.COVERAGE),
)


def totals(facts: Facts) -> list[float]:
    return [
        float(part.sum()) for part in (facts.valid, facts.bad, facts.valid_rows, facts.bad_rows)
    ]


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda i: f"{i.signal}-{i.key[:4]}")
def test_facts_add_up_to_the_cells(store: CountingStore, indicator: Indicator) -> None:
    cells = store.count_cells([indicator], TimeSpan(*WHOLE, ("shop",)), 300)
    found = totals(store.facts(indicator, "shop", *WHOLE))
    assert found == pytest.approx(list(cells.counts.sum(axis=0)[:4]))
    assert found[2] > 0


def test_facts_have_every_dimension_and_declared_group(store: CountingStore) -> None:
    facts = store.facts(make_indicator(), "shop", *WHOLE)
    assert facts.dimensions == (*DIMENSIONS, "group.plan's", "group.tier")
    assert facts.codes.shape == (len(facts), len(facts.dimensions))
    values = dict(zip(facts.dimensions, facts.values, strict=True))
    assert values["release"] == ("v1", "v2")
    assert values["tenant"] == ("", "a", "b", "c")
    assert values["model"] == ("big", "gpt-4o")
    assert values["group.tier"] == ("", "free", "gold")


@pytest.mark.parametrize("dimension", ["release", "tenant", "model", "group.tier", "group.plan's"])
def test_a_slice_of_facts_is_what_its_indicator_counts(
    store: CountingStore, dimension: str
) -> None:
    facts = store.facts(make_indicator(), "shop", *WHOLE)
    at = facts.dimensions.index(dimension)
    for code, value in enumerate(facts.values[at]):
        narrowed = make_indicator(where=(Match(dimension, (value,)),))
        cells = store.count_cells([narrowed], TimeSpan(*WHOLE, ("shop",)), 300)
        chosen = facts.codes[:, at] == code
        found = [float(part[chosen].sum()) for part in (facts.valid, facts.bad)]
        assert found == list(cells.counts.sum(axis=0)[:2])


def test_facts_of_some_dimensions_are_those_alone(store: CountingStore) -> None:
    asked = ["group.tier", "release", "group.nothing"]
    facts = store.facts(make_indicator(), "shop", *WHOLE, asked)
    assert facts.dimensions == tuple(asked)
    assert facts.values[2] == ("",)
    everything = store.facts(make_indicator(), "shop", *WHOLE)
    assert totals(facts) == totals(everything)
    assert len(facts) < len(everything)


def test_facts_of_nothing_are_empty(store: CountingStore) -> None:
    facts = store.facts(make_indicator(), "nobody", *WHOLE)
    assert (len(facts), facts.codes.shape) == (0, (0, len(DIMENSIONS)))
    assert totals(facts) == [0, 0, 0, 0]


def test_facts_end_where_they_are_told_to_the_microsecond(store: CountingStore) -> None:
    at = sorted(c.started_at for c in CALLS if c.service_name == "shop" and c.traffic == "live")
    facts = store.facts(make_indicator(), "shop", at[10], at[20])
    assert totals(facts)[2] == 10


def test_only_calls_have_dimensions(store: CountingStore) -> None:
    gauge = make_indicator(S.METRIC, subject="m", threshold=1.0)
    with pytest.raises(BadInput, match="are no calls"):
        store.facts(gauge, "shop", *WHOLE)
    with pytest.raises(BadInput, match="are no calls"):
        store.examples(gauge, "shop", *WHOLE)
    with pytest.raises(BadInput, match="unknown dimension 'colour'"):
        store.facts(make_indicator(), "shop", *WHOLE, ["colour"])


def test_examples_of_slowness_are_the_slowest_first(store: CountingStore) -> None:
    slow = make_indicator(S.LATENCY, threshold=1.0)
    found = store.examples(slow, "shop", *WHOLE, limit=200)
    assert [e.value for e in found] == sorted((e.value or 0 for e in found), reverse=True)
    assert {e.value for e in found} == {4.0, 1.5}
    assert found[0].duration_s == found[0].value
    cells = store.count_cells([slow], TimeSpan(*WHOLE, ("shop",)))
    assert len(found) == cells.counts[:, 3].sum()


def test_examples_of_bad_answers_are_the_worst_first_with_their_reasons(
    store: CountingStore,
) -> None:
    found = store.examples(make_indicator(S.EVALUATION), "shop", *WHOLE, limit=200)
    scores = [e.score or 0.0 for e in found]
    assert scores == sorted(scores)
    assert set(scores) == {0.1, 0.3}
    assert {(e.label, e.explanation) for e in found if e.score == 0.1} == {
        ("unsupported", "because of 0.1")
    }
    assert len({(e.trace_id, e.span_id) for e in found}) == len(found)


def test_examples_of_errors_are_the_newest_first_and_keep_to_their_slice(
    store: CountingStore,
) -> None:
    slice = {"release": "v1", "group.tier": "gold", "model": "big"}
    found = store.examples(make_indicator(), "shop", *WHOLE, slice, limit=3)
    assert [e.started_at for e in found] == sorted((e.started_at for e in found), reverse=True)
    assert len(found) == 3
    assert {(e.release, e.model, e.error_type) for e in found} == {("v1", "big", "timeout")}
    assert found[0].value is None
    assert store.examples(make_indicator(), "shop", *WHOLE, {"tenant": "' OR 1"}) == []


def test_the_values_of_a_dimension_are_told_by_frequency(store: CountingStore) -> None:
    assert set(store.dimension_values("shop", "release", *WHOLE)) == {"v1", "v2"}
    assert set(store.dimension_values("shop", "group.tier", *WHOLE)) == {"free", "gold"}
    tenants = store.dimension_values("shop", "tenant", *WHOLE)
    counted = [c.tenant for c in CALLS if c.service_name == "shop" and c.traffic == "live"]
    assert tenants == sorted({t for t in counted if t}, key=lambda t: (-counted.count(t), t))
    assert store.dimension_values("shop", "release", NOON - 600, NOON) == []


def test_codes_lead_to_values(store: CountingStore) -> None:
    facts = store.facts(make_indicator(S.EVALUATION), "shop", *WHOLE, ["tenant"])
    by_value = {facts.values[0][code]: n for n, code in enumerate(facts.codes[:, 0])}
    only_a = replace(make_indicator(S.EVALUATION), where=(Match("tenant", ("a",)),))
    other = store.facts(only_a, "shop", *WHOLE, ["tenant"])
    assert facts.valid[by_value["a"]] == other.valid[0]
    assert np.all(facts.bad <= facts.valid)
