"""What a detector's verdicts are worth, objective by objective, and what its test is held to.

Labels are read when new ones came and now and then besides, because answers leave the window. What
follows from a bank is worked out again only where the counts or the bank changed.
"""

from collections.abc import Sequence

from seakeeping.faults import Faults
from seakeeping.observe.bank import Bank, make_bank
from seakeeping.observe.budget import NO_DATA, Estimated, counts_of
from seakeeping.observe.counting import SliStore
from seakeeping.observe.estimate import OPERATING_POINTS, estimate, null_ratio
from seakeeping.observe.past import usual_ratio
from seakeeping.observe.tiers import Floats
from seakeeping.observe.windows import period_start
from seakeeping.records import Counts, IndicatorSignal, Objective
from seakeeping.stats.prevalence import OperatingPoint

FRESH_S = 600.0
"""How long labels that were read are believed to be all, in seconds."""

SOON_S = 10.0
"""How soon after labels were read new ones are, in seconds: a judge gives them all the time."""

AT_ONCE = 5
"""Objectives whose labels are read again in one call, so that a call is short."""

HISTORY_S = 30 * 86_400.0
"""How much older than the window labels may be that correct it, in seconds."""

_Key = tuple[str, str, str]
_Asked = tuple[Counts, Bank | None, Objective, float]


class Quality:
    """The banks of labels of the objectives that a detector estimates."""

    def __init__(self, store: SliStore) -> None:
        self._store = store
        self._banks: dict[_Key, Bank] = {}
        self._known: dict[str, tuple[_Asked, Estimated]] = {}
        self._due: dict[_Key, None] = {}
        self._round_at = float("-inf")
        self._is_behind = False
        self._faults = Faults("quality")

    def refresh(self, objectives: Sequence[Objective], now: float, *, has_new_labels: bool) -> bool:
        """Read labels where there may be others; return whether any were read.

        Of objectives that are new at once, of the others a few a call. Raises StoreUnavailable; the
        next call reads them then.
        """
        estimated = {_key(one): one for one in objectives if _has_labels(one)}
        self._banks = {key: bank for key, bank in self._banks.items() if key in estimated}
        self._is_behind = self._is_behind or has_new_labels
        if not 0 <= now - self._round_at < (SOON_S if self._is_behind else FRESH_S):
            waiting = (key for key in (*self._due, *self._banks) if key in estimated)
            self._due = dict.fromkeys(waiting)  # who waited longest comes first
            self._round_at, self._is_behind = now, False
        new = [key for key in estimated if key not in self._banks]
        due = [key for key in self._due if key in estimated][:AT_ONCE]
        for key in dict.fromkeys((*new, *due)):
            with self._faults.of(estimated[key].name):  # one must not blind the others
                self._banks[key] = self._read(estimated[key], now)
            self._banks.setdefault(key, make_bank([], period_start(estimated[key], now)))
            self._due.pop(key, None)
        return bool(new or due)

    def _read(self, objective: Objective, now: float) -> Bank:
        indicator, start = objective.indicator, period_start(objective, now)
        labels = self._store.label_bank(
            indicator.subject or indicator.name,
            indicator=indicator,
            service=objective.service,
            evaluator=indicator.evaluator,
            since=start - HISTORY_S,
        )
        return make_bank(labels, start)

    def null_ratio(self, objective: Objective, past: Floats) -> float | None:
        """Return the highest rate of bad verdicts that a budget allows, in the detector's units.

        ``past`` are the counts of what came before the answers that are tested, slots by the
        columns of ``observe.tiers``. None where the objective has no sequential test, or where
        nothing is known of the detector.
        """
        if not is_tested(objective):
            return None
        if not objective.indicator.is_estimate:
            return objective.budget_ratio
        bank = self._banks.get(_key(objective))
        usual = usual_ratio(past) if self.is_cold(objective) else None
        return null_ratio(bank, objective.budget_ratio, _shipped(objective), usual)

    def is_cold(self, objective: Objective) -> bool:
        """Return whether no labels say how the detector of an estimate decides here."""
        bank = self._banks.get(_key(objective))
        return objective.indicator.is_estimate and (bank is None or bank.point is None)

    def labelled_since(self, objective: Objective) -> float:
        """Return when the oldest answer with a label was given, infinite without any."""
        bank = self._banks.get(_key(objective))
        return float("inf") if bank is None else bank.since

    def estimated(
        self, objective: Objective, period: Sequence[float], undrawn: float = 0.0
    ) -> Estimated | None:
        """Return the estimate from the columns of a window; None where those are the truth.

        ``undrawn`` is the share of the window's answers from before ``labelled_since``.
        """
        if not objective.indicator.is_estimate:
            return None
        counts = counts_of(period)
        if counts.valid <= 0:
            return NO_DATA
        bank = self._banks.get(_key(objective))
        known = self._known.get(objective.name)
        asked = counts, bank, objective, undrawn
        if known and known[0] == asked:
            return known[1]
        found = _estimated(objective, counts, bank, undrawn)
        self._known[objective.name] = asked, found
        return found


def is_tested(objective: Objective) -> bool:
    """Return whether an objective has a sequential test."""
    wanted = objective.alerting.evidence
    return objective.indicator.is_estimate if wanted is None else wanted


def _estimated(
    objective: Objective, counts: Counts, bank: Bank | None, undrawn: float
) -> Estimated:
    found = estimate(counts, bank, objective.budget_ratio, _shipped(objective), undrawn=undrawn)
    return Estimated(
        found.estimate, found.low, found.high, found.raw_ratio, found.method, found.state,
        found.labels, found.labels_needed, found.note,
    )  # fmt: skip


def _shipped(objective: Objective) -> OperatingPoint | None:
    """Return how our own detector decided elsewhere; None of other people's."""
    indicator = objective.indicator
    if indicator.evaluator not in (None, indicator.subject):
        return None
    return OPERATING_POINTS.get(indicator.subject or "")


def _has_labels(objective: Objective) -> bool:
    indicator = objective.indicator
    return indicator.is_estimate and indicator.signal is IndicatorSignal.EVALUATION


def _key(objective: Objective) -> _Key:
    return objective.indicator.key, objective.service, objective.window
