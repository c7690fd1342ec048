"""All budgets at once: the events of every service since several moments, in one statement.

A wall asks for a dozen counts a service. One pass over the rollups answers them for all services at
the price of one, since each row is read once and added to every window that holds its bucket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seakeeping.records import Counts
from seakeeping.store.client import StoreClient
from seakeeping.store.histogram import Histogram, above
from seakeeping.store.rollups import Window
from seakeeping.store.rows import Row

_PARTS = (
    "sumIf(weighted_calls, {since})", "sumIf(weighted_errors, {since})", "sumIf(calls, {since})",
    "sumIf(errors, {since})", "sumMapIf(weighted_latency, {since})", "sumMapIf(latency, {since})",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """The events of one service since one moment.

    ``calls`` are those of availability; the histograms hold the working calls by duration, by
    sampling weight and by row.
    """

    calls: Counts
    weighted_latency: Histogram
    seen_latency: Histogram

    def counts(self, indicator: str, threshold_s: float | None) -> Counts:
        """Return the events of ``availability``, or of ``latency`` over a threshold.

        Raises BadInput where the threshold is no edge of the histograms.
        """
        if indicator == "availability" or threshold_s is None:
            return self.calls
        return Counts(
            valid=float(sum(self.weighted_latency.values())),
            bad=float(above(self.weighted_latency, threshold_s)),
            valid_rows=int(sum(self.seen_latency.values())),
            bad_rows=int(above(self.seen_latency, threshold_s)),
        )


NOTHING = Tally(Counts(), {}, {})
"""The tally of a service without events."""


def tallies(
    client: StoreClient, starts: Sequence[float], end: float, traffic: Sequence[str]
) -> Mapping[str, Sequence[Tally]]:
    """Return, for each service with events, a tally since each of ``starts`` until ``end``.

    A five-minute bucket that overlaps a window belongs to it.
    """
    windows = [Window(start, end, traffic) for start in starts]
    whole = Window(min(starts), end, traffic)
    since = [f"bucket >= toDateTime({{s{n}:UInt32}}, 'UTC')" for n in range(len(starts))]
    wanted = ", ".join(part.format(since=condition) for condition in since for part in _PARTS)
    params = {**whole.params, **{f"s{n}": w.params["start"] for n, w in enumerate(windows)}}
    found = client.read(
        f"SELECT service_name, {wanted} FROM rollups FINAL WHERE {whole.condition} "
        "GROUP BY service_name",
        params,
    )
    return {row[0]: _tallies(row[1:]) for row in found}


def _tallies(values: Row) -> list[Tally]:
    width = len(_PARTS)
    return [_tally(values[at : at + width]) for at in range(0, len(values), width)]


def _tally(values: Row) -> Tally:
    valid, bad, valid_rows, bad_rows, weighted, seen = values
    return Tally(
        Counts(float(valid), float(bad), valid_rows, bad_rows),
        {int(edge): count for edge, count in weighted.items()},
        {int(edge): count for edge, count in seen.items()},
    )
