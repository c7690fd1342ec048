"""An objective over its window: how the budget went down, how fast, and what was changed when.

The burn-down is cumulative: it begins with a full budget at the start of the window and ends with
exactly what the big number says is left, so the steps in it are the bad events and nothing else.
Where a detector estimates the indicator its counts are not the truth, and no budget can be drawn
from them; then the share it flags is drawn, named for what it is, beside the share that would mean
a rate just on budget.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson

from seakeeping.records import Change, Counts, Reading
from seakeeping.web import spell
from seakeeping.web.charts import Chart, share

_STEPS = 150


@dataclass(frozen=True, slots=True)
class Step:
    """The events of one step of a window."""

    start: float
    counts: Counts


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment, drawn over a chart."""

    at: float
    label: str


def step_for(window_s: float) -> int:
    """Return the seconds of a step: about 150 in a window, a multiple of five minutes.

    >>> step_for(2_592_000), step_for(604_800), step_for(3600)
    (17400, 4200, 300)
    """
    return max(1, math.ceil(window_s / _STEPS / 300)) * 300


def marks(changes: Iterable[Change]) -> list[Mark]:
    """Return changes as marks."""
    return [Mark(c.at, f"{c.kind} {c.after or c.description or c.id}") for c in changes]


def charts(
    reading: Reading, steps: Sequence[Step], step_s: int, changes: Iterable[Change], link: str
) -> list[Chart]:
    """Return the charts of an objective, the budget first."""
    drawn = marks(changes)
    first = _flagged if reading.budget.objective.indicator.is_estimate else _burn_down
    return [
        first(reading, steps, step_s, drawn, link),
        _bad_share(reading, steps, step_s, drawn, link),
        _events(steps, step_s, drawn, link),
    ]


def _burn_down(
    reading: Reading, steps: Sequence[Step], step_s: int, drawn: Sequence[Mark], link: str
) -> Chart:
    budget = reading.budget
    allowed = sum(s.counts.valid for s in steps) * budget.objective.budget_ratio
    left = [
        1.0 - bad / allowed if allowed > 0 else None
        for bad in accumulate(s.counts.bad for s in steps)
    ]
    known = [value for value in left if value is not None]
    summary = f"now {spell.whole_ratio(known[-1])} left" if known else "no data"
    return _chart(
        "Error budget left", "ratio", steps, step_s, {"budget left": left, "none left": 0.0},
        summary, drawn, link,
    )  # fmt: skip


def _flagged(
    reading: Reading, steps: Sequence[Step], step_s: int, drawn: Sequence[Mark], link: str
) -> Chart:
    values = [share(s.counts.bad, s.counts.valid) for s in steps]
    limit = reading.evidence.null_ratio if reading.evidence else None
    lines: dict[str, Any] = {"flagged by detector": values}
    if limit is not None:
        lines["what it would flag just on budget"] = limit
    summary = f"on budget the detector would flag {spell.ratio(limit)}" if limit else ""
    return _chart(
        "Flagged by detector, uncorrected", "ratio", steps, step_s, lines, summary, drawn, link
    )


def _bad_share(
    reading: Reading, steps: Sequence[Step], step_s: int, drawn: Sequence[Mark], link: str
) -> Chart:
    objective = reading.budget.objective
    if objective.indicator.is_estimate:
        values = [share(s.counts.score_sum, s.counts.valid) for s in steps]
        known = [v for v in values if v is not None]
        return _chart(
            "Mean badness score", "ratio", steps, step_s, {"mean score": values},
            f"last {spell.ratio(known[-1])}" if known else "no data", drawn, link,
        )  # fmt: skip
    values = [share(s.counts.bad, s.counts.valid) for s in steps]
    known = [v for v in values if v is not None]
    return _chart(
        "Bad events", "ratio", steps, step_s,
        {"bad share": values, "allowed": objective.budget_ratio},
        f"most {spell.ratio(max(known))}, allowed {spell.ratio(objective.budget_ratio)}"
        if known else "no data", drawn, link,
    )  # fmt: skip


def _events(steps: Sequence[Step], step_s: int, drawn: Sequence[Mark], link: str) -> Chart:
    values = [s.counts.valid / step_s * 60 for s in steps]
    summary = f"most {spell.rate(max(values))} /min" if values else "no data"
    return _chart("Valid events", "rate", steps, step_s, {"events": values}, summary, drawn, link)


def _chart(
    title: str, unit: str, steps: Sequence[Step], step_s: int, lines: dict[str, Any],
    summary: str, drawn: Sequence[Mark], link: str,
) -> Chart:  # fmt: skip
    """Return a chart; a line given as one number is level."""
    times = [s.start for s in steps]
    series = [
        {"label": label, "values": [v] * len(times) if isinstance(v, float) else v}
        for label, v in lines.items()
    ]
    data = {
        "t": times, "step": step_s, "unit": unit, "least": 0.01, "series": series, "link": link,
        "marks": [{"t": m.at, "label": m.label} for m in drawn],
    }  # fmt: skip
    return Chart(title, tuple(lines), orjson.dumps(data).decode(), summary)
