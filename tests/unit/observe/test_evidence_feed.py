"""Every judged answer is fed once, across recounts and restarts."""

import orjson
import pytest

from seakeeping.observe.evidence import RECENT_S, Tests

NOW = 1_790_000_100.0
START = int(NOW // 300 * 300)


def held(null_ratio: float = 0.1) -> Tests:
    made = Tests()
    made.hold({"q": null_ratio})
    return made


def events(found: Tests) -> int:
    evidence = found.of("q")
    assert evidence is not None
    return evidence.events


def test_only_what_is_new_is_fed() -> None:
    found = held()
    found.feed("q", START, 10, 1, NOW)
    found.feed("q", START, 10, 1, NOW)
    found.feed("q", START, 14, 1, NOW)
    assert events(found) == 14


def test_what_was_judged_again_or_taken_back_is_not_fed() -> None:
    found = held()
    found.feed("q", START, 10, 1, NOW)
    found.feed("q", START, 10, 9, NOW)
    found.feed("q", START, 8, 0, NOW)
    assert events(found) == 10
    found.feed("q", START, 9, 0, NOW)
    assert events(found) == 11


def test_what_is_old_when_it_arrives_says_nothing_about_now() -> None:
    found = held()
    found.feed("q", START - int(RECENT_S) - 600, 50, 50, NOW)
    assert events(found) == 0


def test_a_rate_over_its_null_alarms_and_one_at_it_does_not() -> None:
    loud, quiet = held(), held()
    for n in range(40):
        loud.feed("q", START, 10 * (n + 1), 4 * (n + 1), NOW)
        quiet.feed("q", START, 10 * (n + 1), n + 1, NOW)
    (bad, fine) = loud.of("q"), quiet.of("q")
    assert bad is not None
    assert fine is not None
    assert bad.is_alarm
    assert not fine.is_alarm


def test_a_restart_neither_feeds_twice_nor_forgets() -> None:
    found = held()
    found.feed("q", START, 100, 40, NOW)
    again = Tests()
    again.restore(orjson.loads(orjson.dumps(found.save())))
    again.hold({"q": 0.1})
    assert again.of("q") == found.of("q")
    again.feed("q", START, 100, 40, NOW)
    assert events(again) == 100
    again.feed("q", START, 105, 40, NOW)
    assert events(again) == 105


def test_marks_are_forgotten_with_time() -> None:
    found = held()
    for n in range(200):
        found.feed("q", START + 300 * n, 5, 0, NOW + 300 * n)
    assert len(found.save()["q"]["marks"]) <= 2 * RECENT_S / 300 + 1


def test_a_recalibration_keeps_the_wealth_unless_the_bets_are_others() -> None:
    found = held(0.1)
    found.feed("q", START, 100, 40, NOW)
    found.hold({"q": 0.11})
    kept = found.of("q")
    assert kept is not None
    assert kept.events == 100
    assert kept.null_ratio == 0.11
    found.hold({"q": 0.6})
    assert events(found) == 0


def test_a_test_that_nobody_holds_is_gone() -> None:
    found = held()
    found.hold({})
    assert found.of("q") is None
    found.feed("q", START, 5, 5, NOW)


@pytest.mark.parametrize("null_ratio", [1e-4, 0.5, 0.98])
def test_any_null_is_watched(null_ratio: float) -> None:
    found = held(null_ratio)
    found.feed("q", START, 10, 10, NOW)
    assert events(found) == 10
