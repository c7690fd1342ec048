"""Evaluate: scorers of model calls, the processes they run in, and the suite that holds them.

``WorkerPool`` is imported from ``seakeeping.evaluate.pool``, so that a worker process, which
imports this package, does not carry the pool's own imports.
"""

from seakeeping.evaluate.reasons import OURS, SkipReason, is_ours
from seakeeping.evaluate.verdict import scored, skipped

__all__ = ["OURS", "SkipReason", "is_ours", "scored", "skipped"]
