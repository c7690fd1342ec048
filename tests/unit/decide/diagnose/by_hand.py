"""Facts made by hand: a few groups of calls with their values and counts."""

from collections.abc import Mapping, Sequence

import numpy as np

from seakeeping.store.facts import Facts

Group = tuple[Mapping[str, str], int, int]
"""The values of some calls, how many there are, how many of them bad."""


def facts(groups: Sequence[Group], weight: float = 1.0) -> Facts:
    """Return the facts of these groups; a group without a dimension has ``""`` there."""
    names = tuple(sorted({name for values, _, _ in groups for name in values}))
    seen = [sorted({values.get(name, "") for values, _, _ in groups}) for name in names]
    codes = [
        [seen[it].index(values.get(name, "")) for it, name in enumerate(names)]
        for values, _, _ in groups
    ]
    valid = np.array([valid for _, valid, _ in groups], np.int64)
    bad = np.array([bad for _, _, bad in groups], np.int64)
    return Facts(
        names,
        tuple(tuple(each) for each in seen),
        np.array(codes, np.int32).reshape(len(groups), len(names)),
        valid.astype(np.float64) * weight,
        bad.astype(np.float64) * weight,
        valid,
        bad,
    )


def grid(
    valid: int, ratio: float, worse: Mapping[str, str], to: float, **dimensions: Sequence[str]
) -> Facts:
    """Return calls on every combination of values, all with one ratio but those of a slice."""
    groups: list[Group] = [({}, valid, 0)]
    for name, values in dimensions.items():
        groups = [({**old, name: value}, n, 0) for old, n, _ in groups for value in values]

    def bad(values: Mapping[str, str]) -> int:
        is_worse = bool(worse) and all(values[name] == worse[name] for name in worse)
        return round(valid * (to if is_worse else ratio))

    return facts([(values, n, bad(values)) for values, n, _ in groups])
