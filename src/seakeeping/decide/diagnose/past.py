"""What each slice would be had nothing changed: its prediction, corrected by its past.

Three things are told apart. Predictions miss a little everywhere: they are shrunk towards each
slice's own past by as much (``concentration``). A slice whose past clearly departs from its
prediction is judged by that past alone. And a slice whose past is too short to tell may still be
one that always was apart: as likely as such slices are among those with a long past (``apart``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seakeeping.decide.diagnose.lattice import LEAST_EVENTS, Cells
from seakeeping.decide.diagnose.rates import logit, within
from seakeeping.decide.diagnose.windows import Floats
from seakeeping.stats.special import log_beta

LITTLE = 20.0
"""What a prediction is worth, in events, beside a past that departs from it."""

_DEPARTED = 3.0  # standard deviations of the past from its prediction
_MOST = 1e5
_SEEN_APART = 5.0  # of the slices that are apart one in so many has a past that shows it
_BY_CHANCE = 0.005
_LEAST_APART = 1e-3  # with no sign of any: one in a thousand costs little and errs on the safe side


@dataclass(frozen=True, slots=True)
class Null:
    """``ratio``: each slice's rate had nothing changed, ``worth``: in how many events it is known.

    ``predicted`` is that of its past by its values alone, ``is_departed`` whether it was not so.
    """

    ratio: Floats
    worth: Floats
    predicted: Floats
    is_departed: NDArray[np.bool_]


def departures(cells: Cells) -> tuple[float, float]:
    """Return how far slices departed from their predictions before: a little, and altogether.

    A sum of effects cannot say everything. By the usual departures, beyond chance, a prediction is
    worth so many events of the slice's own (the moments of the beta-binomial; Kleinman, J. Am.
    Stat. Assoc. 68:46, 1973). The second is the share of slices that depart farther than that:
    beyond three standard deviations of the square roots, where chance alone has one in 400.
    """
    some = (cells.depth >= 2) & (cells.n0 >= LEAST_EVENTS)
    n, x, e = cells.n0[some], cells.x0[some], cells.e0[some]
    if not len(n):
        return _MOST, _LEAST_APART
    far = np.abs(2 * (np.sqrt(x + 0.375) - np.sqrt(e + 0.375))) > _DEPARTED
    share = max(_LEAST_APART, _SEEN_APART * (float(far.mean()) - _BY_CHANCE))
    chance = e * (1 - e / n)
    usual = np.abs(x - e) <= _DEPARTED * np.sqrt(chance)
    beyond = float((((x - e) ** 2 - chance)[usual]).sum())
    room = float((chance * (n - 1))[usual].sum())
    concentration = 1.0 / max(beyond / room if room > 0 else 0.0, 1.0 / _MOST)
    return concentration, min(share, 0.5)


def log_past(x: float, n: float, ratio: float, worth: float) -> float:
    """Return the log probability of a past, but for what is the same for every belief."""
    a, b = worth * ratio, worth * (1 - ratio)
    return float(log_beta(a + x, b + n - x) - log_beta(a, b))


def null_of(cells: Cells, concentration: float) -> Null:
    """Return what is expected of all slices."""
    has_past = cells.n0 > 0
    predicted = within(
        np.where(has_past, cells.e0 / np.maximum(cells.n0, 1.0), cells.e1 / cells.n1)
    )
    spread = np.sqrt(cells.n0 * predicted * (1 - predicted) * (1 + cells.n0 / concentration))
    is_departed = np.abs(cells.x0 - cells.n0 * predicted) > _DEPARTED * spread
    is_departed &= has_past
    prior = np.where(is_departed, min(LITTLE, concentration), concentration)
    past = within((prior * predicted + cells.x0) / (prior + cells.n0))
    moved = logit(within(cells.e1 / cells.n1)) + logit(past) - logit(predicted)
    return Null(1.0 / (1.0 + np.exp(-moved)), prior + cells.n0, predicted, is_departed)
