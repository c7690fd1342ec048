"""Charts: a gap where nothing is known, no half-filled step, and a link to the calls behind."""

from typing import Any

import orjson
import pytest

from seakeeping.store.telemetry import SeriesPoint
from seakeeping.web import charts

NOW = 1_764_000_450.0
STEP_S = 300
POINTS = [
    SeriesPoint(start=1_763_999_400.0, calls=10, errors=1, served=20, served_errors=2,
                latency_p95_s=2.0, ttft_p95_s=0.5, scored=8, unsupported=2, cost_usd=0.02,
                input_tokens=900, output_tokens=100),
    SeriesPoint(start=1_763_999_700.0),
    SeriesPoint(start=1_764_000_000.0, calls=5, served=5, latency_p95_s=1.0, scored=5,
                cost_usd=0.01),
    SeriesPoint(start=1_764_000_300.0, calls=1, errors=1, served=1, served_errors=1),
]  # fmt: skip


def values(line: charts.Line) -> list[float | None]:
    data = orjson.loads(charts.spark(line, POINTS, STEP_S, NOW, 1.0))
    assert data["t"] == [p.start for p in POINTS]
    found: list[float | None] = data["series"][0]["values"]
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (charts.CALLS, [4.0, 0.0, 1.0, None]),
        (charts.ERRORS, [0.1, None, 0.0, 1.0]),
        (charts.LATENCY, [2.0, None, 1.0, None]),
        (charts.TTFT, [0.5, None, None, None]),
        (charts.FLAGGED, [0.25, None, 0.0, None]),
        (charts.COST, [0.02, None, 0.01, None]),
        (charts.INPUT, [180.0, 0.0, 0.0, None]),
    ],
)
def test_a_line_is_known_only_where_something_is(
    line: charts.Line, expected: list[float | None]
) -> None:
    assert values(line) == expected


@pytest.mark.parametrize("kind", charts.KINDS, ids=lambda kind: kind.title)
def test_every_chart_has_its_unit_its_lines_and_a_summary(kind: charts.ChartKind) -> None:
    made = charts.chart(kind, POINTS, STEP_S, NOW, "/interactions?service=x")
    data: Any = orjson.loads(made.data)
    assert data["unit"] in ("rate", "ratio", "seconds", "usd")
    assert [s["label"] for s in data["series"]] == list(made.labels)
    assert all(len(s["values"]) == len(data["t"]) for s in data["series"])
    assert made.summary.startswith("last ")
    assert data["link"].startswith("/interactions?service=x")


def test_the_chart_of_errors_leads_to_the_failed_calls() -> None:
    kind = next(k for k in charts.KINDS if k.title == "Errors")
    made = charts.chart(kind, POINTS, STEP_S, NOW, "/interactions?service=x")
    assert orjson.loads(made.data)["link"] == "/interactions?service=x&error=true"
    assert made.summary == "last 100 %, most 100 %"


def test_a_chart_of_nothing_says_so() -> None:
    made = charts.chart(charts.KINDS[2], [SeriesPoint(start=1.0)], STEP_S, NOW, "/")
    assert made.summary == "no data"


def test_no_share_of_nothing() -> None:
    assert charts.share(0, 0) is None
    assert charts.share(1, 4) == 0.25
