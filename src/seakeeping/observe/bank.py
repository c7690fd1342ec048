"""The label bank: which of all labels may correct a detector, and since when.

Labels come from people, judges and users, several on one answer, some of them wrong, some on
answers that somebody picked because they looked bad. An estimate over *all* answers may rest only
on labels whose answers were drawn with known chances. So of each answer one truth is kept: people's
before a judge's before a user's, the mean where several of one kind spoke. A thumb is never drawn
and never corrects anything. A label of a person on an answer that nobody drew is a finding about
that answer and says nothing about the others.

A judge's labels correct only with an audit: on the answers that a person labelled too, the mean
difference between them is itself a correction, with an interval of its own (``Audit``).

Corrections are worth what the detector's errors are worth: if the detector itself changes, labels
from before mislead. The residual y - s/2 of the newer labels is therefore watched by two
e-detectors, one each way, against what the older third of the bank leaves standing of its mean. On
an alarm the bank keeps only what came after the change: fewer labels, and so a wider interval, by
itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from seakeeping.records import LabelKind, LabelledScore
from seakeeping.stats.edetector import Detector
from seakeeping.stats.sequences import LabelledValues, mean_sequence
from seakeeping.stats.special import Floats

MOST_LABELS = 2000
"""The newest that a bank keeps: more sharpen nothing that a reader would see."""

CONTRADICTION = 0.5
"""A spread of truths on one answer from here on is a contradiction."""

LEAST_AUDITED = 50
"""Answers that a person and a judge both labelled, before a judge's labels correct anything."""

LEAST_BASELINE = 50
"""Labels that say what the detector's errors were like, before a change of them is looked for."""

CHANGE_LIMIT = 20_000.0
"""Mean number of labels to a false alarm of each watch over the detector itself."""

_RESIDUAL_TUNING = 0.5  # of the score in the watched residual; any fixed number is right


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """A judge's labels, and how they differ from people's on the answers that both labelled.

    ``judged`` are all drawn answers that the judge labelled, ``judged_flags`` the detector's
    verdicts on them. ``differences`` are person less judge, in -1..1, ``weights`` as everywhere.
    """

    judged: LabelledValues
    judged_flags: Floats
    differences: Floats
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Labels that may correct a detector, beside its scores, and what was left out.

    ``labels`` are people's, drawn with known chances; ``flags`` the detector's verdicts on the same
    answers. ``contradicted`` answers have truths half apart or more. ``undrawn`` answers were
    labelled by people but not drawn, ``thumbs`` only by users, ``unaudited`` only by a judge whom
    nobody checked. ``changed_at`` is when the detector's errors changed, ``outdated`` labels are
    from before. Equal only to itself, so that what follows from it can be remembered.
    """

    labels: LabelledValues
    flags: Floats
    audit: Audit | None = None
    contradicted: int = 0
    undrawn: int = 0
    thumbs: int = 0
    unaudited: int = 0
    outdated: int = 0
    changed_at: float | None = None


def resolve(labels: Sequence[LabelledScore]) -> list[LabelledScore]:
    """Return one label an answer, by the order of the answers' times.

    People are believed before judges before users. Of several of one kind the drawn ones count, and
    their truths are averaged; the newest lends its author and time.
    """
    return [_merged(group) for group in _by_answer(labels)]


def contradictions(labels: Sequence[LabelledScore]) -> int:
    """Return on how many answers labels of the kind that is believed contradict each other."""
    return sum(_spread(_believed(group)) >= CONTRADICTION for group in _by_answer(labels))


def may_correct(label: LabelledScore) -> bool:
    """Whether a person gave the label and its answer was drawn with a known chance."""
    return label.by is LabelKind.HUMAN and label.sampling_probability is not None


def make_bank(labels: Sequence[LabelledScore]) -> Bank:
    """Return the bank of labels of one evaluation."""
    resolved = resolve(labels)
    drawn = [one for one in resolved if may_correct(one)][-MOST_LABELS:]
    changed_at = detector_change(drawn)
    kept = drawn if changed_at is None else [one for one in drawn if one.started_at >= changed_at]
    since = changed_at if changed_at is not None else float("-inf")
    audit = _audit(labels, since)
    return Bank(
        labels=_values(kept),
        flags=np.array([float(one.is_flagged) for one in kept]),
        audit=audit,
        contradicted=contradictions(labels),
        undrawn=sum(one.by is LabelKind.HUMAN for one in resolved) - _people_drawn(resolved),
        thumbs=sum(one.by is LabelKind.USER for one in resolved),
        unaudited=0 if audit else sum(one.by is LabelKind.JUDGE for one in resolved),
        outdated=len(drawn) - len(kept),
        changed_at=changed_at,
    )


def detector_change(labels: Sequence[LabelledScore]) -> float | None:
    """Return since when the detector errs differently from before, None where nothing says so.

    Labels are drawn ones, by the time of their answers. Each watch raises a false alarm once in
    20,000 labels at most.
    """
    first = max(LEAST_BASELINE, len(labels) // 3)
    if len(labels) <= first:
        return None
    values = _values(labels)
    residual = values.truths - _RESIDUAL_TUNING * values.scores
    scaled = (residual + _RESIDUAL_TUNING) / (1 + _RESIDUAL_TUNING)
    before = mean_sequence(scaled[:first], weights=values.weights[:first])
    times = [one.started_at for one in labels[first:]]
    weights = values.weights[first:] / values.weights.max()
    higher = _watched(before.high, scaled[first:], weights, times)
    lower = _watched(1 - before.low, 1 - scaled[first:], weights, times)
    return max((at for at in (higher, lower) if at is not None), default=None)


def _watched(null: float, values: Floats, weights: Floats, times: Sequence[float]) -> float | None:
    """Return the time of the first answer of a rise over ``null``, None without an alarm."""
    if not 0 < null < 1:
        return None
    detector = Detector(null, CHANGE_LIMIT)
    state = detector.start()
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        state = detector.advance_values(state, [value], [weight])
        if detector.is_alarm(state):
            return times[state.since_event or 0]
    return None


def _audit(labels: Sequence[LabelledScore], since: float) -> Audit | None:
    """Return the audit of the judge, None where there is too little of it to rest on."""
    recent = [group for group in _by_answer(labels) if group[0].started_at >= since]
    judged = [one for group in recent if _is_drawn(one := _kind(group, LabelKind.JUDGE))]
    pairs = [
        (person, judge)
        for group in recent
        if (judge := _kind(group, LabelKind.JUDGE))
        and _is_drawn(person := _kind(group, LabelKind.HUMAN))
    ][-MOST_LABELS:]
    if len(pairs) < LEAST_AUDITED or not judged:
        return None
    people = _values([person for person, _ in pairs])
    return Audit(
        judged=_values(judged[-MOST_LABELS:]),
        judged_flags=np.array([float(one.is_flagged) for one in judged[-MOST_LABELS:]]),
        differences=people.truths - np.array([judge.truth for _, judge in pairs]),
        weights=people.weights,
    )


def _is_drawn(label: LabelledScore | None) -> TypeGuard[LabelledScore]:
    return label is not None and label.sampling_probability is not None


def _by_answer(labels: Iterable[LabelledScore]) -> list[list[LabelledScore]]:
    groups: dict[tuple[str, str], list[LabelledScore]] = {}
    for label in labels:
        groups.setdefault((label.trace_id, label.span_id), []).append(label)
    return sorted(groups.values(), key=lambda group: (group[0].started_at, group[0].trace_id))


def _believed(group: Sequence[LabelledScore]) -> list[LabelledScore]:
    """Return the labels of the most believed kind that spoke."""
    for kind in LabelKind:
        if of_kind := [one for one in group if one.by is kind]:
            return of_kind
    return list(group)


def _kind(group: Sequence[LabelledScore], kind: LabelKind) -> LabelledScore | None:
    """Return the one label of a kind, None where nobody of it spoke."""
    of_kind = [one for one in group if one.by is kind]
    return _merged(of_kind) if of_kind else None


def _merged(group: Sequence[LabelledScore]) -> LabelledScore:
    believed = _believed(group)
    drawn = [one for one in believed if one.sampling_probability is not None] or believed
    newest = max(drawn, key=lambda one: (one.at, one.author))
    chances = [one.sampling_probability for one in drawn if one.sampling_probability is not None]
    return LabelledScore(
        trace_id=newest.trace_id, span_id=newest.span_id, service_name=newest.service_name,
        started_at=newest.started_at, at=newest.at,
        truth=sum(one.truth for one in drawn) / len(drawn),
        score=newest.score, is_flagged=newest.is_flagged, by=newest.by, author=newest.author,
        sampling_probability=max(chances) if chances else None, weight=newest.weight,
    )  # fmt: skip


def _spread(labels: Sequence[LabelledScore]) -> float:
    truths = [one.truth for one in labels]
    return max(truths) - min(truths)


def _people_drawn(resolved: Sequence[LabelledScore]) -> int:
    return sum(map(may_correct, resolved))


def _values(labels: Sequence[LabelledScore]) -> LabelledValues:
    """Return labels as arrays, each with the number of answers it stands for."""
    return LabelledValues.of(
        [min(max(one.truth, 0.0), 1.0) for one in labels],
        [min(max(one.score, 0.0), 1.0) for one in labels],
        [one.weight / (one.sampling_probability or 1.0) for one in labels],
    )
