"""The doors for other people's code. Ours use the same doors.

An evaluator is found through the entry-point group ``seakeeping.evaluators``; the entry point names
a class (or any callable without arguments) that makes one.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from seakeeping.records import Evaluation, Interaction


class CostClass(StrEnum):
    """What an evaluation costs; the dearest are shed first under pressure.

    ``FIRST_STAGE`` (milliseconds of CPU, runs on every answer, never shed), ``CPU`` (tens of
    milliseconds or more), ``PAID`` (calls a model that costs money or time).
    """

    FIRST_STAGE = "first_stage"
    CPU = "cpu"
    PAID = "paid"


@runtime_checkable
class Evaluator(Protocol):
    """A scorer of model calls.

    ``name`` is that of the evaluations it makes, ``version`` changes whenever its results may,
    ``needs`` names what it looks at (subset of ``answer_text``, ``documents``, ``input_messages``,
    ``output_messages``), ``cost_class`` what it costs.
    """

    name: str
    version: str
    needs: frozenset[str]
    cost_class: CostClass

    def evaluate(self, interactions: Sequence[Interaction]) -> Sequence[Evaluation]:
        """Return one evaluation an interaction, in order: a result or a ``skipped_reason``.

        Deterministic for equal input; never raises for content, however odd.
        """
        ...
