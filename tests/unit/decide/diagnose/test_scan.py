"""The scan names the slice that got worse, tells new from worse, and knows when there is none."""

import numpy as np
import pytest
from bench.diagnose.incidents import Shape, make
from tests.unit.decide.diagnose.by_hand import facts, grid

from seakeeping.decide.diagnose.scan import Scan, scan
from seakeeping.decide.diagnose.words import of_diagnosis

MODELS, TENANTS, REGIONS = ("m1", "m2", "m3"), ("acme", "bolt", "crab"), ("eu", "us")
USUAL = grid(400, 0.04, {}, 0, model=MODELS, tenant=TENANTS, region=REGIONS)


def during(worse: dict[str, str], to: float = 0.2) -> Scan:
    now = grid(400, 0.04, worse, to, model=MODELS, tenant=TENANTS, region=REGIONS)
    return scan(USUAL, now)


@pytest.mark.parametrize(
    "slice_",
    [
        {"model": "m2"},
        {"model": "m2", "tenant": "acme"},
        {"model": "m3", "tenant": "bolt", "region": "us"},
    ],
)
def test_the_slice_that_rose_is_named_and_nothing_else(slice_: dict[str, str]) -> None:
    (finding,) = during(slice_).findings
    assert dict(finding.conditions) == slice_
    assert finding.p_value < 1e-6
    assert finding.expected_ratio == pytest.approx(0.04, abs=0.005)
    assert finding.x1 / finding.n1 == pytest.approx(0.2)
    assert finding.excess == pytest.approx(0.16 * finding.n1, rel=0.05)
    assert not finding.is_new


def test_nothing_is_named_where_nothing_changed() -> None:
    assert during({}).findings == ()


@pytest.mark.parametrize("events", [1, 2, 29])
def test_a_handful_of_calls_is_compared_with_nothing(events: int) -> None:
    few = facts([({"model": "m1", "tenant": "acme", "region": "eu"}, events, events)])
    found = scan(USUAL, few)
    assert (found.findings, found.slices_tested) == ((), 0)
    assert found.events[1] == events
    told = of_diagnosis("chat/availability", found, None, ())
    assert f"No cause found yet: {events} events are too few" in told


def test_thirty_calls_are_compared() -> None:
    few = facts([({"model": "m1", "tenant": "acme", "region": "eu"}, 30, 30)])
    assert scan(USUAL, few).findings


def test_a_rise_of_everything_is_no_slice() -> None:
    now = grid(400, 0.09, {}, 0, model=MODELS, tenant=TENANTS, region=REGIONS)
    (finding,) = scan(USUAL, now).findings
    assert finding.conditions == ()
    assert finding.also == ()


def test_two_causes_are_both_found() -> None:
    groups = []
    for model in MODELS:
        for tenant in TENANTS:
            bad = 120 if model == "m1" else 240 if tenant == "crab" and model == "m3" else 32
            groups.append(({"model": model, "tenant": tenant}, 800, bad))
    before = facts([(values, valid, 32) for values, valid, _ in groups])
    found = [dict(each.conditions) for each in scan(before, facts(groups)).findings]
    assert sorted(found, key=len) == [{"model": "m1"}, {"model": "m3", "tenant": "crab"}]


def test_a_release_that_did_not_exist_before_is_new() -> None:
    before = facts([({"release": "r1", "tenant": it}, 2_000, 80) for it in TENANTS])
    now = facts([
        *(({"release": "r1", "tenant": it}, 1_000, 40) for it in TENANTS),
        *(({"release": "r2", "tenant": it}, 1_000, 150) for it in TENANTS),
    ])  # fmt: skip
    (finding,) = scan(before, now).findings
    assert finding.conditions == (("release", "r2"),)
    assert finding.is_new
    assert finding.n0 == 0


def test_a_release_that_replaced_all_others_is_named_rather_than_everything() -> None:
    before = facts([({"release": "r1", "tenant": it}, 2_000, 80) for it in TENANTS])
    now = facts([({"release": "r2", "tenant": it}, 2_000, 300) for it in TENANTS])
    (finding,) = scan(before, now).findings
    assert finding.conditions == (("release", "r2"),)


def test_the_same_calls_by_another_name_are_told() -> None:
    before = facts([({"release": "r1", "model": "m1", "tenant": it}, 2_000, 80) for it in TENANTS])
    now = facts([
        *(({"release": "r1", "model": "m1", "tenant": it}, 1_000, 40) for it in TENANTS),
        *(({"release": "r2", "model": "m2", "tenant": it}, 1_000, 150) for it in TENANTS),
    ])  # fmt: skip
    (finding,) = scan(before, now).findings
    assert finding.conditions == (("release", "r2"),)
    assert finding.also == (("model", "m2"),)


def test_a_release_that_brought_much_else_along_is_found_all_the_same() -> None:
    def calls(version: str, tenant: str, valid: int, bad: int) -> tuple[dict[str, str], int, int]:
        names = ("release", "model", "prompt_version", "service_version")
        return {**{name: f"{name}-{version}" for name in names}, "tenant": tenant}, valid, bad

    before = facts([calls("1", it, 400, 16) for it in TENANTS])
    now = facts([
        *(calls("1", it, 60, 2) for it in TENANTS),
        *(calls("2", it, 40, 8) for it in TENANTS),
    ])  # fmt: skip
    (finding,) = scan(before, now).findings
    assert finding.conditions == (("release", "release-2"),)
    assert len(finding.also) == 3


@pytest.mark.parametrize("past", [1, 5, 25])
def test_a_release_tried_on_a_few_calls_before_is_new_all_the_same(past: int) -> None:
    before = facts([
        *(({"release": "r1", "tenant": it}, 2_000, 80) for it in TENANTS),
        ({"release": "r2", "tenant": "acme"}, past, past // 12),
    ])  # fmt: skip
    now = facts([
        *(({"release": "r1", "tenant": it}, 300, 12) for it in TENANTS),
        *(({"release": "r2", "tenant": it}, 100, 16) for it in TENANTS),
    ])  # fmt: skip
    (finding,) = scan(before, now).findings
    assert finding.conditions == (("release", "r2"),)
    assert finding.is_new


def test_a_slice_that_always_was_bad_is_not_blamed_when_its_traffic_grows() -> None:
    groups = [({"model": m, "tenant": t}, 500, 20) for m in MODELS for t in TENANTS]
    bad_pair = {"model": "m1", "tenant": "acme"}
    before = facts([(v, n, 150 if v == bad_pair else x) for v, n, x in groups])
    now = facts(
        [(v, 1_000 if v == bad_pair else n, 300 if v == bad_pair else x) for v, n, x in groups]
    )
    found = scan(before, now)
    assert found.findings == ()
    assert found.mix_effect > 0.01


def test_a_rise_from_moved_traffic_is_mix_and_not_rate() -> None:
    before = facts([({"model": "good"}, 9_000, 180), ({"model": "poor"}, 1_000, 200)])
    now = facts([({"model": "good"}, 5_000, 100), ({"model": "poor"}, 5_000, 1_000)])
    found = scan(before, now)
    assert found.findings == ()
    assert found.during_ratio - found.before_ratio == pytest.approx(0.072, abs=0.001)
    assert found.mix_effect == pytest.approx(0.072, abs=0.005)
    assert abs(found.rate_effect) < 0.005


def test_what_always_was_apart_is_not_blamed_when_traffic_around_it_moves() -> None:
    shape = Shape(lift=0.0, apart=20)
    made = [make(seed, shape) for seed in range(300, 330)]
    assert sum(bool(scan(each.before, each.during).findings) for each in made) <= 3


def test_a_rise_of_the_odds_of_all_calls_is_told_as_such() -> None:
    named = []
    for seed in range(300, 308):
        incident = make(seed, Shape(lift=0.0, odds=2.5))
        first, *more = scan(incident.before, incident.during).findings
        assert first.conditions == ()
        named += more
    assert len(named) <= 1


def test_few_calls_give_no_cause() -> None:
    before = facts([({"model": m}, 15, 1) for m in MODELS])
    now = facts([({"model": m}, 15, 2 + 3 * (m == "m1")) for m in MODELS])
    assert scan(before, now).findings == ()


@pytest.mark.parametrize("side", ["before", "during", "both"])
def test_an_empty_window_is_no_error(side: str) -> None:
    nothing, some = facts([]), facts([({"model": "a"}, 100, 9), ({"model": "b"}, 100, 4)])
    before = nothing if side in ("before", "both") else some
    now = nothing if side in ("during", "both") else some
    assert scan(before, now).findings == ()


def test_calls_without_any_dimension_can_still_rise() -> None:
    (finding,) = scan(facts([({}, 5_000, 100)]), facts([({}, 5_000, 300)])).findings
    assert finding.conditions == ()


def test_events_all_bad_are_no_error() -> None:
    (finding,) = during({"model": "m2"}, to=1.0).findings
    assert dict(finding.conditions) == {"model": "m2"}


def test_most_made_incidents_are_named_exactly() -> None:
    shape = Shape(lift=0.3)
    seeds = range(900, 915)
    exact = []
    for seed in seeds:
        incident = make(seed, shape)
        found = scan(incident.before, incident.during).findings
        exact.append(bool(found) and tuple(sorted(found[0].conditions)) == incident.planted)
    assert np.mean(exact) >= 0.9


def test_made_incidents_without_a_cause_have_none() -> None:
    shape = Shape(lift=0.0, effect=0.5)
    made = [make(seed, shape) for seed in range(900, 920)]
    assert sum(bool(scan(each.before, each.during).findings) for each in made) <= 1
