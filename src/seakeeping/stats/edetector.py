"""Noticing that a rate went over its limit, however long one looks: the e-detector.

A test made anew every minute is wrong within the day: at p < .05 over a rolling window of 1,000
events, 93 % of quiet streams of 20,000 events raise an alarm. An e-detector (Shin, Ramdas, Rinaldo,
arXiv 2203.03532) is a running wealth that one may watch all the time. Each event x in [0, 1] offers
a bet on "the rate is above p0" that is fair or worse while it is not:

    L_lambda(x) = 1 + lambda (x - p0),         0 < lambda < 1/p0,      E[L | past] <= 1.

A new bettor with wealth 1 begins at every event and stakes all on every later one; M is the wealth
of them all, averaged over a grid of lambdas, each tuned to one rate after the change:

    M_lambda <- (M_lambda + 1) L_lambda(x),    M = mean over lambda of M_lambda.

M_t - t is a supermartingale before the change. So with an alarm at M >= A the mean number of events
to a false alarm is at least A, and the chance of one within T events at most T / A. Nothing is
assumed but that each event's chance given the past is at most p0: no independence, no distribution.

Events often come as counts of a batch whose order is lost. All bettors of a batch then begin at its
first event: M <- (M + n) L(1)^x L(0)^(n - x). The same argument holds at the end of each batch, for
any batches that are not cut with an eye on what is in them. Wealth is kept as logarithms.

*Where the change began*: for each lambda the CUSUM (Page 1954), log-wealth that begins anew at zero
whenever it falls below, knows where it last did; the lambda with most of it tells.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from seakeeping.errors import BadInput

LIMIT = 2_000_000.0
"""Mean events to a false alarm: at most one chance in a hundred over 20,000 quiet events."""

RISES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Relative rises of the rate that the bets are tuned to, as far as p0 has room for them."""


@dataclass(frozen=True, slots=True)
class DetectorState:
    """What a detector remembers: one log-wealth and one CUSUM for each lambda.

    ``events`` were seen. ``since_event`` is how many of them came before the change that seems to
    be under way (None where none does), ``since_at`` the caller's clock there.
    """

    log_wealth: tuple[float, ...]
    cusum: tuple[float, ...]
    begun_event: tuple[int, ...]
    begun_at: tuple[float | None, ...]
    events: int = 0

    @property
    def value(self) -> float:
        """The wealth M, at most the largest float."""
        return math.exp(min(self.log_value, 709.0))

    @property
    def log_value(self) -> float:
        """The logarithm of M; -inf before the first event."""
        return _log_sum(self.log_wealth) - math.log(len(self.log_wealth))

    @property
    def since_event(self) -> int | None:
        """How many events came before the change, None while nothing speaks for one."""
        best = max(range(len(self.cusum)), key=self.cusum.__getitem__)
        return self.begun_event[best] if self.cusum[best] > 0 else None

    @property
    def since_at(self) -> float | None:
        """The ``at`` of the last batch before the change, None where it is unknown."""
        best = max(range(len(self.cusum)), key=self.cusum.__getitem__)
        return self.begun_at[best] if self.cusum[best] > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            "log_wealth": [None if w == -math.inf else w for w in self.log_wealth],
            "cusum": list(self.cusum), "begun_event": list(self.begun_event),
            "begun_at": list(self.begun_at), "events": self.events,
        }  # fmt: skip

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "DetectorState":
        """Return the state of ``to_json``."""
        return cls(
            tuple(-math.inf if w is None else float(w) for w in values["log_wealth"]),
            tuple(map(float, values["cusum"])), tuple(map(int, values["begun_event"])),
            tuple(values["begun_at"]), int(values["events"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detector:
    """An e-detector for "the rate of flagged events is above ``null_ratio``".

    ``0 < null_ratio < 1``; ``limit`` > 1 is the mean number of events to a false alarm, at least.

    >>> detector = Detector(null_ratio=0.1)
    >>> state = detector.advance(detector.start(), flagged=100, total=1000)
    >>> detector.is_alarm(state)
    False
    >>> state = detector.advance(state, flagged=80, total=200)
    >>> detector.is_alarm(state), state.since_event
    (True, 1000)

    Raises BadInput.
    """

    null_ratio: float
    limit: float = LIMIT
    lambdas: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not 0 < self.null_ratio < 1:
            raise BadInput(
                f"a detector cannot watch for rates above {self.null_ratio:g}",
                hint="the rate to be exceeded lies between 0 and 1",
            )
        if not self.limit > 1:
            raise BadInput(f"a limit of {self.limit:g} events alarms at once")
        object.__setattr__(self, "lambdas", grid(self.null_ratio))

    def start(self) -> DetectorState:
        """Return the state before any event."""
        size = len(self.lambdas)
        return DetectorState((-math.inf,) * size, (0.0,) * size, (0,) * size, (None,) * size)

    def advance(
        self, state: DetectorState, flagged: int, total: int, at: float | None = None
    ) -> DetectorState:
        """Return the state after a batch of ``total`` events, ``flagged`` of them bad.

        ``at`` is the caller's clock at the end of the batch, only to tell when a change began.
        About ten microseconds, whatever the size of the batch. Raises BadInput.
        """
        if not 0 <= flagged <= total:
            raise BadInput(f"{flagged} of {total} events is no count")
        p0 = self.null_ratio
        gains = [
            flagged * math.log1p(each * (1 - p0)) + (total - flagged) * math.log1p(-each * p0)
            for each in self.lambdas
        ]
        return self._after(state, gains, total, at)

    def first_alarm(
        self, values: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> tuple[int, int] | None:
        """Return where a recorded stream of values in [0, 1] first alarms, and where that began.

        The first number is the alarming value's index, the second how many values came before the
        change; None where nothing alarms. ``weights`` in (0, 1] scale each bet: where an event was
        drawn with probability pi, a weight in proportion to 1/pi makes the bet fair for all events
        it was drawn from. All at once: with S the running sum of log L, log M is S plus the running
        log-sum-exp of what S was before each event. Raises BadInput.
        """
        x = np.asarray(values, np.float64)
        stakes = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
        if not (np.all((x >= 0) & (x <= 1)) and np.all((stakes > 0) & (stakes <= 1))):
            raise BadInput("values and weights of an event lie between 0 and 1")
        bets = np.asarray(self.lambdas)[:, None] * (stakes * (x - self.null_ratio))[None, :]
        after = np.cumsum(np.log1p(bets), axis=1)
        before = np.concatenate([np.zeros((len(bets), 1)), after[:, :-1]], axis=1)
        wealth = after + np.logaddexp.accumulate(-before, axis=1)
        mean = np.logaddexp.reduce(wealth, axis=0) - math.log(len(bets))
        alarms = np.flatnonzero(mean >= math.log(self.limit))
        if not len(alarms):
            return None
        at = int(alarms[0])
        # the CUSUM of each lambda began anew where its running sum was least
        rises = after[:, at] - before[:, : at + 1].min(axis=1)
        begun = before[int(rises.argmax()), : at + 1].argmin()
        return at, int(begun)

    def is_alarm(self, state: DetectorState) -> bool:
        """Whether the wealth has reached the limit."""
        return state.log_value >= math.log(self.limit)

    def _after(
        self, state: DetectorState, gains: Sequence[float], total: int, at: float | None
    ) -> DetectorState:
        if total == 0:
            return state
        if len(state.log_wealth) != len(self.lambdas):
            raise BadInput("a state of another detector", hint="begin with start()")
        joined = math.log(total)
        wealth = [_log_add(w, joined) + g for w, g in zip(state.log_wealth, gains, strict=True)]
        cusum = [max(0.0, c) + g for c, g in zip(state.cusum, gains, strict=True)]
        events = state.events + total
        is_new = [c <= 0 for c in cusum]
        begun = zip(is_new, state.begun_event, state.begun_at, strict=True)
        moved = [(events, at) if new else (event, then) for new, event, then in begun]
        return DetectorState(
            tuple(wealth), tuple(max(0.0, c) for c in cusum), tuple(event for event, _ in moved),
            tuple(then for _, then in moved), events,
        )  # fmt: skip


def grid(null_ratio: float) -> tuple[float, ...]:
    """Return the lambdas of a null rate, each the best bet on one rate p1 after the change:

    lambda = (p1 - p0) / (p0 (1 - p0)), p1 = p0 (1 + rise); the last p1 is halfway from p0 to 1.
    """
    p0 = null_ratio
    halfway = (1 + p0) / 2
    after = [p0 * (1 + rise) for rise in RISES if p0 * (1 + rise) < halfway]
    return tuple((p1 - p0) / (p0 * (1 - p0)) for p1 in (*after, halfway))


def _log_add(a: float, b: float) -> float:
    high, low = (a, b) if a > b else (b, a)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _log_sum(logs: Sequence[float]) -> float:
    high = max(logs)
    return high if high == -math.inf else high + math.log(sum(math.exp(x - high) for x in logs))
