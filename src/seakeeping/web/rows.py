"""Calls as rows of a list, each with the verdicts that a reader should see."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seakeeping.records import Evaluation, Interaction
from seakeeping.web import spell
from seakeeping.web.interaction_page import Verdict, verdict

_LENGTH = 240


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call: the beginning of its answer, or why there is none to show."""

    call: Interaction
    href: str
    text: str
    why_empty: str
    verdicts: tuple[Verdict, ...]


def call_rows(calls: Sequence[Interaction], evaluations: Iterable[Evaluation]) -> list[CallRow]:
    """Return the rows of a page of calls; evaluations of other calls are left out."""
    by_call: defaultdict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for evaluation in evaluations:
        sign = verdict(evaluation)
        if sign is not None:
            by_call[evaluation.trace_id, evaluation.span_id].append(sign)
    return [_row(call, by_call.get(call.key, ())) for call in calls]


def _row(call: Interaction, verdicts: Sequence[Verdict]) -> CallRow:
    return CallRow(
        call=call,
        href=f"/interactions/{call.trace_id}/{call.span_id}",
        text=spell.clip(call.answer_text, _LENGTH),
        why_empty=_why_empty(call),
        verdicts=tuple(dict.fromkeys(verdicts)),
    )


def _why_empty(call: Interaction) -> str:
    if call.answer_text:
        return ""
    if call.output_messages:
        return "no text, a tool call" if "tool" in call.finish_reasons else "no text"
    return "content not captured"
