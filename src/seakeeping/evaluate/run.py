"""One evaluator over one batch, guarded: whatever it does, every call gets exactly one evaluation.

An evaluator that raises for a batch is asked again call by call, so one odd call does not cost the
others their score. A ``MemoryError`` is let through: the process that runs us is no longer sound,
and the pool replaces it.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from seakeeping.clock import Clock
from seakeeping.evaluate.reasons import SkipReason
from seakeeping.evaluate.verdict import skipped
from seakeeping.protocols import Evaluator
from seakeeping.records import Evaluation, Interaction


def run(evaluator: Evaluator, batch: Sequence[Interaction], clock: Clock) -> list[Evaluation]:
    """Return one stamped evaluation a call of ``batch``, in order.

    ``duration_s`` of each is its share of the batch's CPU seconds.
    """
    began = time.process_time()
    evaluations = _ask(evaluator, batch)
    each_s = (time.process_time() - began) / max(1, len(batch))
    return [stamped(evaluation, clock.now(), each_s) for evaluation in evaluations]


def stamped(evaluation: Evaluation, now: float, duration_s: float | None) -> Evaluation:
    """Return the evaluation with its time and duration, unless its maker knew better."""
    return replace(
        evaluation,
        evaluated_at=evaluation.evaluated_at or now,
        duration_s=duration_s if evaluation.duration_s is None else evaluation.duration_s,
    )


def _ask(evaluator: Evaluator, batch: Sequence[Interaction]) -> list[Evaluation]:
    try:
        return _in_order(evaluator, batch)
    except MemoryError:
        raise
    except Exception as error:
        if len(batch) == 1:
            reason = f"{SkipReason.ERROR}: {type(error).__name__}"
            return [skipped(evaluator, batch[0], reason)]
    return [_ask(evaluator, [interaction])[0] for interaction in batch]


def _in_order(evaluator: Evaluator, batch: Sequence[Interaction]) -> list[Evaluation]:
    evaluations = list(evaluator.evaluate(batch))
    made = [(e.trace_id, e.span_id, e.name, e.evaluator) for e in evaluations]
    wanted = [(*i.key, evaluator.name, evaluator.name) for i in batch]
    if made != wanted:
        raise BrokenPromise(f"{evaluator.name} did not return one evaluation a call, in order")
    return evaluations


class BrokenPromise(Exception):
    """An evaluator answered something else than one evaluation a call, in order."""
