"""Alerts: false pages on healthy traffic, and the delay of true ones.

Burn alerts at 99.9 %: months of a service with little traffic that fails at half its budget, and
the delay until a page after the rate jumped to many times the budget; the standard table without a
guard (as recording rules in Prometheus have it) and one with a fixed level of 1e-4 in the long
look-back see the same events. Quality alerts at 90 %:
streams of answers that are bad exactly as often as the budget allows, and the number of answers
until a page after a jump to 40 %.

    python -m bench.alerts.run [--months 100] [--streams 500] [--repetitions 500]
"""

import argparse
import json
import time
from typing import Any

import numpy as np

from bench.alerts.simulate import (
    MONTH_S,
    START,
    availability,
    failing,
    first_after,
    our_pages,
    quality,
    series,
    streams,
    table_pages,
    traffic,
)
from seakeeping.decide.backtest import Fired, backtest
from seakeeping.records import Severity

SLO, QUALITY_SLO = 0.999, 0.9
FIXED_LEVEL = 1e-4
DELAYS = (
    # requests a second, times the budget
    (1 / 60, 100), (1 / 60, 20), (1 / 6, 100), (1 / 6, 20), (1.0, 20), (10.0, 100), (10.0, 20),
    (10.0, 10), (10.0, 7),
)  # fmt: skip
QUIET_S = 86_400
BURN_S = (8 * 3600, 36 * 3600)  # where requests come by the second, and by the minute
BATCH, QUIET_ANSWERS, BEFORE, AFTER = 10, 20_000, 5000, 3000
DETECTORS = {"perfect": (1.0, 1.0), "se .80, sp .90": (0.8, 0.9)}


def false_pages(months: int, *, is_regular: bool) -> dict[str, Any]:
    """Return the pages of a service at one request a minute and half its budget."""
    objective, rate = availability(SLO), (1 - SLO) / 2
    pages = dict.fromkeys(("ours", "standard", "fixed_level"), 0)
    for random in streams(1, months):
        valid = traffic(random, 1.0, MONTH_S // 60, is_regular=is_regular)
        month = series(valid, failing(random, valid, rate), 60)
        pages["ours"] += len(our_pages(objective, month))
        pages["standard"] += len(table_pages(objective, month))
        pages["fixed_level"] += len(table_pages(objective, month, FIXED_LEVEL))
    arrivals = "one a minute" if is_regular else "Poisson"
    return {"arrivals": arrivals, "months": months, "false_pages": pages}


def delay(per_s: float, times: float, repetitions: int) -> dict[str, Any]:
    """Return how long a page takes after the rate jumped from half to many times the budget."""
    objective, step_s = availability(SLO), 60 if per_s < 1 else 10
    quiet, burning = QUIET_S // step_s, BURN_S[per_s < 1] // step_s
    found: dict[str, list[float]] = {"ours": [], "standard": [], "fixed_level": []}
    for random in streams(2, repetitions):
        valid = traffic(random, per_s * step_s, quiet + burning, is_regular=True)
        before = failing(random, valid[:quiet], (1 - SLO) / 2)
        after = failing(random, valid[quiet:], min(1.0, (1 - SLO) * times))
        of = series(valid, np.concatenate([before, after]), step_s)
        onset = START + quiet * step_s
        found["ours"].append(first_after(our_pages(objective, of), onset) / 60)
        found["standard"].append(first_after(table_pages(objective, of), onset) / 60)
        fixed = table_pages(objective, of, FIXED_LEVEL)
        found["fixed_level"].append(first_after(fixed, onset) / 60)
    told: dict[str, Any] = {"requests_a_s": round(per_s, 3), "times_budget": times}
    for who, minutes in found.items():
        told[f"{who}_min"] = {
            "median": _round(np.median(minutes)), "mean": _round(np.mean(minutes)),
            "p90": _round(np.quantile(minutes, 0.9)),
        }  # fmt: skip
    return told


def _round(value: "np.floating[Any] | float") -> float:
    return round(float(value), 1)


def silence(count: int, detector: tuple[float, float]) -> dict[str, Any]:
    """Return how many streams at exactly the budget stay without a page, and without any alert."""
    null = _flagged(1 - QUALITY_SLO, detector)
    alerts = [
        backtest(quality(QUALITY_SLO), _answers(random, [(QUIET_ANSWERS, null)]), null_ratio=null)
        for random in streams(3, count)
    ]
    without_page = sum(not _pages(found) for found in alerts)
    return {
        "streams": count, "answers": QUIET_ANSWERS, "without_page": without_page,
        "without_page_ratio": without_page / count,
        "without_any_alert": sum(not found for found in alerts),
    }  # fmt: skip


def answers_to_page(count: int, detector: tuple[float, float], bad: float) -> dict[str, Any]:
    """Return how many answers a page takes after the bad ones jumped from the budget."""
    null, after = _flagged(1 - QUALITY_SLO, detector), _flagged(bad, detector)
    needed = []
    for random in streams(4, count):
        of = _answers(random, [(BEFORE, null), (AFTER, after)])
        pages = _pages(backtest(quality(QUALITY_SLO), of, null_ratio=null))
        onset = START + BEFORE // BATCH * 60
        seconds = first_after([(page.starts_at, page.ends_at) for page in pages], onset)
        needed.append(seconds / 60 * BATCH)
    return {
        "bad_ratio": bad, "answers_median": _round(np.median(needed)),
        "answers_p90": _round(np.quantile(needed, 0.9)),
    }  # fmt: skip


def _flagged(bad_ratio: float, detector: tuple[float, float]) -> float:
    sensitivity, specificity = detector
    return bad_ratio * sensitivity + (1 - bad_ratio) * (1 - specificity)


def _answers(random: np.random.Generator, stretches: list[tuple[int, float]]) -> Any:
    bad = [random.binomial(BATCH, rate, answers // BATCH) for answers, rate in stretches]
    flagged = np.concatenate(bad)
    return series(np.full(len(flagged), BATCH), flagged, 60)


def _pages(found: list[Fired]) -> list[Fired]:
    return [one for one in found if one.rule.severity is Severity.PAGE]


def run(months: int, count: int, repetitions: int) -> dict[str, Any]:
    """Return all figures."""
    begun = time.process_time()
    return {
        "false_pages": [false_pages(months, is_regular=regular) for regular in (True, False)],
        "delays": [delay(per_s, times, repetitions) for per_s, times in DELAYS],
        "quality": {
            name: {
                "quiet": silence(count, detector),
                "jumps": [answers_to_page(count, detector, bad) for bad in (0.2, 0.3, 0.4)],
            }
            for name, detector in DETECTORS.items()
        },
        "cpu_s": round(time.process_time() - begun, 1),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=100)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--repetitions", type=int, default=500)
    args = parser.parse_args()
    print(json.dumps(run(args.months, args.streams, args.repetitions), indent=1))


if __name__ == "__main__":
    main()
