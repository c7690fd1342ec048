"""Time series as a browser draws them: columns of numbers, None where nothing is known.

A step without calls has a rate of zero, and no error share, no latency and no flagged share: a gap
in the line, never a zero.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from seakeeping.store.telemetry import SeriesPoint
from seakeeping.web import spell

Value = Callable[[SeriesPoint, float], float | None]

WINDOWS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"1h": (3600, 300), "24h": (86_400, 900), "30d": (2_592_000, 21_600)}
)
"""Windows a reader can choose, and the step of their charts, in seconds."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart; ``is_sum`` marks what grows until its step is over."""

    label: str
    value: Value
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class ChartKind:
    """A chart: ``least`` is the smallest top of its axis, so that noise is not a mountain."""

    title: str
    unit: str
    least: float
    lines: tuple[Line, ...]
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its data, as the page takes it."""

    title: str
    labels: tuple[str, ...]
    data: str
    summary: str


def share(part: float, whole: float) -> float | None:
    """Return a share, None of nothing."""
    return part / whole if whole > 0 else None


CALLS = Line("calls", lambda p, step: p.served / step * 60, is_sum=True)
ERRORS = Line("error share", lambda p, _: share(p.served_errors, p.served))
LATENCY = Line("whole answer", lambda p, _: p.latency_p95_s)
TTFT = Line("first token", lambda p, _: p.ttft_p95_s)
FLAGGED = Line("flagged share", lambda p, _: share(p.unsupported, p.scored))
COST = Line("cost", lambda p, _: p.cost_usd, is_sum=True)
INPUT = Line("in", lambda p, step: p.input_tokens / step * 60, is_sum=True)
OUTPUT = Line("out", lambda p, step: p.output_tokens / step * 60, is_sum=True)

KINDS = (
    ChartKind("Calls", "rate", 0.01, (CALLS,)),
    ChartKind("Errors", "ratio", 0.05, (ERRORS,), "error=true"),
    ChartKind("Latency p95", "seconds", 1, (LATENCY, TTFT)),
    ChartKind("Flagged by detector, uncorrected", "ratio", 0.1, (FLAGGED,), "label=unsupported"),
    ChartKind("Cost", "usd", 0.001, (COST,)),
    ChartKind("Tokens", "rate", 1, (INPUT, OUTPUT)),
)
_SPELL = {"rate": spell.rate, "ratio": spell.ratio, "seconds": spell.seconds, "usd": spell.usd}


def chart(
    kind: ChartKind, points: Sequence[SeriesPoint], step_s: int, until: float, link: str
) -> Chart:
    """Return a chart of a service's series; a click on it leads to ``link``, filtered."""
    series = [
        {"label": line.label, "values": _values(line, points, step_s, until)} for line in kind.lines
    ]
    data: dict[str, Any] = {
        "t": [p.start for p in points], "step": step_s, "unit": kind.unit, "least": kind.least,
        "series": series, "link": f"{link}&{kind.filter}" if kind.filter else link,
    }  # fmt: skip
    return Chart(
        title=kind.title,
        labels=tuple(line.label for line in kind.lines),
        data=_rounded(data),
        summary=_summary(kind, points, step_s, until),
    )


def spark(
    line: Line, points: Sequence[SeriesPoint], step_s: int, until: float, least: float
) -> str:
    """Return the data of a sparkline."""
    values = _values(line, points, step_s, until)
    data = {
        "t": [p.start for p in points],
        "least": least,
        "series": [{"label": line.label, "values": values}],
    }
    return _rounded(data)


def _values(
    line: Line, points: Sequence[SeriesPoint], step_s: int, until: float
) -> list[float | None]:
    """Return the values of a line; a sum over a step that is not over yet is not known."""
    return [
        None if line.is_sum and p.start + step_s > until else line.value(p, step_s) for p in points
    ]


def _summary(kind: ChartKind, points: Sequence[SeriesPoint], step_s: int, until: float) -> str:
    known = [v for v in _values(kind.lines[0], points, step_s, until) if v is not None]
    if not known:
        return "no data"
    spell_unit = _SPELL[kind.unit]
    unit = " /min" if kind.unit == "rate" else ""
    return f"last {spell_unit(known[-1])}{unit}, most {spell_unit(max(known))}{unit}"


def _rounded(data: object) -> str:
    return orjson.dumps(data).decode()
