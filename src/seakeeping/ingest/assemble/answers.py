"""Which model calls are answers: their text goes to a user.

A call whose reply is text and no tool call is an answer unless a later call of its trace works on
it before the user speaks again. A later call works on an earlier one when

- it is given the earlier text, other than as a past turn that a new user message follows (agents
that
  call agents, summarise then translate, drafts and reviews);
- it takes up the same user message again (another attempt);
- it follows a short label or JSON object, made from the same user message by another prompt
(routers,
  classifiers, planners).

A text that a later retrieval or tool takes as its query is no answer either. A short verdict about
an earlier text (a judge) takes nothing from the text it judges, and is itself no answer.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

import orjson

from seakeeping.ingest.assemble.trace import Step, Trace
from seakeeping.ingest.assemble.twins import Call
from seakeeping.ingest.dialects import Facts
from seakeeping.ingest.dialects import Step as Kind
from seakeeping.ingest.dialects.messages import has_tool_call, text_in
from seakeeping.ingest.dialects.values import json_text
from seakeeping.records import JsonObject

_WINDOW = 48
_SHORTEST_QUOTE = 12
_SHORTEST_QUESTION = 15
_LONGEST_LABEL = 60
_SLACK_S = 1e-5
_SENTENCE_END = re.compile(r"[.!?]\s|[.!?]$")


class Reply:
    """What the rules look at in one call, worked out once.

    ``given`` is what the call was given to work on: all texts but past turns of the assistant.
    ``recent`` are those turns that no user message follows, ``past`` all of them.
    """

    __slots__ = (
        "call", "escaped", "given", "has_content", "is_label", "is_text", "past", "question",
        "recent", "text",
    )  # fmt: skip

    def __init__(self, call: Call, facts: Facts) -> None:
        first = facts.output_messages[0] if facts.output_messages else None
        self.call = call
        self.text = text_in(first).strip() if first is not None else ""
        self.escaped = json_text(self.text)[1:-1]
        self.has_content = facts.output_messages is not None
        self.is_text = _is_text(facts, first, self.text)
        self.is_label = bool(self.text) and is_label(self.text)
        turns = facts.input_messages or ()
        self.question = _question(turns)
        self.given = _Texts(
            t for turn in turns if turn.get("role") != "assistant" for t in _texts(turn)
        )
        past = [turn for turn in turns if turn.get("role") == "assistant"]
        self.past = _Texts(t for turn in past for t in _texts(turn))
        self.recent = _Texts(t for turn in _since_user(turns) for t in _texts(turn))


def _since_user(turns: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the assistant's turns that no user message follows."""
    last = max((i for i, turn in enumerate(turns) if turn.get("role") == "user"), default=-1)
    return [turn for turn in turns[last + 1 :] if turn.get("role") == "assistant"]


class _Texts:
    """Some texts, to be searched for others."""

    __slots__ = ("_lines", "_whole")

    def __init__(self, texts: Iterable[str]) -> None:
        self._whole = "\n".join(texts)
        self._lines: frozenset[str] | None = None

    def holds(self, reply: Reply) -> bool:
        """Say whether the reply's text is in them; a short one must be a line of its own."""
        text = reply.text
        if len(text) >= _SHORTEST_QUOTE:
            return text in self._whole or (reply.escaped != text and reply.escaped in self._whole)
        if self._lines is None:
            self._lines = frozenset(line.strip() for line in self._whole.splitlines())
        return bool(text) and text in self._lines


def _is_text(facts: Facts, first: JsonObject | None, text: str) -> bool:
    """Say whether the reply is text; without content its finish reasons tell."""
    if facts.error_type is not None:
        return False
    if first is not None:
        return bool(text) and not has_tool_call(first)
    reasons = facts.finish_reasons
    return not reasons or all(r in ("stop", "length") for r in reasons)


def _question(turns: Sequence[JsonObject]) -> str:
    """Return the last user message."""
    return next(
        (text_in(turn).strip() for turn in reversed(turns) if turn.get("role") == "user"), ""
    )


def is_label(text: str) -> bool:
    """Say whether a reply is a label, number or JSON value rather than prose for a reader."""
    if text[0] in "{[":
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        return True
    return len(text) <= _LONGEST_LABEL and len(text.split()) <= 3 and not _SENTENCE_END.search(text)


def answers_among(trace: Trace, calls: Sequence[Call], facts: Sequence[Facts]) -> list[bool]:
    """Return for each call of a trace, in order of start, whether it is an answer.

    What followed from the same neighbours before is not worked out again.
    """
    if len(calls) == 1:
        return [Reply(calls[0], facts[0]).is_text and not _is_judge(trace, calls[0].head)]
    replies, queries = _Replies(calls, facts), _queries(trace)
    near, asked = _Window([_revision(call.steps) for call in calls]), _Window(_revisions(queries))
    found: list[bool] = []
    for index, call in enumerate(calls):
        first = _first_after(call.head, queries)
        basis = (
            *near.mark(index - _WINDOW, index + 1 + _WINDOW),
            *asked.mark(first, first + _WINDOW),
        )
        span_id = call.head.span.span_id
        known = trace.verdicts.get(span_id)
        if known is None or known[0] != basis:
            known = basis, _is_answer(trace, replies, index, queries[first : first + _WINDOW])
            trace.verdicts[span_id] = known
        found.append(known[1])
    return found


def _revision(steps: Sequence[Step]) -> int:
    return sum(step.revision for step in steps)


def _revisions(steps: Sequence[Step]) -> list[int]:
    return [step.revision for step in steps]


class _Window:
    """Tells in constant time whether anything within a stretch of a list has changed.

    Revisions only ever grow, so the sum and length of a stretch, with its ends, are as good as all
    of it.
    """

    def __init__(self, revisions: Sequence[int]) -> None:
        self._revisions = revisions
        self._sums = [0, *accumulate(revisions)]

    def mark(self, start: int, end: int) -> tuple[int, ...]:
        """Return what changes whenever the items from ``start`` to ``end`` do."""
        low, high = max(0, start), min(end, len(self._revisions))
        if low >= high:
            return (0,)
        total = self._sums[high] - self._sums[low]
        return total, high - low, self._revisions[low], self._revisions[high - 1]


class _Replies:
    """The replies of a trace's calls, each worked out when it is first looked at."""

    def __init__(self, calls: Sequence[Call], facts: Sequence[Facts]) -> None:
        self._calls, self._facts = calls, facts
        self._known: dict[int, Reply] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def at(self, index: int) -> Reply:
        reply = self._known.get(index)
        if reply is None:
            reply = Reply(self._calls[index], self._facts[index])
            self._known[index] = reply
        return reply

    def between(self, start: int, end: int) -> list[Reply]:
        return [self.at(index) for index in range(max(0, start), min(end, len(self)))]


def _is_answer(trace: Trace, replies: _Replies, index: int, asked: Sequence[Step]) -> bool:
    reply = replies.at(index)
    if not reply.is_text or _is_judge(trace, reply.call.head):
        return False
    if not reply.has_content:
        return True
    end = reply.call.head.ended_at - _SLACK_S
    later = [
        other
        for other in replies.between(index + 1, index + 1 + _WINDOW)
        if other.call.head.span.started_at >= end
    ]
    if any(_works_on(other, reply) and not _is_judge(trace, other.call.head) for other in later):
        return False
    if later and _is_queried(reply, asked):
        return False
    return not (reply.is_label and _is_verdict(reply, replies.between(index - _WINDOW, index)))


def _is_judge(trace: Trace, step: Step) -> bool:
    """Say whether the call is made by an evaluator or guardrail."""
    above = (trace.steps.get(span_id) for span_id in trace.ancestors(step.span.span_id))
    return any(s is not None and s.facts.step is Kind.JUDGE for s in above)


def _works_on(later: Reply, reply: Reply) -> bool:
    if later.given.holds(reply) or later.recent.holds(reply):
        return not (later.is_label and not reply.is_label)
    if not reply.question or not later.question:
        return False
    if later.question == reply.question and not later.past.holds(reply):
        return not later.is_label
    return reply.is_label and _share_question(reply, later)


def _texts(turn: JsonObject) -> Iterable[str]:
    parts = turn.get("parts")
    for part in parts if isinstance(parts, (list, tuple)) else ():
        given = part.get("content") if part.get("type") == "text" else part.get("response")
        if isinstance(given, str):
            yield given
        elif given:
            yield json_text(given)


def _share_question(reply: Reply, later: Reply) -> bool:
    """Say whether two calls with different prompts were made from one user message."""
    if _opening(reply) == _opening(later):
        return False
    one, other = reply.question, later.question
    shorter, longer = (one, other) if len(one) <= len(other) else (other, one)
    if len(shorter) >= _SHORTEST_QUESTION and shorter in longer:
        return True
    lines = {_bare(line) for line in one.splitlines()}
    return any(
        len(line) >= _SHORTEST_QUESTION and line in lines for line in map(_bare, other.splitlines())
    )


def _opening(reply: Reply) -> tuple[str | None, str]:
    """Return what tells prompts apart: the system text and how the message begins."""
    system = reply.call.head.facts.system
    first = reply.question.splitlines()[0] if reply.question else ""
    return system, first[:40] if system is None else ""


def _bare(line: str) -> str:
    """Return a line without the word that introduces it (``Question: ...``)."""
    head, mark, rest = line.partition(":")
    return rest.strip() if mark and len(head) < 24 else line.strip()


def _queries(trace: Trace) -> list[Step]:
    """Return the retrievals and tools that tell what they were asked, by start."""
    if not trace.queries:
        return []
    kinds = (Kind.RETRIEVAL, Kind.RERANK, Kind.TOOL)
    found = [s for s in trace.steps.values() if s.facts.query and s.facts.step in kinds]
    return sorted(found, key=_start)


def _start(step: Step) -> float:
    return step.span.started_at


def _first_after(head: Step, queries: Sequence[Step]) -> int:
    """Return the index of the first query that starts when the call has ended."""
    return bisect_left(queries, head.ended_at - _SLACK_S, key=_start)


def _is_queried(reply: Reply, asked: Sequence[Step]) -> bool:
    """Say whether a later retrieval or tool takes the reply, or a line of it, as its input."""
    lines = {line.strip(" -*\t0123456789.\"'") for line in reply.text.splitlines()} - {""}
    return any(_takes(step.facts.query or "", reply, lines) for step in asked)


def _takes(query: str, reply: Reply, lines: set[str]) -> bool:
    asked = query.strip().strip("\"'")
    if asked in lines or (len(asked) >= _SHORTEST_QUESTION and asked in reply.text):
        return True
    return len(reply.text) >= _SHORTEST_QUOTE and (reply.text in query or reply.escaped in query)


def _is_verdict(reply: Reply, earlier: Sequence[Reply]) -> bool:
    """Say whether a label judges an earlier text for a reader."""
    start = reply.call.head.span.started_at + _SLACK_S
    return any(
        other.is_text
        and not other.is_label
        and other.call.head.ended_at <= start
        and reply.given.holds(other)
        for other in earlier
    )
