"""The bounded memory of recent traces, and the names of those it had to forget.

A trace is forgotten when nothing of it came for a while, or when there are too many or too large
ones; the oldest go first. The ids of forgotten traces are kept (also bounded), so that a late span
is known to belong to a trace whose rest is in the store.
"""

from collections import OrderedDict
from collections.abc import Iterator

from seakeeping.ingest.assemble.trace import Trace


class Memory:
    """Recent traces by id.

    Args:
        memory_s: how long after its last span a trace is kept.
        max_traces: how many traces are kept.
        max_bytes: about how many bytes of attributes are kept.
        max_forgotten: how many ids of forgotten traces are kept.
    """

    def __init__(
        self, *, memory_s: float, max_traces: int, max_bytes: int, max_forgotten: int
    ) -> None:
        self._memory_s, self._max_traces, self._max_bytes = memory_s, max_traces, max_bytes
        self._max_forgotten = max_forgotten
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._traces)

    def __contains__(self, trace_id: str) -> bool:
        return trace_id in self._traces

    @property
    def bytes(self) -> int:
        """About how many bytes are held."""
        return self._bytes

    def get(self, trace_id: str) -> Trace | None:
        """Return a trace that is remembered."""
        return self._traces.get(trace_id)

    def is_forgotten(self, trace_id: str) -> bool:
        """Say whether the trace was held once."""
        return trace_id in self._forgotten

    def touch(self, trace_id: str, now: float) -> Trace:
        """Return the trace, new where it is not held, as the latest one."""
        trace = self._traces.get(trace_id)
        if trace is None:
            trace = Trace(trace_id)
            self._traces[trace_id] = trace
        trace.touched_at = now
        self._traces.move_to_end(trace_id)
        return trace

    def grow(self, trace: Trace, size: int) -> None:
        """Count what a trace takes."""
        trace.bytes += size
        self._bytes += size

    def forget(self, now: float) -> Iterator[Trace]:
        """Drop and yield the traces that are too old or too many."""
        while self._traces and self._is_full(next(iter(self._traces.values())), now):
            _, trace = self._traces.popitem(last=False)
            self._bytes -= trace.bytes
            self._forgotten[trace.trace_id] = None
            if len(self._forgotten) > self._max_forgotten:
                self._forgotten.popitem(last=False)
            yield trace

    def _is_full(self, oldest: Trace, now: float) -> bool:
        return (
            now - oldest.touched_at > self._memory_s
            or len(self._traces) > self._max_traces
            or self._bytes > self._max_bytes
        )
