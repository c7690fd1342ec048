"""Intervals as small pictures: a line from low to high, a point, and the line that must not be met.

All budgets share one axis, whatever their targets: the budget that would be left if the rate were
what it may be. 100 % left is at the right, an overspent budget at the left, the target between.
So a list of objectives can be read down: whatever touches the line is not settled.
"""

from dataclasses import dataclass

from seakeeping.records import Budget

WORST = -2.0
"""Budget left at the left end of the axis; what lies beyond is drawn with an arrow."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """An interval in a picture 100 wide: places of low, high, the point, and the line.

    ``is_cut_low`` and ``is_cut_high`` say that it goes on beyond the picture.
    """

    low: float
    high: float
    point: float
    line: float
    is_cut_low: bool = False
    is_cut_high: bool = False

    @property
    def width(self) -> float:
        """The length of the interval, at least one, so that it is seen."""
        return round(max(1.0, self.high - self.low), 2)


def whisker(low: float, point: float, high: float, line: float, axis: tuple[float, float]) -> (
    Whisker
):  # fmt: skip
    """Return the picture of an interval on an axis from the first to the second value.

    >>> whisker(0.1, 0.2, 0.4, 0.0, (-0.5, 0.5))
    Whisker(low=60.0, high=90.0, point=70.0, line=50.0, is_cut_low=False, is_cut_high=False)
    """
    left, right = axis

    def place(value: float) -> float:
        return round(100 * (min(max(value, left), right) - left) / (right - left), 2)

    return Whisker(place(low), place(high), place(point), place(line), low < left, high > right)


def of_budget(budget: Budget) -> Whisker | None:
    """Return the interval of an objective's rate as budget left; None where nothing is known."""
    if budget.estimate is None or budget.low is None or budget.high is None:
        return None
    room = budget.objective.budget_ratio

    def left(good: float) -> float:
        return 1.0 - (1.0 - good) / room

    return whisker(
        left(budget.low), left(budget.estimate), left(budget.high), 0.0, (WORST, 1.0)
    )  # fmt: skip


def of_lift(low: float, lift: float, high: float, widest: float) -> Whisker:
    """Return the interval of a difference, with no difference in the middle third."""
    return whisker(low, lift, high, 0.0, (-widest / 3, max(widest, 1e-9)))
