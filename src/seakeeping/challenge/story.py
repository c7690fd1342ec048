"""What happened in the thirty days that the demo tells, and what happens from then on.

Three services answer people at a diurnal rate of about one and a half calls a second in all.
Half-way back, ``field-guide`` shipped a release that was slower and whose answers are mostly
ones that people judged unfaithful; a day and a half later it was taken back. Five minutes after
the story's end it does so once more, for twenty minutes, while somebody watches.

Thirty days of that would be four million calls. As a tail-sampling collector would, the history
keeps one call in ``2**k`` (fewer the older, more around the incident) and each says how many it
stands for, so rates and budgets come out right from about four and a half thousand calls.
All is a function of the seed and the moment at which the story was first told.
"""

import hashlib
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.challenge.answers import LabelledAnswer

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
MINUTE_DAYS = 60 / DAY_S
CALLS_PER_S = 1.5
"""Of all services together, over a day."""

OWN_S = 0.004
"""What the app itself takes before and after each step."""


@dataclass(frozen=True, slots=True)
class Release:
    """What runs from ``since_days`` before the story's end (negative: after it) until the next.

    ``unfaithful_ratio`` of its answers are ones that people judged unfaithful, ``error_ratio`` of
    its calls end with a provider's error, and all take ``slowness`` times as long as usual.
    """

    version: str
    since_days: float
    prompt_version: str
    unfaithful_ratio: float
    error_ratio: float
    slowness: float = 1.0
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """An app of the story: its share of the calls, its model, and its releases, oldest first."""

    name: str
    share: float
    provider: str
    model: str
    prompt_name: str
    instructions: str
    releases: tuple[Release, ...]


SERVICES = (
    Service(
        name="cloud-docs",
        share=0.5,
        provider="openai",
        model="gpt-4o-mini",
        prompt_name="answer-from-docs",
        instructions="Answer the customer's question from the documentation passages given.",
        releases=(Release("5.0.2", 31, "11", 0.01, 0.002), Release("5.1.0", 21, "12", 0.01, 0.002)),
    ),
    Service(
        name="field-guide",
        share=0.35,
        provider="anthropic",
        model="claude-3-5-haiku-20241022",
        prompt_name="encyclopedia",
        instructions="Answer from the encyclopedia articles given. If they do not say, say so.",
        releases=(
            Release("2.3.0", 31, "7", 0.02, 0.003),
            Release("2.4.0", 16, "8", 0.85, 0.03, slowness=2.4, is_bad=True),
            Release("2.4.1", 14.5, "9", 0.02, 0.003),
            Release("2.5.0", -5 * MINUTE_DAYS, "10", 0.85, 0.03, slowness=2.4, is_bad=True),
            Release("2.5.1", -25 * MINUTE_DAYS, "11", 0.02, 0.003),
        ),
    ),
    Service(
        name="space-classroom",
        share=0.15,
        provider="openai",
        model="gpt-4o",
        prompt_name="classroom-helper",
        instructions="You help teachers and pupils. Use only the NASA pages given.",
        releases=(Release("1.9.3", 31, "4", 0.03, 0.004),),
    ),
)

_ERRORS: Mapping[str, tuple[str, str]] = {
    "openai": ("openai.RateLimitError", "openai.APITimeoutError"),
    "anthropic": ("anthropic.RateLimitError", "anthropic.APITimeoutError"),
}

_BANDS = ((0.0, 2 * HOUR_S, 8), (2 * HOUR_S, DAY_S, 128), (DAY_S, 30 * DAY_S, 2048))
"""Age from, age to, and how many calls one that was kept stands for."""
_BAD_RELEASE_WEIGHT = 256
_HISTORY_BEGINS_BEFORE_S = 60.0
"""The newest call of the history lies this long before the story's end: it has surely ended."""


@dataclass(frozen=True, slots=True)
class Call:
    """One question put to a service, and what came of it.

    ``key`` names it within the story. ``weight`` is how many calls it stands for. Durations are
    seconds: ``retrieval_s`` before the model is asked, ``first_token_s`` and ``duration_s`` after.
    ``error_type`` is None where the model answered.
    """

    key: str
    at: float
    weight: int
    service: Service
    release: Release
    answer: LabelledAnswer
    retrieval_s: float
    first_token_s: float
    duration_s: float
    input_tokens: int
    output_tokens: int
    error_type: str | None
    user_id: str
    conversation_id: str

    @property
    def asks_model_at(self) -> float:
        """When the model is asked: after the retrieval."""
        return self.at + OWN_S + self.retrieval_s + OWN_S

    @property
    def ends_at(self) -> float:
        """When the user has the whole answer."""
        return self.asks_model_at + self.duration_s + OWN_S


@dataclass(frozen=True, slots=True)
class Story:
    """The calls of the demo, as a function of ``seed`` and ``end`` (Unix seconds)."""

    answers: tuple[LabelledAnswer, ...]
    end: float
    seed: int = 0

    def history(self) -> Iterator[Call]:
        """Yield the calls of the thirty days before ``end``, newest first."""
        for youngest, oldest, weight in _BANDS:
            calls = [
                call
                for service in SERVICES
                for call in self._band(service, youngest, oldest, weight)
            ]
            yield from sorted(calls, key=lambda call: (-call.at, call.key))

    def live(self, start: float) -> Iterator[Call]:
        """Yield the calls from ``start`` on, in order, without end."""
        chance = self._chance("live", start)
        at = start
        for number in range(2**63):
            at += chance.expovariate(CALLS_PER_S)
            (service,) = chance.choices(SERVICES, [one.share for one in SERVICES])
            yield self._call(f"live/{start:.3f}/{number}", at, 1, service, chance)

    def _band(
        self, service: Service, youngest: float, oldest: float, weight: int
    ) -> Iterator[Call]:
        chance = self._chance(service.name, oldest)
        age = max(youngest, _HISTORY_BEGINS_BEFORE_S)
        number = 0
        while True:
            at = self.end - age
            kept = self._weight(service, at, weight)
            age += chance.expovariate(CALLS_PER_S * service.share * daily_factor(at) / kept)
            if age >= oldest:
                return
            number += 1
            key = f"{service.name}/{oldest:.0f}/{number}"
            yield self._call(key, self.end - age, kept, service, chance)

    def _weight(self, service: Service, at: float, weight: int) -> int:
        is_bad = self.release(service, at).is_bad
        return min(weight, _BAD_RELEASE_WEIGHT) if is_bad else weight

    def release(self, service: Service, at: float) -> Release:
        """Return what runs at the time."""
        age_days = (self.end - at) / DAY_S
        running = [one for one in service.releases if one.since_days >= age_days]
        return running[-1] if running else service.releases[0]

    def _call(
        self, key: str, at: float, weight: int, service: Service, chance: random.Random
    ) -> Call:
        release = self.release(service, at)
        answer = _pick(self.answers, service.name, release, chance)
        is_error = chance.random() < release.error_ratio
        first_token_s = release.slowness * chance.lognormvariate(math.log(0.38), 0.35)
        output_tokens = _tokens(answer.text)
        pace = chance.lognormvariate(math.log(0.011), 0.2)
        user = chance.randrange(60)
        return Call(
            key=key,
            at=at,
            weight=weight,
            service=service,
            release=release,
            answer=answer,
            retrieval_s=chance.lognormvariate(math.log(0.06), 0.4),
            first_token_s=first_token_s,
            duration_s=first_token_s + (0 if is_error else release.slowness * pace * output_tokens),
            input_tokens=_prompt_tokens(service, answer),
            output_tokens=output_tokens,
            error_type=chance.choice(_ERRORS[service.provider]) if is_error else None,
            user_id=f"user-{user:03d}",
            conversation_id=f"{service.name}-{self.digest(key)[:8]}",
        )

    def digest(self, name: str) -> str:
        """Return 32 hexadecimal digits that depend on the story and the name alone."""
        told = f"{self.seed}/{self.end:.3f}/{name}"
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()

    def _chance(self, *names: object) -> random.Random:
        return random.Random(self.digest("/".join(map(str, names))))


def daily_factor(at: float) -> float:
    """Return the rate at this time over the mean rate: busy in the afternoon, quiet at weekends.

    >>> daily_factor(15 * 3600) > 1.3 > 0.7 > daily_factor(3 * 3600)
    True
    """
    hour = at % DAY_S / HOUR_S
    weekday = int(at // DAY_S + 3) % 7  # 1 January 1970 was a Thursday
    return (1 + 0.45 * math.cos((hour - 15) / 24 * 2 * math.pi)) * (0.7 if weekday > 4 else 1.12)


def _pick(
    answers: Sequence[LabelledAnswer], service: str, release: Release, chance: random.Random
) -> LabelledAnswer:
    wants_faithful = chance.random() >= release.unfaithful_ratio
    fitting = [one for one in answers if one.service == service]
    return chance.choice([one for one in fitting if one.is_faithful is wants_faithful])


def _tokens(text: str) -> int:
    return max(1, round(len(text) / 4.2))


def _prompt_tokens(service: Service, answer: LabelledAnswer) -> int:
    texts = [service.instructions, *(turn.text for turn in answer.turns)]
    return sum(map(_tokens, [*texts, *(passage.text for passage in answer.passages)]))
