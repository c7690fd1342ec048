"""What to expect of every call if nothing had changed: a rate from its dimensions.

A slice of eighty calls had perhaps three bad ones before: its own past says next to nothing, and a
comparison with it loses most of its power. But each of its calls also belongs to a tenant, a model,
a region of thousands. So the rate before is described as a sum of effects of the single values,

    logit p = c + effect(model) + effect(tenant) + ...,       effect ~ Normal(0, t_dimension^2),

a logistic regression whose ridge is learned from the data for each dimension (EM of a random
effects model: t^2 = mean(effect^2 + its variance)). A dimension that does not matter shrinks to
nothing, a value seen rarely stays near the mean, and a new one is expected to be as the calls of
the others are: that it is not is just what would be told of a new release. What such a sum cannot
say (this model was always worse for that tenant) is left to ``past``.

Fitted by Newton's method on counts. The matrix holds nothing but counts of pairs of values, so a
fit costs milliseconds. (Breslow, Clayton, J. Am. Stat. Assoc. 88:9, 1993.)
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from seakeeping.decide.diagnose.windows import Floats, Whole, Windows

_MAX_ROWS = 100_000  # effects of single values are known well enough from so many
_MAX_EFFECTS = 400  # the matrix is inverted once a step
_LEAST_EVENTS = 20  # fewer of a value say nothing about it
_STEPS = 6
_LIMIT = 12.0  # of a logit
_NEVER = 1e12  # a ridge that holds an effect at zero
_FREE = 1e-9  # the mean itself
_RIDGE = 10.0  # to begin with: effects of about 0.3


@dataclass(frozen=True, slots=True)
class Expectation:
    """``rates``: the expected bad rate of every row, before and during, strictly within 0..1.

    ``columns`` are the rows' effects and ``covariance`` how surely those are known.
    """

    rates: Floats
    columns: tuple[Whole, ...]
    covariance: Floats

    def worth(self, rows: Whole, events: Floats) -> float:
        """Return in how many events the mean rate of these rows is as well known.

        The variance of the mean of p(effects) to first order is g' V g with g its gradient; the
        same variance as of m(1 - m)/worth, that of a rate counted in so many events.
        """
        share = events / events.sum()
        rates = self.rates[rows]
        slopes = share * rates * (1 - rates)
        gradient = np.zeros(len(self.covariance))
        gradient[0] = slopes.sum()
        for each in self.columns:
            gradient += np.bincount(each[rows], slopes, len(gradient))
        mean = float(share @ rates)
        return mean * (1 - mean) / max(1e-12, float(gradient @ self.covariance @ gradient))


@dataclass(frozen=True, slots=True)
class _Design:
    """The rows fitted. Column 0 is the mean; ``columns[d]`` are those of dimension d, by row."""

    columns: tuple[Whole, ...]
    spans: tuple[slice, ...]
    is_held: Floats
    events: Floats
    bad: Floats

    @property
    def width(self) -> int:
        return self.spans[-1].stop if self.spans else 1


def expect(windows: Windows) -> Expectation:
    """Fit the rates before; return what they let expect of every row of both windows."""
    columns, spans, is_held = _columns(windows)
    step = -(-windows.split // _MAX_ROWS) or 1
    fitted = slice(0, windows.split, step)
    design = _Design(
        tuple(each[fitted] for each in columns),
        spans,
        is_held,
        windows.events[fitted],
        windows.bad[fitted],
    )
    effects, covariance = _fit(design)
    return Expectation(_rates(effects, columns, len(windows.events)), columns, covariance)


def _columns(windows: Windows) -> tuple[tuple[Whole, ...], tuple[slice, ...], Floats]:
    """Return every row's column in each dimension; values seen too rarely share one held at 0."""
    counts = [
        np.bincount(codes[: windows.split], windows.events[: windows.split], size)[: size - 1]
        for codes, size in zip(windows.codes, windows.sizes, strict=True)
    ]
    ranked = np.sort(np.concatenate(counts))[::-1] if counts else np.zeros(1)
    least = max(_LEAST_EVENTS, ranked[min(_MAX_EFFECTS, len(ranked)) - 1])
    columns, spans, held, start = [], [], [np.zeros(1)], 1
    for codes, count in zip(windows.codes, counts, strict=True):
        often = np.flatnonzero(count >= least)
        coding = np.full(len(count) + 1, len(often), np.intp)
        coding[often] = np.arange(len(often))
        columns.append(coding[codes] + start)
        spans.append(slice(start, start + len(often) + 1))
        held.append(np.append(np.zeros(len(often)), 1.0))
        start += len(often) + 1
    return tuple(columns), tuple(spans), np.concatenate(held)


def _rates(effects: Floats, columns: tuple[Whole, ...], rows: int) -> Floats:
    logits = np.full(rows, effects[0])
    for each in columns:
        logits += effects[each]
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -_LIMIT, _LIMIT))))


def _fit(design: _Design) -> tuple[Floats, Floats]:
    """Return the effects and their covariance."""
    effects = np.zeros(design.width)
    total, bad = float(design.events.sum()), float(design.bad.sum())
    effects[0] = np.log((bad + 0.5) / (total - bad + 0.5))
    ridge = np.where(design.is_held > 0, _NEVER, _RIDGE)
    ridge[0] = _FREE
    covariance = np.zeros((design.width, design.width))
    for _ in range(_STEPS):
        rates = _rates(effects, design.columns, len(design.events))
        gradient = _sums(design, design.bad - design.events * rates)
        matrix = _matrix(design, design.events * rates * (1 - rates))
        covariance = np.linalg.inv(matrix + np.diag(ridge))
        effects = effects + covariance @ (gradient - ridge * effects)
        ridge = _learned(design, effects, covariance.diagonal(), ridge)
    return _with_unseen(design, effects, covariance)


def _with_unseen(design: _Design, effects: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Expect of a value seen too rarely what the calls of all others of its dimension show."""
    spread = np.eye(design.width)
    for columns, span in zip(design.columns, design.spans, strict=True):
        free, unseen = slice(span.start, span.stop - 1), span.stop - 1
        calls = np.bincount(columns, design.events, design.width)[free]
        if calls.sum() > 0:
            spread[unseen, unseen] = 0.0
            spread[unseen, free] = calls / calls.sum()
    return spread @ effects, spread @ covariance @ spread.T


def _sums(design: _Design, values: Floats) -> Floats:
    sums = np.zeros(design.width)
    sums[0] = values.sum()
    for columns in design.columns:
        sums += np.bincount(columns, values, design.width)
    return sums


def _matrix(design: _Design, weights: Floats) -> Floats:
    """Return the weighted counts of pairs of columns."""
    matrix = np.zeros((design.width, design.width))
    alone = _sums(design, weights)
    matrix[0, :] = matrix[:, 0] = alone
    np.fill_diagonal(matrix, alone)
    for left, right in combinations(range(len(design.columns)), 2):
        here, there = design.spans[left], design.spans[right]
        high, wide = here.stop - here.start, there.stop - there.start
        pair = (design.columns[left] - here.start) * wide + (design.columns[right] - there.start)
        matrix[here, there] = np.bincount(pair, weights, high * wide).reshape(high, wide)
        matrix[there, here] = matrix[here, there].T
    return matrix


def _learned(design: _Design, effects: Floats, variance: Floats, ridge: Floats) -> Floats:
    """Return the ridge of each dimension that its effects' spread asks for."""
    learned = ridge.copy()
    for span in design.spans:
        free = slice(span.start, span.stop - 1)
        if free.stop > free.start:
            learned[free] = 1.0 / max(1e-3, float(np.mean(effects[free] ** 2 + variance[free])))
    return learned
