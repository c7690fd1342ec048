"""A change is held against the calls exposed to it, beside others where there are others."""

from dataclasses import replace

import pytest
from tests.unit.decide.diagnose.by_hand import facts
from tests.unit.decide.incidents.made import AT, change

from seakeeping.decide.diagnose.correlate import AFTER_S, BEFORE_S, Compared, Suspect, suspects
from seakeeping.decide.diagnose.words import of_change
from seakeeping.records import ChangeKind

BEFORE = facts([({"release": "v1", "tenant": t}, 3_000, 120) for t in "ab"])
STAGED = facts([
    *(({"release": "v1", "tenant": t}, 1_500, 60) for t in "ab"),
    *(({"release": "v2", "tenant": t}, 500, 100) for t in "ab"),
])  # fmt: skip
DEPLOY = change("deploy", AT - 300)
FLAG = replace(
    change("flag", AT - 60), kind=ChangeKind.CONFIG, dimension=None, after="on", before="off"
)


def test_a_staged_change_is_compared_at_the_same_time() -> None:
    (found,) = suspects([DEPLOY], BEFORE, STAGED, AT)
    assert found.is_concurrent
    assert found.before_ratio == pytest.approx(0.04)
    assert found.during_ratio == pytest.approx(0.2)
    assert found.low > 0.1
    assert found.p_value < 1e-9


def test_a_change_of_all_calls_is_compared_with_before() -> None:
    every = facts([({"release": "v2", "tenant": t}, 2_000, 400) for t in "ab"])
    (found,) = suspects([DEPLOY], BEFORE, every, AT)
    assert not found.is_concurrent
    assert found.lift == pytest.approx(0.16)


def test_what_hit_all_calls_alike_clears_the_staged_change() -> None:
    alike = facts([
        *(({"release": "v1", "tenant": t}, 1_500, 300) for t in "ab"),
        *(({"release": "v2", "tenant": t}, 500, 100) for t in "ab"),
    ])  # fmt: skip
    (found,) = suspects([DEPLOY], BEFORE, alike, AT)
    assert found.is_concurrent
    assert found.low < 0 < found.high
    assert found.p_value > 0.2


def of_regions(eu: tuple[float, float], us: tuple[float, float], events: int = 3_000) -> Suspect:
    """Return what is said of a change of one region, by the rates (before, since) of two."""
    before, during = (
        facts([({"region": name}, events, round(events * rates[at])) for name, rates in
               (("eu", eu), ("us", us))]) for at in (0, 1)
    )  # fmt: skip
    (found,) = suspects(
        [replace(DEPLOY, id="eu", dimension="region", after="eu")], before, during, AT
    )
    return found


def test_calls_that_always_were_worse_and_still_are_so_show_nothing() -> None:
    found = of_regions(eu=(0.2, 0.2), us=(0.02, 0.02))
    assert found.compared is Compared.RISES
    assert found.lift == pytest.approx(0.0)
    assert not found.is_shown


def test_a_shock_that_all_calls_share_is_not_laid_on_those_that_always_were_worse() -> None:
    found = of_regions(eu=(0.10, 0.26), us=(0.04, 0.20))
    assert found.is_concurrent
    assert found.lift == pytest.approx(0.0, abs=1e-9)
    assert found.low < 0 < found.high
    assert found.p_value > 0.2
    assert not found.is_shown


def test_nor_is_one_that_multiplies_the_odds_of_all() -> None:
    found = of_regions(eu=(0.10, 0.40), us=(0.04, 0.20))
    assert found.lift == pytest.approx(0.14, abs=1e-9)
    assert not found.is_shown


def test_of_a_shock_and_a_change_only_the_changes_part_is_laid_on_it() -> None:
    found = of_regions(eu=(0.04, 0.30), us=(0.04, 0.14))
    assert found.lift == pytest.approx(0.16, abs=1e-9)
    assert found.before_ratio == pytest.approx(0.14)
    assert found.is_shown
    assert "than had they risen as other calls did at the same time" in of_change(found)


def test_without_a_past_of_others_it_is_no_concurrent_comparison() -> None:
    before = facts([({"release": "v2"}, 3_000, 60)])
    during = facts([({"release": "v1"}, 1_000, 20), ({"release": "v2"}, 3_000, 600)])
    (found,) = suspects([DEPLOY], before, during, AT)
    assert found.compared is Compared.PAST
    assert not found.is_concurrent
    assert "than before it" in of_change(found)


def test_a_change_that_came_to_all_is_held_against_its_own_past() -> None:
    before = facts([({"release": "v1"}, 9_000, 90), ({"release": "v2"}, 1_000, 200)])
    (found,) = suspects([DEPLOY], before, facts([({"release": "v2"}, 5_000, 1_000)]), AT)
    assert found.is_of_all
    assert found.lift == pytest.approx(0.0)


def test_the_change_that_its_calls_show_comes_before_a_later_one() -> None:
    found = suspects([FLAG, DEPLOY], BEFORE, STAGED, AT)
    assert [it.change.id for it in found] == ["deploy", "flag"]


def test_of_two_that_nothing_tells_apart_the_nearer_comes_first() -> None:
    far = replace(FLAG, id="far", at=AT - 5_000)
    found = suspects([far, FLAG], BEFORE, STAGED, AT)
    assert [it.change.id for it in found] == ["flag", "far"]


def test_changes_of_other_times_are_no_candidates() -> None:
    early = replace(FLAG, id="early", at=AT - BEFORE_S - 1)
    late = replace(FLAG, id="late", at=AT + AFTER_S + 1)
    assert suspects([early, late], BEFORE, STAGED, AT) == []


def test_a_value_that_no_call_shows_tells_nothing() -> None:
    (found,) = suspects([replace(DEPLOY, after="v9")], BEFORE, STAGED, AT)
    assert (found.lift, found.p_value) == (None, 1.0)
    (unknown,) = suspects([replace(DEPLOY, dimension="zone")], BEFORE, STAGED, AT)
    assert unknown.lift is None


def test_nothing_before_is_no_error() -> None:
    (found,) = suspects([FLAG], facts([]), STAGED, AT)
    assert found.lift is None
