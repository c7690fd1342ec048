"""Labelled traffic of many seeds as stored calls: the demo's answers, scored by our detector.

Each seed is a service of its own with a release history of its own, so that all seeds share one
store and one clock. The twin of a service gets the same calls at the same times, but for the bad
release: it goes on with the release before.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from seakeeping.challenge.answers import LabelledAnswer, load_answers
from seakeeping.challenge.story import MINUTE_DAYS, SERVICES, Call, Release, Story
from seakeeping.evaluate.faithfulness import Faithfulness
from seakeeping.records import Document, Evaluation, Interaction, Label, LabelKind
from seakeeping.records.codec import interaction_from_json, iso

TEMPLATE = next(one for one in SERVICES if one.name == "field-guide")
LABELLED_RATIO = 0.06
"""Share of the answers that people look at, drawn by chance."""


@dataclass(frozen=True, slots=True)
class Told:
    """One call as it is stored, when it is known, and the label that somebody gives it."""

    at: float
    call: Interaction
    evaluation: Evaluation | None
    label: Label | None


class Scores:
    """Our detector's verdict on each answer of the demo, made once."""

    def __init__(self, answers: Sequence[LabelledAnswer]) -> None:
        detector = Faithfulness()
        calls = [_interaction_of(one) for one in answers]
        self._made = {
            one.id: made for one, made in zip(answers, detector.evaluate(calls), strict=True)
        }

    def of(self, answer: LabelledAnswer, call: Interaction) -> Evaluation:
        """Return the verdict on a call that gave this answer."""
        return replace(
            self._made[answer.id], trace_id=call.trace_id, span_id=call.span_id,
            evaluated_at=call.started_at + (call.duration_s or 0.0) + 0.3, duration_s=0.001,
        )  # fmt: skip


def releases(seed: int, *, is_bad: bool) -> tuple[Release, ...]:
    """Return the releases of a seed: a good one, and the bad one for twenty minutes."""
    good = Release(f"1.0-{seed}", 31, "1", 0.02, 0.002)
    if not is_bad:
        return (good,)
    bad = Release(f"2.0-{seed}", -5 * MINUTE_DAYS, "2", 0.85, 0.03, slowness=2.4, is_bad=True)
    fixed = Release(f"2.1-{seed}", -25 * MINUTE_DAYS, "3", 0.02, 0.002)
    return (good, bad, fixed)


def service_name(seed: int, *, is_bad: bool) -> str:
    """Return the name of a seed's service."""
    return f"{'bad' if is_bad else 'good'}-{seed:03d}"


def traffic(scores: Scores, seed: int, begin: float, end: float, *, is_bad: bool) -> Iterator[Told]:
    """Yield the calls of one seed's service in the order in which they are known."""
    story = Story(load_answers(), end, seed)
    service = replace(
        TEMPLATE, name="field-guide", share=1.0, releases=releases(seed, is_bad=is_bad)
    )
    chance = random.Random(f"{seed}")
    for number, call in enumerate(_calls(story, begin)):
        if call.service.name != TEMPLATE.name:
            continue
        release = Story.release(story, service, call.at)
        told = _retold(story, call, release, chance)
        name = service_name(seed, is_bad=is_bad)
        yield _told(scores, told, name, f"{name}/{number}", chance, story)


def _calls(story: Story, begin: float) -> Iterator[Call]:
    yield from story.live(begin)


def _retold(story: Story, call: Call, release: Release, chance: random.Random) -> Call:
    """Return the call as this release would have answered it."""
    fitting = [one for one in story.answers if one.service == TEMPLATE.name]
    wants_faithful = chance.random() >= release.unfaithful_ratio
    answer = chance.choice([one for one in fitting if one.is_faithful is wants_faithful])
    is_error = chance.random() < release.error_ratio
    return replace(
        call, release=release, answer=answer, duration_s=call.duration_s * release.slowness,
        error_type="anthropic.RateLimitError" if is_error else None,
    )  # fmt: skip


def _told(
    scores: Scores, call: Call, name: str, key: str, chance: random.Random, story: Story
) -> Told:
    made = _interaction(call, name, story.digest(key))
    is_labelled = chance.random() < LABELLED_RATIO
    if call.error_type:
        return Told(call.ends_at + 0.5, made, None, None)
    label = Label(
        made.trace_id, made.span_id, "faithfulness", float(call.answer.is_faithful),
        LabelKind.HUMAN, "reader", call.ends_at + 60.0, sampling_probability=LABELLED_RATIO,
    )  # fmt: skip
    return Told(
        call.ends_at + 0.5, made, scores.of(call.answer, made), label if is_labelled else None
    )


def _interaction(call: Call, name: str, digest: str) -> Interaction:
    whole = _interaction_of(call.answer)
    return replace(
        whole, trace_id=digest, span_id=digest[:16], service_name=name, started_at=call.at,
        duration_s=call.duration_s, time_to_first_token_s=call.first_token_s,
        service_version=call.release.version, release=call.release.version,
        prompt_version=call.release.prompt_version, prompt_name=TEMPLATE.prompt_name,
        request_model=TEMPLATE.model, response_model=TEMPLATE.model, provider=TEMPLATE.provider,
        error_type=call.error_type, user_id=call.user_id, is_answer=call.error_type is None,
        region=("eu", "us")[len(call.user_id + digest) % 2 ^ int(digest[0], 16) % 2],
        tenant=("acme", "globex", "initech")[int(digest[1], 16) % 3], version=1,
    )  # fmt: skip


def _interaction_of(answer: LabelledAnswer) -> Interaction:
    turns = [
        {"role": turn.role, "parts": [{"type": "text", "content": turn.text}]}
        for turn in answer.turns
    ]
    made = interaction_from_json({
        "trace_id": "0" * 32, "span_id": "0" * 16, "started_at": iso(0.0), "service_name": "x",
        "answer_text": answer.text, "input_messages": turns,
    })  # fmt: skip
    return replace(made, documents=tuple(Document(p.id, p.text) for p in answer.passages))
