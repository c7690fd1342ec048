"""What a detector's verdicts say about quality, and how far that may be believed.

The counts of a window say how many answers a detector flagged and how it scored them; the label
bank says how it errs. Together they give the true share of bad answers (``stats.prevalence``), its
confidence sequence (``stats.sequences``), and with that the state of an objective:

- 50 labels or more: PPI++, scores and labels together;
- 10 or more: the labels alone;
- fewer: Rogan-Gladen at the operating point that was shipped with the detector, a marked cold
  start that assumes the detector errs here as it did there;
- no operating point either: the detector's own share, uncorrected.

The first two decide, by bounds that are right at every look; the other two are UNCERTAIN for ever,
whatever they say. The mean score of the window is itself bounded and takes a tenth of alpha.

Everything here is a share of *good* answers, as in ``Budget``, but for the operating point.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from seakeeping.observe.bank import Bank
from seakeeping.records import BudgetState, Counts, EstimateMethod
from seakeeping.stats.prevalence import (
    Estimated,
    OperatingPoint,
    Population,
    labels_only,
    prevalence,
    rogan_gladen,
)
from seakeeping.stats.proportion import Interval
from seakeeping.stats.sequences import (
    LabelledValues,
    asymptotic_half_width,
    mean_sequence,
    ppi_sequence,
)
from seakeeping.stats.special import Floats

ALPHA = 0.05 / 30
"""Chance of a wrong verdict, ever, from one start of the window; thirty starts a window."""

LEAST_FOR_PPI = 50
"""Labels from which on they correct scores."""

LEAST_LABELS = 10
"""Labels from which on they are used at all."""

MOST_NEEDED = 100_000
"""The most labels that are asked for: beyond it the rate is at its budget, and stays UNCERTAIN."""

OPERATING_POINTS: Mapping[str, OperatingPoint] = MappingProxyType({
    # docs/model-cards/faithfulness-lexical.md, mtrag_dev: 222 answers, 31 of them unfaithful
    "faithfulness": OperatingPoint(
        sensitivity=0.84, positives=31, specificity=0.82, negatives=191
    ),
})  # fmt: skip
"""How our own detectors decided on labelled answers, by evaluation; other people's are unknown."""

_SHARE_OF_SCORES = 0.1  # of alpha, for the mean score
_TUNED_FOR = 10_000  # answers of a window at which the bounds of its mean score are sharpest
_STEP = 5e-4  # bounds of the mean score are widened to this grid, so that a bank is asked seldom
_HIGHEST_NULL = 0.99  # above it no rate is left to bet on
_LEAST_UNDRAWN = 0.005  # a share of the window that is not worth a word
_AUDIT_PAYS = 2  # a judge's labels are used where they are so many times people's


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of good answers of a window, estimated.

    ``low`` and ``high`` bound it at every look at once (a confidence sequence; those decide the
    ``state``), ``look_low`` and ``look_high`` at one look (95 %, for display). ``raw_ratio`` is
    what the detector reports. ``labels`` correct it; about ``labels_needed`` more would settle the
    state, None where it is settled.
    """

    method: EstimateMethod
    state: BudgetState
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    look_low: float | None = None
    look_high: float | None = None
    raw_ratio: float | None = None
    labels: int = 0
    labels_needed: int | None = None
    note: str = ""


def estimate(
    counts: Counts,
    bank: Bank | None,
    budget_ratio: float,
    cold_start: OperatingPoint | None = None,
    alpha: float = ALPHA,
    undrawn: float = 0.0,
) -> Estimate:
    """Return the share of good answers behind a detector's verdicts.

    ``counts`` are of the window, ``bank`` the labels that may correct them, ``budget_ratio`` is the
    share that may be bad, ``cold_start`` how the detector decided elsewhere (``OPERATING_POINTS``).
    ``undrawn`` is the share of the window's answers from before the oldest label: no label speaks
    for them, so what decides leaves all of them open.
    """
    known = Estimate(
        EstimateMethod.UNCORRECTED, BudgetState.NO_DATA,
        labels=len(bank.labels) if bank else 0, note=_left_out(bank),
    )  # fmt: skip
    if counts.valid <= 0:
        return known
    raw = 1 - float(counts.bad / counts.valid)
    known = replace(known, raw_ratio=raw, state=BudgetState.UNCERTAIN)
    if bank is None or len(bank.labels) < LEAST_LABELS:
        return _cold(known, counts, cold_start)
    return _labelled(known, counts, bank, budget_ratio, alpha, undrawn)


def null_ratio(
    bank: Bank | None,
    budget_ratio: float,
    cold_start: OperatingPoint | None = None,
    usual: float | None = None,
) -> float | None:
    """Return the highest share of flagged answers that a budget allows; None if that is not known.

    b se + (1 - b)(1 - sp), as an upper bound at 95 %: the sequential test promises nothing against
    a rate that is set too low. How the detector decides is known from the bank. Without that, what
    is ``usual`` here (``observe.past``) is allowed too, however it decided elsewhere.
    """
    if bank is not None and bank.point is not None:
        return _allowed(bank.point, budget_ratio)
    if usual is None:
        return None
    elsewhere = 0.0 if cold_start is None else _allowed(cold_start, budget_ratio)
    return max(min(usual, _HIGHEST_NULL), elsewhere)


def _allowed(point: OperatingPoint, budget_ratio: float) -> float:
    return min(point.highest_flagged_ratio(budget_ratio), _HIGHEST_NULL)


def _labelled(
    known: Estimate, counts: Counts, bank: Bank, budget_ratio: float, alpha: float, undrawn: float
) -> Estimate:
    """Return what labels say, with scores where there are enough labels to weigh them."""
    has_scores = len(bank.labels) >= LEAST_FOR_PPI
    population, use_flags = _population(counts), _uses_flags(counts)
    labels = _covariate(bank.labels, bank.flags, use_flags)
    one_look = prevalence(labels, population) if has_scores else labels_only(labels)
    mean_score = _mean_score(population, alpha * _SHARE_OF_SCORES) if has_scores else None
    bounds = _bounds(bank, use_flags, mean_score, alpha * (1 - _SHARE_OF_SCORES))
    if has_scores and _pays(bank):
        one_look = _through_judge(bank, use_flags, population)
    bad = min(max(one_look.estimate, bounds.low), bounds.high)
    needed = _needed(bounds, bad, budget_ratio, len(bank.labels))
    bounds = Interval(bounds.low * (1 - undrawn), bounds.high * (1 - undrawn) + undrawn)
    return replace(
        known,
        method=EstimateMethod.PPI if has_scores else EstimateMethod.LABELS_ONLY,
        state=_state(bounds, budget_ratio),
        estimate=1 - bad, low=1 - bounds.high, high=1 - bounds.low,
        look_low=1 - one_look.high, look_high=1 - one_look.low,
        labels_needed=needed,
        note=_joined(_wanted(needed), _undrawn(undrawn), known.note),
    )  # fmt: skip


def _cold(known: Estimate, counts: Counts, point: OperatingPoint | None) -> Estimate:
    """Return what can be said without labels, which decides nothing."""
    needed = max(LEAST_FOR_PPI - known.labels, 1)
    found = None
    if point is not None:
        found = rogan_gladen(counts.bad / counts.valid, max(counts.valid_rows, 1), point)
    if found is None:
        words = "The detector's own share, which no label corrects: not to be read as quality."
        return replace(known, labels_needed=needed, note=_joined(words, known.note))
    words = "Cold start: assumes that the detector errs here as on the answers it was measured on."
    return replace(
        known,
        method=EstimateMethod.COLD_START,
        estimate=1 - found.estimate, low=1 - found.high, high=1 - found.low,
        look_low=1 - found.high, look_high=1 - found.low,
        labels_needed=needed,
        note=_joined(words, known.note),
    )  # fmt: skip


@lru_cache(maxsize=512)
def _bounds(bank: Bank, use_flags: bool, mean_score: Interval | None, alpha: float) -> Interval:
    """Return the bad rates that a bank leaves standing; a bank is equal only to itself."""
    if mean_score is None:
        return mean_sequence(bank.labels.truths, alpha, bank.labels.weights)
    if not _pays(bank) or bank.audit is None:
        return ppi_sequence(_covariate(bank.labels, bank.flags, use_flags), mean_score, alpha)
    judged = _covariate(bank.audit.judged, bank.audit.judged_flags, use_flags)
    by_judge = ppi_sequence(judged, mean_score, alpha / 2)
    halved = mean_sequence((bank.audit.differences + 1) / 2, alpha / 2, bank.audit.weights)
    low, high = by_judge.low + 2 * halved.low - 1, by_judge.high + 2 * halved.high - 1
    return Interval(min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0))


def _through_judge(bank: Bank, use_flags: bool, population: Population) -> Estimated:
    """Return the estimate of a judge's labels, corrected by people's; half-widths are added."""
    assert bank.audit is not None
    judged = _covariate(bank.audit.judged, bank.audit.judged_flags, use_flags)
    by_judge = prevalence(judged, population)
    halved = LabelledValues.of(
        (bank.audit.differences + 1) / 2, 0 * bank.audit.differences, bank.audit.weights
    )
    audit = labels_only(halved)
    return Estimated(
        by_judge.estimate + 2 * audit.estimate - 1,
        max(0.0, by_judge.low + 2 * audit.low - 1),
        min(1.0, by_judge.high + 2 * audit.high - 1),
        by_judge.tuning,
        by_judge.variance + 4 * audit.variance,
    )


def _pays(bank: Bank) -> bool:
    return bank.audit is not None and len(bank.audit.judged) >= _AUDIT_PAYS * len(bank.labels)


def _uses_flags(counts: Counts) -> bool:
    """Whether there are verdicts only, no scores."""
    return counts.score_squares <= 0


def _covariate(labels: LabelledValues, flags: Floats, use_flags: bool) -> LabelledValues:
    """Return labels beside what the detector says of every answer: its scores, or its verdicts."""
    return LabelledValues.of(labels.truths, flags, labels.weights) if use_flags else labels


def _population(counts: Counts) -> Population:
    """Return the moments of what stands for the truth on every answer: scores, or verdicts."""
    if _uses_flags(counts):
        share = float(counts.bad / counts.valid)
        return Population(max(counts.valid_rows, 1), share, share * (1 - share))
    mean = min(max(float(counts.score_sum / counts.valid), 0.0), 1.0)
    variance = max(float(counts.score_squares / counts.valid) - mean * mean, 0.0)
    return Population(max(counts.valid_rows, 1), mean, variance)


def _mean_score(population: Population, alpha: float) -> Interval:
    """Return bounds of the mean score, right at every look, widened to a grid.

    Two scores more, a 0 and a 1, keep a handful of equal ones from looking certain.
    """
    variance = (population.n * population.variance + 0.5) / (population.n + 2)
    half = asymptotic_half_width(variance, population.n, alpha, _TUNED_FOR)
    low = math.floor((population.mean - half) / _STEP) * _STEP
    high = math.ceil((population.mean + half) / _STEP) * _STEP
    return Interval(max(0.0, low), min(1.0, high))


def _state(bad: Interval, budget_ratio: float) -> BudgetState:
    if bad.low > budget_ratio:
        return BudgetState.BREACH
    return BudgetState.OK if bad.high <= budget_ratio else BudgetState.UNCERTAIN


def _needed(bad: Interval, estimate: float, budget_ratio: float, labels: int) -> int | None:
    """Return how many labels more would about settle the state: widths fall as 1/sqrt(n)."""
    if _state(bad, budget_ratio) is not BudgetState.UNCERTAIN:
        return None
    distance = abs(estimate - budget_ratio)
    half = estimate - bad.low if estimate > budget_ratio else bad.high - estimate
    if distance * math.sqrt(1 + MOST_NEEDED / labels) <= half:
        return MOST_NEEDED
    return max(1, math.ceil(labels * ((half / distance) ** 2 - 1)))


def _wanted(needed: int | None) -> str:
    if needed is None:
        return ""
    if needed >= MOST_NEEDED:
        return "The rate is so close to its budget that no number of labels settles it soon."
    return f"Needs about {needed:,} more labels."


def _undrawn(share: float) -> str:
    if share < _LEAST_UNDRAWN:
        return ""
    return f"Labels speak for {1 - share:.0%} of the window's answers; the others leave it open."


def _left_out(bank: Bank | None) -> str:
    """Return in words what of the labels does not count, and why."""
    if bank is None:
        return ""
    words = []
    if bank.detector_changed_at is not None:
        words.append("The detector scores like answers differently than it did.")
    if bank.outdated:
        words.append(f"{bank.outdated} labels are from before its errors changed, and left out.")
    if bank.contradicted:
        words.append(f"Labels of {bank.contradicted} answers contradict each other.")
    if bank.undrawn:
        words.append(f"{bank.undrawn} labels lie on answers that nobody drew, and correct nothing.")
    if bank.unaudited:
        words.append(f"{bank.unaudited} labels of a judge wait for people to check some of them.")
    return " ".join(words)


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))
