"""What is expected of a call follows from its values, and says how surely it is known."""

import numpy as np
import pytest
from bench.diagnose.incidents import Shape, make
from tests.unit.decide.diagnose.by_hand import facts

from seakeeping.decide.diagnose.expectation import expect
from seakeeping.decide.diagnose.windows import join


def test_effects_of_values_add_up_in_logits() -> None:
    ratio = {("a", "x"): 0.02, ("a", "y"): 0.0577, ("b", "x"): 0.0577, ("b", "y"): 0.155}
    calls = facts([
        ({"model": m, "tenant": t}, 10_000, round(10_000 * rate)) for (m, t), rate in ratio.items()
    ])  # fmt: skip
    rates = expect(join(calls, calls)).rates[:4]
    assert rates == pytest.approx(list(ratio.values()), abs=0.002)


def test_a_value_hardly_seen_is_expected_to_be_as_all() -> None:
    many = [({"tenant": f"t{it}"}, 5_000, 200 + 10 * it) for it in range(5)]
    calls = facts([*many, ({"tenant": "rare"}, 10, 8)])
    assert expect(join(calls, calls)).rates[5] == pytest.approx(0.044, abs=0.01)


def test_a_dimension_without_effect_is_shrunk_to_nothing() -> None:
    source = np.random.default_rng(1)
    calls = facts(
        [({"tenant": f"t{it:02}"}, 200, int(source.binomial(200, 0.05))) for it in range(40)]
    )
    rates = expect(join(calls, calls)).rates
    assert np.std(rates) < 0.008  # counted alone they would scatter by 0.015


def test_the_worth_of_a_prediction_grows_with_what_was_seen() -> None:
    calls = facts([({"model": m}, 1_000 * (1 + (m == "b")), 50) for m in "ab"])
    joined = join(calls, calls)
    expectation = expect(joined)
    one, two = (expectation.worth(np.array([row]), joined.events[[row]]) for row in (2, 3))
    assert 700 < one < two < 3_000


def test_a_value_never_seen_is_expected_to_be_as_all_the_others() -> None:
    before = facts([({"release": "r0"}, 9_000, 270), ({"release": "r1"}, 1_000, 200)])
    during = facts([({"release": "r9"}, 2_000, 60), ({"release": "r0"}, 2_000, 60)])
    joined = join(before, during)
    expectation = expect(joined)
    assert expectation.rates[2] == pytest.approx(0.0365, abs=0.002)  # by calls, in logits
    assert expectation.worth(np.array([2]), joined.events[[2]]) > 1_000


def test_predictions_are_as_good_as_they_say() -> None:
    errors = []
    for seed in range(12):
        incident = make(seed, Shape(calls=5_000, lift=0.0))
        joined = join(incident.before, incident.during)
        expectation = expect(joined)
        rows = np.flatnonzero(joined.codes[0] == 1)
        rows = rows[rows >= joined.split]
        seen, mean = joined.bad[rows].mean(), expectation.rates[rows].mean()
        worth = expectation.worth(rows, joined.events[rows])
        errors.append((seen - mean) / np.sqrt(mean * (1 - mean) * (1 / worth + 1 / len(rows))))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(1.0, abs=0.5)


def test_no_bad_event_before_is_no_hindrance() -> None:
    calls = facts([({"model": m}, 500, 0) for m in "ab"])
    rates = expect(join(calls, calls)).rates
    assert np.all((rates > 0) & (rates < 0.01))
