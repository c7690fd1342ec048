"""The telemetry store: what may be kept in it and asked of it, over any ClickHouse endpoint.

Writes take a token and are stored once for it, however often they are sent. Reads see the latest
version of every row, and no row that was taken back. Everything here may raise StoreUnavailable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from seakeeping.records import (
    Evaluation,
    Indicator,
    IndicatorSignal,
    Interaction,
    Label,
    LabelKind,
    LabelledScore,
    Measurement,
    MetricPoint,
    Span,
    Traffic,
)
from seakeeping.store import erasure, labels, lists, measurements, places, retention, rollups, rows
from seakeeping.store.client import StoreClient, address_of
from seakeeping.store.filters import Clause, EvaluationFilter, InteractionFilter, Page
from seakeeping.store.labels import LabelCandidate, LabelFilter
from seakeeping.store.measurements import MeasurementFilter
from seakeeping.store.migration import migrate
from seakeeping.store.native import Block, micros
from seakeeping.store.places import Places
from seakeeping.store.rows import RetractedCall
from seakeeping.store.schema import Topology
from seakeeping.store.summaries import SeriesPoint, ServiceSummary

__all__ = [
    "EvaluationFilter",
    "InteractionFilter",
    "LabelCandidate",
    "LabelFilter",
    "MeasurementFilter",
    "Page",
    "SeriesPoint",
    "ServiceSummary",
    "Store",
    "StoredTraces",
    "connect",
]


def connect(
    url: str, token: str | None = None, *, counted: Sequence[str] = (Traffic.LIVE,)
) -> "Store":
    """Return the store at an address; nothing is sent yet.

    Args:
        url: ``http://127.0.0.1:PORT`` of the embedded store, or ``clickhouse://user:pw@host:port``.
        token: what opens the embedded store; a server's password stands in its URL.
        counted: kinds of traffic that summaries, series and counts add up; in demo mode also demo.
    """
    return Store(StoreClient(address_of(url, token)), counted=counted)


class Store:
    """One telemetry store; may be used from many threads."""

    def __init__(
        self,
        client: StoreClient,
        topology: Topology | None = None,
        *,
        counted: Sequence[str] = (Traffic.LIVE,),
    ) -> None:
        self.client = client
        self._index = places.TraceIndex(client)
        self._rows_since: float | None = None
        self._counted = tuple(str(traffic) for traffic in counted)
        self._topology = topology or Topology()

    def migrate(self) -> None:
        """Make or update the tables. Raises StoreTooNew for those of a newer version."""
        migrate(self.client, self._topology)

    def ping(self, timeout_s: float = 3.0) -> bool:
        """Return whether the store answers within the time."""
        return self.client.ping(timeout_s)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    # writes

    def insert_spans(self, spans: Sequence[Span], token: str) -> None:
        """Keep spans. A span that is sent twice counts once."""
        self._index.add((s.trace_id, s.service_name, s.started_at) for s in spans)
        self._insert("spans", rows.spans_block(spans), token)

    def insert_interactions(self, interactions: Sequence[Interaction], token: str) -> None:
        """Keep interactions; of one (trace_id, span_id) the highest version counts."""
        self._index.add((i.trace_id, i.service_name, i.started_at) for i in interactions)
        self._insert("interactions", rows.interactions_block(interactions), token)
        self._insert("interaction_texts", rows.texts_block(interactions), token)

    def insert_evaluations(
        self, judged: Sequence[tuple[Evaluation, Interaction | None]], token: str
    ) -> None:
        """Keep evaluations; of one (trace_id, span_id, name, evaluator) the latest counts.

        Each comes with its interaction, beside which it is kept. One whose interaction is not known
        is kept at its own time and found by its ids only.
        """
        self._index.add((e.trace_id, "", e.evaluated_at) for e, of in judged if of is None)
        self._insert("evaluations", rows.evaluations_block(judged), token)

    def retract(self, retractions: Sequence[RetractedCall], token: str) -> None:
        """Take back interactions, their text and their evaluations."""
        if not retractions:
            return
        self._insert("interactions", rows.retractions_block(retractions), f"{token}-retracted")
        self._insert("interaction_texts", rows.blanks_block(retractions), f"{token}-retracted")
        where = places.places_of([(r.service_name, r.started_at) for r in retractions])
        self.client.command(
            _RETRACT_EVALUATIONS.format(where=where.condition),
            params={**where.params, "ids": [r.trace_id + r.span_id for r in retractions]},
        )

    def insert_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        """Keep points of time series."""
        self._insert("metric_points", rows.metric_points_block(points), token)

    # rollups

    def refresh_rollups(self, buckets: Iterable[tuple[str, float]]) -> None:
        """Recompute (service_name, start of five minutes) buckets from the latest rows."""
        rollups.refresh(self.client, buckets, self._kept_since())

    def stale_buckets(self) -> list[tuple[str, float]]:
        """Return the buckets whose rollups do not know all rows, as after a crash."""
        return rollups.stale_buckets(self.client)

    def services(self, now: float, window_s: float) -> list[ServiceSummary]:
        """Return the services with calls in the window that ends now, by name."""
        return rollups.services(self.client, self._window(now - window_s, now))

    def series(self, service: str, start: float, end: float, step_s: int) -> list[SeriesPoint]:
        """Return a point for each step from the one that holds ``start`` to ``end``.

        Raises BadInput where ``step_s`` is not a multiple of 300.
        """
        return rollups.series(self.client, service, self._window(start, end), step_s)

    def _window(self, start: float, end: float) -> rollups.Window:
        return rollups.Window(start, end, self._counted)

    def _kept_since(self) -> float:
        if self._rows_since is None:
            self._rows_since = retention.rows_since(self.client)
        return self._rows_since

    # what goes

    def apply_retention(
        self, limits: retention.RetentionLimits, now: float
    ) -> list[retention.Dropped]:
        """Drop whole days that are too old or over the disk ceiling; return what went, and why."""
        dropped = retention.apply(self.client, limits, now)
        self._rows_since = None
        return dropped

    def erase_subject(self, user_id: str) -> int:
        """Delete a user's interactions with text, evaluations and traces; return how many."""
        return erasure.erase_subject(self.client, user_id)

    def _insert(self, table: str, block: Block, token: str) -> None:
        if block.rows:
            self.client.insert(table, block, token)

    # reads

    def interactions(
        self, where: InteractionFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Interaction]:
        """Return interactions, newest first. Raises BadInput for a cursor of something else."""
        listing = lists.Listing(
            table="interactions",
            key=("trace_id", "span_id"),
            kept="retracted = 0 AND erased = 0",
            fetch=self._fetch_interactions,
        )
        return lists.page(self.client, listing, where, limit, cursor)

    def interaction(self, trace_id: str, span_id: str) -> Interaction | None:
        """Return the latest version of one interaction, or None."""
        found = self._interactions_of(
            [trace_id], Clause(("span_id = {span:String}",), {"span": span_id})
        )
        return found[0] if found else None

    def evaluations(
        self, where: EvaluationFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Evaluation]:
        """Return evaluations, those of the newest interactions first. Raises BadInput."""
        listing = lists.Listing(
            table="evaluations",
            key=("trace_id", "span_id", "name", "evaluator"),
            kept="retracted = 0 AND erased = 0",
            fetch=self._fetch_evaluations,
        )
        return lists.page(self.client, listing, where, limit, cursor)

    def evaluations_of(self, trace_id: str, span_id: str) -> list[Evaluation]:
        """Return the latest evaluations of one interaction, by name."""
        where = places.find(self.client, [trace_id])
        if not where:
            return []
        of = f"{where.condition} AND trace_id = {{trace:String}} AND span_id = {{span:String}}"
        found = places.kept_rows(
            self.client,
            _evaluations(of, "retracted = 0"),
            {**where.params, "trace": trace_id, "span": span_id},
        )
        return sorted(map(rows.evaluation, found), key=lambda e: (e.name, e.evaluator))

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace in the order of their start."""
        return self.trace_spans([trace_id])

    def metric_points(
        self,
        service_name: str,
        name: str,
        start: float,
        end: float,
        *,
        limit: int = 10_000,
    ) -> list[MetricPoint]:
        """Return the points of a metric in ``start <= at < end``, oldest first."""
        found = self.client.read(
            f"SELECT {rows.METRIC_SELECT} FROM metric_points WHERE "
            "service_name = {service:String} AND name = {name:String} AND at >= "
            "fromUnixTimestamp64Micro({start:Int64}, 'UTC') AND at < "
            f"fromUnixTimestamp64Micro({{end:Int64}}, 'UTC') ORDER BY at LIMIT {limit:d}",
            {"service": service_name, "name": name, "start": micros(start), "end": micros(end)},
        )
        return [rows.metric_point(row) for row in found]

    # labels and measurements

    def insert_labels(self, made: Sequence[Label], token: str = "") -> None:
        """Keep labels; of one author on one evaluation of one answer the newest counts."""
        self._insert("labels", labels.labels_block(made), token)

    def labels(
        self, where: LabelFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Label]:
        """Return labels, newest first. Raises BadInput for a cursor of something else."""
        return labels.labels(self.client, where, limit, cursor)

    def label_bank(
        self,
        name: str,
        *,
        indicator: Indicator,
        service: str | None = None,
        evaluator: str | None = None,
        since: float = 0.0,
    ) -> list[LabelledScore]:
        """Return the labels of scored answers that started since, beside their latest scores.

        Args:
            name: the evaluation's.
            indicator: says which verdicts are flags, and of which answers (its ``where``).
            service: whose answers; None: of all.
            evaluator: whose scores; None: of ours, or of others where we have none.
            since: Unix seconds.

        Raises BadInput where nothing says which verdicts are flags.
        """
        indicator = replace(
            indicator,
            signal=IndicatorSignal.EVALUATION,
            subject=name,
            evaluator=evaluator or indicator.evaluator,
        )
        return labels.label_bank(self.client, indicator, service, since, self._counted)

    def candidates(
        self,
        service: str,
        name: str,
        start: float,
        end: float,
        limit: int = 1000,
        by: LabelKind = LabelKind.HUMAN,
        epoch_s: float = 86_400.0,
    ) -> list[LabelCandidate]:
        """Return scored answers in ``start <= t < end`` that nobody of that kind has labelled.

        Of more than ``limit`` in ``epoch_s`` seconds (counted from the Unix epoch) a uniform
        sample, the same for the same answers.
        """
        rows = places.between(service, start, end)
        return labels.candidates(self.client, rows, name, by, limit, self._counted, epoch_s)

    def insert_measurements(self, made: Sequence[Measurement], token: str = "") -> None:
        """Keep measurements; of one service, name, slice and window the newest counts."""
        self._insert("measurements", measurements.measurements_block(made), token)

    def measurements(
        self, where: MeasurementFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Measurement]:
        """Return measurements, the newest window first. Raises BadInput for a strange cursor."""
        return measurements.measurements(self.client, where, limit, cursor)

    # history, for the assembler

    def trace_spans(self, trace_ids: Sequence[str]) -> list[Span]:
        """Return the spans of some traces in the order of their start."""
        where = places.find(self.client, trace_ids) if trace_ids else None
        if not where:
            return []
        found = self.client.read(
            f"SELECT {rows.SPAN_SELECT} FROM spans FINAL WHERE trace_id IN "
            f"{{ids:Array(String)}} AND {where.time_condition} ORDER BY started_at, span_id",
            {**where.time_params, "ids": list(trace_ids)},
        )
        return [rows.span(row) for row in found]

    def trace_interactions(self, trace_ids: Sequence[str]) -> list[Interaction]:
        """Return the latest interactions of some traces in the order of their start."""
        return self._interactions_of(trace_ids, Clause((), {})) if trace_ids else []

    def history(self) -> "StoredTraces":
        """Return the view of the past that the assembler asks for."""
        return StoredTraces(self)

    # latest versions at known places

    def _interactions_of(self, trace_ids: Sequence[str], clause: Clause) -> list[Interaction]:
        where = places.find(self.client, trace_ids)
        if not where:
            return []
        found = self._read_interactions(where, trace_ids, clause)
        return sorted(found, key=lambda i: (i.started_at, i.span_id))

    def _read_interactions(
        self, where: Places, trace_ids: Iterable[str], clause: Clause
    ) -> list[Interaction]:
        params = {**where.params, "ids": sorted(set(trace_ids)), **clause.params}
        place = f"{where.condition} AND trace_id IN {{ids:Array(String)}}"
        kept = f"retracted = 0 AND erased = 0 AND {clause.sql}"
        heads = places.kept_rows(
            self.client,
            places.latest("interactions", rows.INTERACTION_SELECT, _KEY, place, kept),
            params,
        )
        if not heads:
            return []
        spans = {"ids": sorted({h[0] for h in heads}), "spans": sorted({h[1] for h in heads})}
        place = f"{place} AND span_id IN {{spans:Array(String)}}"
        texts = places.kept_rows(
            self.client,
            places.latest("interaction_texts", f"{_KEY}, {rows.TEXT_SELECT}", _KEY, place),
            params | spans,
        )
        by_key = {(row[0], row[1]): row[2:] for row in texts}
        return [rows.interaction(head, by_key.get((head[0], head[1]))) for head in heads]

    def _fetch_interactions(
        self, where: Places, candidates: Sequence[lists.Candidate], clause: Clause
    ) -> dict[tuple[str, ...], Interaction]:
        spans = sorted({c.mark.key[1] for c in candidates})
        narrowed = Clause(
            (*clause.conditions, "span_id IN {spans:Array(String)}"),
            {**clause.params, "spans": spans},
        )
        found = self._read_interactions(where, (c.mark.key[0] for c in candidates), narrowed)
        return {interaction.key: interaction for interaction in found}

    def _fetch_evaluations(
        self, where: Places, candidates: Sequence[lists.Candidate], clause: Clause
    ) -> dict[tuple[str, ...], Evaluation]:
        params = {
            **where.params,
            **clause.params,
            "ids": sorted({c.mark.key[0] for c in candidates}),
        }
        of = f"{where.condition} AND trace_id IN {{ids:Array(String)}}"
        kept = f"retracted = 0 AND erased = 0 AND {clause.sql}"
        found = places.kept_rows(self.client, _evaluations(of, kept), params)
        return {made.key: made for made in map(rows.evaluation, found)}


_KEY = "trace_id, span_id"


def _evaluations(condition: str, kept: str) -> str:
    key = f"{_KEY}, name, evaluator"
    return places.latest("evaluations", rows.EVALUATION_SELECT, key, condition, kept)


@dataclass(frozen=True, slots=True)
class StoredTraces:
    """What the store knows of traces (``ingest.assemble.TraceHistory``)."""

    store: Store

    def spans(self, trace_ids: Sequence[str]) -> list[Span]:
        """Return the kept spans of some traces."""
        return self.store.trace_spans(trace_ids)

    def interactions(self, trace_ids: Sequence[str]) -> list[Interaction]:
        """Return the latest interactions of some traces, without those taken back."""
        return self.store.trace_interactions(trace_ids)


_RETRACT_EVALUATIONS = """
INSERT INTO evaluations (trace_id, span_id, started_at, service_name, name, evaluator,
  evaluated_at, version, retracted)
SELECT trace_id, span_id, started_at, service_name, name, evaluator, evaluated_at, version + 1, 1
FROM evaluations FINAL
WHERE {where} AND concat(trace_id, span_id) IN {{ids:Array(String)}}
"""
