"""Lay a trace out: which span lies under which, and where on the time axis.

Children follow their parent in order of start. A span whose parent is not in the trace (not yet
arrived, or not sent) is a root of its own; a cycle of parents, which only a broken sender makes, is
cut. Everything is iterative: a trace may be ten thousand spans deep.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.records import Span

WIDTH = 1000
"""Units of the time axis."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the waterfall: ``left`` and ``width`` on an axis of ``WIDTH`` units."""

    span: Span
    depth: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The rows shown, how many spans there are in all, and the time they take together."""

    rows: tuple[Row, ...]
    total: int
    started_at: float | None
    duration_s: float

    @property
    def hidden(self) -> int:
        """How many spans are not shown."""
        return self.total - len(self.rows)


def waterfall(spans: Sequence[Span], *, limit: int) -> Waterfall:
    """Return the layout of a trace's first ``limit`` rows."""
    if not spans:
        return Waterfall((), 0, None, 0.0)
    start = min(span.started_at for span in spans)
    length = max(span.started_at + (span.duration_s or 0.0) for span in spans) - start
    rows = [_row(span, depth, start, length) for span, depth in _ordered(spans, limit)]
    return Waterfall(tuple(rows), len(spans), start, length)


def _row(span: Span, depth: int, start: float, length: float) -> Row:
    scale = WIDTH / length if length > 0 else 0.0
    left = (span.started_at - start) * scale
    width = max((span.duration_s or 0.0) * scale, 2.0)
    return Row(span, depth, min(left, WIDTH - 2.0), min(width, WIDTH - min(left, WIDTH - 2.0)))


def _ordered(spans: Sequence[Span], limit: int) -> list[tuple[Span, int]]:
    by_id = {span.span_id: span for span in spans}
    children = _children(spans, by_id)
    roots = [s for s in spans if s.parent_span_id not in by_id or s.parent_span_id == s.span_id]
    placed: dict[str, int] = {}
    # the spans of a cycle hang under no root: each is tried as one at the end
    for seed in (*_by_start(roots), *_by_start(by_id.values())):
        stack = [(seed, 0)]
        while stack and len(placed) < limit:
            span, depth = stack.pop()
            if span.span_id not in placed:
                placed[span.span_id] = depth
                below = _by_start(children[span.span_id])
                stack += [(child, depth + 1) for child in reversed(below)]
    return [(by_id[span_id], depth) for span_id, depth in placed.items()]


def _children(spans: Sequence[Span], by_id: Mapping[str, Span]) -> defaultdict[str, list[Span]]:
    children: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        if span.parent_span_id in by_id and span.parent_span_id is not None:
            children[span.parent_span_id].append(span)
    return children


def _by_start(spans: Iterable[Span]) -> list[Span]:
    return sorted(spans, key=lambda s: (s.started_at, s.span_id))
