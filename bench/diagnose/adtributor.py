"""Adtributor, for comparison: one dimension at a time, by surprise and explanatory power.

Written from the paper (Bhagwan et al., Adtributor: revenue debugging in advertising systems, NSDI
2014) for the count of bad events. The forecast of a value is its bad events before, scaled to the
calls it has now. Of each dimension the values are taken in the order of surprise (Jensen-Shannon)
until they explain ``EXPLAINED`` of the rise, each of which at least ``EACH``; the dimension whose
set surprises most is the answer. A set of one value is a slice; more than one is no exact answer to
an incident with one.
"""

import numpy as np
from numpy.typing import NDArray

from seakeeping.store.facts import Facts

EXPLAINED, EACH = 0.67, 0.1

Floats = NDArray[np.float64]


def locate(before: Facts, during: Facts) -> tuple[tuple[str, str], ...]:
    """Return the values of the dimension that explains best; empty where none does."""
    best: tuple[float, tuple[tuple[str, str], ...]] = (-1.0, ())
    for place, name in enumerate(before.dimensions):
        values = before.values[place]
        forecast, actual = _series(before, during, place)
        chosen, surprise = _explaining(forecast, actual)
        if chosen and surprise > best[0]:
            best = (surprise, tuple((name, values[it]) for it in chosen))
    return best[1]


def _series(before: Facts, during: Facts, place: int) -> tuple[Floats, Floats]:
    size = len(before.values[place])
    was, now = before.codes[:, place], during.codes[:, place]
    calls0 = np.bincount(was, before.valid, size)
    bad0 = np.bincount(was, before.bad, size)
    calls1 = np.bincount(now, during.valid, size)
    overall = bad0.sum() / calls0.sum()
    rate = np.where(calls0 > 0, bad0 / np.maximum(calls0, 1.0), overall)
    return np.asarray(calls1 * rate, np.float64), np.bincount(now, during.bad, size).astype(
        np.float64
    )


def _explaining(forecast: Floats, actual: Floats) -> tuple[list[int], float]:
    rise = float(actual.sum() - forecast.sum())
    if rise <= 0:
        return [], 0.0
    surprise = _surprise(forecast / forecast.sum(), actual / actual.sum())
    power = (actual - forecast) / rise
    chosen: list[int] = []
    explained = total = 0.0
    for it in np.argsort(-surprise):
        if power[it] > EACH:
            chosen.append(int(it))
            explained, total = explained + float(power[it]), total + float(surprise[it])
            if explained > EXPLAINED:
                return chosen, total
    return [], 0.0


def _surprise(p: Floats, q: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(p > 0, p * np.log(2 * p / (p + q)), 0.0)
        right = np.where(q > 0, q * np.log(2 * q / (p + q)), 0.0)
    return np.asarray((left + right) / 2)
