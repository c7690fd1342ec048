"""A trace's layout: parents before children, whatever a sender left out or got wrong."""

import pytest

from seakeeping.records import Span
from seakeeping.web.waterfall import WIDTH, waterfall


def span(span_id: str, parent: str | None, start: float, duration: float | None = 1.0) -> Span:
    return Span(
        trace_id="t", span_id=span_id, parent_span_id=parent, name=span_id, kind="internal",
        started_at=start, duration_s=duration, status="ok", error_type=None, service_name="s",
        attributes={},
    )  # fmt: skip


def order(*spans: Span, limit: int = 100) -> list[tuple[str, int]]:
    return [(row.span.span_id, row.depth) for row in waterfall(spans, limit=limit).rows]


def test_children_follow_their_parent_in_order_of_start() -> None:
    spans = [span("c", "a", 3), span("b", "a", 1), span("a", None, 0, 5), span("d", "b", 2)]
    assert order(*spans) == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]


def test_a_span_whose_parent_is_missing_is_a_root() -> None:
    assert order(span("b", "gone", 1), span("a", None, 0)) == [("a", 0), ("b", 0)]


def test_a_cycle_is_cut_and_shown() -> None:
    assert order(span("a", "b", 0), span("b", "a", 1)) == [("a", 0), ("b", 1)]


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    assert order(span("a", "a", 0)) == [("a", 0)]


def test_bars_lie_on_one_axis() -> None:
    first, second = waterfall([span("a", None, 10, 4), span("b", "a", 11, 1)], limit=9).rows
    assert (first.left, first.width) == (0, WIDTH)
    assert second.left == pytest.approx(250)
    assert second.width == pytest.approx(250)


def test_a_bar_never_leaves_the_axis_and_is_never_invisible() -> None:
    rows = waterfall([span("a", None, 0, 100), span("b", "a", 100, 0.0)], limit=9).rows
    assert rows[1].width >= 2
    assert rows[1].left + rows[1].width <= WIDTH


def test_spans_without_duration_still_have_a_place() -> None:
    fall = waterfall([span("a", None, 0, None)], limit=9)
    assert fall.duration_s == 0
    assert fall.rows[0].width >= 2


def test_a_large_trace_says_how_much_is_hidden() -> None:
    spans = [span("r", None, 0, 20_000), *(span(f"{i:05}", "r", i) for i in range(10_000))]
    fall = waterfall(spans, limit=500)
    assert (len(fall.rows), fall.total, fall.hidden) == (500, 10_001, 9501)


def test_a_deep_trace_does_not_exhaust_the_stack() -> None:
    spans = [span(f"{i:05}", f"{i - 1:05}" if i else None, i) for i in range(10_000)]
    assert order(*spans, limit=10_000)[-1] == ("09999", 9999)


def test_no_spans_are_no_rows() -> None:
    assert waterfall([], limit=5).rows == ()
