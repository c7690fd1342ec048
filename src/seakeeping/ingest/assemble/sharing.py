"""Which traces speak of one response: twins may lie in different traces.

A response id is unique where a provider makes it, but a stub or a cache may answer everybody with
the same one; an id that more than a few traces share says nothing.
"""

from collections.abc import Collection, Iterable, Iterator

from seakeeping.ingest.assemble.trace import Step, Trace
from seakeeping.ingest.dialects import Step as Kind

MOST_SHARING = 8
"""How many traces may share a response id that still means something."""


class Sharing:
    """The traces of each response id."""

    def __init__(self) -> None:
        self._traces: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._traces)

    def note(self, step: Step) -> None:
        """Note that a model call's trace speaks of its response."""
        response_id = step.facts.response_id
        if response_id is not None and step.facts.step is Kind.MODEL:
            sharing = self._traces.setdefault(response_id, {})
            if len(sharing) <= MOST_SHARING:
                sharing[step.span.trace_id] = None

    def traces_of(self, response_id: str) -> Collection[str]:
        """Return the ids of the traces that speak of a response."""
        return self._traces.get(response_id, ())

    def linked(self, trace: Trace | None) -> Iterator[str]:
        """Yield the ids of the traces that share a response with this one (and its own)."""
        steps: Iterable[Step] = trace.steps.values() if trace is not None else ()
        for response_id in {s.facts.response_id for s in steps} - {None}:
            sharing = self.traces_of(response_id or "")
            if 1 < len(sharing) <= MOST_SHARING:
                yield from sharing

    def forget(self, trace: Trace) -> None:
        """Drop a trace that is no longer remembered."""
        for step in trace.steps.values():
            response_id = step.facts.response_id or ""
            sharing = self._traces.get(response_id)
            if sharing is not None:
                sharing.pop(trace.trace_id, None)
                if not sharing:
                    del self._traces[response_id]
