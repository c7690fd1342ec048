"""Why an evaluation was skipped: stable words, and whose doing it was.

Two kinds must not be mixed, because scoring coverage is an indicator of its own. *Not applicable*
means that the question does not arise (there is no context, the answer declines): such calls leave
the denominator. *Ours* means that the question arose and went unanswered: these count against us.
"""

from enum import StrEnum


class SkipReason(StrEnum):
    """Every reason that Seakeeping's own evaluators and the pool give."""

    CALL_FAILED = "call_failed"
    """The call ended in an error: there is no answer to judge."""
    NOT_AN_ANSWER = "not_an_answer"
    """The text goes to a program (a tool call, a step of an agent), not to a user."""
    NO_CONTENT = "no_content"
    """The telemetry carries no content: capture is off, or the policy dropped it."""
    NO_ANSWER = "no_answer"
    """Content was captured, but the answer has no text."""
    NO_CONTEXT = "no_context"
    """No documents came with the call, and the prompt holds nothing to check an answer against."""
    REFUSAL = "refusal"
    """The answer declines or says that it does not know, and claims nothing."""
    TOO_SHORT = "too_short"
    """Fewer than two content words."""
    CODE = "code"
    """The answer is code, or a table or markup without prose."""
    SHED = "shed"
    """Ours: left out under pressure, because the evaluator is dear."""
    TIMEOUT = "timeout"
    """Ours: over the time limit."""
    CRASHED = "crashed"
    """Ours: the worker process died or ran out of memory."""
    ERROR = "error"
    """Ours: the evaluator raised; written ``error: <exception class>``."""


OURS = frozenset({SkipReason.SHED, SkipReason.TIMEOUT, SkipReason.CRASHED, SkipReason.ERROR})
"""Reasons that count against scoring coverage."""


def is_ours(skipped_reason: str) -> bool:
    """Say whether a skip counts against us.

    >>> is_ours("error: ValueError"), is_ours("no_context")
    (True, False)
    """
    return skipped_reason.partition(":")[0] in OURS
