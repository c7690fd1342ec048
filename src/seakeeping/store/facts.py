"""Facts: the events of an indicator by every dimension at once, for finding what went wrong.

One statement groups the events by all dimensions together; a row of the answer is a combination
that was seen, so a scan over slices of any depth needs no further statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from seakeeping.records import DIMENSIONS, Indicator
from seakeeping.store.client import StoreClient
from seakeeping.store.places import Rows
from seakeeping.store.predicates import (
    EXTERNAL,
    GROUP_PREFIX,
    JUDGED_SIGNALS,
    calls_from,
    columns_of,
    dimension_columns,
    dimension_sql,
    judged_from,
    predicate_of,
    subject_of,
)
from seakeeping.store.rows import from_json


@dataclass(frozen=True, slots=True)
class Facts:
    """Counts by combination of dimension values.

    ``values[d]`` are the values of ``dimensions[d]``, ``""`` where a call has none; ``codes[r, d]``
    is an index into them. ``valid`` and ``bad`` are sums of sampling weights, ``valid_rows`` and
    ``bad_rows`` the rows seen.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: NDArray[np.int32]
    valid: NDArray[np.float64]
    bad: NDArray[np.float64]
    valid_rows: NDArray[np.int64]
    bad_rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.valid)


@dataclass(frozen=True, slots=True)
class Coded:
    """One dimension: its values in order, and the place of each row's value among them."""

    values: tuple[str, ...]
    codes: NDArray[np.int32]


def source_of(indicator: Indicator, rows: str, more: Sequence[str]) -> str:
    """Return the source of an indicator's events, with some columns beyond those it reads."""
    columns = {*columns_of(indicator), *more}
    if indicator.signal in JUDGED_SIGNALS:
        return judged_from(rows, columns)
    return calls_from(rows, columns)


def facts(
    client: StoreClient,
    indicator: Indicator,
    rows: Rows,
    dimensions: Sequence[str] | None,
    traffic: Sequence[str],
) -> Facts:
    """Return the facts of some rows; see ``counting.CountingStore.facts``. Raises BadInput."""
    named = [d for d in dimensions or DIMENSIONS if not d.startswith(GROUP_PREFIX)]
    for_groups = dimensions is None or len(named) < len(dimensions)
    found = predicate_of(indicator)
    is_judged = indicator.signal in JUDGED_SIGNALS
    keys = [f"toString({dimension_sql(d, '', {})})" for d in named]
    keys += ["toString(groups)"] * for_groups
    by = f"startsWith(evaluator, '{EXTERNAL}')" if is_judged and not indicator.evaluator else "0"
    params = {**found.params, **rows.params, "traffic": list(traffic)}
    if is_judged:
        params["names"] = [subject_of(indicator)]
    columns = [*dimension_columns(named), *["groups"] * for_groups]
    grouped = ", ".join(f"{key} AS k{n}" for n, key in enumerate([*keys, by]))
    source = source_of(indicator, rows.condition, columns)
    body = client.read_bytes(
        f"SELECT {grouped}, sum(w), sumIf(w, is_bad), count(), countIf(is_bad) "
        f"FROM (SELECT *, {found.bad} AS is_bad FROM {source} "
        f"WHERE {found.valid}) GROUP BY {', '.join(f'k{n}' for n in range(len(keys) + 1))}",
        "JSONCompactColumns",
        params,
    )
    told = orjson.loads(body) or [[]] * (len(keys) + 5)
    coded = {d: coded_in(column) for d, column in zip(named, told, strict=False)}
    if for_groups:
        coded |= _groups(coded_in(told[len(named)]))
    chosen = {d: coded.get(d, _nothing(len(told[0]))) for d in dimensions or coded}
    return _believed(chosen, told[len(keys)], told[len(keys) + 1 :])


def coded_in(column: Sequence[str]) -> Coded:
    """Return a column of texts as codes, its values in alphabetical order."""
    values = sorted(set(column))
    place = {value: n for n, value in enumerate(values)}
    return Coded(tuple(values), np.asarray([place[value] for value in column], np.int32))


def _groups(raw: Coded) -> dict[str, Coded]:
    """Return a dimension for every group that any call declared, from their JSON texts."""
    told: list[Mapping[str, str]] = [from_json(text) if text else {} for text in raw.values]
    found = {}
    for name in sorted({name for groups in told for name in groups}):
        of_text = coded_in([groups.get(name, "") for groups in told])
        found[GROUP_PREFIX + name] = Coded(of_text.values, of_text.codes[raw.codes])
    return found


def _nothing(rows: int) -> Coded:
    return Coded(("",), np.zeros(rows, np.int32))


def _believed(
    coded: Mapping[str, Coded], is_external: Sequence[int], sums: Sequence[Sequence[float]]
) -> Facts:
    """Return the facts without the verdicts of others, where there are any of ours."""
    external = np.asarray(is_external, np.bool_)
    kept = np.flatnonzero(~external) if not external.all() else np.arange(len(external))
    codes = [c.codes[kept] for c in coded.values()]
    valid, bad, valid_rows, bad_rows = sums
    return Facts(
        tuple(coded),
        tuple(c.values for c in coded.values()),
        np.stack(codes, axis=1) if codes else np.zeros((len(kept), 0), np.int32),
        np.asarray(valid, np.float64)[kept],
        np.asarray(bad, np.float64)[kept],
        np.asarray(valid_rows, np.int64)[kept],
        np.asarray(bad_rows, np.int64)[kept],
    )
