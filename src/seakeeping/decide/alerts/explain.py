"""What an alert is about, from the events themselves: the worst slices, and answers that show it.

This is no diagnosis (``decide.diagnose`` compares with the time before and tests); it is the first
thing that somebody who was paged wants to see, so it comes with the page: of each dimension the
value that most of the bad events have beyond its share of the traffic, and five answers. Texts of
answers stay in the store: an alert leaves the house.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seakeeping.decide.alerts.sentences import percent
from seakeeping.decide.evidence import Events
from seakeeping.records import Alert, Indicator, Objective
from seakeeping.records.codec import iso, moment
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.store.predicates import CALL_SIGNALS, JUDGED_SIGNALS

WORST_SLICES = 3
EXAMPLES = 5
LEAST_BAD_ROWS = 3
"""Bad rows that a slice must have to be named."""


@dataclass(frozen=True, slots=True)
class WorseSlice:
    """A value of a dimension whose calls are worse than all calls together.

    ``bad_ratio`` is its share of bad events, ``share`` its part of all bad ones, ``excess`` the bad
    events beyond what all calls together would have had there.
    """

    dimension: str
    value: str
    bad_ratio: float
    share: float
    excess: float

    def __str__(self) -> str:
        value = self.value or "(none)"
        return (
            f"{self.dimension}={value}: {percent(self.bad_ratio)} bad, "
            f"{percent(self.share)} of all that is bad"
        )


def worst_slices(facts: Facts, limit: int = WORST_SLICES) -> list[WorseSlice]:
    """Return the slices with the most bad events beyond their share of traffic, worst first."""
    valid, bad = float(facts.valid.sum()), float(facts.bad.sum())
    if bad <= 0 or valid <= 0:
        return []
    found = [
        slice_
        for place, dimension in enumerate(facts.dimensions)
        for slice_ in _slices(facts, place, dimension, bad, bad / valid)
    ]
    return sorted(found, key=lambda slice_: -slice_.excess)[:limit]


def _slices(
    facts: Facts, place: int, dimension: str, bad: float, ratio: float
) -> Iterator[WorseSlice]:
    values = facts.values[place]
    if len(values) < 2:
        return  # all calls have the same value: it tells nothing apart
    codes, size = facts.codes[:, place], len(values)
    by_valid = np.bincount(codes, facts.valid, size)
    by_bad = np.bincount(codes, facts.bad, size)
    rows = np.bincount(codes, facts.bad_rows, size)
    excess = by_bad - ratio * by_valid
    for code in np.flatnonzero((excess > 0) & (rows >= LEAST_BAD_ROWS)):
        yield WorseSlice(
            dimension, values[code], float(by_bad[code] / by_valid[code]),
            float(by_bad[code] / bad), float(excess[code]),
        )  # fmt: skip


def can_be_explained(indicator: Indicator) -> bool:
    """Return whether the events of an indicator are calls: only they have dimensions."""
    return indicator.signal in CALL_SIGNALS | JUDGED_SIGNALS


def explanation(events: Events, objective: Objective, start: float, end: float) -> dict[str, str]:
    """Return the annotations ``worst_slices`` and ``examples`` of what was bad in a time.

    Raises StoreUnavailable.
    """
    indicator, service = objective.indicator, objective.service
    slices = worst_slices(events.facts(indicator, service, start, end))
    examples = events.examples(indicator, service, start, end, limit=EXAMPLES)
    return {
        "worst_slices": "; ".join(map(str, slices)) or "none stands out",
        "examples": "; ".join(map(example_line, examples)) or "none",
    }


def example_line(example: Example) -> str:
    """Return where to find an answer and what was found about it, without its text.

    >>> example_line(Example("t1", "s1", "chat", 0.0, value=12.5, error_type="timeout"))
    '/interactions/t1/s1 at 1970-01-01T00:00:00Z (timeout, 12.5)'
    """
    what = [example.label, example.error_type, example.model]
    number = example.score if example.score is not None else example.value
    told = [word for word in what if word] + ([] if number is None else [f"{number:.3g}"])
    at = f"{iso(example.started_at)[:19]}Z"
    said = f" ({', '.join(told)})" if told else ""
    return f"/interactions/{example.trace_id}/{example.span_id} at {at}{said}"


def period_of(alert: Alert, now: float) -> tuple[float, float]:
    """Return the time to explain: since the change, else the long look-back before the alert."""
    test = alert.evidence.get("test")
    since = test.get("since") if isinstance(test, Mapping) else None
    if isinstance(since, str):
        return moment(since), now
    rows = alert.evidence.get("rows")
    held: list[float] = []
    if isinstance(rows, Sequence):
        found = [row["long_s"] for row in rows if isinstance(row, Mapping) and row.get("holds")]
        held = [float(seconds) for seconds in found if isinstance(seconds, int | float)]
    return alert.starts_at - min(held, default=_HOUR_S), now


_HOUR_S = 3600.0
