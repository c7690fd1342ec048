"""A telemetry store of plain lists, for tests of what asks a store."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from seakeeping.errors import BadInput, StoreUnavailable
from seakeeping.records import (
    DIMENSIONS,
    Evaluation,
    Indicator,
    IndicatorSignal,
    Interaction,
    Label,
    Measurement,
    MetricPoint,
    Span,
)
from seakeeping.records.names import Names
from seakeeping.store.cells import Cells, Place, TimeSpan, cells_of, no_cells
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.store.filters import EvaluationFilter, InteractionFilter, Page
from seakeeping.store.labels import LabelFilter
from seakeeping.store.measurements import MeasurementFilter
from seakeeping.store.telemetry import SeriesPoint, ServiceSummary

Item = TypeVar("Item")


class MemoryStore:
    """A telemetry store of plain lists: what the pages and the API ask, answered honestly.

    ``is_away`` makes every question fail as a store does that is gone; ``erased`` names the users
    that were erased.
    """

    def __init__(self) -> None:
        self.calls: list[Interaction] = []
        self.scores: list[Evaluation] = []
        self.spans: list[Span] = []
        self._by_call: defaultdict[tuple[str, str], list[Evaluation]] = defaultdict(list)
        self.points: list[MetricPoint] = []
        self.given: dict[tuple[str, ...], Label] = {}
        self.figures: list[Measurement] = []
        self.erased: list[str] = []
        self.is_away = False

    def add(
        self,
        calls: Iterable[Interaction] = (),
        scores: Iterable[Evaluation] = (),
        spans: Iterable[Span] = (),
    ) -> None:
        """Keep records."""
        self.calls += calls
        for score in scores:
            self.scores.append(score)
            self._by_call[score.trace_id, score.span_id].append(score)
        self.spans += spans

    def ping(self, timeout_s: float) -> bool:
        """Return whether it answers."""
        return not self.is_away

    def ping_or_raise(self) -> None:
        """Raise StoreUnavailable while it is away."""
        self._answer()

    def services(self, now: float, window_s: float) -> list[ServiceSummary]:
        """Return a summary of each service called in the window."""
        self._answer()
        recent = [c for c in self.calls if now - window_s <= c.started_at <= now]
        names = sorted({call.service_name for call in recent})
        return [self._summary(n, [c for c in recent if c.service_name == n]) for n in names]

    def names(self, now: float) -> Names:
        """Return the names of all that is kept."""
        self._answer()
        judged = {s.name for s in self.scores}
        return Names(
            services=tuple(sorted({c.service_name for c in self.calls}
                                  | {p.service_name for p in self.points})),
            evaluations={name: self._labels(name) for name in sorted(judged)},
            measurements=tuple(sorted({m.name for m in self.figures})),
            metrics=tuple(sorted({p.name for p in self.points})),
        )  # fmt: skip

    def _labels(self, name: str) -> tuple[str, ...]:
        found = {s.score_label or "" for s in self.scores if s.name == name}
        return tuple(sorted(found - {""}))

    def known_calls(self, calls: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those that are kept."""
        self._answer()
        return {(c.trace_id, c.span_id) for c in self.calls} & set(calls)

    def series(self, service: str, start: float, end: float, step_s: int) -> list[SeriesPoint]:
        """Return one point a step."""
        self._answer()
        first = int(start // step_s) * step_s
        steps: defaultdict[int, list[Interaction]] = defaultdict(list)
        for call in self.calls:
            if call.service_name == service:
                steps[int(call.started_at // step_s) * step_s].append(call)
        return [self._point(at, steps[at]) for at in range(first, int(end) + 1, step_s)]

    def count_cells(
        self, indicators: Sequence[Indicator], where: Sequence[Place] | TimeSpan, step_s: int = 300
    ) -> Cells:
        """Return the events of indicators on calls and evaluations, by service and step."""
        self._answer()
        counted: defaultdict[tuple[int, str, int], list[float]] = defaultdict(lambda: [0.0] * 6)
        for n, indicator in enumerate(indicators):
            for call in self.calls:
                if self._is_within(call, where) and (found := self._event(indicator, call)):
                    at = int(call.started_at // step_s) * step_s
                    cell = counted[n, call.service_name, at]
                    for place, value in enumerate(found):
                        cell[place] += value
        names = sorted({service for _, service, _ in counted})
        places = sorted(counted)
        return cells_of(
            names, [p[0] for p in places], [names.index(p[1]) for p in places],
            [p[2] for p in places], [counted[p] for p in places],
        )  # fmt: skip

    def kept_cells(
        self, keys: Sequence[str], start: float, end: float = math.inf, step_s: int = 300
    ) -> Cells:
        """Return nothing: all rows are kept."""
        self._answer()
        return no_cells()

    def rows_since(self) -> float:
        """Return the beginning of time: all rows are kept."""
        self._answer()
        return 0.0

    def facts(
        self, indicator: Indicator, service: str, start: float, end: float,
        dimensions: Sequence[str] | None = None,
    ) -> Facts:  # fmt: skip
        """Return the events of an indicator, a row each."""
        names = tuple(dimensions or DIMENSIONS)
        span = TimeSpan(start, end, (service,))
        rows = [
            (call, event)
            for call in self.calls
            if self._is_within(call, span) and (event := self._event(indicator, call))
        ]
        values = [sorted({_value(call, name) for call, _ in rows}) for name in names]
        codes = [
            [values[d].index(_value(c, name)) for d, name in enumerate(names)] for c, _ in rows
        ]
        columns = np.array([event[:4] for _, event in rows]).reshape(-1, 4)
        return Facts(
            names, tuple(map(tuple, values)),
            np.array(codes, np.int32).reshape(-1, len(names)), columns[:, 0], columns[:, 1],
            columns[:, 2].astype(np.int64), columns[:, 3].astype(np.int64),
        )  # fmt: skip

    def examples(
        self, indicator: Indicator, service: str, start: float, end: float,
        slice: Mapping[str, str] | None = None, limit: int = 5,
    ) -> list[Example]:  # fmt: skip
        """Return bad events, newest first."""
        self._answer()
        span = TimeSpan(start, end, (service,))
        bad = [
            call
            for call in self.calls
            if self._is_within(call, span)
            and (event := self._event(indicator, call))
            and event[1] > 0
            and all(_value(call, name) == value for name, value in (slice or {}).items())
        ]
        bad.sort(key=lambda c: -c.started_at)
        return [
            Example(c.trace_id, c.span_id, c.service_name, c.started_at, model=c.response_model,
                    error_type=c.error_type, duration_s=c.duration_s, release=c.release)
            for c in bad[:limit]
        ]  # fmt: skip

    def labels(
        self, where: LabelFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Label]:
        """Return labels, newest first."""
        self._answer()
        found = [
            x
            for x in self.given.values()
            if all(
                getattr(x, name) == wanted
                for name in ("trace_id", "span_id", "name", "by", "author")
                if (wanted := getattr(where, name)) is not None
            )
        ]
        return _page(sorted(found, key=lambda x: -x.at), limit, cursor)

    def insert_labels(self, labels: Sequence[Label], token: str = "") -> None:
        """Keep labels, one of each author on each evaluation of each answer."""
        self._answer()
        self.given.update((one.key, one) for one in labels)

    def measurements(
        self, where: MeasurementFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Measurement]:
        """Return measurements, the newest window first."""
        self._answer()
        found = [
            m
            for m in self.figures
            if where.service_name in (None, m.service_name) and where.name in (None, m.name)
        ]
        return _page(sorted(found, key=lambda m: -m.window_start), limit, cursor)

    def interactions(
        self, where: InteractionFilter, *, limit: int, cursor: str | None = None
    ) -> Page[Interaction]:
        """Return calls, newest first; the cursor is the place in the list."""
        self._answer()
        found = [c for c in self.calls if self._has(c, where)]
        return _page(sorted(found, key=lambda c: -c.started_at), limit, cursor)

    def interaction(self, trace_id: str, span_id: str) -> Interaction | None:
        """Return one call."""
        self._answer()
        return next((c for c in self.calls if c.key == (trace_id, span_id)), None)

    def evaluations(
        self, where: EvaluationFilter, *, limit: int, cursor: str | None = None
    ) -> Page[Evaluation]:
        """Return evaluations, newest first."""
        self._answer()
        started = {c.key: c for c in self.calls}
        found = [e for e in self.scores if _judged(e, started.get((e.trace_id, e.span_id)), where)]
        return _page(sorted(found, key=lambda e: -e.evaluated_at), limit, cursor)

    def evaluations_of(self, trace_id: str, span_id: str) -> list[Evaluation]:
        """Return the evaluations of one call."""
        self._answer()
        return list(self._by_call.get((trace_id, span_id), ()))

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace."""
        self._answer()
        return sorted((s for s in self.spans if s.trace_id == trace_id), key=lambda s: s.started_at)

    def metric_points(
        self, service_name: str, name: str, start: float, end: float, *, limit: int
    ) -> list[MetricPoint]:
        """Return the points of one metric, oldest first."""
        self._answer()
        found = [p for p in self.points if (p.service_name, p.name) == (service_name, name)]
        return sorted((p for p in found if start <= p.at < end), key=lambda p: p.at)[:limit]

    def erase_subject(self, user_id: str) -> int:
        """Forget a user's calls."""
        self._answer()
        before = len(self.calls)
        self.calls = [c for c in self.calls if c.user_id != user_id]
        self.erased.append(user_id)
        return before - len(self.calls)

    def _is_within(self, call: Interaction, where: Sequence[Place] | TimeSpan) -> bool:
        if isinstance(where, TimeSpan):
            named = where.services is None or call.service_name in where.services
            return named and where.start <= call.started_at < where.end
        return (call.service_name, int(call.started_at // 300) * 300) in where

    def _event(self, indicator: Indicator, call: Interaction) -> tuple[float, ...] | None:
        """Return valid, bad and their rows, the badness score and its square; None: not valid."""
        weight, score = call.sampling_weight, 0.0
        if indicator.signal is IndicatorSignal.AVAILABILITY:
            is_bad = call.error_type is not None
        elif indicator.signal is IndicatorSignal.LATENCY:
            if call.error_type is not None or call.duration_s is None:
                return None
            is_bad = call.duration_s > (indicator.threshold or 0.0)
        elif indicator.signal is IndicatorSignal.EVALUATION:
            judged = [e for e in self._by_call.get(call.key, ()) if e.name == indicator.subject]
            if not judged or judged[0].score_label is None:
                return None
            is_bad = judged[0].score_label in indicator.bad_labels
            score = 1 - (judged[0].score_value or 0.0)
        else:
            return None
        scores = weight * score, weight * score * score
        return weight, weight * is_bad, 1.0, float(is_bad), *scores

    def _answer(self) -> None:
        if self.is_away:
            raise StoreUnavailable("the store does not answer")

    def _has(self, call: Interaction, where: InteractionFilter) -> bool:
        labels = {e.score_label for e in self._by_call.get(call.key, ())}
        special: dict[str, Callable[[Any], bool]] = {
            "start": lambda v: call.started_at >= v,
            "end": lambda v: call.started_at < v,
            "has_error": lambda v: (call.error_type is not None) == v,
            "label": lambda v: v in labels,
        }
        return all(
            special[f.name](value) if f.name in special else getattr(call, f.name) == value
            for f in fields(where)
            if (value := getattr(where, f.name)) is not None
        )

    def _summary(self, name: str, calls: Sequence[Interaction]) -> ServiceSummary:
        point = self._point(0.0, calls)
        took = [c.duration_s for c in calls if c.duration_s is not None]
        first = [c.time_to_first_token_s for c in calls if c.time_to_first_token_s is not None]
        answers = [c for c in calls if c.is_answer]
        return ServiceSummary(
            service_name=name, calls=len(calls), errors=point.errors, answers=len(answers),
            latency_p50_s=_quantile(took, 0.5), latency_p95_s=_quantile(took, 0.95),
            latency_p99_s=_quantile(took, 0.99), ttft_p50_s=_quantile(first, 0.5),
            ttft_p95_s=_quantile(first, 0.95), input_tokens=point.input_tokens,
            output_tokens=point.output_tokens, cost_usd=point.cost_usd, scored=point.scored,
            skipped=0, unsupported=point.unsupported, eligible=point.scored,
            coverage_ratio=1.0 if point.scored else None,
            scoring_lag_s=0.4 if point.scored else None,
            content_ratio=sum(c.answer_text is not None for c in calls) / len(calls),
            last_seen_at=max(c.started_at for c in calls), served=point.served,
            served_errors=point.served_errors,
        )  # fmt: skip

    def _point(self, start: float, calls: Sequence[Interaction]) -> SeriesPoint:
        judged = [
            e
            for call in calls
            for e in self._by_call.get(call.key, ())
            if e.name == "faithfulness" and e.score_label
        ]
        costs = [c.cost_usd * c.sampling_weight for c in calls if c.cost_usd is not None]
        return SeriesPoint(
            start=start, calls=len(calls), errors=sum(c.error_type is not None for c in calls),
            latency_p95_s=_quantile([c.duration_s or 0.0 for c in calls], 0.95),
            ttft_p95_s=_quantile(
                [t for c in calls if (t := c.time_to_first_token_s) is not None], 0.95
            ),
            scored=len(judged), unsupported=sum(e.score_label == "unsupported" for e in judged),
            cost_usd=sum(costs) if costs else None,
            input_tokens=round(sum((c.input_tokens or 0) * c.sampling_weight for c in calls)),
            output_tokens=round(sum((c.output_tokens or 0) * c.sampling_weight for c in calls)),
            served=sum(c.sampling_weight for c in calls),
            served_errors=sum(c.sampling_weight for c in calls if c.error_type is not None),
        )  # fmt: skip


def _value(call: Interaction, dimension: str) -> str:
    if dimension == "model":
        return call.response_model or call.request_model or ""
    return str(getattr(call, dimension, None) or "")


def _judged(evaluation: Evaluation, call: Interaction | None, where: EvaluationFilter) -> bool:
    if call is None:
        return False
    special: dict[str, Callable[[Any], bool]] = {
        "start": lambda v: call.started_at >= v,
        "end": lambda v: call.started_at < v,
        "service_name": lambda v: call.service_name == v,
        "is_scored": lambda v: (evaluation.skipped_reason is None) == v,
    }
    return all(
        special[f.name](value) if f.name in special else getattr(evaluation, f.name) == value
        for f in fields(where)
        if (value := getattr(where, f.name)) is not None
    )


def _page(items: Sequence[Item], limit: int, cursor: str | None) -> Page[Item]:
    if cursor and not (cursor.isascii() and cursor.isdigit()):
        raise BadInput("not a cursor of this list", place="cursor")
    start = int(cursor or 0)
    more = start + limit < len(items)
    return Page(items[start : start + limit], str(start + limit) if more else None)


def _quantile(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
