"""Labels: which answers people should look at, and what judges may look at for them."""

from seakeeping.observe.labelling.judge import JUDGED, Judge, JudgeRound, read_verdict
from seakeeping.observe.labelling.queue import EPOCH_S, SETTLED_S, LabelQueue
from seakeeping.observe.labelling.sampling import Candidate, Draw, draw, probabilities

__all__ = [
    "EPOCH_S",
    "JUDGED",
    "SETTLED_S",
    "Candidate",
    "Draw",
    "Judge",
    "JudgeRound",
    "LabelQueue",
    "draw",
    "probabilities",
    "read_verdict",
]
