"""How surprising a count is: exact tails of the binomial distribution.

An alert on little traffic must not fire on chance. Before it may, the chance to see ``x`` or more
bad events among ``n`` where the true rate is just what the budget allows has to be tiny: that
chance is the tail

    P(X >= x) = I_p(x, n - x + 1) = Bin(x; n, p) (1 - p) / F,

with F the continued fraction of the incomplete beta function (DLMF 8.17.22). In logarithms nothing
underflows, and with Loader's form of the first factor (``stats.special``) nothing cancels.
"""

import math

from seakeeping.errors import BadInput
from seakeeping.stats.proportion import beta_fraction
from seakeeping.stats.special import log_binomial


def log_tail(x: float, n: float, p: float) -> float:
    """Return log P(X >= x) for X ~ Bin(n, p): 0 for ``x <= 0``, -inf for ``x > n``.

    Exact to about 1e-12 of the probability, also for n of a million and tails below 1e-300. ``x``
    and ``n`` need not be whole: then it is the incomplete beta function between the whole numbers.

    >>> round(math.exp(log_tail(3, 5, 0.5)), 12)
    0.5

    Raises BadInput where ``n`` is negative or ``p`` is no probability.
    """
    if n < 0 or not 0 <= p <= 1:
        raise BadInput(f"no binomial distribution has n = {n:g} and p = {p:g}")
    if x <= 0:
        return 0.0
    if x > n or p == 0:
        return -math.inf
    if p == 1:
        return 0.0
    a, b = x, n - x + 1
    if p <= (a + 1) / (a + b + 2):
        return log_binomial(x, n, p) + math.log1p(-p) - math.log(beta_fraction(a, b, p))
    # the fraction converges on the other side of the mean: P(X >= x) = 1 - P(X' >= n - x + 1)
    below = log_binomial(x - 1, n, p) + math.log(p) if x >= 1 else _log_below_one(x, n, p)
    share = math.exp(below - math.log(beta_fraction(b, a, 1 - p)))
    return math.log1p(-min(share, 1.0 - 1e-17)) if share < 1 else -math.inf


def _log_below_one(x: float, n: float, p: float) -> float:
    """Return the first factor of I_(1-p)(n - x + 1, x) where x is between 0 and 1."""
    a, b = n - x + 1, x
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return a * math.log1p(-p) + b * math.log(p) - math.log(a) - log_beta
