"""Twenty indicators as a busy user might have them, and what they ask of a filled store."""

import random
from collections.abc import Callable

from bench.store import fill
from seakeeping.records import Indicator, IndicatorSignal, Match
from seakeeping.store.counting import CountingStore

S = IndicatorSignal
Question = Callable[[random.Random], object]


def _made(signal: S, *where: Match, threshold: float | None = None, subject: str = "") -> Indicator:
    return Indicator(
        name=signal.value, valid="events", good="good ones", signal=signal, threshold=threshold,
        subject=subject or None, where=where, bad_labels=("unsupported",) if subject else (),
    )  # fmt: skip


_V2 = Match("release", ("v2",))
_TENANTS = Match("tenant", ("a", "b"))
INDICATORS = (
    _made(S.AVAILABILITY),
    _made(S.AVAILABILITY, _V2),
    _made(S.AVAILABILITY, _TENANTS),
    _made(S.AVAILABILITY, Match("route", ("/chat",))),
    _made(S.AVAILABILITY, Match("model", ("gpt-4o",))),
    _made(S.AVAILABILITY, Match("group.tier", ("gold",))),
    *(_made(S.LATENCY, threshold=limit) for limit in (1.0, 2.0, 10.0)),
    _made(S.TIME_TO_FIRST_TOKEN, threshold=0.5),
    _made(S.TIME_PER_OUTPUT_TOKEN, threshold=0.05),
    _made(S.COST, threshold=0.01),
    *(_made(S.EVALUATION, subject=name) for name in fill.EVALUATIONS[:3]),
    _made(S.EVALUATION, subject="faithfulness", threshold=0.5),
    _made(S.EVALUATION, _V2, subject="faithfulness"),
    _made(S.EVALUATION, _TENANTS, subject="faithfulness"),
    _made(S.COVERAGE, subject="faithfulness"),
    _made(S.SCORING_LAG, subject="faithfulness", threshold=30.0),
)
AVAILABILITY, FAITHFULNESS = INDICATORS[0], INDICATORS[12]


def questions(store: CountingStore, end: float) -> dict[str, Question]:
    """Return what a controller and a diagnosis ask, about a month that ends at ``end``."""
    version = store.touched(0).version

    def places(source: random.Random) -> list[tuple[str, int]]:
        back = 300 * source.randrange(1, 288)
        chosen = source.sample(range(fill.SERVICES), 3)
        return [(f"service-{n}", int(end) - back) for n in chosen]

    def service(source: random.Random) -> str:
        return f"service-{source.randrange(fill.SERVICES)}"

    return {
        "touched: nothing": lambda s: store.touched(version),
        "cells: 12 of calls, 3 places": lambda s: store.count_cells(INDICATORS[:12], places(s)),
        "cells: 8 of answers, 3 places": lambda s: store.count_cells(INDICATORS[12:], places(s)),
        "cells: 20, 3 places": lambda s: store.count_cells(INDICATORS, places(s)),
        "facts: availability, 6 h": lambda s: store.facts(
            AVAILABILITY, service(s), end - 21_600, end
        ),
        "facts: faithfulness, 6 h": lambda s: store.facts(
            FAITHFULNESS, service(s), end - 21_600, end
        ),
        "examples: faithfulness, 6 h": lambda s: store.examples(
            FAITHFULNESS, service(s), end - 21_600, end
        ),
        "first seen: the last minute": lambda s: store.first_seen(end - 60, end),
    }
