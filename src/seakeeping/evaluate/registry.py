"""Which evaluators there are: the entry points of one group, ours and other people's alike."""

import difflib
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from seakeeping.errors import BadSetting, EvaluatorFailed
from seakeeping.protocols import Evaluator

GROUP = "seakeeping.evaluators"
"""The entry-point group; each entry point names a callable without arguments that makes one."""


def load_evaluators(enabled: Collection[str] | None = None) -> list[Evaluator]:
    """Return the installed evaluators, ordered by name.

    Args:
        enabled: names of entry points to load; None loads all.

    Raises:
        BadSetting: a name of ``enabled`` is not installed, or two evaluators share a name.
        EvaluatorFailed: an evaluator cannot be imported or made.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    wanted = sorted(points if enabled is None else set(enabled))
    for name in wanted:
        if name not in points:
            raise BadSetting(f"no evaluator {name!r} is installed", hint=_near(name, points))
    evaluators = [_make(points[name]) for name in wanted]
    names = [evaluator.name for evaluator in evaluators]
    for name in names:
        if names.count(name) > 1:
            raise BadSetting(f"two evaluators are named {name!r}", hint="disable one of them")
    return evaluators


def evaluator_names() -> list[str]:
    """Return the names of the installed evaluators, loading none."""
    return sorted(point.name for point in entry_points(group=GROUP))


def shipped_names() -> list[str]:
    """Return the names of the evaluators that come with Seakeeping."""
    points = entry_points(group=GROUP)
    return sorted(point.name for point in points if point.value.startswith("seakeeping."))


def _make(point: EntryPoint) -> Evaluator:
    try:
        evaluator = point.load()()
    except Exception as error:
        raise EvaluatorFailed(
            f"evaluator {point.name!r} cannot be made: {type(error).__name__}: {error}",
            hint=f"its entry point is {point.value}; disable it or mend its package",
        ) from error
    if not isinstance(evaluator, Evaluator):
        raise EvaluatorFailed(
            f"{point.value} is not an Evaluator",
            hint="it needs name, version, needs, cost_class and evaluate()",
        )
    return evaluator


def _near(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"installed: {', '.join(sorted(known))}"
