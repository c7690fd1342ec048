"""Counts whose rate is only roughly known: the beta-binomial distribution.

If a rate is believed to be Beta(a, b), because so much was seen of it before, then the number of
bad events among the next n has

    P(X = k) = C(n, k) B(a + k, b + n - k) / B(a, b).

Its upper tail is an exact p-value against "nothing changed" that knows how little the past told:
with a + b small it is as careful as Fisher's test, with a + b large it is the binomial tail.
(Skellam, J. R. Statist. Soc. B 10:257, 1948.)
"""

import numpy as np

from seakeeping.errors import BadInput
from seakeeping.stats.special import log_beta, log_gamma

_BLOCK = 512  # terms summed at a time; the tail falls off long before most counts end
_NEGLIGIBLE = 40.0  # of the logarithm


def log_tail(x: int, n: int, a: float, b: float) -> float:
    """Return log P(X >= x), X ~ BetaBinomial(n, a, b); never above 0.

    Relative error of the probability about 1e-9, also far below the smallest float. Raises
    BadInput where the count or the shape is impossible.

    >>> import math
    >>> round(math.exp(log_tail(3, 4, 1.0, 1.0)), 12)  # every count from 0 to 4 is as likely
    0.4
    """
    if not 0 <= x <= n or a <= 0 or b <= 0:
        raise BadInput(f"no beta-binomial tail from {x} of {n} with shape {a:g}, {b:g}")
    if x == 0:
        return 0.0
    total = last = _log_mass(x, n, a, b)
    start = x
    while start < n and last > total - _NEGLIGIBLE:
        k = np.arange(start, min(start + _BLOCK, n), dtype=np.float64)
        ratios = (n - k) * (a + k) / ((k + 1.0) * (b + n - k - 1.0))
        terms = last + np.cumsum(np.log(ratios))
        total = float(np.logaddexp.reduce(np.append(terms, total)))
        last, start = float(terms[-1]), start + _BLOCK
    return min(0.0, total)


def _log_mass(k: int, n: int, a: float, b: float) -> float:
    choose = log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(n - k + 1.0)
    return float(choose + log_beta(a + k, b + n - k) - log_beta(a, b))
