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
        for key in _keys_of(step) if step.facts.step is Kind.MODEL else ():
            sharing = self._traces.setdefault(key, {})
            if len(sharing) <= MOST_SHARING:
                sharing[step.span.trace_id] = None

    def traces_of(self, response_id: str) -> Collection[str]:
        """Return the ids of the traces that speak of a response."""
        return self._traces.get(response_id, ())

    def linked(self, trace: Trace | None) -> Iterator[str]:
        """Yield the ids of the traces that share a response with this one (and its own)."""
        steps: Iterable[Step] = trace.steps.values() if trace is not None else ()
        for key in dict.fromkeys(key for step in steps for key in _keys_of(step)):
            sharing = self.traces_of(key)
            if 1 < len(sharing) <= MOST_SHARING:
                yield from sharing

    def forget(self, trace: Trace) -> None:
        """Drop a trace that is no longer remembered."""
        for key in {key for step in trace.steps.values() for key in _keys_of(step)}:
            sharing = self._traces.get(key)
            if sharing is not None:
                sharing.pop(trace.trace_id, None)
                if not sharing:
                    del self._traces[key]


def _keys_of(step: Step) -> Iterator[str]:
    """Yield what a step shares with its twins: its response, the stream that it is half of."""
    if step.facts.response_id is not None:
        yield step.facts.response_id
    if step.facts.stream_key is not None:
        yield step.facts.stream_key
