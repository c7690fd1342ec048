"""Labels: what people, judges and users say about answers, kept apart from what detectors say.

They are few and name their answer by ids alone; where the answer lies is looked up when they are
read beside its score, so a label may arrive before its answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from seakeeping.records import (
    Indicator,
    IndicatorSignal,
    Label,
    LabelKind,
    LabelledScore,
)
from seakeeping.store import native, places
from seakeeping.store.client import StoreClient
from seakeeping.store.filters import Mark, Page, read_cursor
from seakeeping.store.native import Block, micros
from seakeeping.store.places import Rows
from seakeeping.store.predicates import EXTERNAL, columns_of, judged_from, predicate_of
from seakeeping.store.rows import Row

_IDS_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Which labels; None asks for any. ``start`` and ``end`` bound the label's own time."""

    start: float | None = None
    end: float | None = None
    trace_id: str | None = None
    span_id: str | None = None
    name: str | None = None
    by: LabelKind | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class LabelCandidate:
    """A scored answer that nobody has labelled yet; ``score`` is on the evaluation's own scale.

    ``chance`` is that of being among those that were returned: below 1 where there were too many.
    """

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    score: float | None
    label: str | None
    evaluator: str
    chance: float = 1.0


def labels_block(labels: Sequence[Label]) -> Block:
    """Return labels as a block of the table ``labels``; of equal keys the latest ``at`` counts."""
    versions = [micros(label.at) for label in labels]
    return native.block(
        len(labels),
        [
            native.strings("trace_id", [x.trace_id for x in labels]),
            native.strings("span_id", [x.span_id for x in labels]),
            native.strings("name", [x.name for x in labels]),
            native.strings("by", [x.by for x in labels]),
            native.strings("author", [x.author for x in labels]),
            native.floats("value", [x.value for x in labels]),
            native.times("at", [x.at for x in labels]),
            native.optional_floats(
                "sampling_probability", [x.sampling_probability for x in labels]
            ),
            native.strings("comment", [x.comment for x in labels]),
            native.integers("version", versions, "UInt64"),
        ],
    )


_SELECT = (
    "trace_id, span_id, name, value, by, author, toUnixTimestamp64Micro(at), sampling_probability, "
    "comment"
)
_KEY = ("trace_id", "span_id", "name", "by", "author")


def label(row: Row) -> Label:
    """Return the label of a row."""
    trace_id, span_id, name, value, by, author, at, probability, comment = row
    return Label(
        trace_id, span_id, name, float(value), LabelKind(by), author, at / 1e6,
        None if probability is None else float(probability), comment or None,
    )  # fmt: skip


def labels(client: StoreClient, where: LabelFilter, limit: int, cursor: str | None) -> Page[Label]:
    """Return labels, newest first. Raises BadInput for a cursor of something else."""
    params: dict[str, object] = {}
    conditions = list(_conditions(where, params))
    if cursor is not None:
        mark = read_cursor(cursor, len(_KEY))
        params |= {"mark_at": mark.at, **{f"mark_{n}": part for n, part in enumerate(mark.key)}}
        marks = ", ".join(f"{{mark_{n}:String}}" for n in range(len(_KEY)))
        at = "fromUnixTimestamp64Micro({mark_at:Int64}, 'UTC')"
        conditions.append(f"(at, {', '.join(_KEY)}) < ({at}, {marks})")
    order = ", ".join(f"{column} DESC" for column in ("at", *_KEY))
    rows = client.read(
        f"SELECT {_SELECT} FROM labels FINAL WHERE {' AND '.join(conditions) or '1'} "
        f"ORDER BY {order} LIMIT {limit + 1:d}",
        params,
    )
    found = [label(row) for row in rows]
    if len(found) <= limit:
        return Page(found, None)
    last = found[limit - 1]
    return Page(found[:limit], Mark(rows[limit - 1][6], tuple(map(str, last.key))).spell())


def _conditions(where: LabelFilter, params: dict[str, object]) -> Iterator[str]:
    for field in fields(where):
        value = getattr(where, field.name)
        if value is None:
            continue
        if field.name in ("start", "end"):
            params[field.name] = micros(value)
            operator = ">=" if field.name == "start" else "<"
            yield f"at {operator} fromUnixTimestamp64Micro({{{field.name}:Int64}}, 'UTC')"
        else:
            params[field.name] = str(value)
            yield f"{field.name} = {{{field.name}:String}}"


@dataclass(frozen=True, slots=True)
class _Scored:
    """What the detector said of an answer; ``score`` is badness."""

    service_name: str
    started_at: float
    weight: float
    score: float
    is_flagged: bool


def label_bank(
    client: StoreClient,
    indicator: Indicator,
    service: str | None,
    since: float,
    traffic: Sequence[str],
) -> list[LabelledScore]:
    """Return labels beside the latest scores; see ``telemetry.Store.label_bank``."""
    assert indicator.subject is not None
    rows = client.read(
        f"SELECT {_SELECT} FROM labels FINAL WHERE name = {{name:String}} "
        "AND at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') ORDER BY at, trace_id, span_id",
        {"name": indicator.subject, "since": micros(max(0.0, since))},
    )
    given = [label(row) for row in rows]
    scored: dict[tuple[str, str], _Scored] = {}
    ids = sorted({x.trace_id for x in given})
    for at in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[at : at + _IDS_AT_ONCE]
        scored |= _scores(client, indicator, some, service, since, traffic)
    beside = ((x, scored.get((x.trace_id, x.span_id))) for x in given)
    return [_labelled(x, found, indicator) for x, found in beside if found is not None]


def _scores(
    client: StoreClient,
    indicator: Indicator,
    trace_ids: Sequence[str],
    service: str | None,
    since: float,
    traffic: Sequence[str],
) -> Mapping[tuple[str, str], _Scored]:
    where = places.find(client, trace_ids)
    if not where:
        return {}
    predicate = predicate_of(replace(indicator, signal=IndicatorSignal.EVALUATION))
    source = judged_from(
        f"{where.condition} AND trace_id IN {{ids:Array(String)}}", set(columns_of(indicator))
    )
    found = client.read(
        "SELECT trace_id, span_id, service_name, toUnixTimestamp64Micro(started_at), w, "
        f"isNotNull(score), unit_score, {predicate.bad} AS is_bad FROM {source} "
        f"WHERE ({predicate.valid}) AND ({{service:String}} IN ('', service_name)) "
        "AND started_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') "
        f"ORDER BY startsWith(evaluator, '{EXTERNAL}') DESC, evaluator DESC",  # the last one stays
        {
            **predicate.params, **where.params, "ids": list(trace_ids),
            "names": [indicator.subject], "traffic": list(traffic), "service": service or "",
            "since": micros(max(0.0, since)),
        },
    )  # fmt: skip
    return {(row[0], row[1]): _scored(row, indicator) for row in found}


def _scored(row: Row, indicator: Indicator) -> _Scored:
    _, _, service, at, weight, has_score, score, is_bad = row
    badness = _badness(score, indicator) if has_score else float(is_bad)
    return _Scored(service, at / 1e6, float(weight), badness, bool(is_bad))


def _badness(value: float, indicator: Indicator) -> float:
    unit = min(max(float(value), 0.0), 1.0)
    return 1.0 - unit if indicator.higher_is_better else unit


def _labelled(given: Label, found: _Scored, indicator: Indicator) -> LabelledScore:
    return LabelledScore(
        trace_id=given.trace_id,
        span_id=given.span_id,
        service_name=found.service_name,
        started_at=found.started_at,
        at=given.at,
        truth=_badness(given.value, indicator),
        score=found.score,
        is_flagged=found.is_flagged,
        by=given.by,
        author=given.author,
        sampling_probability=given.sampling_probability,
        weight=found.weight,
    )


def candidates(
    client: StoreClient,
    rows: Rows,
    name: str,
    by: LabelKind,
    limit: int,
    traffic: Sequence[str],
    epoch_s: float,
) -> list[LabelCandidate]:
    """Return unlabelled scored answers; see ``telemetry.Store.candidates``."""
    columns = {"name", "evaluator", "score", "score_label", "skipped_reason"}
    one_each = (
        "SELECT trace_id, span_id, service_name, toUnixTimestamp64Micro(started_at) AS at, score, "
        f"score_label, evaluator, intDiv(at, {round(epoch_s * 1e6):d}) AS epoch "
        f"FROM {judged_from(f'{rows.condition} AND erased = 0', columns)} "
        "WHERE skipped_reason = '' AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id "
        "FROM labels WHERE name = {name:String} AND by = {by:String}) "
        f"ORDER BY trace_id, span_id, startsWith(evaluator, '{EXTERNAL}'), evaluator "
        "LIMIT 1 BY trace_id, span_id"
    )
    found = client.read(
        "SELECT trace_id, span_id, service_name, at, score, score_label, evaluator, "
        f"count() OVER (PARTITION BY epoch) FROM ({one_each}) "
        f"ORDER BY cityHash64(trace_id, span_id), trace_id, span_id LIMIT {limit:d} BY epoch",
        {**rows.params, "names": [name], "name": name, "by": str(by), "traffic": list(traffic)},
    )
    return [
        LabelCandidate(
            row[0], row[1], row[2], row[3] / 1e6, None if row[4] is None else float(row[4]),
            row[5] or None, row[6], min(1.0, limit / int(row[7])),
        )
        for row in found
    ]  # fmt: skip
