"""Many indicators in one pass: rows are told apart only as far as any indicator does.

A statement with a condition an indicator costs the engine more to read than the rows it counts (20
indicators: 140 ms of CPU for 1,000 calls). So rows are grouped by what the conditions look at: the
threshold at or below a value, the place of a dimension's value in the list of those asked for, the
label. Those groups are few, and each indicator picks its own from them here.

What a badness score adds up to follows from the sums of the score itself: of w(1 - s), it is W - S;
of w(1 - s)^2, W - 2 S + SS.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seakeeping.records import Indicator, IndicatorSignal, Match
from seakeeping.store.cells import Cells, no_cells
from seakeeping.store.predicates import (
    EXTERNAL,
    JUDGED_SIGNALS,
    WORKED,
    bad_labels_of,
    columns_of,
    dimension_sql,
    limit_of,
    require_verdict,
    subject_of,
    value_sql,
    whole_pattern,
)
from seakeeping.store.rollups import OUR_FAULT
from seakeeping.store.rows import Row

Flags = NDArray[np.bool_]
_Patterns = tuple[str, tuple[str, ...]]
_LOWEST = -1e300
_LONGEST_LIST = 16
"""So many values of a dimension are looked for row by row; of more, the rows' own are grouped."""
_SCORE_SUMS = (
    "sum(w * unit_score) AS score_sum",
    "sum(w * unit_score * unit_score) AS score_squares",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What rows are told apart by: expressions by name, their parameters, the columns they read.

    ``values`` are the asked values of each dimension with their places, from 1 on; a row's place
    is 0 for none. Where many are asked for, rows keep their own value.
    ``patterns`` are the asked patterns, each with its dimension.
    """

    keys: Mapping[str, str]
    sums: Sequence[str]
    params: Mapping[str, object]
    columns: frozenset[str]
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    patterns: Sequence[_Patterns] = ()


def plan_of(indicators: Sequence[Indicator]) -> Plan:
    """Return what tells rows apart for indicators of one source. Raises BadInput."""
    keys: dict[str, str] = {}
    params: dict[str, object] = {}
    for indicator in indicators:
        keys |= _constant_keys(indicator)
    for signal, cuts in _cuts(indicators).items():
        params[f"cuts_{signal.value}"] = [_LOWEST, *sorted(cuts)]
        cut = f"roundDown({value_sql(signal)}, {{cuts_{signal.value}:Array(Float64)}})"
        keys[f"from_{signal.value}"] = cut
    values, patterns = _asked(indicators), _asked_patterns(indicators)
    of_slice = indicators[0].signal is IndicatorSignal.MEASUREMENT
    for n, (dimension, asked) in enumerate(values.items()):
        expression = dimension_sql(dimension, f"k{n}", params, of_slice=of_slice)
        if len(asked) <= _LONGEST_LIST:
            params[f"d{n}"] = list(asked)
            expression = f"indexOf({{d{n}:Array(String)}}, {expression})"
        keys[f"dim_{n}"] = expression
    for n, (dimension, wanted) in enumerate(patterns):
        params[f"p{n}"] = whole_pattern(wanted)
        expression = dimension_sql(dimension, f"q{n}", params, of_slice=of_slice)
        keys[f"pattern_{n}"] = f"match({expression}, {{p{n}:String}})"
    has_scores = any(i.signal is IndicatorSignal.EVALUATION for i in indicators)
    columns = frozenset(c for i in indicators for c in columns_of(i))
    return Plan(keys, _SCORE_SUMS if has_scores else (), params, columns, values, patterns)


def _constant_keys(indicator: Indicator) -> Mapping[str, str]:
    """Return the keys that need no parameter."""
    signal = indicator.signal
    if signal is IndicatorSignal.AVAILABILITY or signal in WORKED:
        return {"is_error": "error_type != ''"}
    if signal is IndicatorSignal.MEASUREMENT:
        return {"of": "name"}
    if signal not in JUDGED_SIGNALS:
        return {}
    found = {"of": "name", "by": "evaluator", "reason": "skipped_reason"}
    if signal is IndicatorSignal.EVALUATION:
        require_verdict(indicator)
        found |= {"label": "score_label", "has_score": "isNotNull(score)"}
    return found


def _cuts(indicators: Sequence[Indicator]) -> Mapping[IndicatorSignal, set[float]]:
    found: dict[IndicatorSignal, set[float]] = {}
    for indicator in indicators:
        cut = _cut(indicator)
        if cut is not None:
            found.setdefault(indicator.signal, set()).add(cut)
    return found


def _cut(indicator: Indicator) -> float | None:
    """Return the least value on the far side of the threshold: where "up to" ends."""
    limit = limit_of(indicator)
    if limit is None or indicator.op in ("lt", "gte"):
        return limit
    return float(np.nextafter(limit, np.inf))


def _asked(indicators: Sequence[Indicator]) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, None]] = {}
    for match in (match for indicator in indicators for match in indicator.where):
        if not match.is_pattern:
            found.setdefault(match.dimension, {}).update(dict.fromkeys(match.values))
    return {
        dimension: {value: n for n, value in enumerate(values, 1)}
        for dimension, values in found.items()
    }


def _asked_patterns(indicators: Sequence[Indicator]) -> Sequence[_Patterns]:
    matches = (match for indicator in indicators for match in indicator.where if match.is_pattern)
    return tuple(dict.fromkeys((match.dimension, match.values) for match in matches))


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows that no indicator tells apart, added up: one entry of each column a group.

    ``cell`` is an index into ``cells`` (rows of service code and start). What was looked up is
    remembered: a thousand indicators look at the same few columns.
    """

    services: tuple[str, ...]
    cells: NDArray[np.int64]
    cell: NDArray[np.intp]
    weight: NDArray[np.float64]
    rows: NDArray[np.float64]
    columns: Mapping[str, Sequence[object]]
    _numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    _texts: dict[str, tuple[dict[str, int], NDArray[np.int64]]] = field(default_factory=dict)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers, not a number where there is none."""
        if name not in self._numbers:
            self._numbers[name] = np.asarray(self.columns[name], np.float64)
        return self._numbers[name]

    def is_number_of(self, name: str, values: Sequence[int]) -> Flags:
        """Say of each group whether a column of numbers holds one of the values."""
        column = self.numbers(name)
        return column == values[0] if len(values) == 1 else np.isin(column, values)

    def is_one_of(self, name: str, values: Iterable[str]) -> Flags:
        """Say of each group whether a column of texts holds one of the values."""
        known, codes = self._coded(name)
        wanted = [known[value] for value in values if value in known]
        return codes == wanted[0] if len(wanted) == 1 else np.isin(codes, wanted)

    def texts(self, name: str) -> Collection[str]:
        """Return the different texts in a column."""
        return self._coded(name)[0].keys()

    def _coded(self, name: str) -> tuple[dict[str, int], NDArray[np.int64]]:
        if name not in self._texts:
            known: dict[str, int] = {}
            codes = [known.setdefault(str(text), len(known)) for text in self.columns[name]]
            self._texts[name] = known, np.asarray(codes, np.int64)
        return self._texts[name]


def groups_of(found: Sequence[Row], plan: Plan) -> Groups:
    """Return the groups of rows: service, start, weight, rows, then the plan's keys and sums."""
    columns = list(zip(*found, strict=True))
    names = tuple(sorted(set(columns[0])))
    codes = {name: code for code, name in enumerate(names)}
    places = np.asarray([(codes[row[0]], row[1]) for row in found], np.int64)
    cells, cell = np.unique(places, axis=0, return_inverse=True)
    told = (*plan.keys, "score_sum", "score_squares")
    return Groups(
        names,
        cells,
        cell.reshape(-1),
        np.asarray(columns[2], np.float64),
        np.asarray(columns[3], np.float64),
        dict(zip(told, columns[4:], strict=False)),
    )


def cells_in(found: Sequence[Row], indicators: Sequence[Indicator], plan: Plan) -> Cells:
    """Return the cells that the groups add up to; ``indicator`` is the index of the indicator."""
    if not found:
        return no_cells()
    groups = groups_of(found, plan)
    parts = [_counts(groups, indicator, plan) for indicator in indicators]
    which = [np.flatnonzero(counts[:, 2]) for counts in parts]
    chosen = np.concatenate(which)
    return Cells(
        groups.services,
        np.repeat(np.arange(len(parts), dtype=np.int32), [len(w) for w in which]),
        groups.cells[chosen, 0].astype(np.int32),
        groups.cells[chosen, 1],
        np.concatenate([counts[w] for counts, w in zip(parts, which, strict=True)]),
    )


def _counts(groups: Groups, indicator: Indicator, plan: Plan) -> NDArray[np.float64]:
    """Return the counts of every cell for one indicator."""
    size = len(groups.cells)
    chosen = np.logical_and.reduce(
        [np.ones(len(groups.cell), np.bool_), *_conditions(groups, indicator, plan)]
    )
    if indicator.signal in JUDGED_SIGNALS and indicator.evaluator is None:
        chosen &= _is_believed(groups, chosen, size)
    at = np.flatnonzero(chosen)
    bad = _is_bad(groups, indicator)[at].astype(np.float64)
    weight, rows = groups.weight[at], groups.rows[at]
    sums = [weight, weight * bad, rows, rows * bad, *_badness(groups, indicator, at, bad)]
    return np.stack([np.bincount(groups.cell[at], s, size) for s in sums], axis=1)


def _conditions(groups: Groups, indicator: Indicator, plan: Plan) -> Iterator[Flags]:
    """Yield what must hold of a group for its events to be valid."""
    signal = indicator.signal
    for match in indicator.where:
        yield _matches(groups, match, plan)
    if limit_of(indicator) is not None:
        yield ~np.isnan(groups.numbers(f"from_{signal.value}"))
    if signal in WORKED:
        yield groups.is_number_of("is_error", (0,))
    if signal is IndicatorSignal.MEASUREMENT or signal in JUDGED_SIGNALS:
        yield groups.is_one_of("of", [subject_of(indicator)])
    if signal not in JUDGED_SIGNALS:
        return
    if indicator.evaluator is not None:
        yield groups.is_one_of("by", [indicator.evaluator])
    yield _has_result(groups, _OURS.get(signal, ()))
    if signal is IndicatorSignal.EVALUATION and indicator.threshold is None:
        yield ~groups.is_one_of("label", [""])


_OURS = {IndicatorSignal.COVERAGE: OUR_FAULT}


def _has_result(groups: Groups, but: Sequence[str]) -> Flags:
    """Say which groups were judged, or were not for one of some reasons (``error: X`` is one)."""
    given = groups.texts("reason")
    return groups.is_one_of("reason", [r for r in given if r.partition(":")[0] in ("", *but)])


def _matches(groups: Groups, match: Match, plan: Plan) -> Flags:
    if match.is_pattern:
        n = list(plan.patterns).index((match.dimension, match.values))
        return groups.is_number_of(f"pattern_{n}", (int(match.is_in),))
    place = list(plan.values).index(match.dimension)
    asked = plan.values[match.dimension]
    if len(asked) <= _LONGEST_LIST:
        wanted = [asked[value] for value in match.values]
        is_wanted = groups.is_number_of(f"dim_{place}", wanted)
    else:
        is_wanted = groups.is_one_of(f"dim_{place}", match.values)
    return is_wanted if match.is_in else ~is_wanted


def _is_bad(groups: Groups, indicator: Indicator) -> Flags:
    signal, cut = indicator.signal, _cut(indicator)
    if signal is IndicatorSignal.AVAILABILITY:
        return groups.is_number_of("is_error", (1,))
    if signal is IndicatorSignal.COVERAGE:
        return ~groups.is_one_of("reason", ("",))
    if cut is None:
        return groups.is_one_of("label", bad_labels_of(indicator))
    is_beyond = groups.numbers(f"from_{signal.value}") >= cut
    return is_beyond if indicator.op in ("lte", "lt") else ~is_beyond


def _is_believed(groups: Groups, chosen: Flags, size: int) -> Flags:
    """Say which groups count where no evaluator is named: ours, else those of others."""
    others = [name for name in groups.texts("by") if name.startswith(EXTERNAL)]
    if not others:
        return np.ones(len(groups.cell), np.bool_)
    is_external = groups.is_one_of("by", others)
    has_own = np.bincount(groups.cell[chosen & ~is_external], minlength=size) > 0
    return np.asarray(~is_external | ~has_own[groups.cell], np.bool_)


def _badness(
    groups: Groups, indicator: Indicator, at: NDArray[np.intp], bad: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the sums of the badness score and of its square; a verdict alone counts 0 or 1."""
    if indicator.signal is not IndicatorSignal.EVALUATION:
        return [np.zeros(len(at)), np.zeros(len(at))]
    weight = groups.weight[at]
    total, squares = groups.numbers("score_sum")[at], groups.numbers("score_squares")[at]
    if indicator.higher_is_better:
        total, squares = weight - total, weight - 2 * total + squares
    known = groups.is_number_of("has_score", (1,))[at]
    return [np.where(known, total, weight * bad), np.where(known, squares, weight * bad)]
