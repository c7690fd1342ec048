"""All budgets in one statement: the same numbers as one question each, on a real store."""

from collections.abc import Iterator

import pytest

from seakeeping.observe import LOOK_BACKS, period_start, standard_objectives
from seakeeping.store.tallies import NOTHING
from seakeeping.store.telemetry import Store
from seakeeping.store.testing import NOON, make_interaction, running_store

NOW = NOON + 250.0
SERVICES = ("shop", "<desk> & sons", "quiet")
AGES = (10, 200, 2000, 4000, 20_000, 100_000, 200_000, 2_000_000, 2_600_000)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as running:
        calls = [
            make_interaction(
                100 * n + m, service_name=service, started_at=NOW - age - m,
                error_type="429" if (n + m) % 3 == 0 else None, duration_s=(n * m) % 17 + 0.5,
                sampling_weight=1.0 + m % 4,
            )
            for n, service in enumerate(SERVICES)
            for m, age in enumerate(AGES * 3)
            if service != "quiet" or age > 200_000
        ]  # fmt: skip
        running.insert_interactions(calls, "calls")
        running.refresh_rollups({(c.service_name, c.started_at // 300 * 300) for c in calls})
        yield running


@pytest.mark.parametrize("service", SERVICES)
def test_a_tally_is_what_counts_are(store: Store, service: str) -> None:
    objectives = standard_objectives(service)
    starts = [period_start(objectives[0], NOW), *(NOW - s for s in LOOK_BACKS.values())]
    found = store.tallies(starts, NOW)
    for number, start in enumerate(starts):
        for objective in objectives:
            name, threshold_s = objective.indicator.name, objective.indicator.threshold_s
            asked = store.counts(service, start, NOW, indicator=name, threshold_s=threshold_s)
            assert found[service][number].counts(name, threshold_s) == asked
    assert found[service][0].calls.valid_rows > 0


def test_a_service_without_calls_is_not_there(store: Store) -> None:
    assert store.tallies([NOW - 3600], NOW).get("nobody", [NOTHING])[0].calls.valid_rows == 0
    assert "quiet" not in store.tallies([NOW - 3600], NOW)


def test_a_summary_says_what_its_rows_stand_for(store: Store) -> None:
    (shop,) = [s for s in store.services(NOW, 3600) if s.service_name == "shop"]
    tally = store.tallies([NOW - 3600], NOW)["shop"][0].calls
    assert (shop.served, shop.served_errors) == (tally.valid, tally.bad)
    assert (shop.calls, shop.errors) == (tally.valid_rows, tally.bad_rows)
    points = store.series("shop", NOW - 3600, NOW, 300)
    assert sum(p.served for p in points) == shop.served
    assert sum(p.served_errors for p in points) == shop.served_errors


def test_tokens_and_cost_are_those_of_what_was_served(store: Store) -> None:
    (shop,) = [s for s in store.services(NOW, 3600) if s.service_name == "shop"]
    each = make_interaction(1)
    assert each.input_tokens is not None
    assert shop.input_tokens == each.input_tokens * shop.served
    points = store.series("shop", NOW - 3600, NOW, 300)
    assert sum(p.input_tokens for p in points) == shop.input_tokens
