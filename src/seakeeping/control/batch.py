"""A batch: what one range of the spool holds, decoded. Its range is its identity on a replay."""

from collections.abc import Sequence
from dataclasses import dataclass

from seakeeping.control.quarantine import Quarantine
from seakeeping.errors import BadPayload
from seakeeping.ingest.otlp import decode_logs, decode_metrics, decode_traces
from seakeeping.ingest.spool import Entry, Position
from seakeeping.records import LogEvent, MetricPoint, Signal, Span


@dataclass(frozen=True, slots=True)
class Batch:
    """Decoded telemetry of the spool's range ``start`` .. ``end``, from so many bodies."""

    start: Position
    end: Position
    received_at: float
    bodies: int
    spans: list[Span]
    logs: list[LogEvent]
    points: list[MetricPoint]

    @property
    def token(self) -> str:
        """Names the range; the store drops a second insert under the same token."""
        ends = (self.start.segment, self.start.offset, self.end.segment, self.end.offset)
        return "-".join(f"{number:x}" for number in ends)


def decode(entries: Sequence[Entry], quarantine: Quarantine) -> Batch:
    """Decode the entries of one range; an entry that cannot be decoded goes to quarantine.

    Args:
        entries: at least one, in spool order.
        quarantine: keeps what was acknowledged but does not decode.
    """
    batch = Batch(
        start=entries[0].start,
        end=entries[-1].end,
        received_at=entries[0].record.received_at,
        bodies=len(entries),
        spans=[],
        logs=[],
        points=[],
    )
    for entry in entries:
        try:
            _decode_into(batch, entry)
        except BadPayload as error:
            position = entry.start
            quarantine.keep(f"{position.segment:08x}-{position.offset:010x}", entry.record, error)
    return batch


def _decode_into(batch: Batch, entry: Entry) -> None:
    record = entry.record
    match record.signal:
        case Signal.TRACES:
            batch.spans.extend(decode_traces(record.encoding, record.body))
        case Signal.LOGS:
            batch.logs.extend(decode_logs(record.encoding, record.body))
        case Signal.METRICS:
            batch.points.extend(decode_metrics(record.encoding, record.body))
