from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.decide.by_hand import HOUR_S, NOW, alert, objective

from seakeeping.decide.alerts.explain import explanation, period_of, worst_slices
from seakeeping.records import Indicator
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts


def facts(rows: Sequence[tuple[str, str, int, int]]) -> Facts:
    """Return the facts of (model, region, valid, bad)."""
    names = [tuple(sorted({str(row[d]) for row in rows})) for d in (0, 1)]
    codes = [[names[d].index(str(row[d])) for d in (0, 1)] for row in rows]
    valid, bad = [row[2] for row in rows], [row[3] for row in rows]
    return Facts(
        ("model", "region"), (names[0], names[1]), np.array(codes, np.int32).reshape(-1, 2),
        np.array(valid, float), np.array(bad, float), np.array(valid), np.array(bad),
    )  # fmt: skip


ONE_BAD_MODEL = facts(
    [("a", "eu", 500, 5), ("a", "us", 500, 5), ("b", "eu", 100, 45), ("b", "us", 100, 45)]
)


def test_the_worst_slice_comes_first_with_its_part_of_the_trouble() -> None:
    (worst,) = worst_slices(ONE_BAD_MODEL)  # both regions are alike
    assert (worst.dimension, worst.value) == ("model", "b")
    assert worst.bad_ratio == pytest.approx(0.45)
    assert worst.share == pytest.approx(0.9)
    assert str(worst) == "model=b: 45 % bad, 90 % of all that is bad"


def test_a_single_bad_row_names_no_slice() -> None:
    assert worst_slices(facts([("a", "eu", 100, 0), ("b", "us", 1, 1)])) == []


def test_a_dimension_with_one_value_tells_nothing_apart() -> None:
    assert worst_slices(facts([("a", "eu", 100, 50)])) == []


def test_nothing_bad_is_no_slice() -> None:
    assert worst_slices(facts([("a", "eu", 100, 0), ("b", "eu", 100, 0)])) == []
    assert worst_slices(facts([])) == []


class Shelf:
    """A store that knows one incident."""

    def __init__(self, examples: int) -> None:
        self.asked: list[tuple[str, float, float, int]] = []
        self._examples = examples

    def facts(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        dimensions: Sequence[str] | None = None,
    ) -> Facts:
        return ONE_BAD_MODEL

    def examples(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        slice: Mapping[str, str] | None = None,
        limit: int = 5,
    ) -> Sequence[Example]:
        self.asked.append((service, start, end, limit))
        made = Example(
            "t", "s", "chat", NOW, score=0.03, label="unsupported", explanation="secret text"
        )
        return [replace(made, span_id=f"s{n}") for n in range(self._examples)]


def test_an_explanation_names_slices_and_five_answers_but_no_text_of_theirs() -> None:
    shelf = Shelf(5)
    told = explanation(shelf, objective(), NOW - 60, NOW)
    assert shelf.asked == [("chat", NOW - 60, NOW, 5)]
    assert told["worst_slices"].startswith("model=b")
    assert told["examples"].count("/interactions/t/s") == 5
    assert "/interactions/t/s0 at 2026-09-21T14:13:20Z (unsupported, 0.03)" in told["examples"]
    assert "secret" not in str(told)


def test_an_explanation_without_examples_says_so() -> None:
    assert explanation(Shelf(0), objective(), 0, 1)["examples"] == "none"


def test_what_is_explained_is_the_time_since_the_change_or_the_look_back_that_holds() -> None:
    plain = alert()
    assert period_of(plain, NOW + 5) == (NOW - HOUR_S, NOW + 5)
    rows = [{"long_s": 3600, "holds": False}, {"long_s": 21_600, "holds": True}]
    slow = replace(plain, evidence={"rows": rows})
    assert period_of(slow, NOW) == (NOW - 21_600, NOW)
    since = replace(plain, evidence={"test": {"since": "2026-09-21T14:00:00.000000Z"}})
    assert period_of(since, NOW)[0] == NOW - 800
