"""Which answers teach most: drawn by chance, more often where the detector is unsure.

A label corrects the detector by how far it was off, so answers whose score lies in the middle teach
most. But an answer may never have no chance at all: then nothing would be known about its like. So
with badness scores s and n labels wanted of N answers (Zrnic and Candes, Active statistical
inference, ICML 2024),

    p_i = min(1, n (0.8 sqrt(s_i (1 - s_i)) / sum_j sqrt(s_j (1 - s_j)) + 0.2 / N)).

The draw is sequential Poisson sampling (Ohlsson, Journal of Official Statistics 14, 1998): each
answer gets a fixed random number u_i and the n with the least u_i / p_i are drawn, in that order.
Every beginning of that order is itself such a sample with all p_i scaled by one factor, so people
may stop labelling wherever they like, and weights 1 / p_i, normalised, remain right. u_i is a hash
of the answer's id: drawing again draws the same.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

_SHARE_UNSURE = 0.8
_ENDLESS = float(2**64)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scored answer that nobody labelled yet; ``score`` is badness, 0..1.

    ``chance`` is that of being a candidate at all: below 1 where the store picked some of too many.
    """

    trace_id: str
    span_id: str
    started_at: float
    score: float
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class Draw:
    """An answer drawn for labelling: with which probability, all in all, and its rank."""

    candidate: Candidate
    probability: float
    rank: float


def probabilities(scores: Sequence[float], wanted: int) -> list[float]:
    """Return the chance of each answer to be drawn, in (0, 1]; they add up to at most ``wanted``.

    >>> [round(p, 3) for p in probabilities([0.0, 0.5, 1.0, 0.5], 2)]
    [0.1, 0.9, 0.1, 0.9]
    """
    count = len(scores)
    if wanted <= 0 or not count:
        return [0.0] * count
    unsure = [math.sqrt(max(0.0, s * (1.0 - s))) for s in scores]
    total = math.fsum(unsure)  # the same in any order
    if total <= 0:
        return [min(1.0, wanted / count)] * count
    even = (1.0 - _SHARE_UNSURE) / count
    return [min(1.0, wanted * (_SHARE_UNSURE * u / total + even)) for u in unsure]


def draw(candidates: Sequence[Candidate], wanted: int, salt: str) -> list[Draw]:
    """Return at most ``wanted`` answers, the first to be labelled first.

    ``salt`` (the evaluation's name) keeps the draws for different evaluations apart.
    """
    chances = probabilities([c.score for c in candidates], wanted)
    ranked = [
        Draw(candidate, chance * candidate.chance, _uniform(candidate, salt) / chance)
        for candidate, chance in zip(candidates, chances, strict=True)
        if chance > 0
    ]
    ranked.sort(key=lambda d: (d.rank, d.candidate.trace_id, d.candidate.span_id))
    return ranked[:wanted]


def _uniform(candidate: Candidate, salt: str) -> float:
    spelt = f"{salt}\x00{candidate.trace_id}\x00{candidate.span_id}".encode()
    digest = hashlib.blake2b(spelt, digest_size=8).digest()
    return (int.from_bytes(digest) + 1) / _ENDLESS  # in (0, 1]: a rank of 0 would tie
