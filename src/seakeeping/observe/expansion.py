"""From the objectives that somebody wrote to those that are measured.

``"*"`` becomes one objective for every service that sends traffic (``objectives.expand``), and one
that is sliced becomes one for every value of its dimensions that was seen. A sliced objective is
named ``name[dimension=value]`` and carries the values as labels.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from seakeeping.observe.objectives import expand
from seakeeping.records import Match, Objective

MOST_VALUES = 50
"""Values of one dimension that get objectives of their own: the most frequent ones."""

MOST_SLICES = 200
"""Slices that one objective may become."""

ValuesOf = Callable[[str, str], Sequence[str]]
"""The values of a dimension that a service's calls showed, the most frequent first."""


def expanded(
    objectives: Sequence[Objective], services: Iterable[str], values_of: ValuesOf
) -> list[Objective]:
    """Return the objectives to be measured, each name once: the first of a name holds."""
    by_name: dict[str, Objective] = {}
    for whole in expand(objectives, services):
        for objective in sliced(whole, values_of):
            by_name.setdefault(objective.name, objective)
    return list(by_name.values())


def sliced(objective: Objective, values_of: ValuesOf) -> list[Objective]:
    """Return one objective for each combination of values, or the objective where none slices."""
    if not objective.slice_by:
        return [objective]
    choices = [
        [(dimension, value) for value in values_of(objective.service, dimension)[:MOST_VALUES]]
        for dimension in objective.slice_by
    ]
    combinations = itertools.islice(itertools.product(*choices), MOST_SLICES)
    return [_slice(objective, combination) for combination in combinations]


def _slice(objective: Objective, combination: Sequence[tuple[str, str]]) -> Objective:
    spelt = ",".join(f"{dimension}={value}" for dimension, value in combination)
    where = tuple(Match(dimension, (value,)) for dimension, value in combination)
    indicator = replace(objective.indicator, where=(*objective.indicator.where, *where))
    return replace(
        objective,
        name=f"{objective.name}[{spelt}]",
        indicator=indicator,
        slice_by=(),
        labels={**objective.labels, **dict(combination)},
    )
