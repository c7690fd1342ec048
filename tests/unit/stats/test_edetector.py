"""The e-detector: what it promises while nothing happens, and how soon it sees what does."""

import itertools
import json
import math
import statistics
import time

import numpy as np
import numpy.typing as npt
import pytest

from seakeeping.errors import BadInput
from seakeeping.stats.edetector import LIMIT, Detector, DetectorState, grid


def fed(
    detector: Detector, state: DetectorState, random: np.random.Generator, rate: float,
    events: int, batch: int,
) -> DetectorState:  # fmt: skip
    for flagged in random.binomial(batch, rate, events // batch).tolist():
        state = detector.advance(state, flagged, batch)
    return state


def ever_alarms(detector: Detector, flags: npt.NDArray[np.bool_], batch: int) -> bool:
    state = detector.start()
    for flagged in flags.reshape(-1, batch).sum(axis=1).tolist():
        state = detector.advance(state, flagged, batch)
        if detector.is_alarm(state):
            return True
    return False


def delay(rate: float, after: float, batch: int, seed: int) -> int:
    """Return how many events after a change at 3,000 the alarm comes."""
    detector, random = Detector(rate), np.random.default_rng(seed)
    state = fed(detector, detector.start(), random, rate, 3000, batch)
    for number in itertools.count(1):
        state = detector.advance(state, int(random.binomial(batch, after)), batch)
        if detector.is_alarm(state):
            return number * batch
    raise AssertionError


@pytest.mark.parametrize("null", [0.01, 0.1, 0.5])
def test_quiet_streams_at_the_null_are_silent(null: float) -> None:
    random = np.random.default_rng(round(1000 * null))
    alarms = sum(ever_alarms(Detector(null), random.random(20_000) < null, 50) for _ in range(100))
    assert alarms <= 3  # at most 1 % is promised, one in a hundred expected


def test_the_mean_run_to_a_false_alarm_is_at_least_the_limit() -> None:
    limit, random, runs = 500.0, np.random.default_rng(1), []
    for _ in range(80):
        detector = Detector(0.1, limit)
        state, events = detector.start(), 0
        while not detector.is_alarm(state) and events < 10 * limit:
            state = detector.advance(state, int(random.random() < 0.1), 1)
            events += 1
        runs.append(events)
    assert statistics.mean(runs) >= limit


def test_the_promise_holds_where_chances_change_below_the_null() -> None:
    # no independence: after each flag the next is likelier, and the null bounds both chances
    random = np.random.default_rng(2)
    alarms = 0
    for _ in range(30):
        detector, before = Detector(0.2, 10_000), 0
        state = detector.start()
        for _ in range(4000):
            before = int(random.random() < (0.2 if before else 0.05))
            state = detector.advance(state, before, 1)
            if detector.is_alarm(state):
                alarms += 1
                break
    assert alarms / 30 <= 4000 / 10_000


def test_a_jump_from_ten_to_forty_percent_is_seen_within_300_events() -> None:
    delays = [delay(0.1, 0.4, 10, seed) for seed in range(60)]
    assert statistics.median(delays) <= 60  # 50 measured; 300 are asked for
    assert max(delays) <= 150


@pytest.mark.parametrize(("after", "within"), [(0.045, 3600), (0.06, 1100), (0.09, 380)])
def test_smaller_changes_take_longer(after: float, within: int) -> None:
    delays = [delay(0.03, after, 20, seed) for seed in range(30)]
    assert statistics.median(delays) <= within


def test_it_says_where_the_change_began() -> None:
    detector, begun = Detector(0.1), []
    for seed in range(40):
        random = np.random.default_rng(seed)
        state = fed(detector, detector.start(), random, 0.1, 5000, 10)
        state = fed(detector, state, random, 0.4, 100, 10)
        assert state.since_event is not None
        begun.append(state.since_event)
    assert abs(statistics.median(begun) - 5000) <= 20


def test_the_moment_of_the_change_is_the_callers_clock() -> None:
    detector = Detector(0.1)
    state = detector.start()
    for minute in range(60):
        state = detector.advance(state, 60 if minute >= 40 else 5, 100, at=60.0 * minute)
    assert state.since_event == 4000
    assert state.since_at == 60.0 * 39


def test_a_quiet_stream_has_no_beginning() -> None:
    detector = Detector(0.3)
    state = detector.advance(detector.start(), 0, 1000, at=5.0)
    assert state.since_event is None
    assert state.since_at is None


def test_a_batch_of_one_after_another_is_the_recurrence() -> None:
    detector = Detector(0.2)
    wealth = [0.0] * len(detector.lambdas)
    state = detector.start()
    for x in (0, 1, 1, 0, 1, 1, 1, 0, 0, 1):
        state = detector.advance(state, x, 1)
        pairs = zip(wealth, detector.lambdas, strict=True)
        wealth = [(m + 1) * (1 + each * (x - 0.2)) for m, each in pairs]
    assert state.value == pytest.approx(sum(wealth) / len(wealth), rel=1e-12)
    assert state.events == 10


def test_a_batch_never_promises_less_than_its_events() -> None:
    # E[(M + n) L^n] = M + n at the null: the expectation over all batches of four is exact
    detector, n, p0 = Detector(0.25), 4, 0.25
    start = detector.advance(detector.start(), 2, 5)
    expected = 0.0
    for flagged in range(n + 1):
        chance = math.comb(n, flagged) * p0**flagged * (1 - p0) ** (n - flagged)
        expected += chance * detector.advance(start, flagged, n).value
    assert expected == pytest.approx(start.value + n, rel=1e-12)


def test_a_recorded_stream_alarms_where_the_same_stream_did_live() -> None:
    random, detector = np.random.default_rng(3), Detector(0.1, 5000)
    for _ in range(20):
        flags = np.concatenate([random.random(400) < 0.1, random.random(300) < 0.35]).astype(int)
        state, live = detector.start(), None
        for number, flag in enumerate(flags.tolist()):
            state = detector.advance(state, flag, 1)
            if detector.is_alarm(state):
                live = (number, state.since_event)
                break
        assert detector.first_alarm(flags) == live


def test_scores_that_drift_are_seen_and_steady_ones_are_not() -> None:
    detector, random = Detector(0.4, 10_000), np.random.default_rng(3)
    steady, risen = random.beta(2, 4, 1000), random.beta(5, 3, 400)
    assert detector.first_alarm(steady) is None
    found = detector.first_alarm(np.concatenate([steady, risen]))
    assert found is not None
    alarm, since = found
    assert 1000 < alarm < 1200
    assert abs(since - 1000) <= 20


def test_weights_make_bets_on_drawn_answers_fair_for_all() -> None:
    # bad answers are drawn four times as often; unweighted, the drawn ones look like 31 % bad
    random, detector = np.random.default_rng(4), Detector(0.1, 50_000)
    values = (random.random(3000) < 0.1).astype(float)
    chances = np.where(values > 0, 0.8, 0.2)
    drawn = random.random(3000) < chances
    assert detector.first_alarm(values[drawn]) is not None
    assert detector.first_alarm(values[drawn], 0.2 / chances[drawn]) is None


def test_an_empty_record_raises_no_alarm() -> None:
    assert Detector(0.1).first_alarm([]) is None


def test_wealth_beyond_the_floats_neither_overflows_nor_sticks() -> None:
    detector = Detector(0.1)
    state = detector.advance(detector.start(), 5000, 5000)
    assert state.log_value > 3000
    assert math.isfinite(state.value)
    assert detector.is_alarm(state)
    state = detector.advance(state, 0, 100_000)
    assert not detector.is_alarm(state)


def test_a_state_survives_json() -> None:
    detector = Detector(0.1)
    for state in (detector.start(), detector.advance(detector.start(), 3, 10, at=7.5)):
        again = DetectorState.from_json(json.loads(json.dumps(state.to_json())))
        assert again == state
        assert detector.advance(again, 1, 5) == detector.advance(state, 1, 5)


def test_an_empty_batch_changes_nothing() -> None:
    detector = Detector(0.1)
    state = detector.advance(detector.start(), 3, 10, at=1.0)
    assert detector.advance(state, 0, 0, at=2.0) is state


@pytest.mark.parametrize("null", [0.001, 0.03, 0.1, 0.5, 0.9, 0.99])
def test_no_bet_can_lose_everything(null: float) -> None:
    lambdas = grid(null)
    assert lambdas == tuple(sorted(lambdas))
    assert lambdas[0] > 0
    assert lambdas[-1] * null < 1


def test_a_batch_of_a_thousand_costs_microseconds() -> None:
    detector = Detector(0.1)
    state = detector.start()
    began = time.process_time()
    for _ in range(1000):
        state = detector.advance(state, 90, 1000)
    assert time.process_time() - began < 0.5  # about 0.01 on a quiet core


@pytest.mark.parametrize("null", [0.0, 1.0, -0.1, math.nan])
def test_a_null_that_nothing_can_exceed_is_refused(null: float) -> None:
    with pytest.raises(BadInput, match="cannot watch"):
        Detector(null)


def test_what_makes_no_sense_is_refused() -> None:
    detector = Detector(0.1)
    with pytest.raises(BadInput, match="is no count"):
        detector.advance(detector.start(), 3, 2)
    with pytest.raises(BadInput, match="alarms at once"):
        Detector(0.1, limit=1.0)
    with pytest.raises(BadInput, match="lie between"):
        detector.first_alarm([0.5, 1.5])
    with pytest.raises(BadInput, match="lie between"):
        detector.first_alarm([0.5], [0.0])
    with pytest.raises(BadInput, match="another detector"):
        Detector(0.6).advance(detector.start(), 1, 2)


def test_the_limit_promises_one_in_a_hundred_over_twenty_thousand_events() -> None:
    assert 20_000 / LIMIT <= 0.01
