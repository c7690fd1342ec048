"""The store as the controller uses it: counts by cell, facts by slice, what changed since.

Apart from ``telemetry.Store``, because it answers in arrays: only what decides loads numpy.
"""

from collections.abc import Collection, Mapping, Sequence

from seakeeping.errors import BadInput
from seakeeping.records import Indicator, Traffic
from seakeeping.records.names import Names
from seakeeping.store import count, examples, facts, kept, names, novelty, places
from seakeeping.store.cells import Cells, Place, TimeSpan
from seakeeping.store.client import StoreClient, address_of
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.store.metric_series import MetricSeries, moved_series
from seakeeping.store.novelty import FirstSeen, Novelty
from seakeeping.store.predicates import CALL_SIGNALS, JUDGED_SIGNALS
from seakeeping.store.schema import Topology
from seakeeping.store.telemetry import Store
from seakeeping.store.touched import Changes, Touched

__all__ = ["CountingStore", "connect_counting"]


def connect_counting(
    url: str, token: str | None = None, *, counted: Sequence[str] = (Traffic.LIVE,)
) -> "CountingStore":
    """Return the store at an address, as ``telemetry.connect`` does; nothing is sent yet."""
    return CountingStore(StoreClient(address_of(url, token)), counted=counted)


class CountingStore(Store):
    """A telemetry store that also counts; may be used from many threads."""

    def __init__(
        self,
        client: StoreClient,
        topology: Topology | None = None,
        *,
        counted: Sequence[str] = (Traffic.LIVE,),
    ) -> None:
        super().__init__(client, topology, counted=counted)
        self._changes = Changes(client)
        self._novelty = Novelty(client, self._counted)

    def touched(self, after: int, metric_names: Collection[str] | None = None) -> Touched:
        """Return what changed since the version ``after``; with 0 only the current version.

        Pass the version of the answer that was worked off: what is answered is told again until
        its version comes back.

        Args:
            after: version of an earlier answer.
            metric_names: metrics to look for; None: all.
        """
        return self._changes.touched(after, metric_names)

    def count_cells(
        self, indicators: Sequence[Indicator], where: Sequence[Place] | TimeSpan, step_s: int = 300
    ) -> Cells:
        """Count events from the latest rows, by indicator, service and step.

        Args:
            indicators: what to count; equal keys are counted once and answered for each.
            where: (service, start of five minutes) places, or a span of time.
            step_s: width of a cell, a divisor of 300 or, for a ``TimeSpan``, also a multiple.

        Raises BadInput for an indicator that cannot be counted, StoreUnavailable.
        """
        return count.count_cells(self.client, indicators, where, step_s, self._counted)

    def keep_cells(self, keys: Sequence[str], cells: Cells) -> None:
        """Keep five-minute cells; ``cells.indicator`` is an index into the indicators' ``keys``.

        They outlive the rows they were counted from. A newer cell replaces an older one.
        """
        if len(cells):
            self.client.insert("sli_cells", kept.kept_block(keys, cells), "")

    def kept_cells(
        self,
        keys: Sequence[str],
        start: float,
        end: float = float(2**32 - 1),
        step_s: int = 300,
    ) -> Cells:
        """Return the kept cells of indicators in ``start <= t < end``, added up by ``step_s``."""
        return kept.kept_cells(self.client, keys, start, end, step_s)

    def rows_since(self) -> float:
        """Return the moment before which rows have been dropped: earlier cells are only kept."""
        return self._kept_since()

    def facts(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        dimensions: Sequence[str] | None = None,
    ) -> Facts:
        """Return the events in ``start <= t < end`` by every combination of dimension values.

        Args:
            indicator: what to count; of calls or answers.
            service: whose.
            start: Unix seconds.
            end: Unix seconds.
            dimensions: names of ``records.DIMENSIONS`` and ``group.NAME``; None: all of the former
                and every group that a call declared.

        Raises BadInput for an indicator of metrics or measurements, or an unknown dimension.
        """
        rows = self._rows(indicator, service, start, end)
        return facts.facts(self.client, indicator, rows, dimensions, self._counted)

    def examples(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        slice: Mapping[str, str] | None = None,
        limit: int = 5,
    ) -> list[Example]:
        """Return bad events of an indicator, worst first; ``slice`` maps dimensions to values."""
        rows = self._rows(indicator, service, start, end)
        return examples.examples(self.client, indicator, rows, slice or {}, limit, self._counted)

    def dimension_values(self, service: str, dimension: str, start: float, end: float) -> list[str]:
        """Return the values that calls showed in a dimension, the most frequent first."""
        return novelty.dimension_values(self.client, service, dimension, start, end, self._counted)

    def names(self, now: float) -> Names:
        """Return the names of services, evaluations, measurements and metrics seen lately."""
        return names.names(self.client, now)

    def known_calls(self, calls: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of (trace, span) that are stored, and were neither erased nor retracted."""
        return names.known_calls(self.client, calls)

    def first_seen(self, start: float, end: float) -> list[FirstSeen]:
        """Return the values of telling dimensions that were new in ``start <= t < end``.

        These are service version, release, model, prompt version, and the provider's fingerprint.
        """
        return self._novelty.first_seen(start, end)

    def moved_series(
        self, service: str, start: float, moment: float, end: float, *, least: int, most: int
    ) -> list[MetricSeries]:
        """Return the metric series by the minute that moved farthest since a moment.

        Args:
            service: whose.
            start: Unix seconds; ``start <= t < moment`` is before.
            moment: Unix seconds.
            end: Unix seconds; ``moment <= t < end`` is since.
            least: minutes with values before that a series must have.
            most: how many series.
        """
        return moved_series(self.client, service, start, moment, end, least=least, most=most)

    def _rows(self, indicator: Indicator, service: str, start: float, end: float) -> places.Rows:
        if indicator.signal not in CALL_SIGNALS | JUDGED_SIGNALS:
            raise BadInput(
                f"the events of {indicator.name!r} are no calls",
                place="indicator",
                hint="only calls and answers have dimensions",
            )
        return places.between(service, start, end)
