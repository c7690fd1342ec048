"""What a detector's verdicts are worth, objective by objective, and what its test is held to."""

from collections.abc import Sequence

from seakeeping.observe.budget import NO_DATA, Estimated
from seakeeping.observe.counting import SliStore
from seakeeping.records import BudgetState, Counts, EstimateMethod, Objective


class Quality:
    """The banks of labels of the objectives that a detector estimates."""

    def __init__(self, store: SliStore) -> None:
        self._store = store

    def refresh(self, objectives: Sequence[Objective], now: float, *, has_new_labels: bool) -> bool:
        """Read labels where there are new ones; return whether anything changed."""
        return False

    def null_ratio(self, objective: Objective) -> float | None:
        """Return the highest rate of flags that a budget allows; None where there is no test."""
        wants = objective.alerting.evidence
        if wants is None:
            wants = objective.indicator.is_estimate
        return objective.budget_ratio if wants else None

    def estimated(self, objective: Objective, counts: Counts) -> Estimated | None:
        """Return the estimate; None where the counts are the truth."""
        if not objective.indicator.is_estimate:
            return None
        if counts.valid <= 0:
            return NO_DATA
        raw = 1.0 - counts.bad / counts.valid
        return Estimated(
            None, None, None, raw, EstimateMethod.UNCORRECTED, BudgetState.UNCERTAIN,
            note="No labels: the detector's own share is not corrected.",
        )  # fmt: skip
