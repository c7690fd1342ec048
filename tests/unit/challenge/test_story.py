import pytest

from seakeeping.challenge.answers import load_answers
from seakeeping.challenge.story import (
    CALLS_PER_S,
    DAY_S,
    HOUR_S,
    SERVICES,
    Call,
    Story,
    daily_factor,
)

END = 1_795_000_000.0


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(load_answers(), END)


@pytest.fixture(scope="module")
def history(story: Story) -> list[Call]:
    return list(story.history())


def test_history_is_a_function_of_seed_and_end(story: Story, history: list[Call]) -> None:
    assert list(Story(load_answers(), END).history()) == history
    assert list(Story(load_answers(), END, seed=1).history()) != history
    assert list(Story(load_answers(), END + 1).history()) != history


def test_history_comes_newest_first_and_covers_thirty_days(history: list[Call]) -> None:
    times = [call.at for call in history]
    assert times == sorted(times, reverse=True)
    assert END - 30 * DAY_S <= times[-1] < END - 29.5 * DAY_S
    assert all(call.ends_at < END for call in history)


def test_history_is_small_enough_to_be_scored_in_a_minute(history: list[Call]) -> None:
    assert 2_000 <= len(history) <= 5_000
    assert len({call.key for call in history}) == len(history)


def test_weights_restore_the_rate_of_calls(history: list[Call]) -> None:
    rate = sum(call.weight for call in history) / (30 * DAY_S)
    assert rate == pytest.approx(CALLS_PER_S, rel=0.1)
    recent = sum(call.weight for call in history if call.at > END - 2 * HOUR_S) / (2 * HOUR_S)
    expected = CALLS_PER_S * sum(daily_factor(END - age) for age in range(0, 7200, 60)) / 120
    assert recent == pytest.approx(expected, rel=0.2)


def test_shares_of_the_services_hold(history: list[Call]) -> None:
    total = sum(call.weight for call in history)
    for service in SERVICES:
        weight = sum(call.weight for call in history if call.service is service)
        assert weight / total == pytest.approx(service.share, abs=0.06)


def test_bad_release_lies_in_the_middle_and_answers_unfaithfully(history: list[Call]) -> None:
    bad = [call for call in history if call.release.is_bad]
    assert len(bad) > 100
    assert {call.service.name for call in bad} == {"field-guide"}
    assert all(14 * DAY_S < END - call.at < 16.1 * DAY_S for call in bad)
    assert sum(call.answer.is_faithful for call in bad) / len(bad) < 0.25


def test_bad_release_is_slower_than_the_one_it_replaced(history: list[Call]) -> None:
    def median_first_token(version: str) -> float:
        calls = [one for one in history if one.release.version == version]
        return sorted(one.first_token_s for one in calls)[len(calls) // 2]

    assert median_first_token("2.4.0") > 1.8 * median_first_token("2.3.0")
    assert median_first_token("2.4.1") < 1.3 * median_first_token("2.3.0")


def test_other_releases_are_mostly_faithful(history: list[Call]) -> None:
    for service in SERVICES:
        calls = [one for one in history if one.service is service and not one.release.is_bad]
        assert sum(call.answer.is_faithful for call in calls) / len(calls) > 0.93


def test_provider_errors_are_rare_but_in_the_bad_release(history: list[Call]) -> None:
    def error_ratio(calls: list[Call]) -> float:
        return sum(call.error_type is not None for call in calls) / len(calls)

    errors = [call for call in history if call.error_type]
    assert 0.001 < error_ratio([call for call in history if not call.release.is_bad]) < 0.005
    assert error_ratio([call for call in history if call.release.is_bad]) > 0.01
    assert {str(call.error_type).split(".")[0] for call in errors} <= {"openai", "anthropic"}


def test_live_calls_are_in_order_at_full_weight_on_the_newest_release(story: Story) -> None:
    live = story.live(END + HOUR_S)
    calls = [next(live) for _ in range(2_000)]
    assert [call.at for call in calls] == sorted(call.at for call in calls)
    assert {call.weight for call in calls} == {1}
    assert {call.release for call in calls} == {one.releases[-1] for one in SERVICES}
    assert 2_000 / (calls[-1].at - END - HOUR_S) == pytest.approx(CALLS_PER_S, rel=0.1)


def test_a_bad_release_ships_while_somebody_watches_and_is_taken_back(story: Story) -> None:
    live = story.live(END)
    calls = [next(live) for _ in range(5_000)]
    bad = [call for call in calls if call.release.is_bad]
    assert {call.release.version for call in bad} == {"2.5.0"}
    assert END + 300 <= bad[0].at < END + 360
    assert END + 1400 < bad[-1].at < END + 1500
    assert sum(call.answer.is_faithful for call in bad) / len(bad) < 0.25
    before = {call.release.version for call in calls if call.at < bad[0].at}
    after = {call.release.version for call in calls if call.at > bad[-1].at}
    assert "2.4.1" in before
    assert "2.5.1" in after


def test_live_calls_of_two_starts_have_different_keys(story: Story) -> None:
    assert next(story.live(END)).key != next(story.live(END + 1)).key


def test_week_ends_are_quieter_and_the_mean_is_one() -> None:
    factors = [daily_factor(hour * HOUR_S) for hour in range(7 * 24)]
    assert sum(factors) / len(factors) == pytest.approx(1.0, abs=0.01)
    saturday, friday = 9 * DAY_S, 8 * DAY_S  # 10 and 9 January 1970
    assert daily_factor(saturday + 15 * HOUR_S) < daily_factor(friday + 15 * HOUR_S)
