"""What a service promises, and how much of the room for failure is left.

An objective is a target for the share of good events over a rolling window (OpenSLO v1, budgeting
method *Occurrences*): events are counted, never ratios averaged, so that a bad request at night
weighs what it weighs. A budget is that objective measured at one moment. Ratios are 0..1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from seakeeping.errors import BadInput

WINDOW_UNITS_S: Mapping[str, int] = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds of the units of a window, as OpenSLO spells durations (``30d``)."""


def window_seconds(window: str) -> int:
    """Return the seconds of a window such as ``5m``, ``6h``, ``30d`` or ``4w``; raises BadInput."""
    count, unit = window[:-1], window[-1:]
    if not (count.isascii() and count.isdigit()) or unit not in WINDOW_UNITS_S or int(count) == 0:
        raise BadInput(f"unknown window {window!r}", hint="a number and m, h, d or w, e.g. 30d")
    return int(count) * WINDOW_UNITS_S[unit]


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is counted: ``availability`` or ``latency``.

    ``valid`` says in words which events count, ``good`` which of them are good. ``threshold_s`` is
    the latency that is still good, None for an availability.
    """

    name: str
    valid: str
    good: str
    threshold_s: float | None = None


@dataclass(frozen=True, slots=True)
class Objective:
    """A target for one indicator of one service; ``0 < target_ratio < 1``."""

    name: str
    service: str
    indicator: Indicator
    target_ratio: float
    window: str = "30d"
    description: str = ""
    owner: str | None = None

    @property
    def window_s(self) -> int:
        """Seconds of the rolling window."""
        return window_seconds(self.window)

    @property
    def budget_ratio(self) -> float:
        """The share of events that may be bad."""
        return 1.0 - self.target_ratio


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of a window.

    ``valid`` and ``bad`` are sums of sampling weights (what was served), ``valid_rows`` and
    ``bad_rows`` the rows seen (what is known): totals come from the former, evidence from the
    latter.
    """

    valid: float = 0.0
    bad: float = 0.0
    valid_rows: int = 0
    bad_rows: int = 0


class BudgetState(StrEnum):
    """What the evidence says; no data is never OK."""

    OK = "OK"
    BREACH = "BREACH"
    UNCERTAIN = "UNCERTAIN"
    NO_DATA = "NO_DATA"


@dataclass(frozen=True, slots=True)
class Budget:
    """An objective, measured at ``at``.

    ``estimate`` is the share of good events in the window; ``low`` and ``high`` bound the rate
    behind it (a confidence sequence: right at every look, not only at one); None without data.
    ``remaining_ratio`` is 1 with nothing spent, 0 with all of it, below 0 when overspent.
    ``burn_rates`` map a look-back (``5m`` to ``30d``) to the speed of spending, 1 = just what the
    window allows, None where the look-back holds no event.
    """

    objective: Objective
    at: float
    valid_total: float
    bad_total: float
    estimate: float | None
    low: float | None
    high: float | None
    remaining_ratio: float | None
    state: BudgetState
    burn_rates: Mapping[str, float | None] = field(default_factory=dict)
