"""Budgets: a tick of a thousand of them, how soon an event counts, and Prometheus beside.

python -m bench.slo.run [--ticks N] [--prometheus-s SECONDS]
"""

import argparse
import multiprocessing

from bench.slo import prometheus, soon, tick, whole

MOST_TICK_S = 0.05
MOST_DELAY_S = 3.0


def main() -> None:
    """Print the figures, each beside what it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=60)
    parser.add_argument("--prometheus-s", type=float, default=60.0)
    options = parser.parse_args()
    with multiprocessing.get_context("spawn").Pool(1) as pool:  # its memory is measured, too
        _print_tick(pool.apply(tick.measure, (50, 20, options.ticks)))
    _print_soon(soon.measure())
    _print_whole(whole.measure())
    _print_prometheus(prometheus.measure(seconds=options.prometheus_s))


def _print_tick(cost: tick.TickCost) -> None:
    whole = cost.refresh_s + cost.readings_s
    print(
        f"tick of {cost.objectives} objectives x {cost.looks} windows, all of them touched:\n"
        f"  {whole * 1e3:.1f} ms CPU ({'<=' if whole <= MOST_TICK_S else '> '} 50): "
        f"{cost.refresh_s * 1e3:.1f} recount, {cost.readings_s * 1e3:.1f} readings\n"
        f"  snapshot {cost.snapshot_bytes / 1024:.0f} KiB: {cost.encode_s * 1e3:.1f} ms to make, "
        f"{cost.decode_s * 1e3:.1f} ms to read\n"
        f"  {cost.fill_s:.1f} s CPU to fill 30 days at the start, {cost.memory_mib:.0f} MiB"
    )


def _print_soon(found: soon.Soon) -> None:
    print(
        f"event to budget, {found.objectives} objectives of {soon.SERVICES} services, real store:\n"
        f"  {found.median_s:.2f} s median, {found.worst_s:.2f} s worst "
        f"({'<=' if found.worst_s <= MOST_DELAY_S else '> '} {MOST_DELAY_S:g}), "
        f"looking every {soon.LOOK_S:g} s\n"
        f"  a look with news {found.book_cpu_s * 1e3:.0f} ms CPU and {found.engine_cpu_s * 1e3:.0f}"
        f" ms of the engine's, one without {found.idle_engine_cpu_s * 1e3:.0f} ms of the engine's"
    )


def _print_whole(found: whole.Whole) -> None:
    print("event to budget, from an app's export to the API, whole server:")
    for name, (middle, worst) in found.seconds.items():
        verdict = f"{'<=' if worst <= MOST_DELAY_S else '> '} {MOST_DELAY_S:g}"
        print(f"  {name}: {middle:.2f} s median, {worst:.2f} s worst ({verdict})")
    print(
        f"  idle: {found.idle_bytes / 2**20:.0f} MiB, {found.idle_cpu_s * 1e3:.0f} ms CPU a second"
    )


def _print_prometheus(cost: prometheus.PrometheusCost | None) -> None:
    if cost is None:
        print("Prometheus is not installed: make system-packages")
        return
    print(
        f"Prometheus, {cost.rules} rules of {cost.objectives} objectives every "
        f"{prometheus.EVALUATE_S} s:\n"
        f"  {cost.with_rules_s:.2f} s CPU a minute with rules, {cost.without_s:.2f} without: "
        f"{cost.round_s * 1e3:.0f} ms a round"
    )


if __name__ == "__main__":
    main()
