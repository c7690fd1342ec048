"""The review page: one answer with its evidence, a verdict by key, and what that is good for.

Answers come in the order of the queue, which knows the chance each was drawn with; the page never
says it, and never takes it from a browser. A reader may look for a particular answer and label it:
such a label shows that answer and corrects nothing, and the page says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seakeeping.errors import BadInput
from seakeeping.records import (
    EVALUATION_KINDS,
    Budget,
    EstimateMethod,
    Evaluation,
    Interaction,
    Label,
    LabelKind,
    Span,
)
from seakeeping.web import objective_list, spell, standing
from seakeeping.web.interaction_page import InteractionView, interaction_view
from seakeeping.web.whisker import Whisker, of_budget


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer a reader can give: its words, its value, the key that gives it."""

    word: str
    value: float
    key: str
    css: str


@dataclass(frozen=True, slots=True)
class Need:
    """An objective that the labels are for: how it stands, and how many labels would settle it."""

    title: str
    href: str
    budget: Budget
    bounds: str
    whisker: Whisker | None
    words: str


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The page; ``call`` is None when nothing waits.

    ``call`` is shown without the detector's marks, because who sees them agrees with them; they are
    in ``marked``, folded away.
    """

    name: str
    service: str
    meaning: str
    verdicts: tuple[Verdict, ...]
    needs: tuple[Need, ...]
    call: InteractionView | None
    marked: InteractionView | None
    detector: str
    labels: tuple[Label, ...]
    waiting: int
    is_drawn: bool


def build(
    name: str, service: str, call: Interaction | None, evaluations: Sequence[Evaluation],
    spans: Sequence[Span], labels: Sequence[Label], budgets: Iterable[Budget],
    *, waiting: int, is_drawn: bool,
) -> ReviewPage:  # fmt: skip
    """Return the page for one answer and one evaluation."""
    kind = EVALUATION_KINDS.get(name)
    own = [e for e in evaluations if e.name == name]
    return ReviewPage(
        name=name,
        service=call.service_name if call else service,
        meaning=kind.meaning if kind else "0 is bad, 1 is good",
        verdicts=verdicts(name),
        needs=tuple(_needs(name, call.service_name if call else service, budgets)),
        call=interaction_view(call, (), spans) if call else None,
        marked=interaction_view(call, own, ()) if call and own else None,
        detector="; ".join(_said(e) for e in own),
        labels=tuple(x for x in labels if x.name == name),
        waiting=waiting,
        is_drawn=is_drawn,
    )


def verdicts(name: str) -> tuple[Verdict, ...]:
    """Return what a reader can say of an answer, the good one first.

    >>> [(v.word, v.value, v.key) for v in verdicts("toxicity")]
    [('not toxic', 0.0, 'g'), ('toxic', 1.0, 'b')]
    """
    kind = EVALUATION_KINDS.get(name)
    if kind is None:
        return Verdict("good", 1.0, "g", "ok"), Verdict("bad", 0.0, "b", "breach")
    good, bad = (kind.high, kind.low) if kind.higher_is_better else (kind.low, kind.high)
    return (
        Verdict(kind.good_label.replace("_", " "), good, "g", "ok"),
        Verdict(kind.bad_label.replace("_", " "), bad, "b", "breach"),
    )


def value_of(name: str, word: str) -> float:
    """Return the value of a verdict by its word or its label; raises BadInput."""
    known = {v.word.replace(" ", "_"): v.value for v in verdicts(name)}
    if word.replace(" ", "_") not in known:
        raise BadInput(f"{word!r} is no verdict on {name}", hint=f"known: {', '.join(known)}")
    return known[word.replace(" ", "_")]


def label_of(
    trace_id: str, span_id: str, name: str, value: float, *, author: str, at: float,
    comment: str | None = None, by: LabelKind = LabelKind.HUMAN,
) -> Label:  # fmt: skip
    """Return a label; raises BadInput for a value that its evaluation does not have."""
    kind = EVALUATION_KINDS.get(name)
    low, high = (kind.low, kind.high) if kind else (0.0, 1.0)
    if not low <= value <= high:
        raise BadInput(f"value {value:g} is not from {low:g} to {high:g}, as {name} is")
    return Label(trace_id, span_id, name, value, by, author, at, comment=comment)


def _said(evaluation: Evaluation) -> str:
    score = "" if evaluation.score_value is None else f" {evaluation.score_value:.2g}"
    label = evaluation.score_label or evaluation.skipped_reason or "scored"
    return f"{evaluation.evaluator} says {label}{score}"


def _needs(name: str, service: str, budgets: Iterable[Budget]) -> Iterable[Need]:
    for budget in budgets:
        objective = budget.objective
        if objective.service != service or standing.subject(budget) != name:
            continue
        if budget.method is EstimateMethod.COUNTED:
            continue
        yield Need(
            title=objective.display_name or objective.name,
            href=objective_list.href(objective.name),
            budget=budget,
            bounds=standing.bounds(budget.low, budget.high),
            whisker=of_budget(budget),
            words=_words(budget),
        )


def _words(budget: Budget) -> str:
    given = f"{spell.count(budget.labels)} label{'' if budget.labels == 1 else 's'} so far"
    if budget.labels_needed is None:
        return given
    if budget.labels_needed == 0:
        return f"{given}, settled"
    return f"{given}, about {spell.count(budget.labels_needed)} more would settle it"
