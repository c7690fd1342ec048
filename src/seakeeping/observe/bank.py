"""The label bank: which of all labels may correct a detector, and since when.

Labels come from people, judges and users, several on one answer, some of them wrong, some on
answers that somebody picked because they looked bad. An estimate over *all* answers may rest only
on labels whose answers were drawn with known chances. So of each answer one truth is kept: people's
before a judge's before a user's, the mean where several of one kind spoke. A thumb is never drawn
and never corrects anything. A label of a person on an answer that nobody drew is a finding about
that answer and says nothing about the others.

A judge's labels correct only with an audit: on the answers that a person labelled too, the mean
difference between them is itself a correction, with an interval of its own (``Audit``).

Labels of the window that is asked about represent it, whatever happened within it. Labels from
before it help as long as the detector's mean error stays what it was (``observe.residual``); after
a change of it they are left out, which widens the interval by itself. How the detector decides (its
operating point) is learnt from labels since it last changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np

from seakeeping.observe.residual import detector_change, label_weight, residual_change
from seakeeping.records import LabelKind, LabelledScore
from seakeeping.stats.prevalence import OperatingPoint, operating_point
from seakeeping.stats.sequences import LabelledValues
from seakeeping.stats.special import Floats

MOST_LABELS = 4000
"""The newest that a bank keeps: more sharpen nothing that a reader would see."""

CONTRADICTION = 0.5
"""A spread of truths on one answer from here on is a contradiction."""

LEAST_AUDITED = 50
"""Answers that a person and a judge both labelled, before a judge's labels correct anything."""

LEAST_FOR_POINT = 5
"""Bad and good labels, each, that an operating point of the bank's own rests on."""

LEAST_GOOD = 50
"""Good labels that it rests on where fewer are bad: a good service is not to stay unknown."""


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
    answers. ``since`` is when the oldest of these answers was given, infinite without any.
    ``point`` is how it decides since ``detector_changed_at``, None where too few labels say; where
    too few are bad, but enough are good, its sensitivity is taken to be 1, the most that it can
    flag. ``contradicted`` answers have truths half apart or more. ``undrawn`` answers were labelled
    by people but not drawn, ``thumbs`` only by users, ``unaudited`` only by a judge whom nobody
    checked. ``outdated`` labels are from before a change of the detector's mean error. Equal only
    to itself, so that what follows from it can be remembered.
    """

    labels: LabelledValues
    flags: Floats
    since: float = float("inf")
    audit: Audit | None = None
    point: OperatingPoint | None = None
    detector_changed_at: float | None = None
    contradicted: int = 0
    undrawn: int = 0
    thumbs: int = 0
    unaudited: int = 0
    outdated: int = 0


def resolve(labels: Sequence[LabelledScore]) -> list[LabelledScore]:
    """Return one label an answer, by the order of the answers' times.

    People are believed before judges before users. Of several of one kind the drawn ones count, and
    their truths are averaged; the newest lends its author and time.
    """
    merged = map(_merged, _by_answer(labels))
    return sorted(merged, key=lambda one: (one.started_at, one.trace_id, one.span_id))


def contradictions(labels: Sequence[LabelledScore]) -> int:
    """Return on how many answers labels of the kind that is believed contradict each other."""
    return sum(_spread(_believed(group)) >= CONTRADICTION for group in _by_answer(labels))


def may_correct(label: LabelledScore) -> bool:
    """Whether a person gave the label and its answer was drawn with a known chance."""
    return label.by is LabelKind.HUMAN and label.sampling_probability is not None


def make_bank(labels: Sequence[LabelledScore], window_start: float | None = None) -> Bank:
    """Return the bank of labels of one evaluation, for a window that began at ``window_start``.

    Without a start all labels are taken to be of the window.
    """
    resolved = resolve(labels)
    drawn = [one for one in resolved if may_correct(one)][-MOST_LABELS:]
    since = _since(drawn, window_start)
    kept = [one for one in drawn if one.started_at >= since]
    changed_at = detector_change(drawn)
    audit = _audit(labels, since)
    return Bank(
        labels=_values(kept),
        flags=_flags(kept),
        since=kept[0].started_at if kept else float("inf"),
        audit=audit,
        point=_point([one for one in drawn if changed_at is None or one.started_at >= changed_at]),
        detector_changed_at=changed_at,
        contradicted=contradictions(labels),
        undrawn=sum(one.by is LabelKind.HUMAN and not may_correct(one) for one in resolved),
        thumbs=sum(one.by is LabelKind.USER for one in resolved),
        unaudited=0 if audit else sum(one.by is LabelKind.JUDGE for one in resolved),
        outdated=len(drawn) - len(kept),
    )


def _since(drawn: Sequence[LabelledScore], window_start: float | None) -> float:
    """Return from which moment on labels speak for the window."""
    if window_start is None or (changed_at := residual_change(drawn)) is None:
        return float("-inf")
    return min(changed_at, window_start)


def _point(labels: Sequence[LabelledScore]) -> OperatingPoint | None:
    if not labels:
        return None
    point = operating_point(_values(labels), _flags(labels))
    if point is None or point.negatives < LEAST_FOR_POINT:
        return None
    if point.positives >= LEAST_FOR_POINT:
        return point
    return replace(point, sensitivity=1.0) if point.negatives >= LEAST_GOOD else None


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
        judged_flags=_flags(judged[-MOST_LABELS:]),
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


def _flags(labels: Sequence[LabelledScore]) -> Floats:
    return np.array([float(one.is_flagged) for one in labels])


def _values(labels: Sequence[LabelledScore]) -> LabelledValues:
    """Return labels as arrays, each with the number of answers it stands for."""
    return LabelledValues.of(
        [min(max(one.truth, 0.0), 1.0) for one in labels],
        [min(max(one.score, 0.0), 1.0) for one in labels],
        [label_weight(one) for one in labels],
    )
