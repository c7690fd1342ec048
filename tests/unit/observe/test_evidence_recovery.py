import random

import pytest

from seakeeping.observe.evidence import Tests
from seakeeping.records import Evidence

NULL, BATCH = 0.1, 20


def fed(tests: Tests, rate: float, answers: int, start: int = 0, seed: int = 1) -> Evidence:
    """Feed answers in batches of twenty, each batch of a bucket of its own."""
    chance = random.Random(seed)
    for number in range(answers // BATCH):
        flagged = sum(chance.random() < rate for _ in range(BATCH))
        tests.feed("t", start + 300 * number, BATCH, flagged, now=start + 300.0 * number)
    found = tests.of("t")
    assert found is not None
    return found


@pytest.fixture
def tests() -> Tests:
    made = Tests()
    made.hold({"t": NULL})
    return made


def test_a_long_incident_is_over_some_hundreds_of_answers_after_its_end(tests: Tests) -> None:
    assert fed(tests, 0.4, 10_000).is_alarm
    assert fed(tests, 0.4, 10_000, start=150_000).value > 1e100
    after = fed(tests, 0.05, 1000, start=300_000)
    assert not after.is_alarm
    assert after.events == 21_000


@pytest.mark.parametrize("rate", [0.1, 0.15])
def test_a_rate_at_the_budget_or_over_does_not_end_an_alarm_soon(tests: Tests, rate: float) -> None:
    fed(tests, 0.4, 2000)
    assert fed(tests, rate, 400, start=100_000).is_alarm


def test_the_next_incident_is_noticed_anew_and_dated_after_the_first(tests: Tests) -> None:
    fed(tests, 0.4, 2000)
    assert not fed(tests, 0.02, 1000, start=100_000).is_alarm
    again = fed(tests, 0.4, 400, start=200_000)
    assert again.is_alarm
    assert again.since == 114_700  # the last batch before


def test_a_recovery_goes_on_after_a_restart(tests: Tests) -> None:
    fed(tests, 0.4, 2000)
    assert fed(tests, 0.05, 160, start=100_000).is_alarm
    again = Tests()
    again.restore(tests.save())
    assert fed(again, 0.05, 400, start=200_000) == fed(tests, 0.05, 400, start=200_000)
    assert again.save() == tests.save()


def test_a_recalibration_in_an_alarm_breaks_nothing(tests: Tests) -> None:
    fed(tests, 0.9, 400)
    tests.hold({"t": 0.3})
    fed(tests, 0.9, 400, start=50_000)
    assert not fed(tests, 0.0, 1000, start=100_000).is_alarm
