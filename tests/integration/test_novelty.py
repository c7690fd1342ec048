"""New values in telemetry on a real store: told once they come, not when they are only rare."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from seakeeping.records import Traffic
from seakeeping.store.counting import CountingStore
from seakeeping.store.novelty import ENOUGH_CALLS, FINGERPRINT, FirstSeen
from seakeeping.store.testing import NOON, make_empty, make_interaction, running_store

NUMBERS = count(1)
HOUR = 3600.0
DAY = 86_400.0


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


def keep(store: CountingStore, at: float, calls: int = 1, **changes: Any) -> None:
    made = [
        make_interaction(next(NUMBERS), **{"started_at": at + n / 1000, **changes})
        for n in range(calls)
    ]
    store.insert_interactions(made, f"t{next(NUMBERS)}")


def of(store: CountingStore, dimension: str, minutes: float = 5) -> list[FirstSeen]:
    found = store.first_seen(NOON, NOON + minutes * 60)
    return [f for f in found if f.dimension == dimension]


def test_a_release_that_was_not_there_is_new_from_its_first_call(store: CountingStore) -> None:
    keep(store, NOON - 600, ENOUGH_CALLS, release="v1")
    keep(store, NOON + 20, 3, release="v2")
    keep(store, NOON + 10, release="v2")
    [found] = store.first_seen(NOON, NOON + 300)
    assert found == FirstSeen("shop", "release", "v2", NOON + 10, "v1")


@pytest.mark.parametrize(
    ("dimension", "changes"),
    [
        ("service_version", {"service_version": "2.0.0"}),
        ("model", {"response_model": "gpt-5"}),
        ("model", {"response_model": None, "request_model": "gpt-5"}),
        ("prompt_version", {"prompt_version": "7"}),
    ],
)
def test_each_telling_dimension_is_looked_at(
    store: CountingStore, dimension: str, changes: dict[str, Any]
) -> None:
    keep(store, NOON - 600, ENOUGH_CALLS)
    keep(store, NOON + 10, **changes)
    [found] = store.first_seen(NOON, NOON + 300)
    assert (found.dimension, found.value) == (dimension, next(filter(None, changes.values())))


def test_a_fingerprint_is_read_from_the_attributes(store: CountingStore) -> None:
    name = "gen_ai.openai.response.system_fingerprint"
    keep(store, NOON - 600, ENOUGH_CALLS, attributes={name: "fp_1"})
    keep(store, NOON + 10, attributes={"a": 1, name: "fp_2"})
    keep(store, NOON + 20)
    assert of(store, FINGERPRINT) == [FirstSeen("shop", FINGERPRINT, "fp_2", NOON + 10, "fp_1")]


def test_what_is_told_is_told_the_same_again_until_it_is_past(store: CountingStore) -> None:
    keep(store, NOON - 600, ENOUGH_CALLS, release="v1")
    keep(store, NOON + 10, release="v2")
    keep(store, NOON + 400, release="v2")
    first = of(store, "release")
    assert of(store, "release") == of(CountingStore(store.client), "release") == first != []
    assert store.first_seen(NOON + 300, NOON + 600) == []
    assert CountingStore(store.client).first_seen(NOON + 300, NOON + 600) == []


def test_a_rare_value_is_not_new_each_time(store: CountingStore) -> None:
    keep(store, NOON - 5 * HOUR, release="rare")
    keep(store, NOON - 600, 3 * ENOUGH_CALLS, release="v1")
    keep(store, NOON + 10, release="rare")
    assert of(store, "release") == []


def test_a_quiet_service_is_looked_at_further_back(store: CountingStore) -> None:
    keep(store, NOON - 2 * DAY, 3, release="v1")
    keep(store, NOON - HOUR, 2, release="v2")
    keep(store, NOON + 10, release="v1")
    assert of(store, "release") == []


def test_a_value_that_comes_back_after_days_is_new(store: CountingStore) -> None:
    keep(store, NOON - 9 * DAY, ENOUGH_CALLS, release="v1")
    keep(store, NOON - HOUR, ENOUGH_CALLS, release="v2")
    keep(store, NOON + 10, release="v1")
    assert of(store, "release") == [FirstSeen("shop", "release", "v1", NOON + 10, "v2")]


def test_the_first_calls_of_a_service_have_nothing_before_them(store: CountingStore) -> None:
    keep(store, NOON + 10, release="v1")
    found = store.first_seen(NOON, NOON + 300)
    assert {(f.dimension, f.previous) for f in found} == {
        ("release", None), ("model", None), ("service_version", None),
    }  # fmt: skip


def test_a_first_release_follows_calls_without_one(store: CountingStore) -> None:
    keep(store, NOON - 600, ENOUGH_CALLS)
    keep(store, NOON + 10, release="v1")
    assert of(store, "release") == [FirstSeen("shop", "release", "v1", NOON + 10, "")]
    keep(store, NOON + 20)
    assert len(of(store, "release")) == 1


def test_services_do_not_speak_for_each_other(store: CountingStore) -> None:
    keep(store, NOON - 600, ENOUGH_CALLS, release="v2", service_name="desk")
    keep(store, NOON - 600, ENOUGH_CALLS, release="v1")
    keep(store, NOON + 10, release="v2")
    assert [f.service_name for f in of(store, "release")] == ["shop"]


def test_traffic_that_does_not_count_is_not_looked_at(store: CountingStore) -> None:
    keep(store, NOON - 600, ENOUGH_CALLS, release="v1")
    keep(store, NOON + 10, release="v2", traffic=Traffic.SHADOW)
    assert of(store, "release") == []


def test_a_late_call_moves_the_beginning_of_nothing_known(store: CountingStore) -> None:
    keep(store, NOON - 600, ENOUGH_CALLS, release="v1")
    keep(store, NOON + 100, release="v2")
    [first] = of(store, "release")
    keep(store, NOON + 50, release="v2")
    assert of(store, "release") == [first]
    [fresh] = CountingStore(store.client).first_seen(NOON, NOON + 300)
    assert fresh == replace(first, at=NOON + 50)
