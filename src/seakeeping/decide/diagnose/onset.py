"""When it began: the moment that splits a stretch of time best into before and worse.

Of all splits of the steps, the one whose two rates make the counts likeliest (the maximum of the
binomial likelihood ratio for one rise; Hinkley and Hinkley, Biometrika 57:477, 1970). A few noisy
steps cannot pull it away as they would a threshold on each step's rate.
"""

import numpy as np

from seakeeping.decide.diagnose.windows import Floats, Whole

LEAST_RATIO = 3.0
"""Of the log likelihood; below, nothing says that there was a rise."""


def onset(starts: Whole, valid: Floats, bad: Floats) -> float | None:
    """Return the start of the first step of the worse part, in Unix seconds; None without one.

    Args:
        starts: of the steps, Unix seconds, ascending; steps without events may be left out.
        valid: events of each step, as rows seen.
        bad: bad ones among them.

    >>> starts = np.arange(6) * 60
    >>> onset(starts, np.full(6, 100.0), np.array([2.0, 3.0, 1.0, 20.0, 19.0, 22.0]))
    180.0
    """
    if len(starts) < 2:
        return None
    n, x = np.cumsum(valid), np.cumsum(bad)
    n0, x0 = n[:-1], x[:-1]
    n1, x1 = n[-1] - n0, x[-1] - x0
    ratio = _log_likelihood(x0, n0) + _log_likelihood(x1, n1)
    ratio = ratio - _log_likelihood(x[-1:], n[-1:])
    is_rise = x1 * n0 > x0 * n1
    ratio = np.where(is_rise, ratio, -np.inf)
    best = int(np.argmax(ratio))
    return float(starts[best + 1]) if ratio[best] >= LEAST_RATIO else None


def _log_likelihood(x: Floats, n: Floats) -> Floats:
    """Return the log likelihood of x bad events among n at the rate that fits them best."""
    some = np.maximum(n, 1e-12)
    rate = np.clip(x / some, 1e-12, 1 - 1e-12)
    return np.asarray(x * np.log(rate) + (n - x) * np.log1p(-rate))
