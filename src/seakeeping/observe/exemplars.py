"""A recent bad event of an objective, so that a counter leads to a trace.

Asked for rarely: of an objective whose bad events grew, at most once a minute, and a few in a tick.
"""

from collections.abc import Iterable, Mapping

from seakeeping.observe.counting import SliStore
from seakeeping.records import IndicatorSignal, Objective

EVERY_S = 60.0
"""Least seconds between two questions about one objective."""

AT_ONCE = 2
"""Questions in one tick."""

RECENT_S = 900.0
"""How old a bad event may be, in seconds."""

_OF_CALLS = frozenset({
    IndicatorSignal.AVAILABILITY, IndicatorSignal.LATENCY, IndicatorSignal.TIME_TO_FIRST_TOKEN,
    IndicatorSignal.TIME_PER_OUTPUT_TOKEN, IndicatorSignal.COST, IndicatorSignal.EVALUATION,
})  # fmt: skip


class Exemplars:
    """The traces of recent bad events, by objective."""

    def __init__(self, store: SliStore) -> None:
        self._store = store
        self._found: dict[str, str] = {}
        self._asked: dict[str, tuple[float, float]] = {}

    def hold(self, names: Iterable[str]) -> None:
        """Forget all objectives but these."""
        kept = set(names)
        self._found = {name: trace for name, trace in self._found.items() if name in kept}
        self._asked = {name: asked for name, asked in self._asked.items() if name in kept}

    def refresh(self, objectives: Iterable[Objective], bad: Iterable[float], now: float) -> None:
        """Ask for events where ``bad``, the bad events ever seen of each objective, has grown.

        Raises StoreUnavailable.
        """
        left = AT_ONCE
        for objective, seen in zip(objectives, bad, strict=True):
            at, known = self._asked.get(objective.name, (0.0, 0.0))
            if left and seen > known and not 0 <= now - at < EVERY_S and _is_of_calls(objective):
                self._asked[objective.name] = now, seen
                self._ask(objective, now)
                left -= 1

    def _ask(self, objective: Objective, now: float) -> None:
        found = self._store.examples(
            objective.indicator, objective.service, now - RECENT_S, now + 1.0, limit=1
        )
        if found:
            self._found[objective.name] = found[0].trace_id

    @property
    def traces(self) -> Mapping[str, str]:
        """The trace of a recent bad event, by the name of the objective."""
        return self._found


def _is_of_calls(objective: Objective) -> bool:
    return objective.indicator.signal in _OF_CALLS
