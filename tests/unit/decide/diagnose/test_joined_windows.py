"""Two windows get one coding, whatever order each numbered its values in."""

import numpy as np
from tests.unit.decide.diagnose.by_hand import facts

from seakeeping.decide.diagnose.windows import join


def test_a_value_has_the_same_code_in_both_windows() -> None:
    before = facts([({"model": "b", "tenant": "x"}, 5, 1), ({"model": "c", "tenant": "y"}, 5, 0)])
    during = facts([({"model": "a", "tenant": "y"}, 9, 2), ({"model": "b", "tenant": "x"}, 9, 3)])
    joined = join(before, during)
    model = joined.dimensions.index("model")
    named = [joined.values[model][code] for code in joined.codes[model]]
    assert named == ["b", "c", "a", "b"]
    assert joined.split == 2
    assert joined.events.tolist() == [5, 5, 9, 9]


def test_a_dimension_with_one_value_is_left_out() -> None:
    calls = facts([({"model": "a", "region": "eu"}, 5, 1), ({"model": "b", "region": "eu"}, 5, 0)])
    assert join(calls, calls).dimensions == ("model",)


def test_what_people_act_on_comes_first() -> None:
    values = [
        {"zone": "1", "tenant": "x", "release": "a"},
        {"zone": "2", "tenant": "y", "release": "b"},
    ]
    calls = facts([(each, 5, 1) for each in values])
    assert join(calls, calls).dimensions == ("release", "tenant", "zone")


def test_a_dimension_of_one_window_only_is_left_out() -> None:
    before = facts([({"model": "a"}, 5, 1), ({"model": "b"}, 5, 1)])
    during = facts([({"model": "a", "region": "eu"}, 5, 1), ({"model": "b", "region": "us"}, 5, 1)])
    assert join(before, during).dimensions == ("model",)


def test_the_rarest_values_beyond_the_limit_share_one_code() -> None:
    calls = facts([({"tenant": f"t{it}"}, 100 - it, 1) for it in range(10)])
    joined = join(calls, calls, max_values=3)
    assert joined.values == (("t0", "t1", "t2"),)
    assert joined.sizes == (4,)
    assert np.count_nonzero(joined.codes[0] == 3) == 14


def test_rows_of_a_slice_are_found_in_both_windows() -> None:
    calls = facts([({"model": m, "tenant": t}, 5, 1) for m in "ab" for t in "xy"])
    joined = join(calls, calls)
    model, tenant = joined.dimensions.index("model"), joined.dimensions.index("tenant")
    code = joined.values[model].index("b"), joined.values[tenant].index("y")
    assert joined.rows_of([(model, code[0]), (tenant, code[1])]).sum() == 2
    assert joined.rows_of([]).all()


def test_weights_stay_beside_the_rows_they_stand_for() -> None:
    calls = facts([({"model": "a"}, 10, 2), ({"model": "b"}, 10, 1)], weight=7.0)
    joined = join(calls, calls)
    assert joined.weight.sum() == 280
    assert joined.bad_weight.sum() == 42
    assert joined.bad.sum() == 6
