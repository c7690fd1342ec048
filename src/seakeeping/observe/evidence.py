"""Feeding the sequential test of quality: every judged answer once, in the order of arrival.

The store is recounted, not followed, so what arrived is the difference between what five minutes
hold now and what of them was fed before. That mark is remembered for two hours at least and saved
with the test: after a restart neither is anything fed twice nor, unless the node was away for
longer, skipped, and a clock that jumps and soon comes back changes nothing. An answer that is
judged anew changes no number of answers and is not fed again.

An alarm ends by the same means as it began. The wealth of a long incident would take as long to
melt, so while a test is in alarm a second one looks the other way, for "the rate is below what the
budget allows"; when that is convinced, the first begins anew. At half the allowed rate of 10 % this
takes some 300 answers; a rate right at the budget does not end an alarm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seakeeping.observe.counting import BUCKET_S
from seakeeping.records import Evidence
from seakeeping.stats.edetector import LIMIT, Detector, DetectorState

RECENT_S = 7200
"""Answers older than this when they arrive say nothing about the present, in seconds."""

RECOVERED = 1000.0
"""Mean answers to a false end of an alarm, at least."""

_MOST_MARKS = 2 * RECENT_S // BUCKET_S
"""Marks before old ones are forgotten: after a jump of the clock they may not be old at all."""

_SAME = 0.02  # a null rate that moved by less than this share is the same


@dataclass(slots=True)
class SequentialTest:
    """One test as it goes on: an alarm that the recovery test contradicts begins anew."""

    detector: Detector
    state: DetectorState
    marks: dict[int, tuple[int, int]] = field(default_factory=dict)
    recovery: DetectorState | None = None

    def advance(self, flagged: int, total: int, at: float) -> None:
        """Take in a batch of answers, of which so many are flagged."""
        was_alarm = self.detector.is_alarm(self.state)
        self.state = self.detector.advance(self.state, flagged, total, at)
        if not was_alarm or not self.detector.is_alarm(self.state):
            self.recovery = None
            return
        back = Detector(1 - self.detector.null_ratio, RECOVERED)
        self.recovery = back.advance(self.recovery or back.start(), total - flagged, total, at)
        if back.is_alarm(self.recovery):
            self.state, self.recovery = self._anew(at), None

    @property
    def is_alarm(self) -> bool:
        """Whether the rate is over what the budget allows."""
        return self.detector.is_alarm(self.state)

    def _anew(self, at: float) -> DetectorState:
        fresh, events = self.detector.start(), self.state.events
        size = len(fresh.cusum)
        return replace(fresh, begun_event=(events,) * size, begun_at=(at,) * size, events=events)


class Tests:
    """The tests of some objectives, by a name of the caller's."""

    __test__ = False  # to pytest: not a class of tests

    def __init__(self) -> None:
        self._tests: dict[str, SequentialTest] = {}

    def hold(self, nulls: Mapping[str, float]) -> set[str]:
        """Keep just these tests, each of the highest rate of flags that its budget allows.

        Return which are new. A test whose rate moves with a recalibration goes on with the wealth
        that it has.
        """
        new = set(nulls) - set(self._tests)
        for name in set(self._tests) - set(nulls):
            del self._tests[name]
        for name, null_ratio in nulls.items():
            self._hold(name, null_ratio)
        return new

    def _hold(self, name: str, null_ratio: float) -> None:
        known = self._tests.get(name)
        if known and abs(known.detector.null_ratio - null_ratio) <= _SAME * null_ratio:
            return
        detector = Detector(null_ratio, LIMIT)
        if known is None:
            self._tests[name] = SequentialTest(detector, detector.start())
            return
        if len(detector.lambdas) != len(known.detector.lambdas):
            known.state = detector.start()  # bets on other rates: the wealth is not theirs
        known.detector, known.recovery = detector, None

    def feed(self, name: str, start: int, valid_rows: int, bad_rows: int, now: float) -> None:
        """Feed what is new in the five minutes from ``start``, which now hold these rows."""
        test = self._tests.get(name)
        if test is None or start < now - RECENT_S or not (valid_rows or start in test.marks):
            return
        known, known_bad = test.marks.get(start, (0, 0))
        if valid_rows > known:
            total = valid_rows - known
            flagged = min(max(bad_rows - known_bad, 0), total)
            test.advance(flagged, total, float(start))
        test.marks[start] = (valid_rows, bad_rows)
        if len(test.marks) > _MOST_MARKS:
            for old in [old for old in test.marks if old < now - RECENT_S - BUCKET_S]:
                del test.marks[old]

    def of(self, name: str) -> Evidence | None:
        """Return what a test knows; None where there is none."""
        test = self._tests.get(name)
        if test is None:
            return None
        return Evidence(
            value=test.state.value,
            limit=test.detector.limit,
            null_ratio=test.detector.null_ratio,
            events=test.state.events,
            since=test.state.since_at,
        )

    def save(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            name: {
                "null_ratio": test.detector.null_ratio,
                "state": test.state.to_json(),
                "marks": [[start, *rows] for start, rows in test.marks.items()],
                "recovery": None if test.recovery is None else test.recovery.to_json(),
            }
            for name, test in self._tests.items()
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue the tests of ``save``."""
        for name, values in saved.items():
            marks = {int(start): (int(valid), int(bad)) for start, valid, bad in values["marks"]}
            detector = Detector(float(values["null_ratio"]), LIMIT)
            state = DetectorState.from_json(values["state"])
            back = values.get("recovery")
            recovery = None if back is None else DetectorState.from_json(back)
            self._tests[name] = SequentialTest(detector, state, marks, recovery)
