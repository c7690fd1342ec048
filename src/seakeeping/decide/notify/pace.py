"""How fast a target is told, and how long it is left alone after it failed.

A token bucket keeps within what receivers allow; back-off doubles from two seconds to five minutes,
spread over half of itself so that many senders do not come back in one moment.
"""

import random
from dataclasses import dataclass

from seakeeping.records import NotificationTarget, TargetKind

FIRST_S = 2.0
LONGEST_S = 300.0


def back_off_s(failures: int, chance: random.Random) -> float:
    """Return the seconds to wait after so many failures in a row (from 1).

    >>> round(back_off_s(3, random.Random(7)), 1)
    5.3
    """
    whole = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 20))
    return whole * (0.5 + chance.random() / 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages a second, after ``burst`` at once."""

    per_s: float
    burst: int


RATES: dict[TargetKind, Rate] = {
    TargetKind.ALERTMANAGER: Rate(20, 100),
    TargetKind.WEBHOOK: Rate(20, 100),
    TargetKind.CLOUDEVENTS: Rate(20, 100),
    TargetKind.PAGERDUTY: Rate(2, 30),  # 120 a minute and integration
    TargetKind.SLACK: Rate(1, 3),  # one a second and channel, short bursts pass
    TargetKind.EMAIL: Rate(1, 20),
    TargetKind.APPRISE: Rate(1, 5),
}


def rate_of(target: NotificationTarget) -> Rate:
    """Return the rate of a target: its kind's, or what the option ``per_minute`` says."""
    usual = RATES[target.kind]
    asked = target.options.get("per_minute", "")
    if not (asked.isascii() and asked.isdigit() and int(asked) > 0):
        return usual
    return Rate(int(asked) / 60, min(usual.burst, max(1, int(asked))))


class Bucket:
    """Counts what may go out now; a clock that goes back gives nothing and takes nothing."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more message may go out at ``now`` (monotonic seconds)."""
        gained = max(0.0, now - self._at) * self._rate.per_s
        self._tokens = min(float(self._rate.burst), self._tokens + gained)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
